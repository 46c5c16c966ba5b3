"""Train the pose network: from landmarks to several hypotheses of global rotations, through forward kinematics alone.

    python scripts/train_lifter.py --minutes 10 --threads 1

Continues from the checkpoint in --folder if there is one (exactly: the same steps give the same weights, however often
it was interrupted), and writes munet/assets/lifter.safetensors once the plan's steps are done. To end early, resume
with fewer --steps: the learning rate falls to zero over the last 60 % of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from _small_training import plan_of, plan_parser, report, resumed, say_how_far  # noqa: E402

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


def main() -> None:
    """Train for some minutes."""
    parser = plan_parser(__doc__, Plan(), ROOT / "out" / "lifter", WEIGHTS)
    parser.add_argument("--poses", type=Path, default=POSES)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    plan = plan_of(arguments, Plan())
    training, checkpoint = Training(plan), arguments.folder / "checkpoint.pt"
    if not resumed(training, checkpoint) and arguments.start is not None:
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
    say_how_far(training)
    if done:
        notes = {"credit": CREDIT, "steps": str(training.step), "seed": str(plan.seed), "batch": str(plan.batch)}
        export(training.average, arguments.output, notes)
        print(f"Wrote {arguments.output}.")


if __name__ == "__main__":
    main()
