"""The default body: conventions, skinning weights, atlas, symmetry, landmarks, file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from munet.body.default import DEFAULT_BODY_FILE, load_default_body
from munet.body.graph import euler_characteristic, face_edges
from munet.body.model import FINGER_JOINT_NAMES, SMPL_JOINT_NAMES, SMPL_PARENTS, BodyModel
from munet.errors import BodyFileError
from munet.perception.observation import LANDMARK_NAMES


def mirror(model: BodyModel) -> np.ndarray:
    points = model.template.numpy()
    return cKDTree(points).query(points * [-1, 1, 1])[1]


def mirrored_joints(model: BodyModel) -> list[int]:
    names = list(model.joint_names)
    swap = {"left": "right", "right": "left"}
    return [
        names.index("_".join([swap.get(n.split("_")[0], n.split("_")[0]), *n.split("_")[1:]]))
        for n in model.joint_names
    ]


def landmark(model: BodyModel, name: str) -> torch.Tensor:
    return (model.landmarks @ model.template)[LANDMARK_NAMES.index(name)]


def test_shapes_and_size_of_the_file(model: BodyModel) -> None:
    assert model.vertex_count == 13492
    assert model.joint_count == 54
    assert model.shape_dirs.shape == (13492, 3, 10)
    assert model.pose_dirs.dense().shape == (13492, 3, 207)
    assert DEFAULT_BODY_FILE.stat().st_size < 6e6
    assert len(model.sha256) == 64
    assert torch.isfinite(model.template).all()


def test_tree_is_smpl_with_fingers_on_the_hands(model: BodyModel) -> None:
    assert tuple(model.parents[:24].tolist()) == SMPL_PARENTS
    assert model.joint_names == SMPL_JOINT_NAMES + FINGER_JOINT_NAMES
    roots = [model.joint_names.index(f"left_{f}1") for f in ("index", "middle", "pinky", "ring", "thumb")]
    assert roots == [24, 27, 30, 33, 36]
    assert model.parents[roots].tolist() == [22] * 5
    assert model.parents[[r + 15 for r in roots]].tolist() == [23] * 5


def test_rest_pose_is_smpl_t_pose(model: BodyModel) -> None:
    joint = {name: model.joint_template[i] for i, name in enumerate(model.joint_names)}
    assert torch.allclose(joint["pelvis"], torch.zeros(3), atol=1e-5)
    arm = joint["left_wrist"] - joint["left_shoulder"]
    assert arm[0] / arm.norm() > 0.999
    shin = joint["left_ankle"] - joint["left_knee"]
    assert -shin[1] / shin.norm() > 0.999
    assert joint["head"][1] > joint["neck"][1] > joint["spine3"][1] > 0.2
    assert 1.6 < float(model.template[:, 1].max() - model.template[:, 1].min()) < 1.8


def test_palms_face_down_and_thumbs_forward(model: BodyModel) -> None:
    for side in ("left", "right"):
        joint = {
            n: model.joint_template[model.joint_names.index(f"{side}_{n}")] for n in ("index1", "pinky1", "thumb3")
        }
        wrist = model.joint_template[model.joint_names.index(f"{side}_wrist")]
        assert joint["index1"][2] - joint["pinky1"][2] > 0.04
        assert joint["thumb3"][2] - wrist[2] > 0.04
        across, along = joint["index1"] - joint["pinky1"], joint["index1"] - wrist
        palm = torch.linalg.cross(along, across) * (1 if side == "left" else -1)
        assert abs(float(palm[1] / palm.norm())) > 0.95


def test_feet_are_flat_and_point_forward(model: BodyModel) -> None:
    floor = model.template[:, 1].min()
    for side in ("left", "right"):
        heel, toes = landmark(model, f"{side}_heel"), landmark(model, f"{side}_foot_index")
        assert toes[2] - heel[2] > 0.2
        assert heel[1] - floor < 0.04
        assert toes[1] - floor < 0.03


def test_weights_are_sparse_and_sum_to_one(model: BodyModel) -> None:
    assert int((model.weights > 0).sum(1).max()) <= 4
    assert float((model.weights.sum(1) - 1).abs().max()) < 1e-6
    assert float(model.weights.min()) >= 0


def test_weights_are_smooth(model: BodyModel) -> None:
    edges, _ = face_edges(model.faces)
    step = (model.weights[edges[:, 0]] - model.weights[edges[:, 1]]).abs().sum(1)
    length = (model.template[edges[:, 0]] - model.template[edges[:, 1]]).norm(dim=1)
    assert float(step[length > 0.005].quantile(0.99)) < 0.8


def test_mirror_symmetry(model: BodyModel) -> None:
    partner, joints = mirror(model), mirrored_joints(model)
    flip = torch.tensor([-1.0, 1, 1])
    assert float((model.template[partner] * flip - model.template).abs().max()) < 1e-5
    assert float((model.shape_dirs[partner] * flip[:, None] - model.shape_dirs).abs().max()) < 2e-4
    assert float((model.weights[partner][:, joints] - model.weights).abs().max()) < 1e-4
    assert float((model.joint_template[joints] * flip - model.joint_template).abs().max()) < 1e-5
    assert float((model.tail_template[joints] * flip - model.tail_template).abs().max()) < 2e-3


def test_skin_is_a_closed_sphere_beside_two_eyes(model: BodyModel) -> None:
    parts = model.parts[model.faces[:, 0]]
    skin = model.faces[parts == 0]
    assert euler_characteristic(skin) == 2
    assert [int((model.parts == k).sum()) for k in (0, 1, 2)] == [13348, 72, 72]
    assert model.template[model.parts == 1, 0].min() > 0 > model.template[model.parts == 2, 0].max()
    assert int(torch.bincount(face_edges(skin)[1].reshape(-1)).max()) == 2


def test_faces_wind_outward_and_quads_match(model: BodyModel) -> None:
    a, b, c = model.template[model.faces].unbind(1)
    for part in (0, 1, 2):
        chosen = model.parts[model.faces[:, 0]] == part
        volume = (a * torch.linalg.cross(b, c))[chosen].sum() / 6
        assert volume > 0
    quads = model.quads
    assert torch.equal(model.faces[0::2], quads[:, [0, 1, 2]])
    assert torch.equal(model.faces[1::2], quads[:, [0, 2, 3]])


def test_atlas_has_no_overlaps(model: BodyModel) -> None:
    size = 1024
    uv = model.uv.double().numpy()
    assert uv.min() >= 0
    assert uv.max() <= 1
    covered = np.zeros((size, size), int)
    for a, b, c in uv * size:
        low = np.floor(np.minimum(np.minimum(a, b), c)).astype(int)
        high = np.ceil(np.maximum(np.maximum(a, b), c)).astype(int) + 1
        x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        assert area > 0
        u = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        v = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        covered[low[1] : high[1], low[0] : high[0]] += (u > 1e-6) & (v > 1e-6) & (u + v < 1 - 1e-6)
    assert covered.max() == 1
    assert (covered > 0).mean() > 0.55


def test_landmarks_are_where_they_belong(model: BodyModel) -> None:
    regressor = model.landmarks.to_dense()
    assert regressor.shape == (33, 13492)
    assert torch.allclose(regressor.sum(1), torch.ones(33), atol=1e-5)
    points = regressor @ model.template
    for i, name in enumerate(LANDMARK_NAMES):
        side = "left" if "left" in name else "right" if "right" in name else ""
        assert (points[i, 0] > 0.01) == (side == "left") or not side
    joint = {name: model.joint_template[i] for i, name in enumerate(model.joint_names)}
    assert (landmark(model, "left_elbow") - joint["left_elbow"]).norm() < 0.01
    assert (landmark(model, "left_ankle") - joint["left_ankle"]).norm() < 0.01
    assert 0.01 < float(landmark(model, "left_shoulder")[1] - joint["left_shoulder"][1]) < 0.035
    assert 0.18 < float(landmark(model, "left_hip")[0] * 2) < 0.21
    assert landmark(model, "nose")[2] > landmark(model, "mouth_left")[2] > landmark(model, "left_ear")[2] + 0.05
    inner, outer = landmark(model, "left_eye_inner"), landmark(model, "left_eye_outer")
    assert inner[0] < landmark(model, "left_eye")[0] < outer[0]


def test_landmark_support_gives_the_same_points(model: BodyModel) -> None:
    support, dense = model.landmark_support()
    expected = model.landmarks @ model.template
    assert torch.allclose(dense @ model.template[support], expected, atol=1e-6)


def test_larger_first_beta_is_a_taller_person(model: BodyModel) -> None:
    tall = model.template + 2 * model.shape_dirs[..., 0]
    short = model.template - 2 * model.shape_dirs[..., 0]
    assert np.ptp(tall[:, 1].numpy()) - np.ptp(short[:, 1].numpy()) > 0.25


def test_missing_and_damaged_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(BodyFileError, match="read"):
        load_default_body(path=tmp_path / "absent.npz")
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(DEFAULT_BODY_FILE.read_bytes()[:1000])
    with pytest.raises(BodyFileError) as caught:
        load_default_body(path=damaged)
    assert caught.value.hint.startswith("Install MuNet again")
    other = tmp_path / "other.npz"
    np.savez(other, format=np.array("something else"))
    with pytest.raises(BodyFileError, match="format"):
        load_default_body(path=other)
