"""Rasteriser, soft silhouette and point distances against pytorch3d, where that is installed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from munet.evaluation.distances import point_distances
from munet.evaluation.surface_metrics import chamfer_points
from munet.render import project, rasterise, soft_silhouette

pytest.importorskip("pytorch3d._C", reason="pytorch3d is not installed")
from pytorch3d.loss import chamfer_distance
from pytorch3d.renderer.blending import BlendParams, sigmoid_alpha_blend
from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
from pytorch3d.renderer.mesh.rasterizer import Fragments
from pytorch3d.structures import Meshes

SIZE = 96
MATRIX = torch.tensor([[150.0, 0, SIZE / 2], [0, 150.0, SIZE / 2], [0, 0, 1]])


def scene(shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> tuple[Tensor, Tensor]:
    """A bumpy ball and a turned box before it: vertices (1, V, 3) in the image, faces (F, 3)."""
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.3)
    ball.vertices += np.random.default_rng(0).normal(scale=0.01, size=ball.vertices.shape)
    box = trimesh.creation.box(extents=(0.3, 0.5, 0.2))
    box.apply_transform(trimesh.transformations.rotation_matrix(0.7, (1, 2, 3)))
    ball.apply_translation((0.05, 0.02, 1.5))
    box.apply_translation((-0.1, -0.05, 1.4))
    both = trimesh.util.concatenate([ball, box])
    vertices = torch.tensor(both.vertices + shift, dtype=torch.float32)
    return project(MATRIX, vertices[None]), torch.tensor(np.array(both.faces), dtype=torch.int64)


def seen_by_pytorch3d(vertices_image: Tensor, faces: Tensor, radius: float, count: int) -> Fragments:
    normalised = torch.cat([1 - vertices_image[..., :2] * 2 / SIZE, vertices_image[..., 2:]], -1)
    meshes = Meshes(verts=normalised, faces=faces[None])
    found = rasterize_meshes(meshes, SIZE, radius, count, perspective_correct=True, clip_barycentric_coords=False)
    return Fragments(*found)


def silhouette_by_pytorch3d(vertices_image: Tensor, faces: Tensor, sigma: float) -> Tensor:
    parts = seen_by_pytorch3d(vertices_image, faces, (2 * 7 * sigma / SIZE) ** 2, 60)
    blend = BlendParams(sigma=(2 * sigma / SIZE) ** 2)
    return sigmoid_alpha_blend(torch.ones(*parts.pix_to_face.shape, 3), parts, blend)[..., 3]


def test_the_same_faces_depths_and_places_on_them() -> None:
    vertices, faces = scene()
    ours, theirs = rasterise(vertices, faces, SIZE, SIZE), seen_by_pytorch3d(vertices, faces, 0.0, 1)
    same = ours.face_index == theirs.pix_to_face[..., 0]
    assert same.float().mean() > 0.999
    both = same & ours.mask
    assert (ours.depth - theirs.zbuf[..., 0])[both].abs().max() < 1e-4
    assert (ours.barycentric - theirs.bary_coords[..., 0, :])[both].abs().max() < 2e-3


def test_the_soft_outline_lies_where_theirs_does() -> None:
    """Theirs is up to a pixel further out: it joins the chances of all faces near a pixel, also of those inside."""
    vertices, faces = scene()
    ours, theirs = soft_silhouette(vertices, faces, SIZE, SIZE), silhouette_by_pytorch3d(vertices, faces, 1.0)
    inside, outside = ours > 0.9, ours < 0.02
    assert (theirs[inside] > 0.5).all()
    assert (theirs[outside] < 0.5).all()
    assert (inside | outside).float().mean() > 0.8


def test_gradients_pull_the_same_way() -> None:
    target = (soft_silhouette(*scene((0.03, -0.02, 0.0)), SIZE, SIZE) > 0.5).float()
    pulls = []
    for draw in (lambda v, f: soft_silhouette(v, f, SIZE, SIZE), lambda v, f: silhouette_by_pytorch3d(v, f, 1.0)):
        vertices, faces = scene()
        vertices.requires_grad_()
        ((draw(vertices, faces) - target) ** 2).sum().backward()
        assert vertices.grad is not None
        pulls.append(vertices.grad[0, :, :2].sum(0))
    assert torch.cosine_similarity(pulls[0], pulls[1], dim=0) > 0.98


def test_the_distance_of_points_is_theirs() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(400, 3)), rng.normal(size=(300, 3))
    squared = (point_distances(first, second) ** 2).mean() + (point_distances(second, first) ** 2).mean()
    theirs, _ = chamfer_distance(torch.tensor(first)[None].float(), torch.tensor(second)[None].float())
    assert float(theirs) == pytest.approx(squared, rel=1e-5)
    forth, back, mean = chamfer_points(first, second)
    assert mean == pytest.approx((forth + back) / 2)
    assert forth == pytest.approx(100 * point_distances(first, second).mean())
