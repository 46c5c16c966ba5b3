"""Miniatures of the data sets in their real layouts, with ground truth that the tests know."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import cdflib.cdfwrite
import cv2
import h5py
import numpy as np
import trimesh
from PIL import Image

SIZE = 64
FRAMES = 12
FOCAL = 90.0


def picture(path: Path, shade: int = 100, size: tuple[int, int] = (SIZE, SIZE), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (shade, 20, 30, 255)[: len(mode)]).save(path)


def video(path: Path, frames: int) -> None:
    """Frame i is a grey of 10 * i."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 50, (SIZE, SIZE))
    for frame in range(frames):
        writer.write(np.full((SIZE, SIZE, 3), 10 * frame, np.uint8))
    writer.release()


def human36m_joints(frame: int) -> np.ndarray:
    """(32, 3) millimetres: joint j at (j, 100 * frame, 4000)."""
    return np.stack([np.arange(32.0), np.full(32, 100.0 * frame), np.full(32, 4000.0)], 1)


def write_cdf(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = cdflib.cdfwrite.CDF(str(path))
    spec = {
        "Variable": "Pose",
        "Data_Type": cdflib.cdfwrite.CDF.CDF_DOUBLE,
        "Num_Elements": 1,
        "Rec_Vary": True,
        "Dim_Sizes": list(values.shape[1:]),
    }
    file.write_var(spec, var_data=values)
    file.close()


def human36m(root: Path, frames: int = FRAMES) -> Path:
    """Two subjects, two actions (one seen by two cameras) and one "_ALL" that must be skipped."""
    for subject in ("S9", "S11"):
        for stem in ("Eating.60457274", "Sitting 1.60457274", "Sitting 1.54138969", "_ALL.60457274"):
            folder = root / subject
            poses = np.stack([human36m_joints(frame).ravel() for frame in range(frames)])[None]
            write_cdf(folder / "MyPoseFeatures" / "D3_Positions_mono" / f"{stem}.cdf", poses)
            video(folder / "Videos" / f"{stem}.mp4", frames)
            boxes = folder / "MySegmentsMat" / "ground_truth_bb" / f"{stem}.mat"
            boxes.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(boxes, "w") as file:
                references = file.create_dataset("Masks", (frames, 1), dtype=h5py.ref_dtype)
                for frame in range(frames):
                    mask = np.zeros((SIZE, SIZE), np.uint8)
                    mask[10 + frame : 50, 20:40] = 1
                    references[frame, 0] = file.create_dataset(f"#refs#/{frame}", data=mask.T).ref
    return root


def mpi_inf_3dhp(root: Path) -> Path:
    """Six sequences of four frames: the second is not valid, the third has a joint outside the picture."""
    random = np.random.default_rng(0)
    for number in range(1, 7):
        folder = root / "mpi_inf_3dhp_test_set" / f"TS{number}"
        points = random.uniform(-400, 400, (4, 1, 17, 3)) + np.array([0, 0, 3000])
        pixels = points[..., :2] / points[..., 2:] * FOCAL + SIZE / 2
        pixels[2, 0, 5] = (SIZE + 3, 10)
        for frame in range(4):
            picture(folder / "imageSequence" / f"img_{frame + 1:06d}.jpg", 10 * frame)
        with h5py.File(folder / "annot_data.mat", "w") as file:
            file["annot2"], file["annot3"], file["univ_annot3"] = pixels, points, points * 1.1
            file["valid_frame"] = np.array([[1.0], [0.0], [1.0], [1.0]])
    return root


def pw3d(root: Path, extra: object = None) -> Path:
    """One sequence of five frames and two people, written as Python 2 wrote pickles.

    The second person's camera is invalid in frame 0, and nothing was detected in frame 3.
    """
    random = np.random.default_rng(1)
    angle = 0.4
    camera = np.eye(4)
    camera[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    camera[:3, 3] = (0.1, 0.2, 3.0)
    keypoints = random.uniform(10, 50, (5, 3, 18))
    keypoints[:, 2] = 1
    keypoints[:, 2, 4] = 0
    keypoints[:, :2, 4] = 1e4
    nothing = keypoints.copy()
    nothing[3] = 0
    data = {
        "sequence": "street_00",
        "poses": [random.normal(size=(5, 72)) * 0.2 for _ in range(2)],
        "betas": [random.normal(size=10), random.normal(size=300)],
        "trans": [random.normal(size=(5, 3)) for _ in range(2)],
        "genders": ["m", "f"],
        "jointPositions": [random.normal(size=(5, 72)) for _ in range(2)],
        "poses2d": [keypoints, nothing],
        "cam_poses": np.tile(camera, (5, 1, 1)),
        "cam_intrinsics": np.array([[FOCAL, 0, 32], [0, FOCAL, 32], [0, 0, 1]]),
        "campose_valid": [np.ones(5, int), np.array([0, 1, 1, 1, 1])],
    }
    if extra is not None:
        data["extra"] = extra
    file = root / "sequenceFiles" / "test" / "street_00.pkl"
    file.parent.mkdir(parents=True)
    file.write_bytes(pickle.dumps(data, protocol=2))
    for frame in range(5):
        picture(root / "imageFiles" / "street_00" / f"image_{frame:05d}.jpg", 40 * frame)
    return root


class Harm:
    """A pickle of this runs a command when it is loaded carelessly."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)


def calibration(path: Path, yaw: float, pixels_per_centimetre: float, center: np.ndarray) -> None:
    """PIFu's file: extrinsic turns by the yaw about the centre, intrinsic scales and points y down."""
    path.parent.mkdir(parents=True, exist_ok=True)
    extrinsic, intrinsic = np.eye(4), np.eye(4)
    extrinsic[:3, :3] = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    extrinsic[:3, 3] = -extrinsic[:3, :3] @ center
    scale = pixels_per_centimetre / (SIZE / 2)
    intrinsic[:3, :3] = np.diag([scale, -scale, scale])
    np.savetxt(path, np.concatenate([extrinsic, intrinsic]))


def scan() -> trimesh.Trimesh:
    """A box 0.4 m wide, 1.6 m high and 0.2 m deep whose head end is marked by a peak, y up, facing +z."""
    body = trimesh.creation.box((0.4, 1.6, 0.2))
    peak = trimesh.creation.cone(radius=0.04, height=0.2)
    peak.apply_transform(trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0]))
    whole = trimesh.util.concatenate([body, peak.apply_translation([0.1, 0.8, 0.05])])
    return whole.apply_translation([0.3, 1.0, -0.2])


CENTER = np.array([30.0, 100.0, -20.0])


def thuman2(root: Path) -> Path:
    """MuNet's layout: two listed scans of eight views, one with SMPL parameters."""
    for number in ("0001", "0002"):
        folder = root / number
        folder.mkdir(parents=True)
        scan().export(folder / f"{number}.obj")
        for yaw in range(0, 360, 45):
            picture(folder / "render" / f"{yaw:04d}.png", yaw // 2)
            calibration(folder / "calib" / f"{yaw:04d}.txt", np.radians(yaw), 0.3, CENTER)
    parameters = {
        "body_pose": np.full((1, 69), 0.01, np.float32),
        "global_orient": np.array([[0.0, 0.5, 0.0]], np.float32),
        "betas": np.linspace(-1, 1, 10, dtype=np.float32)[None],
        "transl": np.array([[0.3, 1.0, -0.2]], np.float32),
        "scale": np.array([1.1], np.float32),
    }
    (root / "0002" / "0002_smpl.pkl").write_bytes(pickle.dumps(parameters))
    (root / "test.txt").write_text("0001\n0002\n\n")
    return root


def icon(root: Path, name: str, views: int, unit: float, listed: str) -> Path:
    """ICON's and ECON's layout: two scans, one with an SMPL mesh; ``unit`` is file units per metre."""
    for subject in ("00032-a", "00096-b"):
        mesh = scan()
        mesh.apply_scale(unit)
        path = root / name / "scans" / f"{subject}.obj"
        path.parent.mkdir(parents=True, exist_ok=True)
        mesh.export(path)
        folder = root / f"{name}_{views}views" / subject
        for view in range(views):
            yaw = 360 * view // views
            picture(folder / "render" / f"{yaw:03d}.png", 120, mode="RGBA")
            calibration(folder / "calib" / f"{yaw:03d}.txt", np.radians(yaw), 0.3, CENTER)
    smpl = root / name / "smpl" / "00032-a.obj"
    smpl.parent.mkdir()
    scan().export(smpl)
    (root / name / listed).write_text(f"{name}/00032-a\n{name}/00096-b\n")
    return root
