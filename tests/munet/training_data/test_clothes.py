"""Meshes without holes, cloth outside the body, hems where they were cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh

from munet.body.default import load_default_body
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError
from munet.training.data.anatomy import Skin, fine
from munet.training.data.draw import Drawn, draw_sample, stack
from munet.training.data.hanging import closed_ring, hang_cloth
from munet.training.data.kinds import SLOTS
from munet.training.data.scene import Stage, dress_people, make_stage
from munet.training.data.shell import garment_fields
from munet.training.data.topology import grid_faces, smoothed, smoothing_matrix, split_long_edges


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage(load_default_body())


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return stack([draw_sample(0, "train", i) for i in range(4)])


def test_splitting_keeps_a_closed_mesh_and_its_volume() -> None:
    sphere = trimesh.creation.icosphere(2, 1.0)
    mesh = split_long_edges(np.asarray(sphere.vertices), np.asarray(sphere.faces), 0.3)
    finer = trimesh.Trimesh(sphere.vertices[mesh.parents].mean(1), mesh.faces, process=False)
    assert len(finer.faces) > len(sphere.faces)
    assert finer.is_watertight
    assert finer.is_winding_consistent
    assert finer.volume == pytest.approx(sphere.volume)
    with pytest.raises(InvalidInputError):
        split_long_edges(np.asarray(sphere.vertices), np.asarray(sphere.faces), 0)


def test_smoothing_matches_trimesh() -> None:
    sphere = trimesh.creation.icosphere(1)
    matrix = smoothing_matrix(np.asarray(sphere.faces), len(sphere.vertices))
    values = torch.from_numpy(np.asarray(sphere.vertices)).float()
    expected = trimesh.smoothing.laplacian_calculation(sphere, equal_weight=True) @ sphere.vertices
    torch.testing.assert_close(smoothed(matrix, values[None])[0], torch.from_numpy(expected).float())


def test_grids_face_outwards() -> None:
    angle = np.linspace(0, 2 * np.pi, 9)
    ring = np.stack([np.sin(angle), np.zeros(9), np.cos(angle)], 1)
    vertices = np.concatenate([ring + np.array([0, 1, 0]), ring])
    faces = grid_faces(2, 9)
    normals = trimesh.Trimesh(vertices, faces, process=False).face_normals
    assert (np.einsum("fk,fk->f", normals, vertices[faces].mean(1) * [1, 0, 1]) > 0.8).all()


def test_skin_is_closed_and_its_rings_go_round(stage: Stage) -> None:
    skin = stage.skin
    mesh = trimesh.Trimesh(skin.rest.numpy(), skin.faces.numpy(), process=False)
    assert mesh.is_watertight
    for table in (skin.trunk, skin.skull):
        points = (skin.rest[table.corners] * table.weights[..., None]).sum(2)
        columns = points.shape[1]
        assert (points[:, columns // 2, 2] > points[:, 0, 2]).all()
        assert (points[:, columns * 3 // 4, 0] > 0).all()


def test_clothes_stay_outside_the_skin(stage: Stage, drawn: Drawn) -> None:
    people = dress_people(stage, drawn)
    count = len(stage.skin.rest)
    body, cloth = people.body_fine, people.vertices[:, :count]
    normals = torch.stack([_normals(stage.skin, points) for points in body])
    away = ((cloth - body) * normals).sum(-1)
    # The oracle weighs faces by angle, the cloth by area. Inside a shoe the normals of single toes mean nothing.
    above_feet = stage.skin.leg < 0.93
    assert float(away[:, above_feet].min()) > -0.006
    assert float(away.max()) < 0.25
    bare = (people.fields[:, :count] <= 0).all(-1) & (stage.skin.leg < 0.9)
    assert float(away[bare].abs().max()) < 0.002


def _normals(skin: Skin, points: torch.Tensor) -> torch.Tensor:
    mesh = trimesh.Trimesh(points.numpy(), skin.faces.numpy(), process=False)
    return torch.from_numpy(np.array(mesh.vertex_normals)).float()


def test_fields_cut_where_they_were_told(stage: Stage, drawn: Drawn) -> None:
    fields = garment_fields(stage.skin, drawn)
    top = fields[..., SLOTS.index("top")]
    hands = stage.skin.arm > 1.15
    assert (top[:, hands] < 0).all()
    bottom = fields[..., SLOTS.index("bottom")]
    assert (bottom[:, stage.skin.rest[:, 1] > 0.2] < 0).all()
    assert (fields[:, ~stage.skin.is_skin] == -1).all()


def test_a_skirt_hangs_down_and_keeps_its_length(stage: Stage) -> None:
    posed = pose_body(stage.model, torch.zeros(1, 10), torch.zeros(1, 24, 3))
    body = fine(posed.vertices, stage.skin.parents)
    normals = _normals(stage.skin, body[0])[None]
    row = torch.tensor([[1.0, 0.6, 0.6, 0.25, 6, 0.01, 0.0, 0.0]])
    assert closed_ring(row).all()
    sheet = hang_cloth(stage.skin, row, body, normals, posed.joints, torch.ones(1))
    points = sheet.vertices[0]
    length = (points[1:] - points[:-1]).norm(dim=-1).sum(0)
    assert (points[0, :, 1] - points[-1, :, 1] > 0.4).all()
    assert torch.allclose(length, torch.full_like(length, 0.6), atol=0.05)
    hem = points[-1, :, [0, 2]]
    assert float(hem.norm(dim=-1).min()) > 0.15


def test_shoes_go_round_the_feet(stage: Stage) -> None:
    skin, last = stage.skin, stage.skin.last
    posed = pose_body(stage.model, torch.tensor([[1.5, -1.0, 0.5, 0, 0, 0, 0, 0, 0, 0]]), torch.zeros(1, 24, 3))
    feet = fine(posed.vertices, skin.parents)[:, last.feet]
    shoes = last.put_on(feet, torch.eye(3).expand(1, len(last.feet), 3, 3))
    assert float((shoes - feet).norm(dim=-1).max()) < 0.09
    low, high = feet[0].amin(0), feet[0].amax(0)
    assert (shoes[0].amin(0) < low + 0.001).all()
    assert (shoes[0].amax(0) > high - 0.001).all()
    sole = shoes[0, shoes[0, :, 1] < shoes[0, :, 1].amin() + 0.004]
    assert len(sole) > 100
