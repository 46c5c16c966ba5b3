"""Square, turned crops of a photo and the way back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

_MAX_SHRINK = 1.5
_EDGE_BLUR = 0.02


@dataclass(frozen=True)
class Crop:
    """A square region of a photo.

    Attributes:
        center: (x, y) in pixels, corner of the image at (0, 0).
        side: edge in pixels.
        angle: radians by which the crop's axes are turned in the image, x towards y.
    """

    center: tuple[float, float]
    side: float
    angle: float = 0.0

    @property
    def rotation(self) -> NDArray[np.float64]:
        """Matrix (2, 2) that turns directions of the crop into directions of the image."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cosine, -sine], [sine, cosine]])

    def to_image(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) in crop units ([0, 1] across the crop) to pixels of the image."""
        turned = (np.asarray(points, np.float64) - 0.5) * self.side @ self.rotation.T
        return np.asarray(turned + np.asarray(self.center), np.float64)

    def from_image(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels (..., 2) of the image to crop units."""
        offset = np.asarray(points, np.float64) - np.asarray(self.center)
        return np.asarray(offset @ self.rotation / self.side + 0.5, np.float64)

    def image_from_pixels(self, pixels: int) -> NDArray[np.float64]:
        """Matrix (2, 3) from pixel indices of a ``pixels`` wide crop to pixel indices of the image (OpenCV's)."""
        scale = self.side / pixels
        linear = self.rotation * scale
        shift = np.asarray(self.center) - linear @ np.full(2, pixels / 2)
        return np.column_stack([linear, shift + linear @ np.full(2, 0.5) - 0.5])


def crop_from_keypoints(center: NDArray[np.floating], rim: NDArray[np.floating], margin: float = 1.25) -> Crop:
    """Return BlazePose's person crop: a circle round the hips through ``rim``, which lies above the head.

    Args:
        center: (2,) middle of the hips in pixels.
        rim: (2,) point of the circle round the whole person in the direction of the head, pixels.
        margin: enlargement of the circle.
    """
    dx, dy = (float(v) for v in np.asarray(rim, np.float64) - np.asarray(center, np.float64))
    return Crop((float(center[0]), float(center[1])), max(2 * math.hypot(dx, dy) * margin, 1.0), math.atan2(dx, -dy))


def sample_crop(
    image: NDArray[np.uint8], crop: Crop, pixels: int, border: int = cv2.BORDER_CONSTANT
) -> NDArray[np.uint8]:
    """Resample ``crop`` of an image (H, W, C) to (pixels, pixels, C) without aliasing.

    Outside the image it is black, or what OpenCV's ``border`` mode says.
    """
    shrink = crop.side / pixels
    if shrink > _MAX_SHRINK:
        region, moved = _cut(image, crop)
        factor = max(1.0, shrink / _MAX_SHRINK)
        size = (max(1, round(region.shape[1] / factor)), max(1, round(region.shape[0] / factor)))
        small = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
        image, crop = small.astype(np.uint8, copy=False), _scaled(moved, size[0] / region.shape[1])
    matrix = crop.image_from_pixels(pixels)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, (pixels, pixels), flags=flags, borderMode=border), np.uint8)


def sample_continued(image: NDArray[np.uint8], crop: Crop, pixels: int) -> NDArray[np.uint8]:
    """Resample an upright ``crop`` like :func:`sample_crop`, continuing the image by its blurred edge.

    A person who is cut by the photo's edge is understood better so than before black: the networks take a hard edge
    for the end of the body.
    """
    inside = sample_crop(np.ones((*image.shape[:2], 1), np.uint8), crop, pixels) > 0
    sharp = sample_crop(image, crop, pixels, cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(sharp, (0, 0), pixels * _EDGE_BLUR)
    return np.where(inside.reshape(pixels, pixels, 1), sharp, blurred).astype(np.uint8)


def paste_crop(values: NDArray[np.float32], crop: Crop, width: int, height: int) -> NDArray[np.float32]:
    """Resample a map (P, P) over ``crop`` to the image (height, width); zero outside the crop."""
    matrix = crop.image_from_pixels(values.shape[0])
    pasted = cv2.warpAffine(values, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(pasted, np.float32)


def _cut(image: NDArray[np.uint8], crop: Crop) -> tuple[NDArray[np.uint8], Crop]:
    corners = crop.to_image(np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float64))
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int), [left + 1, top + 1], [width, height])
    moved = replace(crop, center=(crop.center[0] - float(left), crop.center[1] - float(top)))
    return image[top:bottom, left:right], moved


def _scaled(crop: Crop, factor: float) -> Crop:
    return Crop((crop.center[0] * factor, crop.center[1] * factor), crop.side * factor, crop.angle)
