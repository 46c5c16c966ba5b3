"""Errors of one generated person's body, surface and normal maps, for comparisons of methods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from munet.evaluation.alignment import Array, procrustes, translation_between
from munet.evaluation.body_metrics import mpjpe, pa_mpjpe, pve
from munet.evaluation.datasets.synthetic import Observed
from munet.evaluation.outer import outer_part
from munet.evaluation.surface_metrics import Mesh, Probed, probed_errors
from munet.geometry.camera import Camera
from munet.render import normal_map, project, rasterise

SAMPLES = 3000
_ROOT = (0,)
_COVERED = 0.5


def body_errors(joints_cam: Array, vertices_cam: Array, person: Observed) -> dict[str, float]:
    """PA-MPJPE, MPJPE and PVE in millimetres of joints (24+, 3) and vertices (V, 3); the last two at the pelvis."""
    sample = person.sample
    if sample.joints is None or sample.own is None:
        return {}
    truth, found = sample.joints.positions_cam, np.asarray(joints_cam[:24], np.float64)
    return {
        "pa_mpjpe": pa_mpjpe(found, truth),
        "mpjpe": mpjpe(found, truth, _ROOT),
        "pve": pve(vertices_cam, sample.own.vertices_cam, found[0], truth[0]),
    }


@dataclass(frozen=True)
class TrueSurface:
    """A person's true surface, ready to be compared with.

    Attributes:
        whole: as it is.
        outer: what can be seen of it from around and above.
    """

    whole: Probed
    outer: Probed


def probed_truth(person: Observed) -> TrueSurface | None:
    """The person's true surface; None where there is none."""
    scan = person.sample.scan
    if not isinstance(scan, Mesh):
        return None
    return TrueSurface(Probed(scan, SAMPLES, seed=1), Probed(outer_part(scan), SAMPLES, seed=1))


def mesh_errors(
    vertices_cam: Array, faces: NDArray[np.integer], joints_cam: Array, person: Observed, truth: TrueSurface | None
) -> dict[str, float]:
    """Chamfer distance and its directions in centimetres, and 1 - cosine of normals.

    Pelvis is laid on pelvis. What begins with "aligned" is measured after the similarity (rotation, scale, shift) that
    lays the joints on the true ones: what is left when everything is taken out that one photo does not tell. What
    begins with "outer" compares what can be seen of both from around and above: the truth has nothing inside, so walls
    that nobody sees count in the whole prediction and not here.

    Args:
        vertices_cam: (V, 3) metres.
        faces: (F, 3).
        joints_cam: (24+, 3) of the body that the surface belongs to.
        person: whose surface it should be.
        truth: of :func:`probed_truth`.
    """
    sample = person.sample
    if sample.joints is None or truth is None:
        return {}
    found, wanted = np.asarray(joints_cam[:24], np.float64), sample.joints.positions_cam
    mesh = Mesh.checked(vertices_cam, faces, "the predicted surface")
    probed, pelvis = Probed(mesh, SAMPLES), translation_between(found[0], wanted[0])
    errors = probed_errors(probed, truth.whole, pelvis)
    aligned = probed_errors(probed, truth.whole, procrustes(found, wanted))
    outer = probed_errors(Probed(outer_part(mesh), SAMPLES), truth.outer, pelvis)
    return {
        "chamfer": errors.chamfer,
        "prediction_to_truth": errors.prediction_to_truth,
        "truth_to_prediction": errors.truth_to_prediction,
        "normal_cosine_error": errors.normal_cosine_error,
        "aligned_chamfer": aligned.chamfer,
        "aligned_normal_cosine_error": aligned.normal_cosine_error,
        "outer_chamfer": outer.chamfer,
        "outer_prediction_to_truth": outer.prediction_to_truth,
        "outer_truth_to_prediction": outer.truth_to_prediction,
    }


def map_error(front: NDArray[np.float32], back: NDArray[np.float32], person: Observed) -> float:
    """1 - cosine of normal maps (H, W, 3) of both sides over the true surface's pixels; what is missing counts 1."""
    errors = []
    for found, truth in ((front, person.normals_front), (back, person.normals_back)):
        inside = np.linalg.norm(truth, axis=2) > _COVERED
        length = np.maximum(np.linalg.norm(found, axis=2), 1e-6)
        cosine = (found * truth).sum(2) / length
        errors.append(float((1 - cosine[inside]).mean()) if inside.any() else 0.0)
    return float(np.mean(errors))


def rendered_normals(
    vertices_cam: NDArray[np.floating], faces: NDArray[np.integer], camera: Camera
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Normals (H, W, 3), camera frame, of the nearest and of the farthest surface of a mesh."""
    vertices = torch.from_numpy(np.asarray(vertices_cam, np.float32))[None]
    triangles = torch.from_numpy(np.asarray(faces, np.int64))
    pixels = project(torch.from_numpy(camera.matrix), vertices)
    turned = pixels.clone()
    turned[..., 2] = pixels[..., 2].min() + pixels[..., 2].max() - pixels[..., 2]
    sides = []
    for seen in (pixels, turned):
        fragments = rasterise(seen, triangles, camera.height, camera.width)
        sides.append(normal_map(fragments, vertices, triangles)[0].numpy())
    return sides[0], sides[1]
