"""From an estimate to numbers: identities and known errors, with and without SMPL files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from munet.body.default import load_default_body
from munet.body.model import SMPL_JOINT_NAMES, SMPL_PARENTS, BodyModel
from munet.body.skinning import pose_body
from munet.errors import BodyFileError
from munet.evaluation.alignment import IDENTITY, Similarity
from munet.evaluation.compare import Comparison, compare, joint_set
from munet.evaluation.estimate import Estimate
from munet.evaluation.files import DatasetError
from munet.evaluation.joints import H36M_JOINTS
from munet.evaluation.reference import Reference, load_reference
from munet.evaluation.sample import Sample, TrueJoints, TrueMesh, TrueSmpl
from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.surface.result import ClothedSurface

TO_CAMERA = np.diag([1.0, -1.0, -1.0])
PICTURE = np.zeros((40, 30, 3), np.uint8)


@pytest.fixture(scope="module")
def default() -> BodyModel:
    torch.set_num_threads(1)
    return load_default_body()


@pytest.fixture(scope="module")
def smpl_folder(default: BodyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files in the official format of a few hundred vertices; the woman is 5 % smaller than the neutral body."""
    folder = tmp_path_factory.mktemp("smpl")
    kept = torch.arange(0, default.vertex_count, 30)
    template = default.template[kept].double().numpy()
    weights = default.weights[kept].double().numpy()
    folded = weights[:, :24].copy()
    folded[:, 22] += weights[:, 24:39].sum(1)
    folded[:, 23] += weights[:, 39:54].sum(1)
    count = len(kept)
    faces = np.stack([np.arange(count - 2), np.arange(1, count - 1), np.arange(2, count)], 1)
    nearest = np.linalg.norm(default.joint_template[:24, None].numpy() - template, axis=-1).argsort(1)[:, :8]
    regressor = np.zeros((24, count))
    np.put_along_axis(regressor, nearest, 1 / 8, 1)
    for gender, size in (("NEUTRAL", 1.0), ("FEMALE", 0.95)):
        np.savez(
            folder / f"SMPL_{gender}.npz",
            v_template=template * size,
            shapedirs=default.shape_dirs[kept].double().numpy(),
            posedirs=np.zeros((count, 3, 207)),
            J_regressor=regressor,
            weights=folded,
            kintree_table=np.array([np.array(SMPL_PARENTS).astype(np.uint32), np.arange(24, dtype=np.uint32)]),
            f=faces.astype(np.uint32),
            vt=np.zeros((count, 2)),
            ft=faces.astype(np.uint32),
        )
    h36m = {"pelvis": 0, "spine": 6, "neck": 12, "jaw": 15, "head": 15}
    rows = [h36m[name] if name in h36m else SMPL_JOINT_NAMES.index(name) for name in H36M_JOINTS]
    np.save(folder / "J_regressor_h36m.npy", regressor[rows])
    return folder


@pytest.fixture(scope="module")
def reference(smpl_folder: Path, default: BodyModel) -> Reference:
    return load_reference(smpl_folder, default)


def estimate_of(model: BodyModel, pose: np.ndarray, betas: np.ndarray) -> Estimate:
    """An estimate that is exactly this body, three metres before the camera."""
    with torch.no_grad():
        whole = np.zeros((model.joint_count, 3))
        whole[:24] = pose
        posed = pose_body(model, torch.tensor(betas[None]).float(), torch.tensor(whole[None]).float())
    shift = np.array([0.0, 0.0, 3.0], np.float32)
    fit = BodyFit(
        betas=betas.astype(np.float32),
        pose=whole.astype(np.float32),
        translation=shift,
        camera=Camera(50.0, (15.0, 20.0), 30, 40),
        vertices_cam=posed.vertices[0].numpy() @ TO_CAMERA.astype(np.float32) + shift,
        joints_cam=posed.joints[0].numpy() @ TO_CAMERA.astype(np.float32) + shift,
        seen=np.ones(24, bool),
        landmark_error=0.0,
    )
    return Estimate(fit, None)


@pytest.fixture(scope="module")
def pose() -> np.ndarray:
    return np.random.default_rng(4).normal(size=(24, 3)) * 0.2


def how(dataset: str, reference: Reference | None) -> Comparison:
    body = load_default_body() if reference is None else reference.body("neutral")
    return Comparison(joint_set(dataset, reference), body, reference, "none", 500, 64)


def test_kinematic_joints_without_smpl_files(default: BodyModel, pose: np.ndarray) -> None:
    estimate = estimate_of(default, pose, np.zeros(10))
    joints = estimate.fit.joints_cam[:24].astype(np.float64)
    same = Sample("a", PICTURE, joints=TrueJoints(SMPL_JOINT_NAMES, joints + 7))
    found = compare(estimate, same, how("3dpw", None))
    assert set(found) == {"mpjpe", "mpjpe_mid_hip", "pa_mpjpe"}
    assert max(found.values()) < 1e-3
    bigger = Sample("a", PICTURE, joints=TrueJoints(SMPL_JOINT_NAMES, joints * 1.1))
    found = compare(estimate, bigger, how("3dpw", None))
    assert found["pa_mpjpe"] < 1e-3
    assert found["mpjpe"] > 10


def test_markers_are_compared_at_the_limbs(default: BodyModel, pose: np.ndarray) -> None:
    estimate = estimate_of(default, pose, np.zeros(10))
    known = dict(zip(SMPL_JOINT_NAMES, estimate.fit.joints_cam.astype(np.float64), strict=False))
    positions = np.stack([known.get(name, np.full(3, 99.0)) for name in H36M_JOINTS])
    pixels = estimate.fit.camera.project(positions).astype(np.float64)
    sample = Sample("a", PICTURE, np.array([5.0, 0, 25, 40]), joints=TrueJoints(H36M_JOINTS, positions, pixels))
    found = compare(estimate, sample, how("mpi_inf_3dhp", None))
    assert found["mpjpe"] < 1e-3
    assert found["pck_05"] == 1
    moved = positions.copy()
    moved[H36M_JOINTS.index("pelvis"), 0] += 0.05
    wrong_root = replace(sample, joints=TrueJoints(H36M_JOINTS, moved))
    found = compare(estimate, wrong_root, how("mpi_inf_3dhp", None))
    assert found["mpjpe"] == pytest.approx(50, abs=1e-2)
    assert found["mpjpe_mid_hip"] < 1e-3
    assert "pck_05" not in found


def test_vertices_with_smpl_files(reference: Reference, pose: np.ndarray) -> None:
    betas = np.random.default_rng(5).normal(size=10)
    estimate = estimate_of(reference.body("neutral"), pose, betas)
    to_camera = Similarity(1.0, TO_CAMERA, np.array([1.0, 2.0, 9.0]))
    sample = Sample("a", PICTURE, smpl=TrueSmpl(pose, betas, "neutral", to_camera))
    found = compare(estimate, sample, how("3dpw", reference))
    assert set(found) == {"mpjpe", "mpjpe_mid_hip", "pa_mpjpe", "pve", "pve_t_sc"}
    assert max(found.values()) < 1e-2


def test_the_womans_body_is_used_for_a_woman(reference: Reference, pose: np.ndarray) -> None:
    estimate = estimate_of(reference.body("neutral"), pose, np.zeros(10))
    truth = TrueSmpl(pose, np.zeros(10), "female", Similarity(1.0, TO_CAMERA, np.zeros(3)))
    found = compare(estimate, Sample("a", PICTURE, smpl=truth), how("3dpw", reference))
    assert found["pve"] > 10
    assert found["pve_t_sc"] < 1e-2, "she is only smaller"
    with pytest.raises(BodyFileError, match="SMPL_MALE"):
        compare(estimate, Sample("a", PICTURE, smpl=replace(truth, gender="male")), how("3dpw", reference))


def test_an_smpl_mesh_is_as_good_as_parameters(reference: Reference, pose: np.ndarray, tmp_path: Path) -> None:
    estimate = estimate_of(reference.body("neutral"), pose, np.zeros(10))
    mesh = trimesh.Trimesh(estimate.fit.vertices_cam, reference.body("neutral").faces.numpy(), process=False)
    mesh.export(tmp_path / "body.ply")
    sample = Sample("a", PICTURE, body=TrueMesh(tmp_path / "body.ply", IDENTITY))
    found = compare(estimate, sample, how("cape", reference))
    assert set(found) == {"mpjpe", "mpjpe_mid_hip", "pa_mpjpe", "pve"}
    assert max(found.values()) < 1e-2
    trimesh.creation.box().export(tmp_path / "body.ply")
    assert compare(estimate, sample, how("cape", reference)) == {}, "SMPL-X meshes have other vertices"


def test_surfaces_are_aligned_as_asked(default: BodyModel, pose: np.ndarray, tmp_path: Path) -> None:
    body = estimate_of(default, pose, np.zeros(10))
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.5)
    ball.export(tmp_path / "scan.obj")
    surface = ClothedSurface(
        vertices_cam=(ball.vertices + np.array([0, 0, 3.0])).astype(np.float32),
        rest_vertices=ball.vertices.astype(np.float32),
        weights=np.zeros((len(ball.vertices), 24), np.float32),
        faces=ball.faces.astype(np.int32),
        quads=np.zeros((0, 4), np.int32),
        uv=np.zeros((len(ball.faces), 3, 2), np.float32),
        silhouette_iou=1.0,
    )
    estimate = Estimate(body.fit, surface)
    joints = TrueJoints(SMPL_JOINT_NAMES, body.fit.joints_cam[:24].astype(np.float64) - [0, 0, 3.0])
    sample = Sample("a", PICTURE, joints=joints, scan=TrueMesh(tmp_path / "scan.obj", IDENTITY))
    unaligned = how("synthetic", None)
    assert compare(estimate, sample, unaligned)["chamfer"] > 200
    for alignment in ("root", "centroid", "centroid_scale"):
        found = compare(estimate, sample, replace(unaligned, surface_alignment=alignment))
        assert found["chamfer"] < 1, alignment
        assert found["silhouette_iou"] > 0.95
        assert found["normal_cosine"] < 0.01 + (0.02 if alignment != "root" else 0)
    assert not {"chamfer", "normal_l2"} & compare(body, sample, unaligned).keys(), "no surface was estimated"


def test_bad_reference_folders_are_explained(smpl_folder: Path, default: BodyModel, tmp_path: Path) -> None:
    with pytest.raises(BodyFileError, match="SMPL_NEUTRAL"):
        load_reference(tmp_path, default)
    (tmp_path / "SMPL_NEUTRAL.npz").write_bytes((smpl_folder / "SMPL_NEUTRAL.npz").read_bytes())
    with pytest.raises(DatasetError, match="regressor"):
        load_reference(tmp_path, default)
    np.save(tmp_path / "J_regressor_h36m.npy", np.zeros((17, 5)))
    with pytest.raises(DatasetError, match="expected"):
        load_reference(tmp_path, default)
