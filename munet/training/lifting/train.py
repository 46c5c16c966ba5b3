"""The training of the pose network: seeded, resumable at any step, stopped by numbers that are not finite."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from munet.errors import MunetError
from munet.lifting.network import LifterNet
from munet.training.lifting.losses import lifting_loss
from munet.training.lifting.poses import PoseLibrary
from munet.training.lifting.skeleton import Skeleton
from munet.training.lifting.views import make_batch

_AVERAGE = 0.9985
_WARM_UP = 200
_COOL_DOWN = 0.6
_LOG_EVERY = 100


@dataclass(frozen=True)
class Plan:
    """What decides the course of a training, apart from how long it runs at a time.

    Attributes:
        seed: of weights and data.
        batch: people a step.
        steps: at which the training ends; the learning rate falls to zero over the last third. May be changed when
            a training is resumed.
        rate: highest learning rate.
    """

    seed: int = 0
    batch: int = 512
    steps: int = 11_000
    rate: float = 1e-3

    def rate_at(self, step: int) -> float:
        """Learning rate of one step: warm-up, constant, linear to zero."""
        left = (self.steps - step) / max(_COOL_DOWN * self.steps, 1)
        return self.rate * min((step + 1) / _WARM_UP, 1.0, max(left, 0.0))


class Training:
    """The state of a training: weights, their running average, optimiser and step."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.net = LifterNet()
        self.average = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=plan.rate, weight_decay=0.02, fused=True)
        self.step = 0
        self.seconds = 0.0

    def begin_with(self, weights: dict[str, Tensor]) -> None:
        """Take the weights of another training; blocks that it did not have begin by changing nothing."""
        begun = self.net.state_dict()
        for name, value in begun.items():
            if name in weights:
                begun[name] = weights[name].float()
            elif ".second." in name:
                begun[name] = torch.zeros_like(value)
        self.net.load_state_dict(begun)
        self.average = {name: value.detach().clone() for name, value in self.net.state_dict().items()}

    def advance(self, library: PoseLibrary, skeleton: Skeleton) -> dict[str, float]:
        """Take one step.

        Raises:
            MunetError: the loss or a gradient is not finite.
        """
        batch = make_batch(library, skeleton, self.plan.batch, self.plan.seed, self.step)
        with torch.autocast("cpu", torch.bfloat16):
            poses = self.net(batch.view.features)
        loss, parts = lifting_loss(poses, batch, skeleton)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        found = float(loss.detach())
        if not (math.isfinite(found) and math.isfinite(float(norm))):
            raise MunetError(
                f"Training stopped at step {self.step}: the loss is {found}, the gradient's norm {float(norm)}.",
                hint="Resume from the last checkpoint with a lower --rate.",
            )
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        self.optimiser.step()
        self._average()
        self.step += 1
        return {"loss": found, **{name: float(value) for name, value in parts.items()}}

    def _average(self) -> None:
        keep = min(_AVERAGE, (self.step + 1) / (self.step + 10))
        for name, value in self.net.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)

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


def run(
    training: Training,
    library: PoseLibrary,
    skeleton: Skeleton,
    minutes: float,
    report: Callable[[int, dict[str, float]], None],
    checkpoint: Callable[[], None],
) -> bool:
    """Train until the plan's last step or for some minutes; tells whether the plan is done."""
    began = time.monotonic()
    sums: dict[str, float] = {}
    while training.step < training.plan.steps and time.monotonic() - began < 60 * minutes:
        since = time.monotonic()
        for name, value in training.advance(library, skeleton).items():
            sums[name] = sums.get(name, 0.0) + value / _LOG_EVERY
        training.seconds += time.monotonic() - since
        if training.step % _LOG_EVERY == 0:
            report(training.step, sums)
            sums = {}
            if training.step % (10 * _LOG_EVERY) == 0:
                checkpoint()
    checkpoint()
    return training.step >= training.plan.steps
