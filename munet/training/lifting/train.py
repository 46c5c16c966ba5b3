"""The training of the pose network: seeded, resumable at any step, stopped by numbers that are not finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from munet.lifting.network import LifterNet
from munet.training.lifting.losses import lifting_loss
from munet.training.lifting.poses import PoseLibrary
from munet.training.lifting.skeleton import Skeleton
from munet.training.lifting.views import make_batch
from munet.training.small_training import Rhythm, SmallPlan, SmallTraining, run_small

_AVERAGE = 0.9985
_WARM_UP = 200
_COOL_DOWN = 0.6
_GRADIENT = 1.0
_RHYTHM = Rhythm(report=100, save=10)


@dataclass(frozen=True)
class Plan(SmallPlan):
    """What decides the course of a training, apart from how long it runs at a time.

    Attributes:
        seed: of weights and data.
        batch: people a step.
        steps: at which the training ends; the learning rate falls to zero over the last 60 %. May be changed when
            a training is resumed.
        rate: highest learning rate.
    """

    seed: int = 0
    batch: int = 512
    steps: int = 11_000
    rate: float = 1e-3

    def rate_at(self, step: int) -> float:
        """Learning rate of one step: warm-up, constant, linear to zero."""
        return self.eased(step, _WARM_UP, _COOL_DOWN)


class Training(SmallTraining[Plan, LifterNet]):
    """The state of a training: weights, their running average, optimiser and step."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, LifterNet, _optimiser, _AVERAGE, _GRADIENT)

    def begin_with(self, weights: dict[str, Tensor]) -> None:
        """Take the weights of another training; blocks that it did not have begin by changing nothing."""
        begun = self.net.state_dict()
        for name, value in begun.items():
            if name in weights:
                begun[name] = weights[name].float()
            elif ".second." in name:
                begun[name] = torch.zeros_like(value)
        super().begin_with(begun)

    def advance(self, library: PoseLibrary, skeleton: Skeleton) -> dict[str, float]:
        """Take one step.

        Raises:
            MunetError: the loss or a gradient is not finite.
        """
        batch = make_batch(library, skeleton, self.plan.batch, self.plan.seed, self.step)
        with torch.autocast("cpu", torch.bfloat16):
            poses = self.net(batch.view.features)
        loss, parts = lifting_loss(poses, batch, skeleton)
        return {"loss": self.descend(loss), **{name: float(value) for name, value in parts.items()}}


def _optimiser(parameters: Iterator[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.02, fused=True)


def run(
    training: Training,
    library: PoseLibrary,
    skeleton: Skeleton,
    minutes: float,
    report: Callable[[int, dict[str, float]], None],
    checkpoint: Callable[[], None],
) -> bool:
    """Train until the plan's last step or for some minutes; tells whether the plan is done."""
    return run_small(training, lambda: training.advance(library, skeleton), minutes, _RHYTHM, report, checkpoint)
