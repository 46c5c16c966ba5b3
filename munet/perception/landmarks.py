"""BlazePose's landmark network: 33 landmarks in the image and in metres, their visibility and a rough mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from munet.perception.crop import Crop, crop_from_keypoints, sample_crop
from munet.perception.lite import LiteNetwork
from munet.perception.observation import LANDMARK_NAMES

INPUT_PIXELS = 256
_COUNT = len(LANDMARK_NAMES)
_HIPS, _RIM = 33, 34
_HEAT_WINDOW = 3
_HEAT_CONFIDENCE = 0.5


@dataclass(frozen=True)
class Landmarks:
    """One person as the network sees it.

    Attributes:
        image: (33, 2) float64 pixels of the image.
        world: (33, 3) float64 metres, hip centred, axes of the camera frame.
        visibility: (33,) float64 in [0, 1].
        presence: confidence in [0, 1] that the crop holds a person.
        crop: region that was seen.
        next_crop: region of the person according to these landmarks.
        mask: (256, 256) float32 in [0, 1], over ``crop``.
    """

    image: NDArray[np.float64]
    world: NDArray[np.float64]
    visibility: NDArray[np.float64]
    presence: float
    crop: Crop
    next_crop: Crop
    mask: NDArray[np.float32]


def mirror_order() -> NDArray[np.intp]:
    """Return the index of each landmark's counterpart on the other side of the body."""
    swapped = [_other_side(name) for name in LANDMARK_NAMES]
    return np.array([LANDMARK_NAMES.index(name) for name in swapped], np.intp)


def _other_side(name: str) -> str:
    if "left" in name:
        return name.replace("left", "right")
    return name.replace("right", "left")


def refine_with_heat(points: NDArray[np.float64], heat: NDArray[np.float32]) -> NDArray[np.float64]:
    """Move points (N, 2) in crop units to the centre of the heat (S, S, N logits) in a window round them.

    A point whose window holds no confident cell stays where it is.
    """
    size = heat.shape[0]
    refined = points.copy()
    for index, (column, row) in enumerate(np.floor(points * size).astype(int)):
        if not (0 <= column < size and 0 <= row < size):
            continue
        left, top = max(0, column - _HEAT_WINDOW), max(0, row - _HEAT_WINDOW)
        window = heat[top : row + _HEAT_WINDOW + 1, left : column + _HEAT_WINDOW + 1, index]
        weights = _sigmoid(window)
        if weights.max() < _HEAT_CONFIDENCE:
            continue
        rows, columns = np.mgrid[top : top + weights.shape[0], left : left + weights.shape[1]]
        total = weights.sum() * size
        # The heat maps count cells from their corners: cell 0 means 0, not half a cell.
        refined[index] = (columns * weights).sum() / total, (rows * weights).sum() / total
    return refined


class LandmarkNetwork:
    """The loaded landmark network."""

    def __init__(self, model: Path, threads: int) -> None:
        """Load the network from the file ``model``."""
        self._network = LiteNetwork(model, threads)

    def find(self, image: NDArray[np.uint8], crop: Crop) -> Landmarks:
        """Return the landmarks of the person in ``crop`` of an image (H, W, 3)."""
        pixels = sample_crop(image, crop, INPUT_PIXELS).astype(np.float32) / np.float32(255)
        flat, presence, mask, heat, world = self._network.run(pixels)
        table = flat.reshape(-1, 5).astype(np.float64)
        units = refine_with_heat(table[:, :2] / INPUT_PIXELS, heat[0])
        image_points = crop.to_image(units)
        metres = world.reshape(-1, 3)[:_COUNT].astype(np.float64)
        metres[:, :2] = metres[:, :2] @ crop.rotation.T
        seen = np.minimum(_sigmoid(table[:_COUNT, 3]), _sigmoid(table[:_COUNT, 4]))
        return Landmarks(
            image=image_points[:_COUNT],
            world=metres,
            visibility=seen.astype(np.float64),
            presence=float(presence.reshape(-1)[0]),
            crop=crop,
            next_crop=crop_from_keypoints(image_points[_HIPS], image_points[_RIM]),
            mask=_sigmoid(mask[0, :, :, 0]).astype(np.float32),
        )


def _sigmoid(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))))
