"""Train MuNet's networks on generated people: body and surface one after the other, then everything together.

    python scripts/train.py --config small --start munet/assets/munet-small.safetensors --minutes 9.5
    torchrun --nproc-per-node 4 scripts/train.py --config paper --micro 2

Continues from the checkpoint in --folder if there is one: however often a training stops, its steps are the same. With
--minutes it stops in time, with a checkpoint in files of at most 16 MiB. On CUDA people are made where they are needed;
on a CPU they are made once and kept (--samples 0 makes new ones there too). docs/training.md tells the rest.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import math
import os
import shlex
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from _console import Console  # noqa: E402

from munet.body.default import load_default_body  # noqa: E402
from munet.errors import InvalidInputError, JobCancelledError, MunetError  # noqa: E402
from munet.lifting.lift import load_lifter  # noqa: E402
from munet.losses import LossWeights  # noqa: E402
from munet.network import load_munet  # noqa: E402
from munet.network.weights import adopted  # noqa: E402
from munet.training.boards import NoBoard, TensorBoard  # noqa: E402
from munet.training.course import Course, Rhythm  # noqa: E402
from munet.training.data.generate import Generator  # noqa: E402
from munet.training.data.splits import Split  # noqa: E402
from munet.training.export import export_weights  # noqa: E402
from munet.training.fitted import KeptFits, write_fits  # noqa: E402
from munet.training.loop import Training  # noqa: E402
from munet.training.parallel import Team, team  # noqa: E402
from munet.training.people import People, generated_people, kept_people  # noqa: E402
from munet.training.stages import CPU, PLANS, Plan, config_of, scaled  # noqa: E402

KEPT_ON_CPU = 4096
MICRO_ON_CPU = 4
BAR = 24


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PLANS), required=True)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after this time, everything included")
    parser.add_argument("--folder", type=Path, help="of checkpoint, curve and pictures (default out/munet-CONFIG)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU (default: PyTorch's choice)")
    plan = parser.add_argument_group("plan", "the same for all pieces of a training")
    plan.add_argument("--seed", type=int, default=0)
    plan.add_argument("--plan", choices=("gpu", "cpu"), default="gpu", help="cpu: what one core learns in an hour")
    plan.add_argument("--start", type=Path, metavar="FILE", help="begin with these weights, for instance shipped ones")
    plan.add_argument("--length", type=float, default=1.0, help="times the usual steps of every stage")
    plan.add_argument("--batch", type=int, help="people of a step, over all processes")
    plan.add_argument("--rate", type=float, help="learning rate of all stages")
    plan.add_argument("--samples", type=int, help=f"people kept on disk; 0: none (default: CUDA 0, CPU {KEPT_ON_CPU})")
    plan.add_argument(
        "--real", type=float, default=0.0, metavar="SHARE", help="of people who start from their real fit"
    )
    plan.add_argument("--stages", nargs="+", choices=("surface", "body", "joint"), help="only these of the plan")
    plan.add_argument("--precision", choices=("auto", "bfloat16", "float32"), default="auto")
    names = [entry.name for entry in fields(LossWeights)]
    plan.add_argument("--without", nargs="*", choices=names, default=(), metavar="LOSS", help=f"of {', '.join(names)}")
    plan.add_argument("--apart", action="store_true", help="let no loss of the surface reach the body, for ablations")
    parser.add_argument(
        "--micro",
        type=int,
        help=f"people at once in a process; 0: its whole share (default: CUDA 0, CPU {MICRO_ON_CPU})",
    )
    parser.add_argument("--data", type=Path, help="folder of the kept people (default FOLDER/people)")
    parser.add_argument("--validate-every", type=int, default=Rhythm.validation)
    parser.add_argument("--validate-people", type=int, default=Rhythm.people)
    parser.add_argument("--pictures-every", type=int, default=Rhythm.pictures)
    parser.add_argument("--checkpoint-every", type=int, default=Rhythm.checkpoint)
    parser.add_argument("--log-every", type=int, default=Rhythm.log)
    parser.add_argument("--tensorboard", action="store_true", help="also write event files (needs tensorboard)")
    parser.add_argument(
        "--export", type=Path, metavar="FILE", help="write the weights in float16 at the end of a piece"
    )
    return parser.parse_args()


def plan_of(arguments: argparse.Namespace, device: torch.device) -> Plan:
    """The plan that the options describe."""
    cuda = device.type == "cuda"
    plan = PLANS[arguments.config]
    if arguments.plan == "cpu":
        plan = replace(plan, **CPU)
    if arguments.stages:
        plan = replace(plan, stages=tuple(stage for stage in plan.stages if stage.name in arguments.stages))
    plan = scaled(plan, arguments.length)
    if arguments.rate is not None:
        plan = replace(plan, stages=tuple(replace(stage, rate=arguments.rate) for stage in plan.stages))
    kept = arguments.samples if arguments.samples is not None else (0 if cuda else KEPT_ON_CPU)
    return replace(
        plan,
        seed=arguments.seed,
        start=hashlib.sha256(arguments.start.read_bytes()).hexdigest() if arguments.start else "",
        batch=arguments.batch if arguments.batch is not None else plan.batch,
        samples=kept,
        bfloat16=(cuda or plan.bfloat16) if arguments.precision == "auto" else arguments.precision == "bfloat16",
        without=tuple(sorted({*plan.without, *arguments.without})),
        given=replace(plan.given, real=arguments.real),
        apart=arguments.apart,
    )


class Lines:
    """The training's course on the terminal."""

    def __init__(self, console: Console, plan: Plan, *, speaks: bool) -> None:
        self._console, self._plan, self._speaks = console, plan, speaks
        self._began, self._first = time.monotonic(), -1

    def people(self, split: str, made: int, wanted: int) -> None:
        """Show how many people are made."""
        if self._speaks:
            self._console.progress(f"{_bar(made / wanted)} people of {split}: {made} of {wanted}")

    def tick(self, step: int, losses: dict[str, float]) -> None:
        """Show the course after a step."""
        if self._first < 0:
            self._began, self._first = time.monotonic(), step
        if self._speaks:
            passed = (step - self._first) * self._plan.batch / max(time.monotonic() - self._began, 1e-9)
            speed = f"{passed:.1f} people/s" if step > self._first else ""
            share = step / self._plan.steps
            self._console.progress(f"{_bar(share)} step {step} of {self._plan.steps}  {losses['total']:.4f}  {speed}")

    def numbers(self, step: int, group: str, values: dict[str, float]) -> None:
        """Print a point of the learning curve."""
        text = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        self._console.say(f"{time.strftime('%H:%M:%S')} step {step} {group}: {text}")


class Boards:
    """The terminal and, where wanted, TensorBoard."""

    def __init__(self, lines: Lines, other: NoBoard | TensorBoard) -> None:
        self._lines, self._other = lines, other

    def numbers(self, step: int, group: str, values: dict[str, float]) -> None:
        """Give numbers to both."""
        self._lines.numbers(step, group, values)
        self._other.numbers(step, group, values)

    def picture(self, step: int, picture: torch.Tensor) -> None:
        """Give a picture to TensorBoard."""
        self._other.picture(step, picture)


def _bar(share: float) -> str:
    full = round(BAR * min(share, 1.0))
    return f"[{'#' * full}{'.' * (BAR - full)}]"


def people_of(arguments: argparse.Namespace, plan: Plan, group: Team, lines: Lines, deadline: float) -> People:
    """The people of the training; kept ones are made by the leading process."""
    generator = Generator(plan.seed, size=config_of(plan).image_size, points=plan.points, device=group.device)
    if arguments.real and not plan.samples:
        raise InvalidInputError("Real fits are made of kept people.", detail="--real needs --samples")
    if not plan.samples:
        return generated_people(generator)

    def report(split: str, made: int, wanted: int) -> None:
        lines.people(split, made, wanted)
        if time.monotonic() > deadline:
            raise JobCancelledError(f"The time is up; {made} of {wanted} people of {split} are made and kept.")

    place = data_of(arguments)
    counts: dict[Split, int] = {"train": plan.samples, "val": max(arguments.validate_people, Rhythm.shown)}
    if not group.leads:
        group.wait()
    people = kept_people(generator, place, counts, report)
    if arguments.real and group.leads:
        model, lifter = load_default_body(), load_lifter()
        for split, count in counts.items():
            told = functools.partial(report, f"{split}, fits")
            write_fits(model, lifter, place, split, plan.seed, range(count), told)
    if group.leads:
        group.wait()
    return people


def data_of(arguments: argparse.Namespace) -> Path:
    """Where kept people are."""
    place: Path = arguments.data or folder_of(arguments) / "people"
    return place


def folder_of(arguments: argparse.Namespace) -> Path:
    """Where everything is written."""
    return arguments.folder or ROOT / "out" / f"munet-{arguments.config}"


def train(arguments: argparse.Namespace, group: Team, console: Console, deadline: float) -> None:
    """Run one piece of the training."""
    start = load_munet(arguments.start, group.device) if arguments.start else None
    plan, folder = plan_of(arguments, group.device), folder_of(arguments)
    if start is not None and start.config.name == plan.config:
        # Of an earlier state of the configuration; what it did not have yet begins as new.
        start = adopted(start, config_of(plan), plan.seed).to(group.device)
    if group.leads:
        folder.mkdir(parents=True, exist_ok=True)
    lines = Lines(console, plan, speaks=group.leads)
    other = TensorBoard(folder / "tensorboard") if arguments.tensorboard and group.leads else NoBoard()
    micro = arguments.micro
    if micro is None:
        micro = 0 if group.device.type == "cuda" else min(MICRO_ON_CPU, plan.batch // group.size)
    fits = KeptFits(data_of(arguments)) if arguments.real else None
    training = Training(plan, load_default_body(), group, micro=micro, start=start, fits=fits)
    rhythm = Rhythm(
        log=arguments.log_every,
        validation=arguments.validate_every,
        pictures=arguments.pictures_every,
        checkpoint=arguments.checkpoint_every,
        people=arguments.validate_people,
    )
    people = people_of(arguments, plan, group, lines, deadline)
    course = Course(training, people, folder, rhythm, Boards(lines, other), lines.tick)
    if group.leads:
        console.say(f"{plan.config} on {group.size} x {group.device.type}: step {training.step} of {plan.steps}.")
    done = course.run(deadline)
    if group.leads:
        console.say(f"Step {training.step} of {plan.steps}; {training.seconds / 60:.1f} minutes of training in all.")
        target = arguments.export or (folder / f"munet-{plan.config}.safetensors" if done else None)
        if target:
            metrics = course.measure()
            export_weights(training, target, shlex.join(["python", "scripts/train.py", *sys.argv[1:]]), metrics)
            course.save_curve()
            console.say(f"Wrote {target} and its card.")


def main() -> int:
    """Train; 0 when the piece went well."""
    arguments = read_arguments()
    deadline = time.monotonic() + 60 * arguments.minutes
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    console = Console()
    try:
        with team(arguments.device) as group:
            train(arguments, group, console, deadline)
    except JobCancelledError as error:
        console.say(error.title + " The same command goes on.")
    except MunetError as error:
        console.complain(str(error))
        return 1
    except KeyboardInterrupt:
        console.complain("Interrupted; the same command goes on from the last checkpoint.")
        return 130
    finally:
        console.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main())
