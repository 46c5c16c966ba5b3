"""Splits that share nothing: seeds, clips of poses and kinds of garments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from munet.errors import InvalidInputError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
TEST_PEOPLE = 500
SPLIT_FILE = Path(__file__).resolve().parent.parent / "assets" / "held_out_clips.json"


@dataclass(frozen=True)
class HeldOut:
    """Names of the clips kept out of training: those of validation and those of the test."""

    val: frozenset[str]
    test: frozenset[str]

    def clips_of(self, split: Split, names: tuple[str, ...]) -> list[int]:
        """Numbers of the clips, among ``names``, that a split may use."""
        chosen = {"val": self.val, "test": self.test}
        if split == "train":
            return [i for i, name in enumerate(names) if name not in self.val | self.test]
        return [i for i, name in enumerate(names) if name in chosen[split]]


def read_held_out(path: Path = SPLIT_FILE) -> HeldOut:
    """Read the committed list of held-out clips.

    Raises:
        InvalidInputError: the file is missing, damaged or its lists overlap.
    """
    try:
        lists = json.loads(path.read_text(encoding="utf-8"))
        held = HeldOut(frozenset(lists["val"]), frozenset(lists["test"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(
            "The list of held-out clips can not be read.", detail=f"{path.name}: {error}"
        ) from error
    if held.val & held.test:
        raise InvalidInputError("A clip is in two splits.", detail=", ".join(sorted(held.val & held.test)))
    return held


def random_of(seed: int, split: Split, index: int) -> np.random.Generator:
    """Random numbers of one sample: they depend on nothing but seed, split and index.

    Raises:
        InvalidInputError: an unknown split or a negative number.
    """
    if split not in SPLITS or index < 0 or seed < 0:
        raise InvalidInputError(
            "A sample is named by a seed, a split and an index.",
            detail=f"expected seed >= 0, one of {SPLITS}, index >= 0; found {seed}, {split!r}, {index}",
        )
    return np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split), index]))
