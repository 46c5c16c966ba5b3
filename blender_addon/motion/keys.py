"""A clip onto a rig, as keys of one action."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import bpy
import numpy as np

from ..compat import action_curves, action_groups, new_action, play_action
from ..importer.armature import ordered_bones
from ..importer.frames import Floats, bone_local
from ..importer.scene import apply_rest_pose
from ..steps import Beside, Steps, run_through
from .bvh import read_bvh
from .clip import BODY_JOINTS, Clip, resampled
from .floor import Shell, lowest_points, on_floor, shell, travelling
from .pose_files import read_poses
from .retarget import retarget
from .rotations import continuous, quaternions
from .skeletons import find_skeleton

_LINEAR = 1
_AT_ONCE = 8192


@dataclass(frozen=True)
class MotionOptions:
    """How a clip comes onto a rig.

    Attributes:
        fps: frame rate of the file; 0 takes the one it states.
        up: AUTO, Y, Z or -Y.
        start: first frame of the keys.
        sampling: SCENE keys every frame of the scene, FILE every sample of the file.
        scale: factor on the way of the hips.
        floor: FILE, CLIP or FRAME, see ``floor.on_floor``.
        travel: START, IN_PLACE or FILE, see ``floor.travelling``.
    """

    fps: float = 0.0
    up: str = "AUTO"
    start: int = 1
    sampling: str = "SCENE"
    scale: float = 1.0
    floor: str = "CLIP"
    travel: str = "START"


@dataclass(frozen=True)
class _Bones:
    """The rig's bones in the order of its SMPL names; heads (J, 3) and rest (J, 3, 3) in armature space.

    Only names are kept: a visit of the user to Edit Mode makes the bones themselves invalid.
    """

    names: list[str]
    called: list[str]
    parents: list[int]
    heads: Floats
    rest: Floats


def _bones(rig: bpy.types.Object) -> _Bones:
    names: list[str] = json.loads(rig["munet_bone_names"])
    bones = ordered_bones(rig, names)
    index = {bone.name: i for i, bone in enumerate(bones)}
    parents = [index.get(bone.parent.name, -1) if bone.parent else -1 for bone in bones]
    heads = np.array([bone.bone.head_local for bone in bones])
    rest = np.array([bone.bone.matrix_local.to_3x3() for bone in bones])
    return _Bones(names, list(index), parents, heads, rest)


def _outlining(rig: bpy.types.Object, bones: _Bones) -> Steps[Shell]:
    """Return outer points of the meshes of ``rig``, each carried by the bone with the largest weight."""
    order = {name: index for index, name in enumerate(bones.called)}
    points, carriers = [np.zeros((0, 3))], [np.zeros(0, dtype=np.int64)]
    for mesh in [child for child in rig.children if child.type == "MESH"]:
        points.append(_places(mesh.data))
        groups = {group.index: order.get(group.name, -1) for group in mesh.vertex_groups}
        vertices = mesh.data.vertices
        heaviest: list[int] = []
        for start in range(0, len(vertices), _AT_ONCE):
            rows = (vertices[row].groups for row in range(start, min(start + _AT_ONCE, len(vertices))))
            heaviest += [max(row, key=_weight).group if row else -1 for row in rows]
            yield
            vertices = mesh.data.vertices
        carriers.append(np.array([groups.get(group, -1) for group in heaviest], dtype=np.int64))
    found: Shell = yield Beside(lambda: shell(np.concatenate(points), np.concatenate(carriers)))
    return found


def _weight(entry: bpy.types.VertexGroupElement) -> float:
    return entry.weight


def _places(mesh: bpy.types.Mesh) -> Floats:
    flat = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def reader(path: Path, rig: bpy.types.Object, options: MotionOptions) -> Callable[[], Clip]:
    """Return what reads a file of motion for ``rig``; it needs nothing of Blender's any more.

    The call raises AddonError: BAD_MOTION: the file can not be read; UNKNOWN_SKELETON: its joints have unknown names.
    """
    bones = _bones(rig)
    heads = dict(zip(bones.names, bones.heads, strict=True))
    return partial(_read, path, heads, options)


def _read(path: Path, heads: Mapping[str, Floats], options: MotionOptions) -> Clip:
    if path.suffix.lower() != ".bvh":
        return read_poses(path, fps=options.fps, up=options.up)
    bvh = read_bvh(path)
    clip = retarget(path.stem, bvh, find_skeleton(path.name, bvh.names), heads, up=options.up)
    return replace(clip, fps=options.fps or clip.fps)


def read_clip(path: Path, rig: bpy.types.Object, options: MotionOptions) -> Clip:
    """Read a file of motion for ``rig``.

    Raises:
        AddonError: BAD_MOTION: it can not be read; UNKNOWN_SKELETON: its joints have unknown names.
    """
    return reader(path, rig, options)()


def _all_rotations(clip: Clip, photo: Floats, names: list[str]) -> Floats:
    """Return (F, J, 3, 3); bones the clip does not have rest, fingers are held as in the ``photo`` (J, 3, 3)."""
    rotations = np.tile(np.eye(3), (len(clip), len(names), 1, 1))
    at = {name: index for index, name in enumerate(clip.joints)}
    for index, name in enumerate(names):
        if name in at:
            rotations[:, index] = clip.rotations[:, at[name]]
        elif name not in BODY_JOINTS:
            rotations[:, index] = photo[index]
    return rotations


@dataclass(frozen=True)
class _Channels:
    """What is keyed: frames (F,), quaternions (F, J, 4) and locations of the root (F, 3)."""

    frames: Floats
    turns: Floats
    ways: Floats


def _channels(
    clip: Clip, bones: _Bones, photo: Floats, body: Shell | None, options: MotionOptions, scene_fps: float
) -> _Channels:
    clip = resampled(clip, scene_fps) if options.sampling == "SCENE" else clip
    rotations = _all_rotations(clip, photo, bones.names)
    hips = travelling(clip.hips * options.scale, options.travel)
    if body is not None:
        lowest = lowest_points(body, bones.heads, bones.parents, rotations, hips)
        hips = on_floor(hips, lowest, options.floor)
    frames = options.start + np.arange(len(clip)) * scene_fps / clip.fps
    turns = continuous(quaternions(bone_local(bones.rest, rotations)))
    return _Channels(frames, turns, (hips - bones.heads[0]) @ bones.rest[0])


def adding_motion(
    rig: bpy.types.Object, clip: Clip, options: MotionOptions, scene_fps: float
) -> Steps[bpy.types.Action]:
    """Do what :func:`add_motion` does in steps; ``rig`` moves after the last one."""
    bones, photo = _bones(rig), np.array(rig["munet_rotations"]).reshape(-1, 3, 3)
    body = (yield from _outlining(rig, bones)) if options.floor != "FILE" else None
    channels = yield Beside(partial(_channels, clip, bones, photo, body, options, scene_fps))
    action = new_action(clip.name, rig)
    for index, name in enumerate(bones.called):
        _add_curves(action, name, "rotation_quaternion", channels.frames, channels.turns[:, index])
        yield
    _add_curves(action, bones.called[0], "location", channels.frames, channels.ways)
    yield
    apply_rest_pose(rig)
    _keep_action(rig)
    play_action(rig, action)
    return action


def add_motion(rig: bpy.types.Object, clip: Clip, options: MotionOptions, scene_fps: float) -> bpy.types.Action:
    """Key ``clip`` on ``rig`` as a new action and return it; other actions stay in the file."""
    return run_through(adding_motion(rig, clip, options, scene_fps))


def finding_lowest(rig: bpy.types.Object, clip: Clip) -> Steps[Floats]:
    """Return the height (F,) of the lowest point of the person in each frame of ``clip``, in steps."""
    bones, photo = _bones(rig), np.array(rig["munet_rotations"]).reshape(-1, 3, 3)
    body = yield from _outlining(rig, bones)

    def lowest() -> Floats:
        return lowest_points(body, bones.heads, bones.parents, _all_rotations(clip, photo, bones.names), clip.hips)

    heights: Floats = yield Beside(lowest)
    return heights


def _keep_action(rig: bpy.types.Object) -> None:
    """Let the action that ``rig`` plays now stay in the file when it plays another."""
    if rig.animation_data and rig.animation_data.action:
        rig.animation_data.action.use_fake_user = True


def _add_curves(action: bpy.types.Action, bone: str, channel: str, frames: Floats, values: Floats) -> None:
    """Key ``values`` (F, N) at ``frames`` (F,), straight between the keys; what never changes gets one key."""
    path = f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{channel}'
    for index, column in enumerate(values.T):
        still = np.ptp(column) < 1e-9
        times, heights = (frames[:1], column[:1]) if still else (frames, column)
        curve = action_curves(action).new(path, index=index)
        groups = action_groups(action)
        curve.group = groups.get(bone) or groups.new(bone)
        curve.keyframe_points.add(len(times))
        curve.keyframe_points.foreach_set("co", np.stack([times, heights], axis=1).reshape(-1))
        curve.keyframe_points.foreach_set("interpolation", np.full(len(times), _LINEAR, dtype=np.int32))
        curve.update()
