"""How good the networks are on people that no training sees."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from munet.losses import chamfer
from munet.network import MuNetOutput
from munet.training.loop import Training
from munet.training.network_batch import NetworkBatch
from munet.training.people import People

_MILLIMETRES = 1000.0


@torch.no_grad()
def validate(training: Training, people: People, count: int, batch: int) -> dict[str, float]:
    """Mean errors over the first ``count`` people of the split "val".

    All positions are relative to the pelvis, nothing is aligned or scaled to the truth.

    Args:
        training: whose networks are measured, with as many rounds as its joint stage.
        people: gives them.
        count: of them.
        batch: at once.

    Returns:
        "joints_mm": mean distance of the 24 joints, pelvis at the origin (MPJPE); "vertices_mm": of the body graph's
        vertices; "normals": 1 - cosine of the normal maps; "surface_mm", "body_mm": mean of both directions' Chamfer
        distances from the predicted surface, and from the predicted naked body, to points of the true surface.
    """
    sums: dict[str, Tensor] = {}
    for prepared, output in run_people(training, people, count, batch):
        for name, values in _errors(training, prepared, output).items():
            sums[name] = sums.get(name, values.new_zeros(())) + values.sum()
    return {name: float(value) / count for name, value in sums.items()}


@torch.no_grad()
def run_people(
    training: Training, people: People, count: int, batch: int
) -> Iterator[tuple[NetworkBatch, MuNetOutput]]:
    """Run the networks in evaluation mode over the first people of the split "val"."""
    rounds = max(stage.rounds for stage in training.plan.stages)
    training.net.eval()
    for start in range(0, count, batch):
        prepared = training.prepare(people("val", list(range(start, min(start + batch, count)))))
        with training.autocast():
            output: MuNetOutput = training.net(training.topology, prepared.inputs, rounds)
        yield prepared, output


def _errors(training: Training, batch: NetworkBatch, output: MuNetOutput) -> dict[str, Tensor]:
    found, wanted = (training.regressor @ body for body in (output.body, batch.targets.body))
    joints = (found - found[:, :1]) - (wanted - wanted[:, :1])
    vertices = (output.body - found[:, :1]) - (batch.targets.body - wanted[:, :1])
    points = batch.targets.surface_points
    return {
        "joints_mm": joints.norm(dim=-1).mean(1) * _MILLIMETRES,
        "vertices_mm": vertices.norm(dim=-1).mean(1) * _MILLIMETRES,
        "normals": _normal_error(output.normals.float(), batch.targets.normals),
        "surface_mm": chamfer(output.surface, points).total / 2 * _MILLIMETRES,
        "body_mm": chamfer(output.body, points).total / 2 * _MILLIMETRES,
    }


def _normal_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean 1 - cosine (B,) over the pixels of the true surface, front and back."""
    errors = []
    for one, other in zip(found.chunk(2, 1), wanted.chunk(2, 1), strict=True):
        inside = (other.norm(dim=1) > 0.5).float()
        cosine = torch.nn.functional.cosine_similarity(one, other, dim=1)
        errors.append(((1 - cosine) * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1))
    return torch.stack(errors).mean(0)
