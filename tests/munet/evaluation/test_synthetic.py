"""The generated test split as a data set, and what counts as its outer surface."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh

from munet.body.default import load_default_body
from munet.evaluation.datasets.synthetic import Synthetic
from munet.evaluation.outer import outer_faces, outer_part
from munet.evaluation.sample import Sample
from munet.evaluation.surface_metrics import Mesh
from munet.render import project, rasterise

SIZE = 96


@pytest.fixture(scope="module")
def dataset() -> Synthetic:
    torch.set_num_threads(1)
    return Synthetic(size=SIZE)


@pytest.fixture(scope="module")
def sample(dataset: Synthetic) -> Sample:
    return dataset.sample(1)


def test_what_lies_inside_is_not_outer() -> None:
    outside = trimesh.creation.icosphere(subdivisions=4, radius=1.0)
    inside = trimesh.creation.icosphere(subdivisions=3, radius=0.9)
    both = trimesh.util.concatenate([outside, inside])
    outer = outer_faces(Mesh(np.asarray(both.vertices), np.asarray(both.faces)), pixels=128)
    assert not outer[len(outside.faces) :].any()
    assert outer[: len(outside.faces)].mean() > 0.9


def test_nobody_looks_under_a_skirt() -> None:
    skirt = trimesh.creation.cone(radius=0.5, height=1.0, sections=64).subdivide().subdivide()
    skirt.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
    open_below = np.asarray(skirt.faces)[~np.isclose(skirt.triangles_center[:, 1], skirt.vertices[:, 1].max())]
    leg = trimesh.creation.capsule(radius=0.05, height=0.4)
    leg.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
    leg.apply_translation([0, skirt.vertices[:, 1].max() - 0.5 + 0.1, 0])
    vertices = np.concatenate([skirt.vertices, leg.vertices])
    outer = outer_faces(Mesh(vertices, np.concatenate([open_below, leg.faces + len(skirt.vertices)])), pixels=128)
    assert outer[: len(open_below)].mean() > 0.95
    assert outer[len(open_below) :].mean() < 0.1


def test_the_outer_part_ends_where_sight_ends() -> None:
    box = trimesh.creation.box((1, 1, 1))
    wall = trimesh.Trimesh([[0, -0.5, -0.5], [0, 0.5, -0.5], [0, 0.5, 0.5], [0, -0.5, 0.5]], [[0, 1, 2], [0, 2, 3]])
    both = trimesh.util.concatenate([box, wall])
    outer = outer_part(Mesh(np.asarray(both.vertices), np.asarray(both.faces)), pixels=128)
    assert len(outer.faces) == 10, "five sides: no view looks up, and none inside"
    ball = trimesh.creation.icosphere(subdivisions=5)
    mesh = Mesh(np.asarray(ball.vertices), np.asarray(ball.faces))
    assert len(outer_part(mesh, pixels=64).faces) > 0.8 * len(mesh.faces), "faces between pixels count"


def test_picture_body_and_surface_belong_together(dataset: Synthetic, sample: Sample) -> None:
    batch = dataset._generator.batch("test", [1])
    body_faces = load_default_body().faces
    assert sample.own is not None
    assert isinstance(sample.scan, Mesh)
    cases = (
        (sample.own.vertices_cam, body_faces, batch.body_mask),
        (sample.scan.vertices, torch.from_numpy(sample.scan.faces), batch.surface_mask),
    )
    for vertices, faces, wanted in cases:
        image = project(batch.camera, torch.from_numpy(vertices).float()[None])
        mask = rasterise(image, faces, SIZE, SIZE).mask
        assert (mask == (wanted > 0.5)).float().mean() > 0.995
    assert sample.image.shape == (SIZE, SIZE, 3)
    assert sample.image.dtype == np.uint8


def test_joints_are_where_the_picture_has_them(dataset: Synthetic, sample: Sample) -> None:
    camera = dataset._generator.batch("test", [1]).camera[0].numpy()
    assert sample.joints is not None
    assert sample.joints.pixels is not None
    assert len(sample.joints.names) == len(sample.joints.positions_cam) == 24
    seen = sample.joints.positions_cam @ camera.T
    assert np.allclose(seen[:, :2] / seen[:, 2:], sample.joints.pixels, atol=1e-2)
    assert sample.box is not None
    assert 0 <= sample.box.min() < sample.box.max() <= SIZE


def test_the_split_is_the_same_every_time(dataset: Synthetic, sample: Sample) -> None:
    again = Synthetic(size=SIZE).sample(1)
    assert np.array_equal(again.image, sample.image)
    assert len(dataset) == 500
    assert next(iter(dataset.samples(250))).name == "test/000"
