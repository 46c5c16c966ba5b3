"""Known skeletons of BVH files, as data, and which of them a file has. No bpy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import AddonError

_REQUIRED = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


@dataclass(frozen=True)
class Skeleton:
    """Where a BVH file has the joints of a person.

    Attributes:
        family: whose names they are.
        joints: SMPL name to index; spine and neck are apart.
        spine: indices from the hips upwards.
        neck: indices from the chest upwards.
        corrections: SMPL name to degrees about x, y, z in SMPL's axes.
    """

    family: str
    joints: Mapping[str, int]
    spine: Sequence[int]
    neck: Sequence[int]
    corrections: Mapping[str, tuple[float, float, float]]


@cache
def _families() -> dict[str, dict[str, Any]]:
    text = (Path(__file__).parent / "skeletons.json").read_text(encoding="utf-8")
    families: dict[str, dict[str, Any]] = json.loads(text)["families"]
    return families


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^mixamorig\d*", "", name.rpartition(":")[2].lower()))


def _wanted(family: Mapping[str, Any]) -> dict[str, str]:
    """Return SMPL name to the file's name of hips, head and limbs."""
    left, right = family["sides"]
    names = {"pelvis": family["hips"], "head": family["head"]}
    for joint, name in family["limbs"].items():
        names[f"left_{joint}"] = name
        names[f"right_{joint}"] = right + name.removeprefix(left)
    return names


def _missing(family: Mapping[str, Any], found: Mapping[str, int]) -> list[str]:
    names = _wanted(family)
    needed = ["pelvis", "head", *(f"{side}_{joint}" for joint in _REQUIRED for side in ("left", "right"))]
    missing = [names[joint] for joint in needed if _plain(names[joint]) not in found]
    return missing if any(_plain(name) in found for name in family["spine"]) else [*missing, family["spine"][0]]


def _corrections(family: Mapping[str, Any]) -> dict[str, tuple[float, float, float]]:
    both = {}
    for joint, (x, y, z) in family["corrections"].items():
        if joint in {"head", "neck"}:
            both[joint] = (x, y, z)
        else:
            both[f"left_{joint}"], both[f"right_{joint}"] = (x, y, z), (x, -y, -z)
    return both


def find_skeleton(file_name: str, names: Sequence[str]) -> Skeleton:
    """Return the known skeleton whose joints ``names`` are.

    Raises:
        AddonError: UNKNOWN_SKELETON: no known one is complete; says what the nearest one lacks.
    """
    found = {_plain(name): index for index, name in reversed(list(enumerate(names)))}
    families = _families()

    def known(family: Mapping[str, Any]) -> int:
        texts = [*_wanted(family).values(), *family["spine"], *family["neck"]]
        return sum(_plain(name) in found for name in texts)

    order = sorted(families, key=lambda name: (len(_missing(families[name], found)), -known(families[name])))
    best, family = order[0], families[order[0]]
    missing = _missing(family, found)
    if missing:
        raise AddonError(
            "UNKNOWN_SKELETON",
            f"The joints of {file_name} have names that are not known.",
            detail=f"Known are {', '.join(families)}. The nearest, {best}, lacks {', '.join(missing)}.",
            hint="Rename the joints, or export the clip with the names of one of these skeletons.",
        )
    return Skeleton(
        family=best,
        joints={joint: found[_plain(name)] for joint, name in _wanted(family).items() if _plain(name) in found},
        spine=[found[_plain(name)] for name in family["spine"] if _plain(name) in found],
        neck=[found[_plain(name)] for name in family["neck"] if _plain(name) in found],
        corrections=_corrections(family),
    )
