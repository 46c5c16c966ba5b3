"""Silhouettes: the person's mask in a working view, the outline of the mesh, and their overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from munet.errors import InvalidInputError
from munet.geometry.camera import Camera
from munet.render.coverage import covered_pixels
from munet.surface.operators import Floats, Ints, area_vectors

WORK_PIXELS = 640
MARGIN = 0.08
GUARD_PIXELS = 16000.0
# Objects thinner than this that stick out of the person (poles, straps) are not clothes.
THIN_METRES = 0.028


@dataclass(frozen=True)
class View:
    """The part of the photo around a person at working resolution.

    Attributes:
        camera: of this view.
        mask: (h, w) float32 in [0, 1].
        border: (4,) bool left, top, right, bottom: this side of the view is the border of the photo.
    """

    camera: Camera
    mask: NDArray[np.float32]
    border: tuple[bool, bool, bool, bool]


def make_view(camera: Camera, mask: NDArray[np.float32], vertices_cam: Floats) -> View:
    """Crop and scale the photo around mask and body so that their longer side has ``WORK_PIXELS`` pixels.

    Raises:
        InvalidInputError: the mask has not the camera's size or holds nobody.
    """
    if mask.shape != (camera.height, camera.width):
        raise InvalidInputError(
            "The mask has not the size of the photo.",
            detail=f"expected {(camera.height, camera.width)}, found {mask.shape}",
        )
    rows, columns = np.nonzero(mask >= 0.5)
    if not len(rows):
        raise InvalidInputError("The mask of the person is empty.", detail="no pixel has a value of 0.5 or more")
    body = visible_box(camera, vertices_cam)
    low = np.minimum([columns.min(), rows.min()], body[0])
    high = np.maximum([columns.max() + 1, rows.max() + 1], body[1])
    pad = MARGIN * (high - low).max()
    low = np.clip(np.floor(low - pad), 0, None).astype(int)
    high = np.minimum(np.ceil(high + pad), [camera.width, camera.height]).astype(int)
    return _crop(camera, mask, low, high)


def visible_box(camera: Camera, vertices_cam: Floats) -> NDArray[np.float64]:
    """Corners (2, 2) of the box of the projected vertices, cut at the photo's border."""
    size = np.array([camera.width, camera.height])
    pixels = np.clip(camera.project(vertices_cam).astype(np.float64), 0, size)
    return np.stack([pixels.min(0), pixels.max(0)])


def _crop(camera: Camera, mask: NDArray[np.float32], low: Ints, high: Ints) -> View:
    width, height = high - low
    scale = WORK_PIXELS / max(width, height)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    cut = np.ascontiguousarray(mask[low[1] : high[1], low[0] : high[0]], np.float32)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    border = (low[0] == 0, low[1] == 0, high[0] == camera.width, high[1] == camera.height)
    local = camera.cropped(float(low[0]), float(low[1]), int(width), int(height)).scaled(scale, *size)
    return View(local, cv2.resize(cut, size, interpolation=method), tuple(bool(b) for b in border))  # type: ignore[arg-type]


def draw(camera: Camera, vertices_cam: Floats, faces: Ints) -> NDArray[np.bool_]:
    """Silhouette (height, width) of a closed mesh; faces behind the camera are left out."""
    in_front = (vertices_cam[:, 2] > 1e-3)[faces].all(1)
    # The faces that turn to the camera cover the silhouette of a closed mesh alone.
    seen = faces[in_front & faces_camera(vertices_cam, faces)]
    pixels = camera.project(np.where(vertices_cam[:, 2:] > 1e-3, vertices_cam, 1.0))
    covered = covered_pixels(torch.from_numpy(pixels[seen]), camera.height, camera.width)
    result = np.zeros((camera.height, camera.width), np.bool_)
    result[covered.row.numpy(), covered.column.numpy()] = True
    return result


def sketch(camera: Camera, vertices_cam: Floats, faces: Ints) -> NDArray[np.bool_]:
    """Like :func:`draw`, in a single thread and quicker, up to half a pixel too big."""
    in_front = (vertices_cam[:, 2] > 1e-3)[faces].all(1)
    seen = faces[in_front & faces_camera(vertices_cam, faces)]
    pixels = camera.project(np.where(vertices_cam[:, 2:] > 1e-3, vertices_cam, 1.0))
    corners = np.round(np.clip(pixels, -GUARD_PIXELS, GUARD_PIXELS) * 16 - 8).astype(np.int32)[seen]
    result = np.zeros((camera.height, camera.width), np.uint8)
    for triangle in corners:
        cv2.fillConvexPoly(result, triangle, 1, shift=4)
    return result > 0


def faces_camera(vertices_cam: Floats, faces: Ints) -> NDArray[np.bool_]:
    """Which faces (F,) turn their outside to the camera."""
    towards: NDArray[np.bool_] = np.einsum("fi,fi->f", area_vectors(vertices_cam, faces), vertices_cam[faces[:, 0]]) < 0
    return towards


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 when both are empty."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 1.0


def without_thin_things(view: View, vertices_cam: Floats, faces: Ints) -> View:
    """The view without thin parts of the mask that stick out of the body, such as poles, straps and skis.

    Args:
        view: the working view.
        vertices_cam: (V, 3) of the unclothed body, whose silhouette always stays.
        faces: (F, 3).
    """
    metres_per_pixel = float(np.median(vertices_cam[:, 2])) / view.camera.focal
    radius = max(round(0.5 * THIN_METRES / metres_per_pixel), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = np.pad(view.mask, 2 * radius, mode="edge")
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    near = cv2.dilate(sketch(view.camera, vertices_cam, faces).astype(np.uint8), disc) > 0
    mask = np.where(near, view.mask, np.minimum(opened, view.mask)).astype(np.float32)
    return replace(view, mask=mask)


def rim_vertices(vertices_cam: Floats, faces: Ints) -> Ints:
    """Vertices where the surface turns from facing the camera to facing away."""
    towards = faces_camera(vertices_cam, faces)
    count = np.bincount(faces.ravel(), minlength=len(vertices_cam))
    facing = np.bincount(faces.ravel(), np.repeat(towards, 3).astype(np.float64), minlength=len(vertices_cam))
    return np.nonzero((facing > 0) & (facing < count))[0]
