"""Normals and silhouettes of surfaces seen from four sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from munet.errors import InvalidInputError
from munet.evaluation.alignment import Array
from munet.evaluation.surface_metrics import Mesh, silhouette_iou
from munet.render import normal_map, rasterise

AZIMUTHS = (0, 90, 180, 270)
_MARGIN = 1.2
# Far away, rays are parallel: the rasteriser's perspective correction becomes smaller than float64 cares about.
_FAR_METRES = 1000.0


@dataclass(frozen=True)
class ViewErrors:
    """Errors of normals rendered from azimuth 0, 90, 180 and 270 degrees, orthographic.

    Attributes:
        cosine: mean of 1 - cos over the union of both foregrounds of all views; a pixel that only one of them covers
            counts 1.
        l2: mean length of the difference of unit normals over the same pixels; there it counts 1 as well.
        l2_econ: mean over all pixels, background too, of the squared length of the difference (ECON's number).
        silhouette_iou: intersection over union of the foregrounds of all views.
    """

    cosine: float
    l2: float
    l2_econ: float
    silhouette_iou: float


def view_errors(prediction: Mesh, truth: Mesh, pixels: int = 512) -> ViewErrors:
    """Compare normals of two surfaces in four views; nothing is aligned.

    The picture is centred at the middle of the truth's bounding box and 1.2 times as wide as the box's longest side.
    MuNet's paper names eps_cos and eps_l2 without masking or averaging; the union of the foregrounds is our choice.
    ECON: Xiu et al., CVPR 2023, section 4.

    Args:
        prediction: metres, camera frame (x right, y down, z forward).
        truth: metres, same frame.
        pixels: edge of each square view.

    Raises:
        InvalidInputError: the truth has no size or ``pixels`` is not positive.
    """
    low, high = truth.vertices.min(0), truth.vertices.max(0)
    edge = float((high - low).max()) * _MARGIN
    if not edge > 0 or pixels < 1:
        raise InvalidInputError("There is nothing to render.", detail=f"{edge:g} m in {pixels} pixels")
    middle = (low + high) / 2
    seen, wanted = (render_normals(mesh, middle, edge, pixels) for mesh in (prediction, truth))
    difference = np.linalg.norm(seen - wanted, axis=-1)
    mine, theirs = (np.linalg.norm(views, axis=-1) > 0.5 for views in (seen, wanted))
    union = mine | theirs
    cosine = (seen * wanted).sum(-1)
    return ViewErrors(
        cosine=float((1 - cosine[union]).mean()),
        l2=float(difference[union].mean()),
        l2_econ=float((difference**2).mean()),
        silhouette_iou=silhouette_iou(mine, theirs),
    )


def render_normals(mesh: Mesh, middle: Array, edge: float, pixels: int) -> Array:
    """Unit normals (4, H, W, 3) of a mesh turned about the vertical by each azimuth, zero where nothing is.

    Args:
        mesh: metres, camera frame.
        middle: (3,) the point in the centre of the picture and on the axis.
        edge: metres across the picture.
        pixels: edge of the picture.
    """
    faces = torch.from_numpy(mesh.faces)
    views = [_render_one(mesh.vertices - middle, faces, azimuth, edge, pixels) for azimuth in AZIMUTHS]
    return np.stack([view.numpy() for view in views])


def _render_one(centred: Array, faces: Tensor, azimuth: int, edge: float, pixels: int) -> Tensor:
    turned = torch.from_numpy(centred @ about_vertical(azimuth).T)[None]
    fragments = rasterise(parallel_image(turned, edge, pixels), faces, pixels, pixels)
    return normal_map(fragments, turned, faces)[0]


def about_vertical(azimuth: float) -> Array:
    """Rotation (3, 3) by ``azimuth`` degrees about the camera frame's y axis."""
    angle = np.radians(azimuth)
    return np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])


def parallel_image(centred: Tensor, edge: float, pixels: int) -> Tensor:
    """Points (B, V, 3) in metres, camera axes, seen in parallel by a square picture ``edge`` metres wide.

    Returns:
        (B, V, 3) x and y in pixels, and depth, as :func:`munet.render.rasterise` takes them.
    """
    return torch.cat([centred[..., :2] * (pixels / edge) + pixels / 2, centred[..., 2:] + _FAR_METRES], -1)
