"""Reader of BVH files. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import AddonError
from ..importer.frames import Floats

_AXES = {"xrotation": 0, "yrotation": 1, "zrotation": 2}
_POSITIONS = {"xposition": 0, "yposition": 1, "zposition": 2}


@dataclass
class _Joint:
    name: str
    parent: int
    offset: Floats = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Bvh:
    """The skeleton and motion of a BVH file, in its own axes and unit.

    Attributes:
        names: of the J joints, parents first; the ends of chains have none and are left out.
        parents: (J,) index of each parent, -1 for the root.
        rest: (J, 3) positions at rest, where every rotation is 0.
        rotations: (F, J, 3, 3) world rotations, which are changes since rest.
        positions: (F, J, 3) world positions.
        fps: frames a second.
    """

    names: list[str]
    parents: list[int]
    rest: Floats
    rotations: Floats
    positions: Floats
    fps: float


def _bad(path: Path, detail: str) -> AddonError:
    return AddonError("BAD_MOTION", f"{path.name} can not be read as BVH.", detail=detail)


def _read_joints(path: Path, words: list[str]) -> tuple[list[_Joint], int]:
    """Return the joints of the hierarchy and how many ``words`` it takes."""
    joints: list[_Joint] = []
    stack: list[int] = []
    at = 1
    while at < len(words) and words[at].upper() != "MOTION":
        word = words[at].upper()
        if word in {"ROOT", "JOINT", "END"}:
            end = next((i for i in range(at + 1, len(words)) if words[i] == "{"), len(words))
            parent = next((index for index in reversed(stack) if index >= 0), -1)
            if word == "END":
                stack.append(-1)
            else:
                joints.append(_Joint(" ".join(words[at + 1 : end]), parent))
                stack.append(len(joints) - 1)
            at = end + 1
        elif word == "OFFSET":
            if stack[-1] >= 0:
                joints[stack[-1]].offset = np.array([float(value) for value in words[at + 1 : at + 4]])
            at += 4
        elif word == "CHANNELS":
            count = int(words[at + 1])
            joints[stack[-1]].channels = [name.lower() for name in words[at + 2 : at + 2 + count]]
            at += 2 + count
        elif word == "}":
            stack.pop()
            at += 1
        else:
            raise _bad(path, f"Expected a joint, found {words[at][:40]!r}.")
    return joints, at


def _local_rotations(values: Floats, channels: list[str]) -> Floats:
    """Return (F, 3, 3): the product of the turns in the order in which the channels stand."""
    turned = np.tile(np.eye(3), (len(values), 1, 1))
    for column, channel in enumerate(channels):
        if channel in _AXES:
            axis, angle = _AXES[channel], np.radians(values[:, column])
            b, c = (axis + 1) % 3, (axis + 2) % 3
            step = np.tile(np.eye(3), (len(values), 1, 1))
            step[:, b, b] = step[:, c, c] = np.cos(angle)
            step[:, c, b], step[:, b, c] = np.sin(angle), -np.sin(angle)
            turned = turned @ step
    return turned


def _local_positions(values: Floats, joint: _Joint) -> Floats:
    moved = np.tile(joint.offset, (len(values), 1))
    for column, channel in enumerate(joint.channels):
        if channel in _POSITIONS:
            moved[:, _POSITIONS[channel]] = values[:, column]
    return moved


def _worlds(joints: list[_Joint], motion: Floats) -> tuple[Floats, Floats]:
    rotations, positions = np.zeros((len(motion), len(joints), 3, 3)), np.zeros((len(motion), len(joints), 3))
    column = 0
    for index, joint in enumerate(joints):
        values = motion[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        turned, moved = _local_rotations(values, joint.channels), _local_positions(values, joint)
        if joint.parent < 0:
            rotations[:, index], positions[:, index] = turned, moved
        else:
            above = rotations[:, joint.parent]
            rotations[:, index] = above @ turned
            positions[:, index] = positions[:, joint.parent] + np.einsum("fab,fb->fa", above, moved)
    return rotations, positions


def _read_motion(path: Path, words: list[str], width: int) -> tuple[Floats, float]:
    """Return the numbers (F, width) of the frames and the frame rate, from the words after MOTION."""
    text = " ".join(words[:6]).lower()
    if len(words) < 5 or not text.startswith("frames:") or words[2].lower() != "frame":
        raise _bad(path, f"Expected 'Frames: N Frame Time: S', found {text!r}.")
    count, seconds = int(words[1]), float(words[4])
    numbers = np.array(words[5:], dtype=np.float64)
    if count < 1 or width == 0 or len(numbers) < count * width or not np.isfinite(numbers).all():
        raise _bad(path, f"Expected {count} frames of {width} numbers, found {len(numbers)} numbers.")
    if not seconds > 0:
        raise _bad(path, f"Expected a frame time above 0, found {seconds}.")
    rate = 1.0 / seconds
    return numbers[: count * width].reshape(count, width), round(rate) if abs(
        rate - round(rate)
    ) < 1e-3 * rate else rate


def read_bvh(path: Path) -> Bvh:
    """Read a BVH file.

    Raises:
        AddonError: BAD_MOTION: it is not a complete BVH file.
    """
    try:
        words = path.read_text(encoding="utf-8", errors="replace").split()
        if not words or words[0].upper() != "HIERARCHY":
            raise _bad(path, "Expected HIERARCHY at its beginning.")
        joints, at = _read_joints(path, words)
        motion, fps = _read_motion(path, words[at + 1 :], sum(len(joint.channels) for joint in joints))
    except (OSError, ValueError, IndexError) as error:
        raise _bad(path, str(error)) from error
    rest = np.zeros((len(joints), 3))
    for index, joint in enumerate(joints):
        rest[index] = joint.offset + (rest[joint.parent] if joint.parent >= 0 else 0.0)
    rotations, positions = _worlds(joints, motion)
    return Bvh([j.name for j in joints], [j.parent for j in joints], rest, rotations, positions, fps)
