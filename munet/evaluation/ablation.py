"""Measure methods on generated people, one after another, and go on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from munet.errors import InvalidInputError, MunetError
from munet.evaluation.datasets.synthetic import Synthetic
from munet.evaluation.methods import Errors, Tools, measure_person

Measured = dict[int, dict[str, Errors]]
_ORDER_SEED = 0


def order_of(count: int) -> list[int]:
    """Numbers of all people of a split in a fixed random order, so that few people are a fair sample of many."""
    return [int(number) for number in np.random.default_rng(_ORDER_SEED).permutation(count)]


class Ledger:
    """A file with one line for each measured person.

    Args:
        path: of the file.
        setting: what the numbers depend on; a file made with another one is refused.

    Raises:
        InvalidInputError: the file belongs to another setting.
    """

    def __init__(self, path: Path, setting: Mapping[str, str]) -> None:
        self._path = path
        self.measured: Measured = {}
        self.missed: dict[int, str] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if lines and json.loads(lines[0]) != dict(setting):
            raise InvalidInputError(
                "The file belongs to another measurement.",
                detail=f"{path.name}: {lines[0]}",
                hint="Name another file with --ledger, or delete it.",
            )
        for line in lines[1:]:
            self._take(json.loads(line))
        if not lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(dict(setting))

    def __contains__(self, number: int) -> bool:
        return number in self.measured or number in self.missed

    def add(self, number: int, errors: dict[str, Errors]) -> None:
        """Keep the errors of a person."""
        self._note({"person": number, "errors": errors})

    def miss(self, number: int, reason: str) -> None:
        """Keep why a person has no errors."""
        self._note({"person": number, "missed": reason})

    def _note(self, entry: dict[str, object]) -> None:
        self._write(entry)
        self._take(json.loads(json.dumps(entry)))

    def _write(self, entry: Mapping[str, object]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry, allow_nan=False) + "\n")

    def _take(self, entry: dict[str, object]) -> None:
        number = int(str(entry["person"]))
        if "missed" in entry:
            self.missed[number] = str(entry["missed"])
        else:
            self.measured[number] = entry["errors"]  # type: ignore[assignment]


def run(tools: Tools, people: Synthetic, count: int, ledger: Ledger) -> Iterator[int]:
    """Measure the first ``count`` people of the split's order; yields how many are done after each."""
    for done, number in enumerate(order_of(len(people))[:count], 1):
        if number not in ledger:
            try:
                ledger.add(number, measure_person(tools, people.observed(number)))
            except MunetError as reason:
                ledger.miss(number, str(reason))
        yield done


def column(measured: Measured, method: str, metric: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """One metric of a method (N,) over the people, in the order of their numbers.

    Raises:
        InvalidInputError: somebody lacks it.
    """
    try:
        return np.array([measured[number][method][metric] for number in sorted(measured)])
    except KeyError as error:
        raise InvalidInputError("Not everybody has this number.", detail=f"{method}, {metric}: {error}") from error
