"""Where the camera stands: a whole photo of 20 to 100 mm, of which a square crop round the person is seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.training.data.draw import Drawn

SENSOR_MILLIMETRES = 36.0
_FLIP = (1.0, -1.0, -1.0)


@dataclass(frozen=True)
class View:
    """Cameras of B crops.

    Attributes:
        rotation: (B, 3, 3) from the world (y up) to the body frame of the picture (y up, z towards the camera).
        translation: (B, 3) metres: ``cam = (rotation @ world) * (1, -1, -1) + translation``.
        matrix: (B, 3, 3) intrinsics of the crop, pixels.
    """

    rotation: Tensor
    translation: Tensor
    matrix: Tensor

    def to_camera(self, points_world: Tensor) -> Tensor:
        """Points (B, N, 3) of the world in the camera frame."""
        turned = points_world @ self.rotation.transpose(1, 2)
        return turned * turned.new_tensor(_FLIP) + self.translation[:, None]

    def turn(self, directions_world: Tensor) -> Tensor:
        """Directions (B, N, 3) of the world in the camera frame."""
        turned = directions_world @ self.rotation.transpose(1, 2)
        return turned * turned.new_tensor(_FLIP)


def place_camera(drawn: Drawn, vertices_world: Tensor, size: int) -> View:
    """Look at the middle of a person from a natural distance and crop.

    Args:
        drawn: focal length, tilt, place in the photo and framing.
        vertices_world: (B, V, 3) of the naked body.
        size: pixels of the crop's edge.
    """
    rotation = _tilted(drawn.tilt)
    turned = (vertices_world @ rotation.transpose(1, 2)) * vertices_world.new_tensor(_FLIP)
    low, high = turned.amin(1), turned.amax(1)
    middle, extent = (low + high) / 2, (high - low)[:, :2].amax(1)
    # The person fills 30 to 85 % of the photo; the share follows from its place so that it stays inside.
    share = 0.85 - 0.8 * drawn.place.abs().amax(1)
    tangent = SENSOR_MILLIMETRES / 2 / drawn.focal
    distance = (extent / 2) / (tangent * share.clamp_min(0.25)) + (high[:, 2] - low[:, 2]) / 2
    side = drawn.place * (1 - share)[:, None] * tangent[:, None] * distance[:, None]
    target = torch.cat([side, distance[:, None]], 1)
    translation = target - middle
    return View(rotation, translation, _crop_matrix(drawn, turned + translation[:, None], size))


def _tilted(tilt: Tensor) -> Tensor:
    pitch, roll = tilt.unbind(-1)
    zero, one = torch.zeros_like(pitch), torch.ones_like(pitch)
    about_x = torch.stack([one, zero, zero, zero, pitch.cos(), -pitch.sin(), zero, pitch.sin(), pitch.cos()], -1)
    about_z = torch.stack([roll.cos(), -roll.sin(), zero, roll.sin(), roll.cos(), zero, zero, zero, one], -1)
    return about_z.reshape(-1, 3, 3) @ about_x.reshape(-1, 3, 3)


def _crop_matrix(drawn: Drawn, vertices_cam: Tensor, size: int) -> Tensor:
    """Intrinsics (B, 3, 3) of the square that shows the part of the person that the framing asks for."""
    plane = vertices_cam[..., :2] / vertices_cam[..., 2:]
    low, high = plane.amin(1), plane.amax(1)
    first, last, margin, shift = drawn.frame.unbind(-1)
    height = high[:, 1] - low[:, 1]
    top, bottom = low[:, 1] + first * height, low[:, 1] + last * height
    cut = (first > 0) | (last < 1)
    width = torch.where(cut, torch.minimum(high[:, 0] - low[:, 0], bottom - top), high[:, 0] - low[:, 0])
    edge = torch.maximum(bottom - top, width) * margin
    center_x = (low[:, 0] + high[:, 0]) / 2 + shift * edge
    center_y = (top + bottom) / 2
    focal = size / edge
    zero, one = torch.zeros_like(focal), torch.ones_like(focal)
    rows = [focal, zero, size / 2 - focal * center_x, zero, focal, size / 2 - focal * center_y, zero, zero, one]
    return torch.stack(rows, -1).reshape(-1, 3, 3)
