"""Train the pose network: from landmarks to several hypotheses of global rotations, through forward kinematics alone.

    python scripts/train_lifter.py --minutes 10 --threads 1

Continues from the checkpoint in --folder if there is one (exactly: the same steps give the same weights, however often
it was interrupted), and writes munet/assets/lifter.safetensors once the plan's steps are done. To end early, resume
with fewer --steps: the learning rate falls to zero over the last third of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from munet.body.default import load_default_body  # noqa: E402
from munet.training.lifting.poses import load_library  # noqa: E402
from munet.training.lifting.skeleton import make_skeleton  # noqa: E402
from munet.training.lifting.train import Plan, Training, run  # noqa: E402
from munet.training.small_files import export, save_checkpoint  # noqa: E402

POSES = ROOT / "munet" / "training" / "assets" / "poses.npz"
WEIGHTS = ROOT / "munet" / "assets" / "lifter.safetensors"
CREDIT = (
    "Trained on poses from mocap.cs.cmu.edu (created with funding from NSF EIA-0196217) and on CC0 poses of "
    "Mesh2Motion and MakeHuman, before generated cameras."
)


def report(step: int, values: dict[str, float]) -> None:
    """Print one line of the training's course."""
    numbers = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
    print(f"{time.strftime('%H:%M:%S')}  step {step}  {numbers}", flush=True)


def main() -> None:
    """Train for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="stop after this time and save (default 10)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=Plan.steps, help=f"of the whole plan (default {Plan.steps})")
    parser.add_argument("--batch", type=int, default=Plan.batch)
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--start", type=Path, help="weights to begin with (default: random ones)")
    parser.add_argument("--poses", type=Path, default=POSES)
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "lifter", help="for the checkpoint")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    plan = replace(Plan(), seed=arguments.seed, batch=arguments.batch, steps=arguments.steps, rate=arguments.rate)
    training, checkpoint = Training(plan), arguments.folder / "checkpoint.pt"
    if checkpoint.exists():
        training.load(torch.load(checkpoint, weights_only=True))
        print(f"Resumed at step {training.step} of {plan.steps}.")
    elif arguments.start:
        training.begin_with(load_file(arguments.start))
    skeleton = make_skeleton(load_default_body("cpu"))
    done = run(
        training,
        load_library(arguments.poses),
        skeleton,
        arguments.minutes,
        report,
        lambda: save_checkpoint(training, checkpoint),
    )
    print(f"Step {training.step} of {plan.steps} after {training.seconds / 60:.1f} minutes of training.")
    if done:
        notes = {"credit": CREDIT, "steps": str(training.step), "seed": str(plan.seed), "batch": str(plan.batch)}
        export(training.average, arguments.output, notes)
        print(f"Wrote {arguments.output}.")


if __name__ == "__main__":
    main()
