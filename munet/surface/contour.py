"""Where the outline of the mesh has to go: matches between outline vertices and the boundary of the mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from munet.surface.operators import Floats, Ints, unit
from munet.surface.silhouette import View, rim_vertices, sketch

STEP_PIXELS = 0.5
# A vertex of the rim counts as outline when it lies this near to the boundary of the own silhouette.
OUTLINE_PIXELS = 2.0
# Nothing is matched this near to the photo's border: there the border cuts the mask.
BORDER_PIXELS = 4.0
GAP_WEIGHT = 0.3
# A boundary this near to a hand, gloves and held things included, belongs to it, unless it is no farther than the
# second pair from what would be drawn there.
HELD_METRES, REACHED_METRES = (0.05, 0.10), (0.003, 0.012)


@dataclass(frozen=True)
class Matches:
    """Outline vertices and how far each has to move. M: matches.

    Attributes:
        vertex: (M,) int64.
        direction_cam: (M, 3) unit vectors in the image plane, outward.
        distance: (M,) metres along the direction.
        weight: (M,) confidence in [0, 1].
    """

    vertex: Ints
    direction_cam: Floats
    distance: Floats
    weight: Floats


@dataclass(frozen=True)
class Reach:
    """How far to look for the mask's boundary.

    Attributes:
        outward: (V,) metres.
        inward: (V,) metres.
        hands: (V,) bool: hands whose shape stays, with what they hold.
        bystanders: (V,) bool: trunk and legs, whose outline that is not.
    """

    outward: Floats
    inward: Floats
    hands: NDArray[np.bool_]
    bystanders: NDArray[np.bool_]


def find_matches(
    view: View,
    own: NDArray[np.bool_],
    vertices_cam: Floats,
    faces: Ints,
    normals_cam: Floats,
    reach: Reach,
) -> Matches:
    """Match the outline of a mesh with the boundary of the view's mask along the outline's image normals.

    Boundaries between limbs of the mesh itself are no outline. Where a walk through the mask meets another limb
    before the mask ends, the gap between both limbs is filled from either side, with less weight.

    Args:
        view: mask and camera.
        own: (h, w) silhouette of the mesh in this view.
        vertices_cam: (V, 3).
        faces: (F, 3).
        normals_cam: (V, 3) smooth unit normals.
        reach: limits of the search.
    """
    vertex, pixels, direction = _outline(view, own, vertices_cam, faces, normals_cam)
    scale = view.camera.focal / vertices_cam[vertex, 2]
    outward, gap = _walk_outward(view.mask, own, pixels, direction, reach.outward[vertex] * 1.3 * scale)
    inward = _walk_inward(view.mask, pixels, direction, reach.inward[vertex] * scale)
    inside = _sample(view.mask, pixels) >= 0.5
    distance = np.where(inside, outward, -inward) / scale
    weight = _agreement(view.mask, pixels + direction * (distance * scale)[:, None], direction)
    weight = np.where(gap & inside, GAP_WEIGHT, weight)
    weight = weight * _reciprocity(own, pixels, direction, distance * scale)
    ends = pixels + direction * (distance * scale)[:, None]
    held = _held(view, vertices_cam, faces, reach.hands, ends, scale) * reach.bystanders[vertex]
    weight = weight * (1 - held * np.clip((distance - REACHED_METRES[0]) / np.ptp(REACHED_METRES), 0, 1))
    good = np.isfinite(distance) & (weight > 0)
    limited = np.minimum(distance, reach.outward[vertex])
    return Matches(
        vertex=vertex[good],
        direction_cam=np.pad(direction[good], ((0, 0), (0, 1))),
        distance=limited[good],
        weight=weight[good],
    )


def _outline(
    view: View, own: NDArray[np.bool_], vertices_cam: Floats, faces: Ints, normals_cam: Floats
) -> tuple[Ints, Floats, Floats]:
    """Outline vertices (M,), their pixels (M, 2) and outward directions in the image (M, 2)."""
    rim = rim_vertices(vertices_cam, faces)
    rim = rim[vertices_cam[rim, 2] > 0.05]
    pixels = view.camera.project(vertices_cam[rim]).astype(np.float64)
    depth_inside = cv2.distanceTransform(np.pad(own, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    kept = _away_from_border(view, pixels) & (_sample(depth_inside, pixels) < OUTLINE_PIXELS)
    rays = vertices_cam[rim]
    normal = normals_cam[rim]
    # The image normal of a rim vertex is its normal without the part along its viewing ray.
    across = normal - rays * (np.einsum("vi,vi->v", normal, rays) / np.einsum("vi,vi->v", rays, rays))[:, None]
    direction = across[:, :2] - rays[:, :2] / rays[:, 2:] * across[:, 2:]
    kept &= np.linalg.norm(direction, axis=1) > 0.3
    return rim[kept], pixels[kept], unit(direction[kept])


def _away_from_border(view: View, pixels: Floats) -> NDArray[np.bool_]:
    height, width = view.mask.shape
    left, top, right, bottom = (BORDER_PIXELS if side else 0.0 for side in view.border)
    x, y = pixels.T
    inside: NDArray[np.bool_] = (x > left) & (y > top) & (x < width - right) & (y < height - bottom)
    return inside


def _walk_outward(
    mask: NDArray[np.float32], own: NDArray[np.bool_], pixels: Floats, direction: Floats, limit: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Pixels to the first exit from the mask (nan: none within limit), and whether another limb came first."""
    steps = np.arange(0, limit.max(initial=0) + STEP_PIXELS, STEP_PIXELS)
    points = pixels[:, None] + direction[:, None] * steps[None, :, None]
    values = _sample(mask, points, outside=np.nan)
    first = _first_crossing(values, steps, falling=True)
    onto_self = _sample(own.astype(np.float32), points, outside=0) > 0.5
    left_self = np.maximum.accumulate((~onto_self) & (steps > 1)[None], axis=1)
    returned = onto_self & left_self & (steps > 2 * OUTLINE_PIXELS)[None]
    meets = np.where(returned.any(1), steps[returned.argmax(1)], np.inf)
    gap = meets < np.where(np.isfinite(first), first, np.inf)
    distance = np.where(gap, 0.5 * meets, first)
    return np.where(distance <= limit, distance, np.nan), gap


def _walk_inward(mask: NDArray[np.float32], pixels: Floats, direction: Floats, limit: Floats) -> Floats:
    """Pixels to the first entry into the mask against the direction (nan: none within the limit)."""
    steps = np.arange(0, limit.max(initial=0) + STEP_PIXELS, STEP_PIXELS)
    values = _sample(mask, pixels[:, None] - direction[:, None] * steps[None, :, None], outside=np.nan)
    first = _first_crossing(values, steps, falling=False)
    return np.where(first <= limit, first, np.nan)


def _first_crossing(values: Floats, steps: Floats, *, falling: bool) -> Floats:
    """Distance at which each row of values first crosses one half; nan where it never does or leaves the photo."""
    beyond = values < 0.5 if falling else values >= 0.5
    index = np.maximum(beyond.argmax(1), 1)
    rows = np.arange(len(values))
    before, after = values[rows, index - 1], values[rows, index]
    span = np.where(np.abs(after - before) > 1e-6, after - before, 1.0)
    exact = steps[index - 1] + np.clip((0.5 - before) / span, 0, 1) * STEP_PIXELS
    left_photo = np.isnan(values) & (np.cumsum(beyond, axis=1) == 0)
    return np.where(beyond.any(1) & ~left_photo.any(1), exact, np.nan)


def _agreement(mask: NDArray[np.float32], points: Floats, direction: Floats) -> Floats:
    """Cosine between the walk and the mask's outward normal where it ended, zero when they disagree."""
    smooth = cv2.GaussianBlur(mask, (0, 0), 2.0)
    gradient = np.stack(
        [_sample(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), points), _sample(cv2.Sobel(smooth, cv2.CV_32F, 0, 1), points)], 1
    )
    cosine = -np.einsum("mi,mi->m", unit(gradient), direction)
    return np.where(cosine > 0.35, cosine, 0.0)


def _reciprocity(own: NDArray[np.bool_], pixels: Floats, direction: Floats, steps: Floats) -> Floats:
    """One where the end of an outward walk is nearest to where it began, zero where another limb is much nearer."""
    away = cv2.distanceTransform((~own).astype(np.uint8), cv2.DIST_L2, 5)
    nearest = _sample(away, pixels + direction * steps[:, None])
    share = nearest / np.maximum(steps, 1e-6)
    return np.where(steps > 4 * OUTLINE_PIXELS, np.clip((share - 0.4) / 0.3, 0, 1), 1.0)


def _held(
    view: View, vertices_cam: Floats, faces: Ints, hands: NDArray[np.bool_], points: Floats, scale: Floats
) -> Floats:
    """1 for points (M, 2) so near to a drawn hand that they show it or what it holds, 0 for points away from hands."""
    drawn = sketch(view.camera, vertices_cam, faces[hands[faces].all(1)])
    if not drawn.any():
        return np.zeros(len(points))
    away = cv2.distanceTransform((~drawn).astype(np.uint8), cv2.DIST_L2, 5)
    near, far = HELD_METRES
    return np.clip((far - _sample(away, points) / scale) / (far - near), 0, 1)


def _sample(image: NDArray[Any], points: Floats, outside: float = 0.0) -> Floats:
    """Bilinear samples of an image at points (..., 2); pixel centres lie at integer + 0.5."""
    where = np.nan_to_num(points[..., ::-1] - 0.5, nan=-1e4).reshape(-1, 2).T
    values = map_coordinates(np.asarray(image, np.float32), where, order=1, mode="nearest")
    height, width = image.shape
    x, y = points[..., 0], points[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= width) & (y <= height)
    return np.where(inside, values.reshape(points.shape[:-1]), outside).astype(np.float64)
