"""Measure methods on generated people, one after another, and go on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from munet.errors import InvalidInputError, MunetError
from munet.evaluation.alignment import Array
from munet.evaluation.datasets.synthetic import Observed
from munet.evaluation.methods import Errors, Tools, groups_of, measure_person

_ORDER_SEED = 0


def order_of(count: int) -> list[int]:
    """Numbers of all people of a split in a fixed random order, so that few people are a fair sample of many."""
    return [int(number) for number in np.random.default_rng(_ORDER_SEED).permutation(count)]


class Ledger:
    """A file with one line for each person and group of methods that were measured.

    Args:
        path: of the file.
        setting: what all numbers depend on; a file made with another one is refused.

    Raises:
        InvalidInputError: the file belongs to another setting.
    """

    def __init__(self, path: Path, setting: Mapping[str, str]) -> None:
        self._path = path
        self._errors: dict[str, dict[int, dict[str, Errors]]] = {}
        self.missed: dict[int, str] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if lines and json.loads(lines[0]) != dict(setting):
            raise InvalidInputError(
                "The file belongs to another measurement.",
                detail=f"{path.name}: {lines[0]}",
                hint="Name another file, or delete it.",
            )
        for line in lines[1:]:
            self._take(**json.loads(line))
        if not lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(dict(setting))

    def lacking(self, person: int, groups: Sequence[str]) -> list[str]:
        """The groups that nobody measured on a person yet."""
        return [group for group in groups if person not in self._errors.get(group, {})]

    def add(self, person: int, group: str, errors: dict[str, Errors]) -> None:
        """Keep what a group of methods gave."""
        self._note({"person": person, "group": group, "errors": errors})

    def miss(self, person: int, reason: str) -> None:
        """Keep why a person can not be measured."""
        self._note({"person": person, "missed": reason})

    def measured(self, group: str) -> dict[int, dict[str, Errors]]:
        """Errors of a group by person and method, in the order of the numbers."""
        return dict(sorted(self._errors.get(group, {}).items()))

    def _note(self, entry: dict[str, object]) -> None:
        self._write(entry)
        self._take(**json.loads(json.dumps(entry)))

    def _write(self, entry: Mapping[str, object]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry, allow_nan=False) + "\n")

    def _take(
        self, person: int, group: str = "", errors: dict[str, Errors] | None = None, missed: str | None = None
    ) -> None:
        if missed is not None:
            self.missed[person] = missed
        elif errors is not None:
            self._errors.setdefault(group, {})[person] = errors


class Crowd(Protocol):
    """The people of a generated split."""

    def __len__(self) -> int:
        """Number of people."""

    def observed(self, index: int) -> Observed:
        """One of them, as detectors see them, beside the truth."""


def run(
    tools: Tools, people: Crowd, count: int, ledger: Ledger, surfaces: int = 0, share: tuple[int, int] = (0, 1)
) -> Iterator[int]:
    """Measure the first ``count`` people of the split's order; yields how many are done after each.

    Args:
        tools: methods.
        people: of the split.
        count: of them.
        ledger: what is in it is not measured again.
        surfaces: of how many of them surfaces are measured as well.
        share: (k, n): only every n-th of them from the k-th on, where several processes write one ledger.
    """
    for done, number in enumerate(order_of(len(people))[:count], 1):
        if (done - 1) % share[1] != share[0]:
            continue
        lacking = ledger.lacking(number, groups_of(tools, surfaces=done <= surfaces))
        if lacking and number not in ledger.missed:
            try:
                for group, errors in measure_person(tools, people.observed(number), lacking).items():
                    ledger.add(number, group, errors)
            except MunetError as reason:
                ledger.miss(number, str(reason))
        yield done


def columns(ledger: Ledger, first: tuple[str, str], second: tuple[str, str], metric: str) -> tuple[Array, Array]:
    """A metric of two methods, each named by group and method, over the people (N,) who have both."""
    ours, theirs = (ledger.measured(group) for group, _ in (first, second))
    both = [n for n in ours if metric in ours[n].get(first[1], {}) and metric in theirs.get(n, {}).get(second[1], {})]
    return tuple(np.array([each[n][key][metric] for n in both]) for each, (_, key) in ((ours, first), (theirs, second)))  # type: ignore[return-value]
