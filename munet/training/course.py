"""A piece of a training: steps until the time is up, with a curve, pictures and checkpoints on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from munet.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from munet.training.loop import Training
from munet.training.people import Ahead, People
from munet.training.pictures import sample_picture, write_picture
from munet.training.validation import validate

CURVE = "curve.json"


@dataclass(frozen=True)
class Rhythm:
    """How often things happen, in steps; 0 means never.

    Attributes:
        log: a point of the learning curve.
        validation: errors on the split "val".
        pictures: a sample picture.
        checkpoint: besides the one at the end of every piece.
        people: of the split "val" that are measured.
        at_once: of them.
        shown: people in a sample picture.
    """

    log: int = 50
    validation: int = 1000
    pictures: int = 1000
    checkpoint: int = 500
    people: int = 64
    at_once: int = 8
    shown: int = 4


class Board(Protocol):
    """Receives numbers and pictures as they come, for instance TensorBoard."""

    def numbers(self, step: int, group: str, values: dict[str, float]) -> None:
        """Numbers of a group ("train" or "val") after a step."""

    def picture(self, step: int, picture: Tensor) -> None:
        """A sample picture (3, H, W) in [0, 1]."""


class Course:
    """Runs a training in pieces; every file is in one folder, and only the leading process writes."""

    def __init__(
        self,
        training: Training,
        people: People,
        folder: Path,
        rhythm: Rhythm,
        board: Board,
        tick: Callable[[int, dict[str, float]], None],
    ) -> None:
        """Continue from the folder's checkpoint if there is one.

        Args:
            training: new.
            people: gives the data.
            folder: of checkpoint, curve and pictures.
            rhythm: how often.
            board: receives numbers and pictures.
            tick: called after every step with the number of steps taken and the step's losses.

        Raises:
            InvalidInputError: the checkpoint belongs to another plan.
            ModelMissingError: the checkpoint is damaged.
        """
        self._training, self._people, self._folder, self._rhythm = training, people, folder, rhythm
        self._board, self._tick = board, tick
        self._curve: list[dict[str, Any]] = []
        self._sums: dict[str, float] = {}
        self._summed = 0
        checkpoint = read_checkpoint(folder / "checkpoint")
        if checkpoint:
            training.load(checkpoint)
            self._sums, self._summed = checkpoint.facts["sums"], checkpoint.facts["summed"]
            self._curve = checkpoint.facts["curve"]

    @property
    def last_validation(self) -> dict[str, float]:
        """The errors measured last, empty before the first time."""
        return next((dict(point["val"]) for point in reversed(self._curve) if "val" in point), {})

    def run(self, deadline: float) -> bool:
        """Take steps until the training is done or ``time.monotonic`` passes the deadline, then write a checkpoint.

        Returns:
            Whether the training is done.

        Raises:
            TrainingError: something is not finite; the last checkpoint is untouched.
        """
        training = self._training
        ahead = Ahead(self._people, training.team.device)
        try:
            while not training.done and not training.team.agree(wish=time.monotonic() >= deadline):
                began, stage = time.monotonic(), training.place.stage.name
                losses = training.advance(ahead)
                training.seconds += time.monotonic() - began
                self._tick(training.step, losses)
                self._after_step(stage, losses)
        finally:
            ahead.close()
        self.save()
        return training.done

    def measure(self) -> dict[str, float]:
        """Errors on the split "val" now, also put on the curve."""
        if not self._training.team.leads:
            return {}
        values = validate(self._training, self._people, self._rhythm.people, self._rhythm.at_once)
        self._put(self._training.place.stage.name, "val", values)
        return values

    def save(self) -> None:
        """Write the checkpoint and the curve."""
        training = self._training
        if training.team.leads:
            state = training.state()
            facts = {"sums": self._sums, "summed": self._summed, "curve": self._curve}
            whole = Checkpoint(state.tensors, state.facts | facts)
            write_checkpoint(whole, self._folder / "checkpoint", f"step-{training.step:07d}")
            self.save_curve()
        training.team.wait()

    def save_curve(self) -> None:
        """Write the learning curve alone."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / CURVE).write_text(json.dumps(self._curve, indent=1), encoding="utf-8")

    def _after_step(self, stage: str, losses: dict[str, float]) -> None:
        step, rhythm = self._training.step, self._rhythm
        self._summed += 1
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if _due(step, rhythm.log):
            self._put(stage, "train", {name: value / self._summed for name, value in self._sums.items()})
            self._sums, self._summed = {}, 0
        if _due(step, rhythm.validation):
            self.measure()
        if _due(step, rhythm.pictures):
            self._show()
        if _due(step, rhythm.checkpoint):
            self.save()

    def _put(self, stage: str, group: str, values: dict[str, float]) -> None:
        self._curve.append({"step": self._training.step, "stage": stage, group: values})
        if self._training.team.leads:
            self._board.numbers(self._training.step, group, values)

    def _show(self) -> None:
        if self._training.team.leads:
            step = self._training.step
            picture = sample_picture(self._training, self._people, self._rhythm.shown)
            write_picture(picture, self._folder / "pictures" / f"{step:07d}.png")
            self._board.picture(step, picture)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
