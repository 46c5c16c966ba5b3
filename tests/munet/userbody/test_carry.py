"""A fit of the default body carried to files of the user's own, through every later stage."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from official import mixing, smpl_arrays, write_npz
from sitter import Person

from munet.assemble import assemble
from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.errors import BodyFileError
from munet.settings import Settings
from munet.surface.dress import dress
from munet.texture.paint import paint
from munet.userbody.carry import carry_fit, closed_form, target_of
from munet.userbody.correspondence import bone_map
from munet.userbody.model import UserBodies, UserBody

JOINTS = {24: 24, 52: 54, 55: 57}


@pytest.fixture(scope="module")
def own(body_file: Path, model: BodyModel) -> UserBody:
    return UserBodies(model).load(str(body_file))


def oracle(path: Path, betas: torch.Tensor, pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices and joints in the file's order by the smplx package; ``pose`` in the file's order."""
    smplx = pytest.importorskip("smplx")
    count, flat = pose.shape[1], pose.double().reshape(1, -1)
    if count == 24:
        with np.load(path) as arrays:
            body = smplx.SMPL("", data_struct=smplx.utils.Struct(**arrays), dtype=torch.float64)
        result = body(betas=betas.double(), global_orient=flat[:, :3], body_pose=flat[:, 3:])
    else:
        hands = {"left_hand_pose": flat[:, -90:-45], "right_hand_pose": flat[:, -45:]}
        known = {"betas": betas.double(), "global_orient": flat[:, :3], "body_pose": flat[:, 3:66], **hands}
        options: dict[str, Any] = {"use_pca": False, "flat_hand_mean": True, "num_betas": 10, "dtype": torch.float64}
        if count == 52:
            with np.load(path) as arrays:
                body = smplx.SMPLH("", data_struct=smplx.utils.Struct(**arrays), **options)
        else:
            body = smplx.SMPLX(str(path), use_face_contour=False, **options)
            known |= {"jaw_pose": flat[:, 66:69], "leye_pose": flat[:, 69:72], "reye_pose": flat[:, 72:75]}
        result = body(**known)
    return result.vertices.detach()[0], result.joints.detach()[0, :count]


def test_files_in_the_official_layouts_equal_smplx(own: UserBody, body_file: Path) -> None:
    model = own.model
    file_joints = {24: 24, 54: 52, 57: 55}[model.joint_count]
    order = {24: [*range(24)], 52: [*range(22), *range(24, 54)], 55: [*range(22), 54, 55, 56, *range(24, 54)]}
    assert set(JOINTS) == set(order)
    generator = torch.Generator().manual_seed(2)
    betas, pose = torch.randn(1, 10, generator=generator), torch.zeros(1, model.joint_count, 3)
    known = 0.4 * torch.randn(1, file_joints, 3, generator=generator)
    pose[:, order[file_joints]] = known
    vertices, joints = oracle(body_file, betas, known)
    posed = pose_body(model, betas, pose)
    assert float((posed.vertices[0] - vertices).abs().max()) < 1e-5
    assert float((posed.joints[0, order[file_joints]] - joints).abs().max()) < 1e-5


def test_joints_and_skin_agree_and_the_photo_is_met(own: UserBody, model: BodyModel, person: Person) -> None:
    start = closed_form(own, model, person.fit, target_of(own, person.fit))
    carried = carry_fit(own, model, person.fit, person.observation, person.photo, Settings())
    limbs = [4, 5, 7, 8, 18, 19, 20, 21]
    apart = np.linalg.norm(carried.joints_cam[limbs] - person.fit.joints_cam[limbs], axis=1)
    skin = np.linalg.norm(carried.vertices_cam - own.correspondence.carry(person.fit.vertices_cam), axis=1)
    assert apart.max() < 0.012
    hands = own.model.weights[:, 20:54].sum(1).numpy() > 0.3
    assert skin[~hands].mean() < 0.004
    assert np.percentile(skin[~hands], 99) < 0.02
    assert carried.landmark_error < 0.005
    assert carried.camera == person.fit.camera
    assert np.abs(carried.betas - mixing().T @ person.fit.betas).max() < 0.8
    assert np.abs(start.betas - mixing().T @ person.fit.betas).max() < 0.8


def test_every_later_stage_takes_the_model(own: UserBody, body_file: Path, model: BodyModel, person: Person) -> None:
    settings = Settings(preset="draft", texture_size=256)
    fit = carry_fit(own, model, person.fit, person.observation, person.photo, settings)
    surface = dress(own.model, fit, person.observation, settings)
    texture = paint(surface, fit, person.photo, person.observation, settings)
    result = assemble(own.model, fit, surface, texture, person.observation, person.photo)
    assert result.silhouette_iou > 0.97
    assert result.landmark_error < 0.005
    assert result.body_model == f"{body_file.name} {hashlib.sha256(body_file.read_bytes()).hexdigest()}"
    assert len(result.bone_names) == own.model.joint_count
    assert (result.surface_weights > 0).sum(1).max() <= 4
    assert len(result.pose_dirs_vertices) > 10_000


def test_a_file_is_read_once_and_again_when_it_changes(tmp_path: Path, model: BodyModel) -> None:
    copy = write_npz(tmp_path / "SMPL_NEUTRAL.npz", smpl_arrays(model))
    bodies = UserBodies(model)
    first = bodies.load(str(copy))
    assert bodies.load(str(copy)) is first
    copy.write_bytes(b"PK no body")
    with pytest.raises(BodyFileError, match="damaged"):
        bodies.load(str(copy))
    with pytest.raises(BodyFileError, match="can not be read"):
        bodies.load(str(tmp_path / "absent.npz"))


def test_bones_are_laid_end_on_end() -> None:
    bone, target = np.array([0.3, -0.02, 0.01]), np.array([0.25, 0.05, 0.0])
    linear = bone_map(bone, target, 1.1)
    assert np.allclose(linear @ bone, target)
    across = np.cross(bone, [0, 1, 0])
    assert np.isclose(np.linalg.norm(linear @ across), 1.1 * np.linalg.norm(across))
