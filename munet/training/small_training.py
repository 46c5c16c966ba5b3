"""What the small trainings share: seeded, resumable at any step, stopped by numbers that are not finite."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from munet.errors import MunetError


@dataclass(frozen=True)
class SmallPlan:
    """What decides the course of a small training, apart from how long it runs at a time.

    Attributes:
        seed: of weights and data.
        batch: samples a step.
        steps: at which the training ends. May be changed when a training is resumed.
        rate: highest learning rate.
    """

    seed: int
    batch: int
    steps: int
    rate: float

    def rate_at(self, step: int) -> float:
        """Learning rate of one step."""
        raise NotImplementedError

    def eased(self, step: int, warm_up: int, cool_down: float) -> float:
        """Learning rate of one step: warm-up over ``warm_up`` steps, constant, linear to zero over a last share."""
        left = (self.steps - step) / max(cool_down * self.steps, 1)
        return self.rate * min((step + 1) / warm_up, 1.0, max(left, 0.0))


P = TypeVar("P", bound=SmallPlan)
N = TypeVar("N", bound=nn.Module)


class SmallTraining(Generic[P, N]):
    """The state of a training: weights, their running average, optimiser and step.

    Attributes:
        plan: the course.
        net: the network.
        average: running average of its weights, which ships.
        step: the next one.
        seconds: that the steps have taken.
    """

    def __init__(
        self,
        plan: P,
        make: Callable[[], N],
        optimiser: Callable[[Iterator[nn.Parameter], float], torch.optim.Optimizer],
        average: float,
        gradient: float,
    ) -> None:
        """Begin.

        Args:
            plan: the course.
            make: makes the network; called with the plan's seed set.
            optimiser: made from parameters and learning rate.
            average: share of the running average that stays at each step.
            gradient: largest norm of the gradient.
        """
        torch.manual_seed(plan.seed)
        self.plan, self.net = plan, make()
        self.average = self._copied()
        self.optimiser = optimiser(self.net.parameters(), plan.rate)
        self.step, self.seconds = 0, 0.0
        self._keep, self._gradient = average, gradient

    def begin_with(self, weights: dict[str, Tensor]) -> None:
        """Take over the weights of another training."""
        self.net.load_state_dict(weights)
        self.average = self._copied()

    def descend(self, loss: Tensor) -> float:
        """Take one step down ``loss`` and return its value.

        Raises:
            MunetError: the loss or a gradient is not finite.
        """
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = float(torch.nn.utils.clip_grad_norm_(self.net.parameters(), self._gradient))
        found = float(loss.detach())
        if not (math.isfinite(found) and math.isfinite(norm)):
            raise MunetError(
                f"Training stopped at step {self.step}: the loss is {found}, the gradient's norm {norm}.",
                hint="Resume from the last checkpoint with a lower --rate.",
            )
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        self.optimiser.step()
        self._add_to_average()
        self.step += 1
        return found

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "plan": asdict(self.plan),
            "net": self.net.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what ``state`` returned."""
        self.net.load_state_dict(state["net"])
        self.average = {name: value.clone() for name, value in state["average"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]

    def _copied(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.net.state_dict().items()}

    def _add_to_average(self) -> None:
        keep = min(self._keep, (self.step + 1) / (self.step + 10))
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - keep)
            else:
                self.average[name].copy_(value)


@dataclass(frozen=True)
class Rhythm:
    """Every how many steps a training reports, and every how many reports it is saved."""

    report: int
    save: int


def run_small(
    training: SmallTraining[P, N],
    advance: Callable[[], dict[str, float]],
    minutes: float,
    rhythm: Rhythm,
    report: Callable[[int, dict[str, float]], None],
    checkpoint: Callable[[], None],
) -> bool:
    """Train until the plan's last step or for some minutes; tells whether the plan is done.

    Args:
        training: goes on from its step.
        advance: takes one step and returns measures.
        minutes: at most.
        rhythm: of the two callbacks.
        report: told the step and the means of the measures.
        checkpoint: saves the training; called at the end, too.

    Raises:
        MunetError: the loss or a gradient is not finite.
    """
    began = time.monotonic()
    sums: dict[str, float] = {}
    while training.step < training.plan.steps and time.monotonic() - began < 60 * minutes:
        since = time.monotonic()
        for name, value in advance().items():
            sums[name] = sums.get(name, 0.0) + value / rhythm.report
        training.seconds += time.monotonic() - since
        if training.step % rhythm.report == 0:
            report(training.step, sums)
            sums = {}
            if training.step % (rhythm.save * rhythm.report) == 0:
                checkpoint()
    checkpoint()
    return training.step >= training.plan.steps
