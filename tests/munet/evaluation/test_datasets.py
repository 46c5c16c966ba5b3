"""Loaders on miniatures of the data sets' real layouts."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import h5py
import miniatures
import numpy as np
import pytest
import torch

from munet.errors import InvalidInputError
from munet.evaluation.alignment import Similarity
from munet.evaluation.datasets.human36m import Human36M
from munet.evaluation.datasets.mpi_inf_3dhp import MpiInf3dhp, solve_focal
from munet.evaluation.datasets.pw3d import ThreeDPW
from munet.evaluation.datasets.scans import CAPE, RENDERPEOPLE, THUMAN2, Scans, read_calibration
from munet.evaluation.files import DatasetError, MissingPackageError, read_dictionary, read_mesh
from munet.evaluation.joints import H36M_JOINTS, SMPL_JOINTS, pick
from munet.evaluation.registry import KINDS, dataset_kind
from munet.evaluation.sample import Dataset, Sample
from munet.render import rasterise


def read(dataset: Dataset, step: int = 1) -> list[Sample]:
    return list(dataset.samples(step))


@pytest.fixture(scope="module")
def human36m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return miniatures.human36m(tmp_path_factory.mktemp("h36m"))


def test_human36m(human36m: Path) -> None:
    dataset = Human36M(human36m)
    samples = read(dataset)
    assert len(dataset) == len(samples) == 2 * 2 * 3
    assert [sample.name for sample in samples[:4]] == [
        "S9/Eating.60457274/000000",
        "S9/Eating.60457274/000005",
        "S9/Eating.60457274/000010",
        "S9/Sitting 1.60457274/000000",
    ]
    third = samples[2]
    assert abs(int(third.image.mean()) - 100) < 6, "row 10 of the poses belongs to frame 10 of the video"
    assert third.box is not None
    assert third.box.tolist() == [20, 20, 40, 50]
    assert third.joints is not None
    assert third.joints.names == H36M_JOINTS
    assert np.allclose(third.joints.positions_cam[:, 1:], [1.0, 4.0]), "metres"
    knee = pick(third.joints.names, third.joints.positions_cam, ("right_knee", "left_wrist"))
    assert np.allclose(knee[:, 0], [0.002, 0.019])


def test_human36m_protocol_1_takes_all_cameras(human36m: Path) -> None:
    assert len(Human36M(human36m, 1)) == 2 * 3 * 3


def test_human36m_prefers_extracted_pictures(tmp_path: Path) -> None:
    root = miniatures.human36m(tmp_path, frames=6)
    for frame in (0, 5):
        miniatures.picture(root / "images" / f"S9_Sitting_1.60457274_{frame + 1:06d}.jpg", 250)
    names = {sample.name: int(sample.image[0, 0, 0]) for sample in read(Human36M(root))}
    assert names["S9/Sitting 1.60457274/000005"] > 240
    assert names["S11/Sitting 1.60457274/000005"] < 80


def test_a_video_that_ends_too_early_is_an_error(tmp_path: Path) -> None:
    root = miniatures.human36m(tmp_path, frames=6)
    miniatures.video(root / "S9" / "Videos" / "Eating.60457274.mp4", 3)
    with pytest.raises(DatasetError, match="ends too early"):
        read(Human36M(root))


def test_mpi_inf_3dhp(tmp_path: Path) -> None:
    root = miniatures.mpi_inf_3dhp(tmp_path)
    dataset = MpiInf3dhp(root)
    samples = read(dataset)
    assert len(dataset) == len(samples) == 12
    assert [sample.name for sample in samples[:2]] == ["TS1/000001", "TS1/000004"]
    first = samples[0]
    assert first.focal == pytest.approx(miniatures.FOCAL)
    assert first.joints is not None
    assert first.joints.pixels is not None
    assert first.box is not None
    with h5py.File(root / "mpi_inf_3dhp_test_set" / "TS1" / "annot_data.mat") as file:
        right_knee, head = np.asarray(file["univ_annot3"])[0, 0, [9, 0]] / 1000
    found = pick(first.joints.names, first.joints.positions_cam, ("right_knee", "head"))
    assert np.allclose(found, [right_knee, head])
    assert np.allclose(first.box[:2], first.joints.pixels.min(0))
    assert len(read(MpiInf3dhp(root / "mpi_inf_3dhp_test_set"))) == 12, "the inner folder is as good"


def test_focal_is_the_one_that_projected() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (30, 3)) + np.array([0, 0, 4])
    camera = np.array([[1500.0, 0, 1000], [0, 1500, 700], [0, 0, 1]])
    pixels = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera, None)[0][:, 0]
    assert solve_focal(points, pixels) == pytest.approx(1500)


def test_3dpw(tmp_path: Path) -> None:
    root = miniatures.pw3d(tmp_path)
    dataset = ThreeDPW(root)
    samples = read(dataset)
    assert len(dataset) == len(samples) == 5 + 3
    assert [sample.name for sample in samples[5:]] == ["street_00/1/00001", "street_00/1/00002", "street_00/1/00004"]
    woman = samples[6]
    assert woman.smpl is not None
    assert woman.smpl.gender == "female"
    assert woman.smpl.betas.shape == (10,)
    assert woman.focal == miniatures.FOCAL
    assert woman.box is not None
    assert woman.box.max() < 51, "keypoints that were not seen do not widen the box"
    assert int(woman.image[0, 0, 0]) == pytest.approx(80, abs=3)
    assert woman.joints is not None
    assert woman.joints.names == SMPL_JOINTS


def test_3dpw_body_and_joints_share_the_camera(tmp_path: Path) -> None:
    """A point of the body goes to the camera as the stored joints do: rotation after translation."""
    samples = read(ThreeDPW(miniatures.pw3d(tmp_path)))
    data = read_dictionary(tmp_path / "sequenceFiles" / "test" / "street_00.pkl")
    camera = data["cam_poses"][0]
    point = np.array([0.1, 0.2, 0.3])
    wanted = camera[:3, :3] @ (point + data["trans"][0][0]) + camera[:3, 3]
    truth = samples[0]
    assert truth.smpl is not None
    assert truth.joints is not None
    assert np.allclose(truth.smpl.to_camera.apply(point), wanted)
    joint = camera[:3, :3] @ data["jointPositions"][0][0, :3] + camera[:3, 3]
    assert np.allclose(truth.joints.positions_cam[0], joint)


def test_pickles_can_not_run_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = miniatures.pw3d(tmp_path, extra=miniatures.Harm())
    with pytest.raises(DatasetError, match="mkdir"):
        ThreeDPW(root)
    assert not (tmp_path / "harm").exists()


def silhouette(sample: Sample, to_camera: Similarity, path: Path) -> np.ndarray:
    mesh = read_mesh(path)
    points = torch.from_numpy(to_camera.apply(mesh.vertices))
    image = torch.cat([points[:, :2] * (miniatures.SIZE / 2) + miniatures.SIZE / 2, points[:, 2:] + 100], 1)[None]
    return rasterise(image, torch.from_numpy(mesh.faces), *sample.image.shape[:2]).mask[0].numpy()


def test_thuman2_in_munets_layout(tmp_path: Path) -> None:
    dataset = Scans(miniatures.thuman2(tmp_path), THUMAN2)
    samples = read(dataset)
    assert len(dataset) == len(samples) == 12
    assert [sample.name for sample in samples[:6]] == [f"0001/{yaw:04d}" for yaw in (0, 45, 90, 180, 225, 270)]
    assert samples[0].smpl is None
    assert samples[6].smpl is not None
    assert samples[6].smpl.pose.shape == (24, 3)
    assert samples[6].smpl.pose[0].tolist() == [0, 0.5, 0]


@pytest.mark.parametrize(
    ("settings", "unit", "views", "listed", "count"),
    [(CAPE, 1.0, 3, "pose.txt", 6), (RENDERPEOPLE, 100.0, 36, "loose.txt", 12), (THUMAN2, 1.0, 36, "all.txt", 12)],
)
def test_scans_in_icons_layout(
    tmp_path: Path, settings: object, unit: float, views: int, listed: str, count: int
) -> None:
    name = settings.name  # type: ignore[attr-defined]
    samples = read(Scans(miniatures.icon(tmp_path, name, views, unit, listed), settings))  # type: ignore[arg-type]
    assert len(samples) == count
    first = samples[0]
    assert first.scan is not None
    assert first.body is not None
    assert samples[-1].body is None
    vertices = first.scan.to_camera.apply(read_mesh(first.scan.path).vertices)
    metre = 0.3 * 100 / (miniatures.SIZE / 2)
    assert np.allclose(np.ptp(vertices, axis=0)[[0, 2]], [0.4 * metre, 0.2 * metre]), "whatever the file's unit"
    assert np.allclose(vertices[:, 1].min(), -metre, atol=1e-6), "y points down: the peak is at the top"
    body = first.body.to_camera.apply(read_mesh(first.body.path).vertices)
    assert np.allclose(np.ptp(body, axis=0) * metre, np.ptp(vertices, axis=0), atol=1e-5), "bodies are in metres"


def test_scan_is_where_the_picture_shows_it(tmp_path: Path) -> None:
    """From the front and from the left: a peak on the scan's left is right in the picture, then it is in front."""
    samples = {sample.name: sample for sample in read(Scans(miniatures.thuman2(tmp_path), THUMAN2))}
    front = samples["0001/0000"]
    assert front.scan is not None
    mask = silhouette(front, front.scan.to_camera, front.scan.path)
    rows, columns = np.nonzero(mask)
    assert abs(columns.mean() - 31.5) < 1
    assert columns[rows == rows.min()].mean() > 33
    assert 38 < np.ptp(rows) + 1 < 56
    side = samples["0001/0090"]
    assert side.scan is not None
    vertices = side.scan.to_camera.apply(read_mesh(side.scan.path).vertices)
    assert np.isclose(np.ptp(vertices[:, 0]) * 2, np.ptp(vertices[:, 2]))
    assert np.isclose(np.linalg.det(side.scan.to_camera.rotation), 1)


def test_calibration_that_skews_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    rows = np.concatenate([np.eye(4), np.eye(4)])
    for change, value in (((4, 1), 0.5), ((4, 0), 2.0), ((4, 0), 0.0)):
        changed = rows.copy()
        changed[change] = value
        np.savetxt(path, changed)
        with pytest.raises(DatasetError, match="orthographic"):
            read_calibration(path)
    np.savetxt(path, np.eye(4))
    with pytest.raises(DatasetError):
        read_calibration(path)
    path.write_text("no numbers")
    with pytest.raises(DatasetError):
        read_calibration(path)


def test_every_step_th_sample(human36m: Path, tmp_path: Path) -> None:
    datasets: list[Dataset] = [
        Human36M(human36m),
        MpiInf3dhp(miniatures.mpi_inf_3dhp(tmp_path / "a")),
        ThreeDPW(miniatures.pw3d(tmp_path / "b")),
        Scans(miniatures.thuman2(tmp_path / "c"), THUMAN2),
    ]
    for dataset in datasets:
        names = [sample.name for sample in read(dataset)]
        for step in (2, 4, 5):
            assert [sample.name for sample in read(dataset, step)] == names[::step], (dataset.name, step)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "synthetic"])
def test_an_empty_folder_is_explained(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"docs/evaluation\.md"):
        dataset_kind(name).open(tmp_path)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="3dpw"):
        dataset_kind("coco")
    with pytest.raises(InvalidInputError):
        dataset_kind("human36m", 3)


@pytest.mark.parametrize(("name", "package"), [("human36m", "cdflib"), ("mpi_inf_3dhp", "h5py")])
def test_a_missing_package_is_explained(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=f"pip install {package}"):
        dataset_kind(name).open(tmp_path)


def test_missing_and_damaged_files_are_explained(tmp_path: Path) -> None:
    root = miniatures.thuman2(tmp_path / "a")
    (root / "0002" / "calib" / "0000.txt").unlink()
    with pytest.raises(DatasetError, match=r"0000\.txt"):
        Scans(root, THUMAN2)
    root = miniatures.pw3d(tmp_path / "b")
    (root / "imageFiles" / "street_00" / "image_00002.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="image_00002"):
        read(ThreeDPW(root))
    root = miniatures.mpi_inf_3dhp(tmp_path / "c")
    (root / "mpi_inf_3dhp_test_set" / "TS3" / "annot_data.mat").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="TS3"):
        MpiInf3dhp(root)
    broken = tmp_path / "broken.obj"
    broken.write_text("v 0 0 0\n")
    with pytest.raises(DatasetError, match=r"broken\.obj"):
        read_mesh(broken)
