"""Measure the program on a test set: ``python scripts/evaluate.py --dataset NAME --root DIR [--out results.json]``.

docs/evaluation.md says which files each data set needs and what the numbers mean. Every alignment to the ground truth
is printed with the result.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _bootstrap import answered, run_script, within

if TYPE_CHECKING:
    from munet.evaluation.compare import Comparison
    from munet.evaluation.estimate import Estimator
    from munet.evaluation.registry import DatasetKind
    from munet.evaluation.results import Results
    from munet.evaluation.sample import Dataset

DATASETS = ("human36m", "3dpw", "mpi_inf_3dhp", "thuman2", "cape", "renderpeople", "synthetic")
ALIGNMENTS = ("none", "root", "centroid", "centroid_scale")
PRESETS = ("draft", "standard", "high")
PACKAGES = ("numpy", "torch", "scipy", "trimesh", "onnxruntime", "ai-edge-litert")
VIEW_PIXELS = 512
SAVE_EVERY = 50


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure the program on a test set.")
    parser.add_argument("--dataset", required=True, choices=DATASETS)
    parser.add_argument(
        "--root", type=Path, default=Path(), metavar="DIR", help="folder of the data set; synthetic needs none"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument("--limit", type=_positive, metavar="N", help="only N samples, spread over the set")
    parser.add_argument("--protocol", type=int, choices=(1, 2), default=2, help="of human36m (default: 2)")
    parser.add_argument(
        "--smpl",
        type=Path,
        metavar="DIR",
        help="fit SMPL and compare published joints and vertices: SMPL_{NEUTRAL,MALE,FEMALE}, J_regressor_h36m.npy",
    )
    parser.add_argument("--true-focal", action="store_true", help="tell the fit the true focal length")
    parser.add_argument(
        "--surface-alignment",
        choices=ALIGNMENTS,
        help="of the surface to the scan before it is measured (default: centroid; for synthetic: root)",
    )
    parser.add_argument("--no-surface", action="store_true", help="measure bodies only")
    parser.add_argument("--samples", type=_positive, default=10_000, help="points on each surface (default: 10000)")
    parser.add_argument("--preset", choices=PRESETS, default="standard")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default: auto)")
    options = parser.parse_args(arguments)
    if options.dataset == "synthetic" and options.smpl is not None:
        parser.error("synthetic people have the default body: --smpl can not be used")
    if options.dataset != "synthetic" and options.root == Path():
        parser.error(f"--root is needed for {options.dataset}")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def main(arguments: Sequence[str]) -> int:
    """Make the environment, change into it and evaluate there."""
    options = parse(arguments)
    return within("evaluation", __file__, arguments, lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """Evaluate in this interpreter and return the exit status."""
    return answered(lambda: _evaluate(options))


def _evaluate(options: argparse.Namespace) -> int:
    from munet.evaluation.registry import dataset_kind
    from munet.evaluation.results import table

    kind = dataset_kind(options.dataset, options.protocol)
    dataset = kind.open(options.root)
    estimator, how = _prepare(options, kind)
    alignment = how.surface_alignment if estimator.with_surface else ""
    joints = f"{how.joints.name} ({how.joints.note})"
    protocol = describe(options, kind.protocol, joints, estimator.body.name, alignment)
    print("\n".join(f"{key}: {value}" for key, value in protocol.items()))
    results = _walk(options, dataset, estimator, how, protocol)
    print(f"\n{len(results.errors)} measured, {len(results.missed)} missed (not in the means)\n")
    print(table(options.dataset, results.means()))
    return 0 if results.errors else 1


def _prepare(options: argparse.Namespace, kind: DatasetKind) -> tuple[Estimator, Comparison]:
    """Load networks, bodies and SMPL files."""
    from munet.evaluation.compare import Comparison, joint_set
    from munet.evaluation.estimate import Estimator
    from munet.evaluation.reference import load_reference
    from munet.pipeline import Models
    from munet.settings import Settings

    settings = Settings(preset=options.preset, device=options.device)
    models = Models.load(settings)
    reference = None if options.smpl is None else load_reference(options.smpl, models.body)
    body = models.body if reference is None else reference.body("neutral").to(models.device)
    surface = kind.surface and not options.no_surface
    alignment = options.surface_alignment or kind.alignment
    how = Comparison(joint_set(options.dataset, reference), body, reference, alignment, options.samples, VIEW_PIXELS)
    return Estimator(body, models.perceiver, settings, surface, options.true_focal, models.lifter), how


def _walk(
    options: argparse.Namespace, dataset: Dataset, estimator: Estimator, how: Comparison, protocol: dict[str, str]
) -> Results:
    """Evaluate with a progress bar; the file is written now and then, so that a long run is not lost."""
    from tqdm import tqdm

    from munet.evaluation.results import Results, document
    from munet.evaluation.run import evaluate

    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    count, results = min(len(dataset), options.limit or len(dataset)), Results()
    with tqdm(total=count, unit="sample", disable=None) as bar:
        for done, results in enumerate(evaluate(dataset, estimator, how, options.limit), 1):
            bar.set_postfix({name: f"{value:.1f}" for name, value in list(results.means().items())[:3]}, refresh=False)
            bar.update()
            if options.out is not None and (done % SAVE_EVERY == 0 or done == count):
                device = str(estimator.body.device)
                write(options.out, document(options.dataset, results, protocol, device, packages))
    return results


def describe(options: argparse.Namespace, split: str, joints: str, body: str, alignment: str) -> dict[str, str]:
    """Return everything that a reader of the numbers must know, in words."""
    told = "the true one where the data set has it" if options.true_focal else "estimated"
    facts = {
        "split": split + (f"; {options.limit} samples spread over it" if options.limit else ""),
        "joints": joints,
        "alignment of joints": "mpjpe and pve: pelvis on pelvis; mpjpe_mid_hip: middle of the hips; "
        "pa_mpjpe: similarity (Procrustes)",
        "body": body,
        "focal length": told,
        "preset": options.preset,
    }
    if alignment:
        facts["alignment of surfaces"] = alignment
        facts["surface samples"] = f"{options.samples} points on each surface, point to surface"
    return facts


def write(path: Path, content: dict[str, Any]) -> None:
    """Write JSON; the file appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(run_script(main))
