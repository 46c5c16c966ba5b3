"""Train the pose network of G_v: what corrects the joints of a fitted body before its vertices move freely.

    python scripts/train_pose_network.py --start munet/assets/munet-small.safetensors --out weights.safetensors

Fits kept people as the product does, gathers what landmarks, depths and the networks' normals say about the bones of
every fit, and learns from that: everything that takes long is kept in --data, so the same command goes on. The other
networks stay as they are. docs/training.md tells the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
import time
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
from munet.lifting.lift import load_lifter  # noqa: E402
from munet.network import MuNet, Topology, create_munet, load_munet, network_topology, save_munet  # noqa: E402
from munet.network.config import CONFIGS  # noqa: E402
from munet.network.weights import adopted  # noqa: E402
from munet.training.data.generate import Generator  # noqa: E402
from munet.training.data.splits import Split  # noqa: E402
from munet.training.fitted import KeptFits, write_fits  # noqa: E402
from munet.training.given import Mix  # noqa: E402
from munet.training.people import People, kept_people  # noqa: E402
from munet.training.posing import (  # noqa: E402
    Cases,
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
    parser.add_argument("--validate-people", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=PosingPlan.epochs)
    parser.add_argument("--rate", type=float, default=PosingPlan.rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


class Gathering:
    """Everything that evidence is made of; what was gathered is kept beside the people."""

    def __init__(self, arguments: argparse.Namespace, console: Console) -> None:
        self._console, self._data = console, arguments.data
        self.model, self._lifter = load_default_body(), load_lifter()
        config = CONFIGS[arguments.config]
        self.net: MuNet = adopted(load_munet(arguments.start), config, arguments.seed)
        # Learnt from the beginning, whatever the start already had.
        self.net.pose_network = create_munet(config, arguments.seed).pose_network
        self.topology: Topology = network_topology(self.model, self.net.config)
        counts: dict[Split, int] = {"train": arguments.people, "val": arguments.validate_people}
        generator = Generator(arguments.seed, size=self.net.config.image_size, points=POINTS)
        self._people: People = kept_people(generator, self._data, counts, self._made)
        for split, count in counts.items():
            write_fits(
                self.model, self._lifter, self._data, split, arguments.seed, count,
                lambda done, wanted, split=split: self._made(f"{split}, fits", done, wanted),
            )  # fmt: skip
        parts = (arguments.start.read_bytes(), (ASSETS / "lifter.safetensors").read_bytes())
        kinds = " ".join(self.net.config.body.evidence)
        self._name = hashlib.sha256(b"".join(parts) + kinds.encode()).hexdigest()[:12]

    def _made(self, what: str, done: int, wanted: int) -> None:
        self._console.progress(f"people of {what}: {done} of {wanted}")

    def cases(self, split: Split, count: int, mix: Mix) -> Cases:
        """Evidence about the first people of a split."""
        folder = self._data / f"evidence-{self._name}"
        folder.mkdir(exist_ok=True)
        pieces = []
        for start in range(0, count, PIECE):
            stop = min(start + PIECE, count)
            path = folder / f"{split}-{mix.real:g}-{start}-{stop}.safetensors"
            if not path.is_file():
                self._made(f"{split}, evidence", start, count)
                save_file(tensors_of(self._gathered(split, range(start, stop), mix)), path)
            pieces.append(cases_of(load_file(path)))
        return together(pieces)

    def _gathered(self, split: Split, numbers: range, mix: Mix) -> Cases:
        fits = KeptFits(self._data)
        found = gather_cases(
            self.net, self.model, self.topology, self._lifter, self._people, fits, split, numbers, mix, 0
        )
        return together(list(found))


def main() -> int:
    """Train and write; 0 when it went well."""
    arguments, console = read_arguments(), Console()
    torch.set_num_threads(arguments.threads)
    began = time.process_time()
    gathering = Gathering(arguments, console)
    real = Mix(0, 0, 1)
    # Lifted bodies are the second start: their errors are larger, their evidence is the same.
    cases = together([gathering.cases("train", arguments.people, mix) for mix in (real, Mix(0, 0, 0))])
    unseen = gathering.cases("val", arguments.validate_people, real)
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
