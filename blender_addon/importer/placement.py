"""Where people, camera and rest pose stand in the Blender scene. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .character import Character
from .frames import BLENDER_FROM_CAMERA, Floats, level_rotation, points_from_body, rotations_from_body


@dataclass(frozen=True)
class SceneFrame:
    """The way of a photo's camera frame into the scene.

    Attributes:
        rotation: (3, 3) from the camera frame to Blender's axes, level with the ground.
        offset: (3,) added after it.
    """

    rotation: Floats
    offset: Floats

    def points(self, points_cam: Floats) -> Floats:
        """Turn points (..., 3) of the camera frame into the scene."""
        return np.asarray(points_cam, dtype=np.float64) @ self.rotation.T + self.offset

    @property
    def camera_rotation(self) -> Floats:
        """Rotation (3, 3) of a Blender camera (looking along its -z, y up) that sees as the photo's does."""
        return self.rotation @ np.diag([1.0, -1.0, -1.0])


def scene_frame(characters: Sequence[Character], spot: float = 0.0) -> SceneFrame:
    """Return how the people of one photo come into the scene.

    Up is up for the first (largest) person, whose hips land on x = ``spot``, y = 0; the lowest posed point of all
    people lands on z = 0.
    """
    rotation = level_rotation(characters[0].up_cam) @ BLENDER_FROM_CAMERA
    level = SceneFrame(rotation, np.zeros(3))
    lowest = min(float(level.points(skin.vertices_cam)[:, 2].min()) for c in characters for skin in (c.body, c.surface))
    hips = level.points(characters[0].arrays["joints"][0])
    return SceneFrame(rotation, np.array([spot - hips[0], -hips[1], -lowest]))


@dataclass(frozen=True)
class Placement:
    """How the armature space of one person lies in body frame and scene.

    At rest the person stands on the armature's floor with the hips above its origin; the armature stands on the
    scene's floor below the hips of the photo's pose. What is left to reach the photo's pose is a short way of the root.

    Attributes:
        rest_offset: (3,) added to rest points in Blender's axes to reach armature space.
        location: (3,) of the armature in the scene.
        root_head: (3,) posed head of the root bone in armature space.
        rotations: (J, 3, 3) local rotations of the bones in Blender's axes, SMPL's meaning, root first.
    """

    rest_offset: Floats
    location: Floats
    root_head: Floats
    rotations: Floats

    def rest(self, points_body: Floats) -> Floats:
        """Turn rest points (N, 3) of the body frame into armature space."""
        return points_from_body(points_body) + self.rest_offset


def place(character: Character, frame: SceneFrame) -> Placement:
    """Place ``character`` in the scene."""
    hips_rest = points_from_body(character.arrays["bone_heads"][0])
    floor = float(points_from_body(character.body.rest_vertices_body)[:, 2].min())
    hips = frame.points(character.arrays["joints"][0])
    location = np.array([hips[0], hips[1], 0.0])
    rotations = rotations_from_body(character.arrays["bone_rotations"])
    rotations[0] = frame.rotation @ BLENDER_FROM_CAMERA.T @ rotations[0]
    return Placement(np.array([-hips_rest[0], -hips_rest[1], -floor]), location, hips - location, rotations)
