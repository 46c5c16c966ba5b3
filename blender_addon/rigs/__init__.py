"""Bone maps as data: names for artists, roll directions and collections; the poses to choose from. No bpy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class BoneStyle:
    """How one bone is presented.

    Attributes:
        name: name for artists, with .L or .R where there are two.
        z_axis: direction of the bone's z axis at rest, in Blender's axes; bends turn around the bone's x axis.
        collection: bone collection it belongs to.
    """

    name: str
    z_axis: Vector
    collection: str


@cache
def _load() -> dict[str, dict[str, Any]]:
    text = (Path(__file__).parent / "artist.json").read_text(encoding="utf-8")
    bones: dict[str, dict[str, Any]] = json.loads(text)["bones"]
    return bones


def bone_style(smpl_name: str) -> BoneStyle:
    """Return the style of the bone that SMPL calls ``smpl_name``; unknown bones keep their name."""
    side, _, part = smpl_name.partition("_")
    suffix = {"left": ".L", "right": ".R"}.get(side, "")
    key = part if suffix else smpl_name
    style = _load().get(key, {"name": key, "z": [0.0, 1.0, 0.0], "collection": "Body"})
    x, y, z = style["z"]
    return BoneStyle(f"{style['name']}{suffix}", (-x if suffix == ".R" else x, y, z), str(style["collection"]))


@dataclass(frozen=True)
class NamingScheme:
    """A way to name the bones: key, label for artists."""

    key: str
    label: str


SCHEMES = (
    NamingScheme("BLENDER", "Blender (.L .R)"),
    NamingScheme("SMPL", "SMPL"),
    NamingScheme("MIXAMO", "Mixamo"),
    NamingScheme("UNREAL", "Unreal"),
    NamingScheme("HUMANOID", "Unity, VRM"),
)


@dataclass(frozen=True)
class PoseEntry:
    """A pose that every person comes with: key, label and what it is."""

    key: str
    label: str
    text: str


POSES = (
    PoseEntry("PHOTO", "As in Photo", "The pose of the photo, at its place before the camera"),
    PoseEntry("REST", "T-Pose", "Arms out, standing on the floor"),
    PoseEntry("A", "A-Pose", "Arms lowered by 45 degrees, standing on the floor"),
)


@cache
def _names(key: str) -> tuple[tuple[str, str], dict[str, str]]:
    path = Path(__file__).parent / "names" / f"{key.lower()}.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    return tuple(table["sides"]), table["bones"]


def bone_name(smpl_name: str, scheme: str) -> str:
    """Return what the bone that SMPL calls ``smpl_name`` is called in a scheme; unknown bones keep their name.

    Args:
        smpl_name: SMPL's name.
        scheme: key of one of :data:`SCHEMES`.
    """
    if scheme == "SMPL":
        return smpl_name
    if scheme == "BLENDER":
        return bone_style(smpl_name).name
    (left, right), bones = _names(scheme)
    side, _, part = smpl_name.partition("_")
    if side not in {"left", "right"}:
        return bones.get(smpl_name, smpl_name)
    return bones[part].format(side=left if side == "left" else right) if part in bones else smpl_name
