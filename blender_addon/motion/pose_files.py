"""SMPL poses from ``.npz`` and ``.json``: AMASS, SMPL, SMPL-H, SMPL-X and this product's own. No bpy."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from ..importer.frames import BLENDER_FROM_BODY, Floats, matrices_from_axis_angle
from .axes import BLENDER_FROM, up_axis
from .clip import BODY_JOINTS, HAND_JOINTS, Clip

_RATES = ("mocap_framerate", "mocap_frame_rate", "mocap_fps", "fps", "frame_rate", "framerate", "frequency")
_WHOLE = ("poses", "pose", "fullpose", "full_pose", "smpl_poses", "smpl_pose", "thetas", "theta")
_ROOTS = ("root_orient", "global_orient", "root_pose", "root_rotation")
_BODIES = ("pose_body", "body_pose", "body_poses")
_HANDS = {"left": ("left_hand_pose", "pose_lhand"), "right": ("right_hand_pose", "pose_rhand")}
_BOTH_HANDS = ("pose_hand", "hand_pose", "hand_poses")
_WAYS = ("trans", "transl", "translation", "root_trans", "smpl_trans", "translations", "root_translation")
# Where the hips of SMPL's mean body lie in its own frame: files store the way of that frame, not of the hips.
_MEAN_HIPS = np.array([0.0, -0.22, 0.03])
_FACE_JOINTS = 3
_STAYS = "The file does not say where the hips are: the person stays in place."

Values = Mapping[str, NDArray[Any]]


def _bad(path: Path, detail: str, hint: str = "") -> AddonError:
    return AddonError("BAD_MOTION", f"{path.name} can not be read as poses.", detail=detail, hint=hint)


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files if not name.startswith("__")}
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise _bad(path, str(error), "Objects stored as pickles are refused, because they can run code.") from error


def _read_json(path: Path) -> dict[str, NDArray[Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        frames = content.get("frames") if isinstance(content, dict) else content
        values = {name: value for name, value in content.items() if name != "frames"} if frames is not content else {}
        if isinstance(frames, list) and frames and isinstance(frames[0], dict):
            values |= {name: [frame[name] for frame in frames] for name in frames[0]}
        return {name: np.asarray(value) for name, value in values.items() if _is_numeric(value)}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _bad(path, f"{type(error).__name__}: {error}") from error


def _is_numeric(value: object) -> bool:
    try:
        return np.asarray(value).dtype.kind in "fiu"
    except ValueError:
        return False


def _first(values: Values, names: tuple[str, ...]) -> NDArray[Any] | None:
    lower = {name.lower(): value for name, value in values.items()}
    return next((lower[name] for name in names if name in lower), None)


def _turns(path: Path, name: str, value: NDArray[Any]) -> Floats:
    """Return rotations (F, K, 3, 3) of an array of axis-angles (F, 3K), (F, K, 3), (3K,) or matrices (F, K, 3, 3)."""
    if value.dtype.kind not in "fiu" or not np.isfinite(value).all():
        raise _bad(path, f"{name}: expected finite numbers, found {value.dtype}.")
    if value.ndim == 4 and value.shape[-2:] == (3, 3):
        return value.astype(np.float64)
    if value.size == 0 or value.shape[-1] % 3 or value.ndim > 3:
        raise _bad(path, f"{name}: expected axis-angles (frames, 3 x joints), found shape {value.shape}.")
    if value.ndim == 3 and value.shape[-1] != 3:
        raise _bad(path, f"{name}: expected axis-angles (frames, joints, 3), found shape {value.shape}.")
    single = value.ndim == 1 or (value.ndim == 2 and value.shape[1] == 3 and len(value) in {22, 24, 52, 54, 55})
    flat = value.reshape(1 if single else len(value), -1, 3).astype(np.float64)
    return matrices_from_axis_angle(flat.reshape(-1, 3)).reshape(*flat.shape[:2], 3, 3)


def _hands(path: Path, values: Values) -> dict[str, Floats]:
    both = _first(values, _BOTH_HANDS)
    if both is not None:
        turns = _turns(path, "hands", both)
        if turns.shape[1] != 30:
            raise _bad(path, f"hands: expected 30 joints, found {turns.shape[1]}.")
        return {"left": turns[:, :15], "right": turns[:, 15:]}
    found = {side: _first(values, names) for side, names in _HANDS.items()}
    turns_by_side = {side: _turns(path, f"{side} hand", value) for side, value in found.items() if value is not None}
    return {side: turns for side, turns in turns_by_side.items() if turns.shape[1] == 15}


def _split_whole(path: Path, turns: Floats) -> tuple[Floats, dict[str, Floats]]:
    """Split a whole pose into the body's joints and the hands', by the number of joints."""
    count = turns.shape[1]
    if count in {22, 24}:
        return turns, {}
    if count in {52, 54, 55}:
        first = {52: 22, 54: 24, 55: 22 + _FACE_JOINTS}[count]
        body = turns[:, :24] if count == 54 else turns[:, :22]
        return body, {"left": turns[:, first : first + 15], "right": turns[:, first + 15 :]}
    raise _bad(path, f"Expected 22, 24 (SMPL), 52 (SMPL-H), 54 or 55 (SMPL-X) joints, found {count}.")


def _pose(path: Path, values: Values) -> tuple[Floats, dict[str, Floats]]:
    whole, body, root = (_first(values, names) for names in (_WHOLE, _BODIES, _ROOTS))
    if whole is not None and (body is None or root is None):
        return _split_whole(path, _turns(path, "poses", whole))
    if body is None or root is None:
        known = ", ".join((*_WHOLE[:2], f"{_ROOTS[0]} with {_BODIES[0]}", f"{_ROOTS[1]} with {_BODIES[1]}"))
        raise _bad(path, f"No poses are in it. Expected {known}; found {', '.join(sorted(values)) or 'nothing'}.")
    first, rest = _turns(path, "root", root), _turns(path, "body", body)
    if first.shape[1] != 1 or rest.shape[1] not in {21, 23} or len(first) != len(rest):
        raise _bad(path, f"Expected 1 root and 21 or 23 joints, found {first.shape[1]} and {rest.shape[1]}.")
    return np.concatenate([first, rest], axis=1), _hands(path, values)


def _rate(path: Path, values: Values, frames: int, wanted: float) -> float:
    found = _first(values, _RATES)
    rate = wanted if wanted > 0 else float(np.asarray(found).reshape(-1)[0]) if found is not None else 0.0
    if rate > 0 and np.isfinite(rate):
        return rate
    if frames == 1:
        return 30.0
    hint = "Set the frame rate of the file in the import options."
    raise _bad(path, f"It does not say its frame rate. Expected one of {', '.join(_RATES)}.", hint)


def _way(path: Path, values: Values, frames: int) -> Floats:
    found = _first(values, _WAYS)
    if found is None:
        return np.zeros((frames, 3))
    if found.size != 3 * frames or not np.isfinite(found).all():
        raise _bad(path, f"The translation: expected shape ({frames}, 3), found {found.shape}.")
    return found.reshape(frames, 3).astype(np.float64)


def read_poses(path: Path, *, fps: float = 0.0, up: str = "AUTO") -> Clip:
    """Read a ``.npz`` or ``.json`` with SMPL poses; executes no code from the file.

    Args:
        path: the file.
        fps: its frame rate, if above 0, instead of the one it states.
        up: Y, Z or -Y; AUTO takes the axis along which the trunk mostly points.

    Raises:
        AddonError: BAD_MOTION: something is missing or has another shape.
    """
    values = _read_json(path) if path.suffix.lower() == ".json" else _read_npz(path)
    body, hands = _pose(path, values)
    frames = len(body)
    hands = {side: turns for side, turns in hands.items() if len(turns) == frames}
    way = _way(path, values, frames)
    axis = up_axis(body[:, 0, :, 1].mean(axis=0), up)
    turns = np.concatenate([body, *hands.values()], axis=1)
    rotations = BLENDER_FROM_BODY @ turns @ BLENDER_FROM_BODY.T
    rotations[:, 0] = BLENDER_FROM[axis] @ turns[:, 0] @ BLENDER_FROM_BODY.T
    joints = BODY_JOINTS[: body.shape[1]] + [name for side in hands for name in HAND_JOINTS[side]]
    still = _first(values, _WAYS) is None
    notes = (*((f"Up axis: {axis}.",) if up == "AUTO" else ()), *((_STAYS,) if still else ()))
    hips = (way + _MEAN_HIPS) @ BLENDER_FROM[axis].T
    return Clip(path.stem, _rate(path, values, frames, fps), joints, rotations, hips, notes)
