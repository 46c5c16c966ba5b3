"""Train the network that sees folds: sheets that buckle, on generated people, under made-up dyes and lights.

    python scripts/train_folds.py --minutes 10 --threads 1

Continues from the checkpoint in --folder if there is one (exactly: the same steps give the same weights, however often
it was interrupted), and writes munet/assets/folds.safetensors once the plan's steps are done. To end early, resume with
fewer --steps: the learning rate falls to zero over the second half of them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from _small_training import numbers, plan_of, plan_parser, report, resumed, say_how_far  # noqa: E402

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
    parser = plan_parser(__doc__, Plan(), ROOT / "out" / "folds", WEIGHTS)
    parser.add_argument("--sheets", type=int, default=40, help=f"times {SHEETS_AT_ONCE} folded sheets (default 40)")
    parser.add_argument("--data", type=Path, help="folder of python -m munet.training.data (default: generate people)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    plan = plan_of(arguments, Plan())
    training, checkpoint = Training(plan), arguments.folder / "checkpoint.pt"
    if not resumed(training, checkpoint) and arguments.start is not None:
        training.begin_with(read_folds(arguments.start).state_dict())
    sheets = kept_sheets(arguments.folder / "sheets", 0, arguments.sheets)
    people = gather_people("train", PEOPLE, 0, arguments.data)
    done = run(training, sheets, people, arguments.minutes, report, lambda: save_checkpoint(training, checkpoint))
    say_how_far(training)
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
