"""How strongly the surface's losses pull at the body's networks.

    python scripts/measure_feedback.py --data out/munet-small/people --people 48

Of kept people with real fits: length of every group of losses' gradient on the pose step, on the networks of the free
vertices and on the body's vertices, its cosine with the gradient of the body's own losses, and how far a step along it
moves the errors of other people. docs/ablations.md says what it means.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import fields, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from _console import Console  # noqa: E402

from munet.body.default import load_default_body  # noqa: E402
from munet.losses.total import LossSettings, LossWeights, total_loss  # noqa: E402
from munet.network import load_munet  # noqa: E402
from munet.training.data.cache import CachedData  # noqa: E402
from munet.training.fitted import KeptFits  # noqa: E402
from munet.training.given import Mix  # noqa: E402
from munet.training.loop import Training  # noqa: E402
from munet.training.network_batch import NetworkBatch  # noqa: E402
from munet.training.objective import StagedNet  # noqa: E402
from munet.training.parallel import Team  # noqa: E402
from munet.training.stages import CPU, PLANS, Plan, Stage, losses_of  # noqa: E402

GROUPS = {
    "body": ("vertices", "joints", "reprojection", "body_chamfer", "body_silhouette"),
    "trace": ("trace",),
    "cloth": ("cloth",),
    "surface": ("surface", "dressed", "edges", "laplacian", "surface_silhouette"),
}
"""Losses of the body; feedback by intent; losses of the surface, which also reach the body under it."""
PARTS = {"pose step": ("pose_network.",), "free vertices": ("body_encoder.", "body_network.")}
AT_ONCE = 4
STEP = 3e-4
"""Length of a step of the pose step's parameters over their own length."""


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=ROOT / "munet" / "assets" / "munet-small.safetensors")
    parser.add_argument(
        "--data", type=Path, required=True, help="people with fits, as train_pose_network.py makes them"
    )
    parser.add_argument("--people", type=int, default=48, help="half of them give gradients, half are stepped on")
    parser.add_argument("--out", type=Path, help="numbers as JSON")
    return parser.parse_args()


class Measuring:
    """Networks in the middle of a joint training."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        values = {name: value for name, value in CPU.items() if name not in {"stages", "bfloat16"}}
        stage = Stage("joint", 100)
        plan: Plan = replace(PLANS["small"], stages=(stage,), given=Mix(0, 0, 1), **values)
        net = load_munet(arguments.start)
        team = Team(0, 1, torch.device("cpu"))
        fits = KeptFits(arguments.data)
        self.training = Training(plan, load_default_body(), team, start=net, fits=fits)
        self.plan, self.stage = plan, stage
        self.people = CachedData(arguments.data, "train")
        self.module = StagedNet(self.training.net, self.training.topology)
        named = dict(self.training.net.named_parameters())
        self.parts = {
            part: [value for name, value in named.items() if name.startswith(begins)] for part, begins in PARTS.items()
        }

    def batch(self, start: int) -> NetworkBatch:
        """The people from ``start`` on."""
        people = self.people.batch(list(range(start, start + AT_ONCE)))
        people = replace(
            people,
            surface_points=people.surface_points[:, : self.plan.truth_points],
            surface_normals=people.surface_normals[:, : self.plan.truth_points],
        )
        place = self.training.place
        return self.training.prepare(people, losses_of(self.plan, replace(place, step=50)).views, 0)

    def settings(self, group: str) -> LossSettings:
        """The losses of one group, with their weights in the middle of a training."""
        usual = losses_of(self.plan, replace(self.training.place, step=50))
        weights = {
            entry.name: getattr(usual.weights, entry.name) if entry.name in GROUPS[group] else 0.0
            for entry in fields(LossWeights)
        }
        return replace(usual, weights=LossWeights(**weights))

    def losses(self, start: int) -> tuple[dict[str, Tensor], Tensor]:
        """Losses of every group, and the body's vertices, of the people from ``start`` on."""
        batch = self.batch(start)
        output = self.module(self.stage, batch, 1)
        random = torch.Generator().manual_seed(start)
        values = {
            group: total_loss(
                output, batch.targets, self.training.topology, self.training.regressor, self.settings(group), random
            ).total
            for group in GROUPS
        }
        return values, output.body

    def gradients(self, start: int) -> dict[str, dict[str, Tensor]]:
        """Gradient by part and group, one row."""
        values, body = self.losses(start)
        found: dict[str, dict[str, Tensor]] = {part: {} for part in (*self.parts, "vertices")}
        for group, value in values.items():
            flat = [parameter for part in self.parts.values() for parameter in part]
            every = torch.autograd.grad(value, [body, *flat], retain_graph=True, allow_unused=True)
            found["vertices"][group] = _flat(every[:1], [body])
            place = 1
            for part, parameters in self.parts.items():
                found[part][group] = _flat(every[place : place + len(parameters)], parameters)
                place += len(parameters)
        return found

    @torch.no_grad()
    def stepped(self, direction: Tensor, starts: range) -> dict[str, float]:
        """Mean losses of people after a step of the pose step against a direction."""
        parameters = self.parts["pose step"]
        size = torch.cat([value.flatten() for value in parameters]).norm()
        step = -STEP * size * direction / direction.norm().clamp_min(1e-12)
        kept = [value.clone() for value in parameters]
        place = 0
        for parameter in parameters:
            parameter.add_(step[place : place + parameter.numel()].reshape(parameter.shape))
            place += parameter.numel()
        sums = dict.fromkeys(GROUPS, 0.0)
        for start in starts:
            for group, loss in self.losses(start)[0].items():
                sums[group] += float(loss) / len(starts)
        for value, before in zip(parameters, kept, strict=True):
            value.copy_(before)
        return sums


def _flat(values: tuple[Tensor | None, ...], like: list[Tensor]) -> Tensor:
    parts = [torch.zeros_like(p) if v is None else v for v, p in zip(values, like, strict=True)]
    return torch.cat([part.flatten() for part in parts])


def main() -> int:
    """Measure and print."""
    arguments, console = read_arguments(), Console()
    torch.set_num_threads(1)
    measuring = Measuring(arguments)
    starts = range(0, arguments.people // 2, AT_ONCE)
    rows = []
    for start in starts:
        console.progress(f"{start} of {arguments.people}")
        rows.append(measuring.gradients(start))
    lines = ["| gradient on | of | length over the body's | cosine with the body's | steady |", "|---|---|---|---|---|"]
    for part in (*measuring.parts, "vertices"):
        body = [row[part]["body"] for row in rows]
        for group in GROUPS:
            own = [row[part][group] for row in rows]
            lengths = torch.stack([value.norm() for value in own]) / torch.stack([value.norm() for value in body])
            cosines = torch.stack([torch.cosine_similarity(a, b, dim=0) for a, b in zip(own, body, strict=True)])
            # Vertices of different people can not be added up.
            steady = torch.stack(own).mean(0).norm() / torch.stack([v.norm() for v in own]).mean()
            share = "" if part == "vertices" else f"{float(steady):.2f}"
            lines.append(f"| {part} | {group} | {lengths.mean():.3f} | {cosines.mean():+.2f} | {share} |")
    mean = {group: torch.stack([row["pose step"][group] for row in rows]).mean(0) for group in GROUPS}
    others = range(arguments.people // 2, arguments.people, AT_ONCE)
    before = measuring.stepped(torch.zeros_like(mean["body"]), others)
    lines += ["", "| a step along | " + " | ".join(GROUPS) + " |", "|---" * (len(GROUPS) + 1) + "|"]
    for group in GROUPS:
        after = measuring.stepped(mean[group], others)
        changes = " | ".join(f"{after[name] / before[name] - 1:+.2%}" for name in GROUPS)
        lines.append(f"| {group} | {changes} |")
    text = "\n".join(lines)
    print(text)
    if arguments.out:
        arguments.out.write_text(
            json.dumps({"people": arguments.people, "table": lines}, indent=1) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
