"""The command line that the small trainings share."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from munet.training.small_training import SmallPlan, SmallTraining

P = TypeVar("P", bound=SmallPlan)


def numbers(values: dict[str, float]) -> str:
    """One line of numbers with their names."""
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())


def report(step: int, values: dict[str, float]) -> None:
    """Print one line of the training's course."""
    print(f"{time.strftime('%H:%M:%S')}  step {step}  {numbers(values)}", flush=True)


def plan_parser(text: str | None, plan: SmallPlan, folder: Path, weights: Path) -> argparse.ArgumentParser:
    """Return a parser with the options of every small training; ``plan`` gives the defaults."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="stop after this time and save (default 10)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=plan.steps, help=f"of the whole plan (default {plan.steps})")
    parser.add_argument("--batch", type=int, default=plan.batch)
    parser.add_argument("--rate", type=float, default=plan.rate)
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--start", type=Path, metavar="FILE", help="begin with these weights instead of random ones")
    parser.add_argument("--folder", type=Path, default=folder, help="for the checkpoint")
    parser.add_argument("--output", type=Path, default=weights)
    return parser


def plan_of(arguments: argparse.Namespace, plan: P) -> P:
    """Return ``plan`` as the command line changes it."""
    return replace(plan, seed=arguments.seed, batch=arguments.batch, steps=arguments.steps, rate=arguments.rate)


def resumed(training: SmallTraining[Any, Any], checkpoint: Path) -> bool:
    """Go on from a checkpoint if there is one, and tell so."""
    if not checkpoint.exists():
        return False
    training.load(torch.load(checkpoint, weights_only=True))
    print(f"Resumed at step {training.step} of {training.plan.steps}.")
    return True


def say_how_far(training: SmallTraining[Any, Any]) -> None:
    """Print the step and the minutes that the training has taken."""
    print(f"Step {training.step} of {training.plan.steps} after {training.seconds / 60:.1f} minutes of training.")
