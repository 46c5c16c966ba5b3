"""Train the pose network of G_v: what corrects the joints of a fitted body before its vertices move freely.

    python scripts/train_pose_network.py --start munet/assets/munet-small.safetensors --out weights.safetensors

Fits people as the product does, gathers what landmarks, depths and the pose network of landmarks say about the bones of
every fit, and learns from that. Most people have no clothes and no picture (--bare), which is a tenth of the work.
Everything that takes long is kept in --data, so the same command goes on. The other networks stay as they are.
docs/training.md tells the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from _console import Console  # noqa: E402

from munet.body.default import load_default_body  # noqa: E402
from munet.evaluation.intervals import gain_interval, mean_interval  # noqa: E402
from munet.fitting.body_points import make_body_points  # noqa: E402
from munet.lifting.lift import load_lifter  # noqa: E402
from munet.network import MuNet, Topology, create_munet, load_munet, network_topology, save_munet  # noqa: E402
from munet.network.config import CONFIGS  # noqa: E402
from munet.network.weights import adopted  # noqa: E402
from munet.training.bare import SIZE, BareGenerator  # noqa: E402
from munet.training.data.cache import CachedData  # noqa: E402
from munet.training.data.generate import Generator, TrainingBatch  # noqa: E402
from munet.training.data.splits import Split  # noqa: E402
from munet.training.fitted import KeptFits, write_fits  # noqa: E402
from munet.training.people import kept_people  # noqa: E402
from munet.training.posing import (  # noqa: E402
    Cases,
    Gatherer,
    PosingPlan,
    cases_of,
    errors,
    gather_cases,
    learn_pose,
    tensors_of,
    together,
)

ASSETS = ROOT / "munet" / "assets"
POINTS = 4096
PIECE = 256


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=("small", "small-rgb"), default="small")
    parser.add_argument("--start", type=Path, default=ASSETS / "munet-small.safetensors", metavar="FILE")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="weights, float16, and their card .json"
    )
    parser.add_argument("--data", type=Path, default=ROOT / "out" / "munet-small" / "people", help="of kept people")
    parser.add_argument("--people", type=int, default=2944)
    parser.add_argument("--bare", type=int, default=16384, help="further people, without clothes and pictures")
    parser.add_argument("--bare-fits", type=int, default=8192, help="of them, how many are fitted")
    parser.add_argument("--validate-people", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=PosingPlan.epochs)
    parser.add_argument("--rate", type=float, default=PosingPlan.rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


class Gathering:
    """Everything that evidence is made of; what was gathered is kept beside the people."""

    def __init__(self, arguments: argparse.Namespace, console: Console) -> None:
        self._console, self._data, self._seed = console, arguments.data, arguments.seed
        model, lifter = load_default_body(), load_lifter()
        config = CONFIGS[arguments.config]
        self.net: MuNet = adopted(load_munet(arguments.start), config, arguments.seed)
        # Learnt from the beginning, whatever the start already had.
        self.net.pose_network = create_munet(config, arguments.seed).pose_network
        self.topology: Topology = network_topology(model, self.net.config)
        self._tools = Gatherer(self.net, model, make_body_points(model), self.topology, lifter, arguments.seed)
        parts = (arguments.start.read_bytes(), (ASSETS / "lifter.safetensors").read_bytes())
        kinds = " ".join(self.net.config.body.evidence)
        self._name = hashlib.sha256(b"".join(parts) + kinds.encode()).hexdigest()[:12]
        self._looks = "normals" in self.net.config.body.evidence

    def dressed(self, counts: dict[Split, int]) -> Path:
        """Make the people with pictures; returns where they are."""
        generator = Generator(self._seed, size=self.net.config.image_size, points=POINTS)
        kept_people(generator, self._data, counts, self._made)
        return self._data

    def bare(self, count: int) -> Path:
        """Make people without pictures; returns where they are."""
        folder: Path = self._data / "bare"
        kept_people(BareGenerator(self._seed, size=SIZE, points=1), folder, {"train": count}, self._made)
        return folder

    def fits(self, folder: Path, split: Split, numbers: range) -> KeptFits:
        """Fit people."""
        write_fits(
            self._tools.model, self._tools.lifter, folder, split, self._seed, numbers,
            lambda done, wanted: self._made(f"{split}, fits", done, wanted),
        )  # fmt: skip
        return KeptFits(folder)

    def cases(self, folder: Path, split: Split, numbers: range, fits: KeptFits | None) -> Cases:
        """Evidence about people of a split, from their fits or lifted."""
        kept = folder / f"evidence-{self._name}"
        kept.mkdir(exist_ok=True)
        data, pieces = CachedData(folder, split, pictures=self._looks), []

        def people(_: Split, numbers: Sequence[int]) -> TrainingBatch:
            return data.batch(list(numbers))

        for start in range(numbers.start, numbers.stop, PIECE):
            stop = min(start + PIECE, numbers.stop)
            path = kept / f"{split}-{'lifted' if fits is None else 'fitted'}-{start}-{stop}.safetensors"
            if not path.is_file():
                self._made(f"{split}, evidence", start, numbers.stop)
                found = gather_cases(self._tools, people, split, range(start, stop), fits)
                save_file(tensors_of(together(list(found))), path)
            pieces.append(cases_of(load_file(path)))
        return together(pieces)

    def _made(self, what: str, done: int, wanted: int) -> None:
        self._console.progress(f"people of {what}: {done} of {wanted}")


def gathered(gathering: Gathering, arguments: argparse.Namespace) -> tuple[Cases, Cases]:
    """Cases to learn from, and those of people never seen."""
    people, unseen = range(arguments.people), range(arguments.validate_people)
    dressed = gathering.dressed({"train": len(people), "val": len(unseen)})
    # What a fit starts from is the second body: its errors are larger, its evidence is the same.
    parts = [
        gathering.cases(dressed, "train", people, gathering.fits(dressed, "train", people)),
        gathering.cases(dressed, "train", people, None),
    ]
    if arguments.bare:
        # The first numbers are the people with pictures once more.
        others = range(people.stop, people.stop + arguments.bare)
        bare, fitted = gathering.bare(others.stop), others[: arguments.bare_fits]
        fits = gathering.fits(bare, "train", fitted)
        parts += [gathering.cases(bare, "train", fitted, fits), gathering.cases(bare, "train", others, None)]
    return together(parts), gathering.cases(dressed, "val", unseen, gathering.fits(dressed, "val", unseen))


def main() -> int:
    """Train and write; 0 when it went well."""
    arguments, console = read_arguments(), Console()
    torch.set_num_threads(arguments.threads)
    began = time.process_time()
    gathering = Gathering(arguments, console)
    if "normals" in gathering.net.config.body.evidence:
        arguments.bare = 0
    cases, unseen = gathered(gathering, arguments)
    network, rig = gathering.net.pose_network, gathering.topology.rig
    if network is None or rig is None:
        raise SystemExit("The configuration has no pose network.")
    plan = PosingPlan(epochs=arguments.epochs, rate=arguments.rate, seed=arguments.seed)
    before = errors(None, rig, unseen)
    curve = []

    def report(epoch: int, loss: float) -> None:
        console.progress(f"pass {epoch} of {plan.epochs}: {loss:.4f}")
        if epoch % 5 == 0 or epoch == plan.epochs:
            network.eval()
            found = {name: float(values.mean()) for name, values in errors(network, rig, unseen).items()}
            network.train()
            curve.append({"pass": epoch, "loss": loss, "val": found})
            console.say(json.dumps(curve[-1]))

    console.say(json.dumps({name: float(values.mean()) for name, values in before.items()}))
    learn_pose(network, gathering.net.config.body.evidence, rig, cases, plan, report)
    after = errors(network, rig, unseen)
    save_munet(gathering.net, arguments.out, torch.float16)
    card = {
        "command": shlex.join(["python", "scripts/train_pose_network.py", *sys.argv[1:]]),
        "plan": asdict(plan),
        "cases": len(cases),
        "process_seconds": round(time.process_time() - began, 1),
        "val_people": len(unseen),
        "before": {name: vars(mean_interval(values)) for name, values in before.items()},
        "after": {name: vars(mean_interval(values)) for name, values in after.items()},
        "gain": {name: vars(gain_interval(after[name], before[name])) for name in after},
        "curve": curve,
    }
    arguments.out.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    console.say(json.dumps({name: card[name] for name in ("before", "after", "gain")}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
