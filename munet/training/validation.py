"""How good the networks are on people that no training sees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from munet.evaluation.alignment import procrustes
from munet.losses import Views, chamfer, sample_surface
from munet.network import MuNetOutput
from munet.training.given import Mix
from munet.training.loop import Training
from munet.training.network_batch import NetworkBatch
from munet.training.people import People

_MILLIMETRES = 1000.0
_SAMPLES = 8000
_OF_SURFACE = ("normals", "body_normals", "normals_on_body", "body_normals_on_body", "surface_mm", "body_mm")
# Number of the errors of the bodies to start from, one that no training reaches.
_ERRORS = 1 << 40
STARTS = {"true": Mix(1, 0), "fitted": Mix(0, 1), "lifted": Mix(0, 0)}
"""Bodies to start from, for networks that start from one."""
REAL = "real"
"""Those of the real fit, where it is kept."""


@torch.no_grad()
def validate(training: Training, people: People, count: int, batch: int) -> dict[str, float]:
    """Mean errors over the first ``count`` people of the split "val".

    All positions are relative to the pelvis, nothing is aligned to the truth but where "pa" says so. For networks that
    start from a given body everything is measured from true bodies, bodies with the errors of a fit, and lifted ones
    (``STARTS``); truth and prediction have the same depth of the pelvis then, which no picture tells.

    Names that end with "_on_body" count only pixels that show the naked body as well.

    Args:
        training: whose networks are measured, with as many rounds as its joint stage.
        people: gives them.
        count: of them.
        batch: at once.

    Returns:
        "joints_mm": mean distance of the 24 joints, pelvis at the origin (MPJPE), "joints_pa_mm" after a similarity
        alignment; "vertices_mm": of the body graph's vertices; "normals": 1 - cosine of the normal maps,
        "body_normals": of the naked body's own; "surface_mm", "body_mm": mean of both directions' Chamfer distances
        from the surface, and from the naked body it stands on, to points of the true surface. With a start, names
        begin with it; surface and normals are those over the given body, "given_joints_mm" and the like tell its own
        errors, and "moved_surface_mm" and "moved_normals" stand on the networks' body.
    """
    if not training.config.body.given:
        return _means(
            (_errors(training, prepared, output) for prepared, output in run_people(training, people, count, batch)),
            count,
        )
    values: dict[str, float] = {}
    rounds = max(stage.rounds for stage in training.plan.stages)
    starts = STARTS | ({REAL: Mix(0, 0, 1)} if training.plan.given.real else {})
    for name, mix in starts.items():
        dressed = run_people(training, people, count, batch, rounds=0, mix=mix)
        whole = _means((_errors(training, *pair) for pair in dressed), count)
        moved = run_people(training, people, count, batch, rounds=rounds, mix=mix)
        after = _means((_errors(training, *pair) for pair in moved), count)
        values |= {f"{name}.{key}": whole[key] for key in _OF_SURFACE}
        values |= {f"{name}.given_{key}": whole[key] for key in ("joints_mm", "joints_pa_mm", "vertices_mm")}
        values |= {f"{name}.{key}": after[key] for key in ("joints_mm", "joints_pa_mm", "vertices_mm")}
        values |= {f"{name}.moved_{key}": after[key] for key in ("normals", "surface_mm")}
    return values


@torch.no_grad()
def run_people(
    training: Training, people: People, count: int, batch: int, *, rounds: int | None = None, mix: Mix | None = None
) -> Iterator[tuple[NetworkBatch, MuNetOutput]]:
    """Run the networks in evaluation mode over the first people of the split "val"."""
    if rounds is None:
        rounds = max(stage.rounds for stage in training.plan.stages)
    training.net.eval()
    for start in range(0, count, batch):
        found = people("val", list(range(start, min(start + batch, count))))
        prepared = training.prepare(found, Views(size=32, sides=(0,)), _ERRORS, mix, "val")
        with training.autocast():
            output: MuNetOutput = training.net(training.topology, prepared.inputs, rounds)
        yield prepared, output


def _means(errors: Iterator[dict[str, Tensor]], count: int) -> dict[str, float]:
    sums: dict[str, Tensor] = {}
    for values in errors:
        for name, value in values.items():
            sums[name] = sums.get(name, value.new_zeros(())) + value.sum()
    return {name: float(value) / count for name, value in sums.items()}


def _errors(training: Training, batch: NetworkBatch, output: MuNetOutput) -> dict[str, Tensor]:
    found, wanted = (training.regressor @ body for body in (output.body, batch.targets.body))
    joints = (found - found[:, :1]) - (wanted - wanted[:, :1])
    vertices = (output.body - found[:, :1]) - (batch.targets.body - wanted[:, :1])
    maps = training.net.maps_of_body(training.topology, batch.inputs, output.body, output.camera)
    return {
        "joints_mm": joints.norm(dim=-1).mean(1) * _MILLIMETRES,
        "joints_pa_mm": _after_alignment(found, wanted),
        "vertices_mm": vertices.norm(dim=-1).mean(1) * _MILLIMETRES,
        "normals": _normal_error(output.normals.float(), batch.targets.normals),
        "body_normals": _normal_error(maps[:, :6], batch.targets.normals),
        "normals_on_body": _normal_error(output.normals.float(), batch.targets.normals, maps[:, :6]),
        "body_normals_on_body": _normal_error(maps[:, :6], batch.targets.normals, maps[:, :6]),
        "surface_mm": _distance(training, output.surface, batch),
        "body_mm": _distance(training, output.body, batch),
    }


def _after_alignment(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean distance (B,) of joints in millimetres after a similarity alignment of each person (PA-MPJPE)."""
    errors = []
    for one, other in zip(found.cpu().double().numpy(), wanted.cpu().double().numpy(), strict=True):
        aligned = procrustes(one, other).apply(one)
        errors.append(float(np.linalg.norm(aligned - other, axis=1).mean()) * _MILLIMETRES)
    return found.new_tensor(errors)


def _distance(training: Training, surface: Tensor, batch: NetworkBatch) -> Tensor:
    """Mean of both directions (B,) in millimetres, from points drawn evenly on the surface."""
    generator = torch.Generator(surface.device).manual_seed(0)
    points, _ = sample_surface(surface.float(), training.topology.faces, _SAMPLES, generator)
    return chamfer(points, batch.targets.surface_points).total / 2 * _MILLIMETRES


def _normal_error(found: Tensor, wanted: Tensor, within: Tensor | None = None) -> Tensor:
    """Mean 1 - cosine (B,) over the pixels of the true surface, front and back; only those of other maps with them."""
    errors = []
    also = wanted if within is None else within
    for one, other, third in zip(found.chunk(2, 1), wanted.chunk(2, 1), also.chunk(2, 1), strict=True):
        inside = ((other.norm(dim=1) > 0.5) & (third.norm(dim=1) > 0.5)).float()
        cosine = torch.nn.functional.cosine_similarity(one, other, dim=1)
        errors.append(((1 - cosine) * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1))
    return torch.stack(errors).mean(0)
