"""A person of a clip into the scene: keyed motion, the clip before the camera, the scene's frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .importer.camera import look_through
from .importer.character import Character
from .importer.frames import Floats, points_from_camera, rotations_from_body
from .importer.scene import ImportedPerson
from .inputs import frame_number
from .motion.clip import BODY_JOINTS, Clip
from .motion.keys import MotionOptions, adding_motion, finding_lowest
from .steps import Steps, run_through

_USUAL_LOWEST = 30.0
"""Percentile of the frames' lowest points that lies on the floor: who jumps stays in the air."""


@dataclass(frozen=True)
class ClipPlace:
    """Where a clip goes in the scene.

    Attributes:
        files: one video, or pictures in order; empty if they are gone.
        start: frame of the scene on which the clip begins.
        follow: the scene takes over the clip's frame rate and length.
    """

    files: Sequence[Path] = ()
    start: int = 1
    follow: bool = True


def has_motion(character: Character) -> bool:
    """Tell whether a person comes with its motion."""
    return "pose_sequence" in character.arrays and "translation_sequence" in character.arrays


def clip_of(character: Character, rig: bpy.types.Object, name: str) -> Clip:
    """Return the motion of a person, as it has just been inserted, in the space of its ``rig``."""
    arrays, facts = character.arrays, character.facts
    still = rotations_from_body(arrays["bone_rotations"][:1])[0]
    level = np.array(rig["munet_rotations"]).reshape(-1, 3, 3)[0] @ still.T
    rotations = rotations_from_body(arrays["pose_sequence"].reshape(-1, 3)).reshape(-1, 24, 3, 3)
    rotations[:, 0] = level @ rotations[:, 0]
    moved = points_from_camera(arrays["translation_sequence"] - arrays["translation"]) @ level.T
    hips = np.array(rig["munet_root_head"]) + moved
    return Clip(name, float(facts.get("fps", 0.0)) or 24.0, list(BODY_JOINTS), rotations, hips)


def _frame_step(arrays: Mapping[str, Any]) -> int:
    """Return how many frames of the file lie between two frames of the clip."""
    numbers = arrays.get("frame_sequence", np.zeros(0))
    return max(int(np.median(np.diff(numbers))), 1) if len(numbers) > 1 else 1


def _scene_follows(scene: bpy.types.Scene, fps: float, start: int, seconds: float) -> None:
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps
    scene.frame_start, scene.frame_end = start, start + max(int(seconds * fps), 0)
    scene.frame_set(start)


def inserting_motion(
    context: bpy.types.Context, person: ImportedPerson, character: Character, name: str, place: ClipPlace
) -> Steps[bpy.types.Action]:
    """Key the motion of a person in steps, whether a scene has it yet or not, and put the clip before its camera."""
    clip, step = clip_of(character, person.rig, name), _frame_step(character.arrays)
    lowest = yield from finding_lowest(person.rig, clip)
    clip = _on_floor(person, clip, lowest)
    render = context.scene.render
    rate = clip.fps * step if place.follow else render.fps / render.fps_base
    options = MotionOptions(start=place.start, floor="FILE", travel="FILE")
    action = yield from adding_motion(person.rig, clip, options, rate)
    person.rig["munet_clip"] = name
    if place.files:
        first = int(character.arrays["frame_sequence"][0]) if "frame_sequence" in character.arrays else 0
        _show_clip(person.camera.data, place, first, (len(clip) - 1) * step + 1)
    yield
    if place.follow:
        _scene_follows(context.scene, rate, place.start, (len(clip) - 1) / clip.fps)
        look_through(context.scene, person.camera)
    return action


def insert_motion(
    context: bpy.types.Context, person: ImportedPerson, character: Character, name: str, place: ClipPlace
) -> bpy.types.Action:
    """Key the motion of a person that has just been inserted, and put the clip before its camera."""
    return run_through(inserting_motion(context, person, character, name, place))


def _on_floor(person: ImportedPerson, clip: Clip, lowest: Floats) -> Clip:
    """Move person and camera together so that the feet are on the floor in most of the frames (``lowest``, F)."""
    rise = -float(np.percentile(lowest, _USUAL_LOWEST))
    up: Floats = np.array([0.0, 0.0, rise])
    person.camera.location.z += rise
    person.rig["munet_root_head"] = (np.array(person.rig["munet_root_head"]) + up).tolist()
    return Clip(clip.name, clip.fps, clip.joints, clip.rotations, clip.hips + up, clip.notes)


def _show_clip(camera: bpy.types.Camera, place: ClipPlace, first: int, count: int) -> None:
    """Put the clip behind the person, in step with the keys."""
    try:
        image = bpy.data.images.load(str(place.files[0]), check_existing=True)
    except RuntimeError:
        return
    number = first
    if len(place.files) > 1:
        image.source = "SEQUENCE"
        number = (frame_number(place.files[0]) or 0) + first - 1
    camera.background_images.clear()
    background = camera.background_images.new()
    background.image, background.frame_method, background.display_depth = image, "FIT", "BACK"
    background.alpha = 1.0
    user = background.image_user
    user.frame_start, user.frame_duration, user.frame_offset = place.start, max(count, 1), number
    user.use_auto_refresh = True
    camera.show_background_images = True
