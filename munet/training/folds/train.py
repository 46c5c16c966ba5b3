"""The training of the fold network: seeded, resumable at any step, stopped by numbers that are not finite."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from munet.errors import MunetError
from munet.folds.network import FoldNet
from munet.folds.relief import folded, slopes
from munet.training.folds.bases import People
from munet.training.folds.measure import errors
from munet.training.folds.patches import Patches, make_patches

_AVERAGE = 0.995
_WARM_UP = 50
_COOL_DOWN = 0.5
_LOG_EVERY = 50
_SLOPE_WEIGHT = 0.15
_FLAT_WEIGHT = 1.5
_GRADIENT = 2.0
# Square of the angle below which the loss is round.
_ROUNDED = 4e-4


@dataclass(frozen=True)
class Plan:
    """What decides the course of a training, apart from how long it runs at a time.

    Attributes:
        seed: of weights and data.
        batch: pictures a step.
        size: edge of the pictures in pixels.
        steps: at which the training ends; the learning rate falls to zero over the second half. May be changed when
            a training is resumed.
        rate: highest learning rate.
    """

    seed: int = 0
    batch: int = 8
    size: int = 192
    steps: int = 2000
    rate: float = 2e-3

    def rate_at(self, step: int) -> float:
        """Learning rate of one step: warm-up, constant, linear to zero."""
        left = (self.steps - step) / max(_COOL_DOWN * self.steps, 1)
        return self.rate * min((step + 1) / _WARM_UP, 1.0, max(left, 0.0))


class Training:
    """The state of a training: weights, their running average, optimiser and step."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.net = FoldNet()
        self.average = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=plan.rate, weight_decay=0.01)
        self.step = 0
        self.seconds = 0.0

    def advance(self, heights: Tensor, people: People) -> dict[str, float]:
        """Take one step.

        Raises:
            MunetError: the loss or a gradient is not finite.
        """
        plan = self.plan
        patches = make_patches(heights, people, plan.seed, self.step, plan.batch, plan.size)
        with torch.autocast("cpu", torch.bfloat16):
            height = self.net(patches.planes.contiguous(memory_format=torch.channels_last))
        loss = fold_loss(height, patches)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), _GRADIENT)
        found = float(loss.detach())
        if not (math.isfinite(found) and math.isfinite(float(norm))):
            raise MunetError(
                f"Training stopped at step {self.step}: the loss is {found}, the gradient's norm {float(norm)}.",
                hint="Resume from the last checkpoint with a lower --rate.",
            )
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate_at(self.step)
        self.optimiser.step()
        self._average()
        self.step += 1
        return {"loss": found, **errors(height.detach(), patches)}

    def _average(self) -> None:
        keep = min(_AVERAGE, (self.step + 1) / (self.step + 10))
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - keep)
            else:
                self.average[name].copy_(value)

    def begin_with(self, net: FoldNet) -> None:
        """Take over the weights of another training."""
        self.net.load_state_dict(net.state_dict())
        self.average = {name: value.clone() for name, value in net.state_dict().items()}

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


def fold_loss(height: Tensor, patches: Patches) -> Tensor:
    """Angle to the true normals and, where only dye is seen, the size of the slopes.

    The angle, not its square: what is uncertain then stays flat, and what is seen keeps its full height. Pictures
    without folds count more: dye must not become relief.
    """
    slope = slopes(height)
    apart = 1 - (folded(patches.base, slope) * patches.normals).sum(1)
    angle = (2 * apart.clamp_min(0) + _ROUNDED).sqrt()
    weight = patches.weight * (1 + (_FLAT_WEIGHT - 1) * patches.flat[:, None, None])
    plain = patches.flat[:, None, None] * slope.abs().sum(1)
    return ((angle + _SLOPE_WEIGHT * plain) * weight).sum() / weight.sum().clamp_min(1)


def run(
    training: Training,
    heights: Tensor,
    people: People,
    minutes: float,
    report: Callable[[int, dict[str, float]], None],
    checkpoint: Callable[[], None],
) -> bool:
    """Train until the plan's last step or for some minutes; tells whether the plan is done."""
    began = time.monotonic()
    sums: dict[str, float] = {}
    while training.step < training.plan.steps and time.monotonic() - began < 60 * minutes:
        since = time.monotonic()
        for name, value in training.advance(heights, people).items():
            sums[name] = sums.get(name, 0.0) + value / _LOG_EVERY
        training.seconds += time.monotonic() - since
        if training.step % _LOG_EVERY == 0:
            report(training.step, sums)
            sums = {}
            if training.step % (2 * _LOG_EVERY) == 0:
                checkpoint()
    checkpoint()
    return training.step >= training.plan.steps
