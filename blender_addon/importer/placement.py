"""Where people, camera and rest pose stand in the Blender scene. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .character import Character
from .frames import BLENDER_FROM_CAMERA, Floats, points_from_body, points_from_camera


def scene_offset(characters: Sequence[Character]) -> Floats:
    """Return what is added (3,) to every point of a photo in Blender's axes.

    The lowest posed point of all people lands on z = 0 and the hips of the first (largest) person on x = y = 0.
    """
    lowest = min(
        float(points_from_camera(skin.vertices_cam)[:, 2].min()) for c in characters for skin in (c.body, c.surface)
    )
    hips = points_from_camera(characters[0].arrays["joints"][0])
    return np.array([-hips[0], -hips[1], -lowest])


def camera_rotation() -> Floats:
    """Return the rotation (3, 3) of a Blender camera (looking along its -z, y up) that sees as the photo's does."""
    return BLENDER_FROM_CAMERA @ np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Placement:
    """How the armature space of one person lies in body frame and scene.

    At rest the person stands on the armature's floor with the hips above its origin; the armature stands on the
    scene's floor below the hips of the photo's pose. What is left to reach the photo's pose is a short way of the root.

    Attributes:
        rest_offset: (3,) added to rest points in Blender's axes to reach armature space.
        location: (3,) of the armature in the scene.
        root_head: (3,) posed head of the root bone in armature space.
    """

    rest_offset: Floats
    location: Floats
    root_head: Floats

    def rest(self, points_body: Floats) -> Floats:
        """Turn rest points (N, 3) of the body frame into armature space."""
        return points_from_body(points_body) + self.rest_offset


def place(character: Character, offset: Floats) -> Placement:
    """Place ``character`` in a scene whose points are moved by ``offset`` (see :func:`scene_offset`)."""
    hips_rest = points_from_body(character.arrays["bone_heads"][0])
    floor = float(points_from_body(character.body.rest_vertices_body)[:, 2].min())
    hips = points_from_camera(character.arrays["joints"][0]) + offset
    location = np.array([hips[0], hips[1], 0.0])
    return Placement(np.array([-hips_rest[0], -hips_rest[1], -floor]), location, hips - location)
