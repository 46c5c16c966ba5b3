"""Compare what each part of the method is worth: ``python scripts/ablate.py --people 100``.

Runs on generated people of the test split whose landmarks, depths and mask have a detector's errors, never on photos.
Goes on where it was stopped. Networks of other trainings are named with --weights; lines without networks say with
which command they would be trained. Writes a table and JSON; docs/evaluation.md says what the numbers mean.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _bootstrap import CANCELLED, answered, within
from _environment import ROOT, SetupError

if TYPE_CHECKING:
    from munet.evaluation.methods import Tools

NAMES = ("munet", "full", "no-trace", "no-cloth", "separate", "no-proxy")
PACKAGES = ("numpy", "torch", "scipy", "trimesh")
SHIPPED = ROOT / "munet" / "assets" / "munet-small.safetensors"
LIFTER = ROOT / "munet" / "assets" / "lifter.safetensors"
MARKS = ("<!-- table: written by scripts/ablate.py -->", "<!-- end of the table -->")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare what each part of the method is worth.")
    parser.add_argument(
        "--people", type=int, default=100, metavar="N", help="of 500 (default: 100); 0 writes what is measured"
    )
    parser.add_argument("--split", choices=("test", "val"), default="test", help="val is for decisions")
    parser.add_argument(
        "--weights",
        type=_weights,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help=f"networks of a training, NAME one of {', '.join(NAMES)} (default: munet, as it ships)",
    )
    parser.add_argument("--rounds", type=int, default=1, help="of G_v (default: 1)")
    parser.add_argument("--surfaces", type=int, default=0, metavar="N", help="of how many of them also surfaces")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the people there, for the next time")
    parser.add_argument(
        "--share",
        type=_share,
        default=(0, 1),
        metavar="K/N",
        help="measure every N-th person from the K-th on (0 to N - 1): several processes share one ledger",
    )
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (default: 1)")
    parser.add_argument("--ledger", type=Path, default=Path("out/ablations.jsonl"), help="person by person")
    parser.add_argument("--table", type=Path, default=Path("out/ablations.md"))
    parser.add_argument("--into", type=Path, metavar="FILE", help="also put the table between the marks of a document")
    parser.add_argument("--json", type=Path, default=Path("out/ablations.json"))
    return parser.parse_args(arguments)


def _weights(text: str) -> tuple[str, Path]:
    name, _, file = text.partition("=")
    if name not in NAMES or not Path(file).is_file():
        raise argparse.ArgumentTypeError(f"expected NAME=FILE, NAME one of {', '.join(NAMES)}, found {text}")
    return name, Path(file)


def _share(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and int(part) < int(parts)):
        raise argparse.ArgumentTypeError(f"expected K/N with K below N, found {text}")
    return int(part), int(parts)


def main(arguments: Sequence[str]) -> int:
    """Make the environment, change into it and measure there."""
    options = parse(arguments)
    return within("evaluation", __file__, arguments, lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """Measure in this interpreter and return the exit status."""
    return answered(lambda: _measure(options))


def _measure(options: argparse.Namespace) -> int:
    import torch
    from tqdm import tqdm

    from munet.evaluation.ablation import Crowd, Ledger
    from munet.evaluation.ablation import run as measure
    from munet.evaluation.ablation_table import document, markdown
    from munet.evaluation.datasets.kept import KeptPeople
    from munet.evaluation.datasets.synthetic import Synthetic

    torch.set_num_threads(options.threads)
    weights = dict(options.weights) or ({"munet": SHIPPED} if SHIPPED.is_file() else {})
    setting = {
        "split": options.split,
        "seed": "0",
        "pose network": hashlib.sha256(LIFTER.read_bytes()).hexdigest()[:16],
    }
    ledger = Ledger(options.ledger, setting)
    groups = {name: _group(name, file, options.rounds) for name, file in weights.items()}
    if options.people:
        tools = _tools(options, weights, groups)
        people: Crowd = Synthetic(split=options.split)
        if options.keep:
            people = KeptPeople(Synthetic(split=options.split), options.keep)
        with tqdm(total=options.people, unit="person", disable=None) as bar:
            for done in measure(tools, people, options.people, ledger, options.surfaces, options.share):
                bar.update(done - bar.n)
        # Others may have written meanwhile.
        ledger = Ledger(options.ledger, setting)
    facts = _facts(setting, groups)
    table = f"{_heading(facts, len(ledger.missed))}\n\n{markdown(ledger, groups)}\n"
    _write(options.table, table)
    _write(options.json, json.dumps(document(ledger, groups, facts), indent=1) + "\n")
    if options.into:
        _put(options.into, table)
    print(table)
    return 0


def _tools(options: argparse.Namespace, weights: dict[str, Path], groups: dict[str, str]) -> Tools:
    from dataclasses import replace

    from munet.body.default import load_default_body
    from munet.evaluation.methods import Tools
    from munet.lifting.lift import load_lifter

    body = load_default_body()
    tools = Tools.prepare(body, load_lifter())
    if not weights:
        return tools
    from munet.evaluation.learned_methods import Trained
    from munet.network.infer import load_munet_product

    networks = {
        groups[name]: Trained(load_munet_product(body, path=file), options.rounds, whole=name == NAMES[0])
        for name, file in weights.items()
    }
    return replace(tools, networks=networks)


def _group(name: str, file: Path, rounds: int) -> str:
    """Name of a training's methods in the ledger: other weights or rounds are another group."""
    return f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()[:16]} rounds {rounds}"


def _facts(setting: dict[str, str], groups: dict[str, str]) -> dict[str, Any]:
    from munet.evaluation.results import commit_of

    return {
        "setting": setting,
        "networks": groups,
        "commit": commit_of(ROOT),
        "device": "cpu",
        "machine": platform.platform(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _heading(facts: dict[str, Any], missed: int) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    networks = ", ".join(facts["networks"].values()) or "none"
    return (
        f"Generated people, split {facts['setting']['split']}, seed {facts['setting']['seed']}, {missed} missed; "
        f"commit {facts['commit'][:12]}, {facts['device']}, {versions}; networks: {networks}. "
        "Means with 95 % intervals (bootstrap over people)."
    )


def _put(document: Path, table: str) -> None:
    """Replace what is between the marks."""
    before, found, rest = document.read_text(encoding="utf-8").partition(MARKS[0])
    _, ends, after = rest.partition(MARKS[1])
    if not found or not ends:
        raise SystemExit(f"{document} has no place for the table: expected {MARKS[0]} and {MARKS[1]}.")
    document.write_text(f"{before}{MARKS[0]}\n\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print("Stopped; the same command goes on.", file=sys.stderr)
        sys.exit(CANCELLED)
