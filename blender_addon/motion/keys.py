"""A clip onto a rig, as keys of one action."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..compat import action_curves, action_groups, new_action, play_action
from ..importer.armature import ordered_bones
from ..importer.frames import Floats, bone_local
from ..importer.scene import apply_rest_pose
from .bvh import read_bvh
from .clip import BODY_JOINTS, Clip, resampled
from .floor import Shell, lowest_points, on_floor, shell, travelling
from .pose_files import read_poses
from .retarget import retarget
from .rotations import continuous, quaternions
from .skeletons import find_skeleton

_LINEAR = 1


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
    """The rig's bones in the order of its SMPL names; heads (J, 3) and rest (J, 3, 3) in armature space."""

    names: list[str]
    bones: list[bpy.types.PoseBone]
    parents: list[int]
    heads: Floats
    rest: Floats


def _bones(rig: bpy.types.Object) -> _Bones:
    names: list[str] = json.loads(rig["munet_bone_names"])
    bones = ordered_bones(rig, names)
    index = {bone.name: i for i, bone in enumerate(bones)}
    parents = [index.get(bone.parent.name, -1) if bone.parent else -1 for bone in bones]
    heads = np.array([bone.bone.head_local for bone in bones])
    return _Bones(names, bones, parents, heads, np.array([bone.bone.matrix_local.to_3x3() for bone in bones]))


def _shell_of(rig: bpy.types.Object, bones: _Bones) -> Shell:
    """Return outer points of the meshes of ``rig``, each carried by the bone with the largest weight."""
    order = {bone.name: index for index, bone in enumerate(bones.bones)}
    points, carriers = [np.zeros((0, 3))], [np.zeros(0, dtype=np.int64)]
    for child in rig.children:
        if child.type != "MESH":
            continue
        flat = np.empty(3 * len(child.data.vertices), dtype=np.float32)
        child.data.vertices.foreach_get("co", flat)
        groups = {group.index: order.get(group.name, -1) for group in child.vertex_groups}
        heaviest = [max(v.groups, key=lambda g: g.weight).group if v.groups else -1 for v in child.data.vertices]
        points.append(flat.reshape(-1, 3).astype(np.float64))
        carriers.append(np.array([groups.get(group, -1) for group in heaviest], dtype=np.int64))
    return shell(np.concatenate(points), np.concatenate(carriers))


def read_clip(path: Path, rig: bpy.types.Object, options: MotionOptions) -> Clip:
    """Read a file of motion for ``rig``.

    Raises:
        AddonError: BAD_MOTION: it can not be read; UNKNOWN_SKELETON: its joints have unknown names.
    """
    if path.suffix.lower() != ".bvh":
        return read_poses(path, fps=options.fps, up=options.up)
    bones, bvh = _bones(rig), read_bvh(path)
    heads = dict(zip(bones.names, bones.heads, strict=True))
    clip = retarget(path.stem, bvh, find_skeleton(path.name, bvh.names), heads, up=options.up)
    rate = options.fps or clip.fps
    return Clip(clip.name, rate, clip.joints, clip.rotations, clip.hips, clip.notes)


def _all_rotations(clip: Clip, rig: bpy.types.Object, names: list[str]) -> Floats:
    """Return (F, J, 3, 3); bones the clip does not have rest, fingers are held as in the photo."""
    rotations = np.tile(np.eye(3), (len(clip), len(names), 1, 1))
    photo = np.array(rig["munet_rotations"]).reshape(-1, 3, 3)
    at = {name: index for index, name in enumerate(clip.joints)}
    for index, name in enumerate(names):
        if name in at:
            rotations[:, index] = clip.rotations[:, at[name]]
        elif name not in BODY_JOINTS:
            rotations[:, index] = photo[index]
    return rotations


def add_motion(rig: bpy.types.Object, clip: Clip, options: MotionOptions, scene_fps: float) -> bpy.types.Action:
    """Key ``clip`` on ``rig`` as a new action and return it; other actions stay in the file."""
    clip = resampled(clip, scene_fps) if options.sampling == "SCENE" else clip
    bones = _bones(rig)
    rotations = _all_rotations(clip, rig, bones.names)
    hips = travelling(clip.hips * options.scale, options.travel)
    lowest = lowest_points(_shell_of(rig, bones), bones.heads, bones.parents, rotations, hips)
    hips = on_floor(hips, lowest, options.floor)
    frames = options.start + np.arange(len(clip)) * scene_fps / clip.fps
    apply_rest_pose(rig)
    _keep_action(rig)
    action = new_action(clip.name, rig)
    turns = continuous(quaternions(bone_local(bones.rest, rotations)))
    for index, bone in enumerate(bones.bones):
        _add_curves(action, bone, "rotation_quaternion", frames, turns[:, index])
    _add_curves(action, bones.bones[0], "location", frames, (hips - bones.heads[0]) @ bones.rest[0])
    play_action(rig, action)
    return action


def lowest_of(rig: bpy.types.Object, clip: Clip) -> Floats:
    """Return the height (F,) of the lowest point of the person in each frame of ``clip``."""
    bones = _bones(rig)
    rotations = _all_rotations(clip, rig, bones.names)
    return lowest_points(_shell_of(rig, bones), bones.heads, bones.parents, rotations, clip.hips)


def _keep_action(rig: bpy.types.Object) -> None:
    """Let the action that ``rig`` plays now stay in the file when it plays another."""
    if rig.animation_data and rig.animation_data.action:
        rig.animation_data.action.use_fake_user = True


def _add_curves(
    action: bpy.types.Action, bone: bpy.types.PoseBone, channel: str, frames: Floats, values: Floats
) -> None:
    """Key ``values`` (F, N) at ``frames`` (F,), straight between the keys; what never changes gets one key."""
    for index, column in enumerate(values.T):
        still = np.ptp(column) < 1e-9
        times, heights = (frames[:1], column[:1]) if still else (frames, column)
        curve = action_curves(action).new(bone.path_from_id(channel), index=index)
        groups = action_groups(action)
        curve.group = groups.get(bone.name) or groups.new(bone.name)
        curve.keyframe_points.add(len(times))
        curve.keyframe_points.foreach_set("co", np.stack([times, heights], axis=1).reshape(-1))
        curve.keyframe_points.foreach_set("interpolation", np.full(len(times), _LINEAR, dtype=np.int32))
        curve.update()
