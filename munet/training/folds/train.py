"""The training of the fold network: seeded, resumable at any step, stopped by numbers that are not finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from munet.folds.network import FoldNet
from munet.folds.relief import folded, slopes
from munet.training.folds.bases import People
from munet.training.folds.measure import errors
from munet.training.folds.patches import Patches, make_patches
from munet.training.small_training import Rhythm, SmallPlan, SmallTraining, run_small

_AVERAGE = 0.995
_WARM_UP = 50
_COOL_DOWN = 0.5
_RHYTHM = Rhythm(report=50, save=2)
_SLOPE_WEIGHT = 0.15
_FLAT_WEIGHT = 1.5
_GRADIENT = 2.0
# Square of the angle below which the loss is round.
_ROUNDED = 4e-4


@dataclass(frozen=True)
class Plan(SmallPlan):
    """What decides the course of a training, apart from how long it runs at a time.

    Attributes:
        seed: of weights and data.
        batch: pictures a step.
        steps: at which the training ends; the learning rate falls to zero over the second half. May be changed when
            a training is resumed.
        rate: highest learning rate.
        size: edge of the pictures in pixels.
    """

    seed: int = 0
    batch: int = 8
    steps: int = 2000
    rate: float = 2e-3
    size: int = 192

    def rate_at(self, step: int) -> float:
        """Learning rate of one step: warm-up, constant, linear to zero."""
        return self.eased(step, _WARM_UP, _COOL_DOWN)


class Training(SmallTraining[Plan, FoldNet]):
    """The state of a training: weights, their running average, optimiser and step."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, FoldNet, _optimiser, _AVERAGE, _GRADIENT)

    def advance(self, heights: Tensor, people: People) -> dict[str, float]:
        """Take one step.

        Raises:
            MunetError: the loss or a gradient is not finite.
        """
        plan = self.plan
        patches = make_patches(heights, people, plan.seed, self.step, plan.batch, plan.size)
        with torch.autocast("cpu", torch.bfloat16):
            height = self.net(patches.planes.contiguous(memory_format=torch.channels_last))
        loss = self.descend(fold_loss(height, patches))
        return {"loss": loss, **errors(height.detach(), patches)}


def _optimiser(parameters: Iterator[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)


def fold_loss(height: Tensor, patches: Patches) -> Tensor:
    """Angle to the true normals and, where only dye is seen, the size of the slopes.

    The angle, not its square: what is uncertain then stays flat, and what is seen keeps its full height. Pictures
    without folds count more: dye must not become relief.

    Args:
        height: (B, H, W) pixels of relief over the smooth surface.
        patches: what was seen, with the true normals (B, 3, H, W).

    Returns:
        A scalar, the weighted mean over the pixels.
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
    return run_small(training, lambda: training.advance(heights, people), minutes, _RHYTHM, report, checkpoint)
