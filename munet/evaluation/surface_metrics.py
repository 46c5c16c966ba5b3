"""Errors of surfaces: distances in centimetres, directions of normals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import trimesh
from numpy.typing import NDArray

from munet.body.closest import closest_on_triangles
from munet.errors import InvalidInputError
from munet.evaluation.alignment import (
    IDENTITY,
    AnyArray,
    Array,
    Similarity,
    check_points,
    scale_and_translation,
    translation_between,
)
from munet.evaluation.distances import Surface, check_faces, point_distances
from munet.render import vertex_normals

CENTIMETRES = 100.0
SAMPLES = 10_000

SurfaceAlignment = Literal["none", "root", "centroid", "centroid_scale"]
SURFACE_ALIGNMENTS: tuple[SurfaceAlignment, ...] = ("none", "root", "centroid", "centroid_scale")


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in metres.

    Attributes:
        vertices: (V, 3).
        faces: (F, 3), counter-clockwise from outside.
    """

    vertices: Array
    faces: NDArray[np.int64]

    @classmethod
    def checked(cls, vertices: AnyArray, faces: NDArray[np.integer], name: str) -> Mesh:
        """Make a mesh.

        Raises:
            InvalidInputError: shapes or indices are wrong, or numbers are not finite.
        """
        points = check_points(vertices, name)
        return cls(points, check_faces(faces, len(points), name))

    def moved(self, similarity: Similarity) -> Mesh:
        """The same mesh after a similarity transform."""
        return Mesh(similarity.apply(self.vertices), self.faces)


@dataclass(frozen=True)
class SurfaceErrors:
    """Distances between two surfaces in centimetres, each direction by its name.

    Attributes:
        prediction_to_truth: mean distance of points of the prediction to the truth (what is there and should not be).
        truth_to_prediction: mean distance of points of the truth to the prediction (what is missing).
        chamfer: mean of the two.
        normal_cosine_error: mean of 1 - cos between smooth normals at the sampled points and at their closest points,
            both directions averaged; 0 to 2.
    """

    prediction_to_truth: float
    truth_to_prediction: float
    chamfer: float
    normal_cosine_error: float


def sample_surface(mesh: Mesh, count: int, seed: int) -> tuple[Array, NDArray[np.int64]]:
    """Points (N, 3) uniform over the area and the faces (N,) they lie on.

    Raises:
        InvalidInputError: the count is not positive or the mesh has no area.
    """
    body = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    if count < 1 or not body.area > 0:
        raise InvalidInputError("The surface can not be sampled.", detail=f"{count} points on {body.area:g} m2")
    points, faces = trimesh.sample.sample_surface(body, count, seed=seed)
    return np.asarray(points, np.float64), np.asarray(faces, np.int64)


def align_surface(
    prediction: Mesh,
    truth: Mesh,
    alignment: SurfaceAlignment,
    roots: tuple[AnyArray, AnyArray] | None = None,
    seed: int = 0,
) -> Similarity:
    """Return the transform that an alignment asks for.

    Args:
        prediction: the predicted surface.
        truth: the true surface.
        alignment: "none"; "root": the root joints are laid on each other; "centroid": the centroids of the areas;
            "centroid_scale": these and the RMS distance from them, for truth without scale. Never a rotation.
        roots: predicted and true root (3,), for "root" alone.
        seed: of the points sampled for the centroids.

    Raises:
        InvalidInputError: the alignment is unknown or its roots are missing.
    """
    if alignment == "none":
        return IDENTITY
    if alignment == "root":
        if roots is None:
            raise InvalidInputError("The surfaces can not be aligned at the root.", detail="there are no true joints")
        return translation_between(*roots)
    if alignment not in SURFACE_ALIGNMENTS:
        raise InvalidInputError(
            "The alignment is unknown.", detail=f"expected one of {SURFACE_ALIGNMENTS}, found {alignment!r}"
        )
    start, goal = (sample_surface(mesh, SAMPLES, seed)[0] for mesh in (prediction, truth))
    if alignment == "centroid":
        return translation_between(start.mean(0), goal.mean(0))
    return scale_and_translation(start, goal)


class Probed:
    """A mesh with points drawn on it and a search for closest points: made once, compared with several others.

    Args:
        mesh: metres.
        samples: points on it.
        seed: of the sampling.

    Raises:
        InvalidInputError: the count is not positive or the mesh has no area.
    """

    def __init__(self, mesh: Mesh, samples: int = SAMPLES, seed: int = 0) -> None:
        self.mesh = mesh
        self._surface = Surface(mesh.vertices, mesh.faces)
        self._smooth = vertex_normals(torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.faces)).numpy()
        self.points, faces = sample_surface(mesh, samples, seed)
        self.normals = self.normals_at(self.points, faces)

    def normals_at(self, points: Array, faces: NDArray[np.int64]) -> Array:
        """Smooth unit normals (N, 3) at points (N, 3) on the faces (N,); on an edge all its faces give the same."""
        corners = self.mesh.faces[faces]
        weights = closest_on_triangles(points, self.mesh.vertices[corners])
        blended = np.einsum("nk,nkd->nd", weights, self._smooth[corners])
        unit: Array = blended / np.maximum(np.linalg.norm(blended, axis=1, keepdims=True), 1e-20)
        return unit

    def closest(self, points: Array) -> tuple[Array, Array]:
        """Distance (N,) of points (N, 3), and smooth normals (N, 3) at their closest points."""
        distance, reached = self._surface.closest(points)
        return distance, self.normals_at(points, reached)


def surface_errors(prediction: Mesh, truth: Mesh, samples: int = SAMPLES, seed: int = 0) -> SurfaceErrors:
    """Measure point-to-surface distances and normals, both directions; nothing is aligned.

    The distances of the ICON line (Xiu et al., CVPR 2022, section 4.2): distances, not squared, from points uniform
    on one surface to the other surface, averaged; Chamfer is the mean of the two directions.

    Args:
        prediction: metres.
        truth: metres, same frame.
        samples: points on each surface.
        seed: of the sampling.
    """
    return probed_errors(Probed(prediction, samples, seed), Probed(truth, samples, seed + 1), IDENTITY)


def probed_errors(prediction: Probed, truth: Probed, placed: Similarity) -> SurfaceErrors:
    """Measure as :func:`surface_errors` does, after a similarity that places the prediction."""
    distance, there = truth.closest(placed.apply(prediction.points))
    cosine = (prediction.normals @ placed.rotation.T * there).sum(1)
    forth, forth_cosine = float(distance.mean() * CENTIMETRES), float(cosine.mean())
    distance, there = prediction.closest(placed.inverse().apply(truth.points))
    cosine = (there @ placed.rotation.T * truth.normals).sum(1)
    back, back_cosine = float(distance.mean() * placed.scale * CENTIMETRES), float(cosine.mean())
    return SurfaceErrors(forth, back, (forth + back) / 2, 1 - (forth_cosine + back_cosine) / 2)


def point_to_surface(points: AnyArray, mesh: Mesh) -> float:
    """P2S: mean distance of points (N, 3) to a surface, centimetres."""
    return float(Surface(mesh.vertices, mesh.faces).closest(points)[0].mean() * CENTIMETRES)


def chamfer_points(prediction: AnyArray, truth: AnyArray) -> tuple[float, float, float]:
    """Point-to-point distances in centimetres: prediction to truth, truth to prediction, mean of both.

    Distances are not squared and directions are averaged, unlike pytorch3d's ``chamfer_distance`` (squared, summed).

    Args:
        prediction: (N, 3) metres.
        truth: (M, 3) metres.
    """
    forth = float(point_distances(prediction, truth).mean() * CENTIMETRES)
    back = float(point_distances(truth, prediction).mean() * CENTIMETRES)
    return forth, back, (forth + back) / 2


def silhouette_iou(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks (H, W); 1 where both are empty.

    Raises:
        InvalidInputError: the shapes differ or the masks are not bool.
    """
    if prediction.shape != truth.shape or prediction.dtype != bool or truth.dtype != bool:
        raise InvalidInputError(
            "The masks can not be compared.",
            detail=f"expected two bool arrays of one shape, found {prediction.dtype} {prediction.shape} and "
            f"{truth.dtype} {truth.shape}",
        )
    union = (prediction | truth).sum()
    return float((prediction & truth).sum() / union) if union else 1.0
