"""Train the network that sees folds: sheets that buckle, on generated people, under made-up dyes and lights.

    python scripts/train_folds.py --minutes 10 --threads 1

Continues from the checkpoint in --folder if there is one (exactly: the same steps give the same weights, however often
it was interrupted), and writes munet/assets/folds.safetensors once the plan's steps are done. To end early, resume with
fewer --steps: the learning rate falls to zero over the second half of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from munet.folds.network import read_folds  # noqa: E402
from munet.training.folds.bases import gather_people  # noqa: E402
from munet.training.folds.buckling import make_heights  # noqa: E402
from munet.training.folds.measure import validate  # noqa: E402
from munet.training.folds.train import Plan, Training, run  # noqa: E402
from munet.training.small_files import export, save_checkpoint  # noqa: E402

WEIGHTS = ROOT / "munet" / "assets" / "folds.safetensors"
SHEETS_AT_ONCE = 16
VALIDATION_SHEETS = 1_000_000
PEOPLE, VALIDATION_PEOPLE = 384, 48


def numbers(values: dict[str, float]) -> str:
    """One line of numbers with their names."""
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())


def report(step: int, values: dict[str, float]) -> None:
    """Print one line of the training's course."""
    print(f"{time.strftime('%H:%M:%S')}  step {step}  {numbers(values)}", flush=True)


def kept_sheets(folder: Path, first: int, batches: int) -> torch.Tensor:
    """Heights of folded sheets, made once and kept in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for number in range(first, first + batches):
        path = folder / f"{number:07d}.pt"
        if not path.exists():
            fresh = path.with_suffix(".new")
            torch.save(make_heights(number, SHEETS_AT_ONCE).half(), fresh)
            fresh.replace(path)
            print(f"{time.strftime('%H:%M:%S')}  sheets {number - first + 1} of {batches}", flush=True)
        parts.append(torch.load(path, weights_only=True))
    return torch.cat(parts)


def main() -> None:
    """Train for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="stop after this time and save (default 10)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=Plan.steps, help=f"of the whole plan (default {Plan.steps})")
    parser.add_argument("--batch", type=int, default=Plan.batch)
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--sheets", type=int, default=40, help=f"times {SHEETS_AT_ONCE} folded sheets (default 40)")
    parser.add_argument("--data", type=Path, help="folder of python -m munet.training.data (default: generate people)")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "folds", help="for the checkpoint")
    parser.add_argument("--start", type=Path, metavar="FILE", help="begin with these weights instead of random ones")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    plan = replace(Plan(), seed=arguments.seed, batch=arguments.batch, steps=arguments.steps, rate=arguments.rate)
    training, checkpoint = Training(plan), arguments.folder / "checkpoint.pt"
    if arguments.start is not None:
        training.begin_with(read_folds(arguments.start))
    if checkpoint.exists():
        training.load(torch.load(checkpoint, weights_only=True))
        print(f"Resumed at step {training.step} of {plan.steps}.")
    sheets = kept_sheets(arguments.folder / "sheets", 0, arguments.sheets)
    people = gather_people("train", PEOPLE, 0, arguments.data)
    done = run(training, sheets, people, arguments.minutes, report, lambda: save_checkpoint(training, checkpoint))
    print(f"Step {training.step} of {plan.steps} after {training.seconds / 60:.1f} minutes of training.")
    if done:
        notes = {"steps": str(training.step), "seed": str(plan.seed), "batch": str(plan.batch)}
        export(training.average, arguments.output, notes)
        unseen = kept_sheets(arguments.folder / "sheets", VALIDATION_SHEETS, 2)
        others = gather_people("val", VALIDATION_PEOPLE, 0)
        print(
            f"Wrote {arguments.output}.\nValidation: {numbers(validate(read_folds(arguments.output), unseen, others))}"
        )


if __name__ == "__main__":
    main()
