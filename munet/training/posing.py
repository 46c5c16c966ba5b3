"""The pose network learns from evidence that is gathered once: of training people and their real fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.tree import JOINTS, TURNED, with_hands
from munet.evaluation.alignment import procrustes
from munet.fitting.body_points import BodyPoints
from munet.lifting.network import LifterNet
from munet.losses import Views
from munet.network.evidence import Evidence, gather
from munet.network.mirror import mirrored
from munet.network.munet import MuNet
from munet.network.opinion import Opinion
from munet.network.pose_network import PoseNetwork
from munet.network.rig import GivenPose, GraphRig, moved_joints
from munet.network.topology import Topology
from munet.training.data.generate import TrainingBatch
from munet.training.data.splits import Split
from munet.training.fitted import Fits, KeptFits
from munet.training.given import Mix, given_bodies
from munet.training.lifted import lifted_bodies, opinions
from munet.training.lifting.losses import aligned_distance
from munet.training.network_batch import network_batch
from munet.training.people import People
from munet.training.pose_batch import pose_batch

_MILLIMETRES = 1000.0
_VIEWS = Views(size=16, sides=(0,))
_AT_ONCE = 32
# Metres of a joint weigh as much as this, as they are and after alignment, beside the length of the difference of
# rotations and squared betas.
_JOINTS, _ALIGNED, _TURNS, _BETAS = 3.0, 4.0, 0.5, 0.02


@dataclass(frozen=True)
class Cases:
    """N bodies with what a picture says about them and how they should stand.

    Attributes:
        evidence: about the given bodies.
        given: pose of them.
        wanted: pose of the truth.
    """

    evidence: Evidence
    given: GivenPose
    wanted: GivenPose

    def __len__(self) -> int:
        """Number of bodies."""
        return len(self.given.betas)

    def pick(self, rows: Tensor | slice) -> Cases:
        """Some of them."""
        return Cases(*(type(part)(**{f.name: getattr(part, f.name)[rows] for f in fields(part)}) for part in _of(self)))


def _of(cases: Cases) -> tuple[Any, ...]:
    return cases.evidence, cases.given, cases.wanted


def tensors_of(cases: Cases) -> dict[str, Tensor]:
    """Cases as named tensors, to be kept in a file."""
    return {
        f"{number}.{f.name}": getattr(part, f.name).contiguous()
        for number, part in enumerate(_of(cases))
        for f in fields(part)
    }


def cases_of(tensors: dict[str, Tensor]) -> Cases:
    """Undo :func:`tensors_of`."""
    parts = [
        kind(**{f.name: tensors[f"{number}.{f.name}"] for f in fields(kind)})
        for number, kind in enumerate((Evidence, GivenPose, GivenPose))
    ]
    return Cases(*parts)


def together(cases: list[Cases]) -> Cases:
    """All of several."""
    parts = [
        type(group[0])(**{f.name: torch.cat([getattr(one, f.name) for one in group]) for f in fields(group[0])})
        for group in zip(*(_of(case) for case in cases), strict=True)
    ]
    return Cases(*parts)


@dataclass(frozen=True)
class Gatherer:
    """What evidence is made of.

    Attributes:
        net: whose normal network looks at people, if its evidence has normals.
        model: the body model.
        points: its points for the fit.
        topology: of the networks' graph.
        lifter: the pose network of landmarks.
        seed: of the people and of a detector's errors.
    """

    net: MuNet
    model: BodyModel
    points: BodyPoints
    topology: Topology
    lifter: LifterNet
    seed: int = 0


@torch.no_grad()
def gather_cases(
    tools: Gatherer, people: People, split: Split, numbers: range, fits: KeptFits | None = None
) -> Iterator[Cases]:
    """Evidence about people of a split, a few at a time; whoever has no body to start from is left out.

    Args:
        tools: of the evidence.
        people: gives them.
        split: theirs.
        numbers: of them.
        fits: of them, the bodies to start from; None starts where a fit would.
    """
    tools.net.eval()
    for start in range(numbers.start, numbers.stop, _AT_ONCE):
        batch: TrainingBatch = people(split, list(range(start, min(start + _AT_ONCE, numbers.stop))))
        bodies = lifted_bodies(tools.points, tools.lifter, batch, tools.seed) if fits is None else fits.of(split, batch)
        opinion = opinions(batch, tools.model, tools.lifter)
        evidence, given, wanted = _looked_at(tools, batch, bodies, opinion)
        if evidence is not None:
            yield Cases(evidence, given, wanted).pick(bodies.good)


def _looked_at(
    tools: Gatherer, batch: TrainingBatch, bodies: Fits, opinion: Opinion
) -> tuple[Evidence | None, GivenPose, GivenPose]:
    kinds, rig = tools.net.config.body.evidence, tools.topology.rig
    if "normals" not in kinds and rig is not None:
        inputs, wanted = pose_batch(batch, tools.model, bodies, opinion)
        if inputs.pose is not None and inputs.camera is not None:
            found = gather(kinds, rig, inputs, inputs.pose, inputs.pose.joints, inputs.camera, None, None)
            return found, inputs.pose, wanted
    mix = Mix(0, 0, 1)
    given = given_bodies(batch, tools.model, tools.topology, tools.lifter, mix, (tools.seed, 0), bodies)
    prepared = network_batch(batch, tools.model, tools.topology, _VIEWS, given=given, opinion=opinion)
    with torch.autocast(batch.image.device.type, torch.bfloat16):
        return tools.net.evidence_of(tools.topology, prepared.inputs), given.pose, prepared.pose


@dataclass(frozen=True)
class PosingPlan:
    """How the pose network learns.

    Attributes:
        epochs: passes over all cases, each with its mirror image.
        batch: cases of a step.
        rate: learning rate at the beginning; it falls as a cosine.
        decay: of the weights (AdamW).
        seed: of order and dropout.
    """

    epochs: int = 40
    batch: int = 128
    rate: float = 1e-3
    decay: float = 0.05
    seed: int = 0


def learn_pose(
    network: PoseNetwork,
    kinds: tuple[str, ...],
    rig: GraphRig,
    cases: Cases,
    plan: PosingPlan,
    report: Callable[[int, float], None],
) -> None:
    """Train in place; the same plan and cases give the same weights.

    Args:
        network: new.
        kinds: of evidence, as the network has them.
        rig: of the graph.
        cases: to learn from.
        plan: of it.
        report: called after each pass with its number and mean loss.
    """
    both = together([cases, mirrored_cases(kinds, cases)])
    network.measure(both.evidence)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.decay)
    steps = plan.epochs * (len(both) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=max(steps, 1), pct_start=0.05)
    random = torch.Generator().manual_seed(plan.seed)
    network.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        for epoch in range(plan.epochs):
            order, total = torch.randperm(len(both), generator=random), 0.0
            for start in range(0, len(both) - plan.batch + 1, plan.batch):
                loss = _loss(network, rig, both.pick(order[start : start + plan.batch]))
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                total += float(loss.detach())
            report(epoch + 1, total / max(len(both) // plan.batch, 1))
    network.eval()


def mirrored_cases(kinds: tuple[str, ...], cases: Cases) -> Cases:
    """The same people in a mirror."""
    return mirrored(kinds, cases.evidence, cases.given, cases.wanted, Cases)


def turned_cases(network: PoseNetwork, rig: GraphRig, cases: Cases) -> GivenPose:
    """Poses after the network has turned the joints, in training without the mirror; landmarks stay where they were."""
    turns, betas = network(cases.evidence) if network.training else network.both_ways(cases.evidence)
    full = with_hands(turns)
    joints = moved_joints(rig, cases.given, full, full @ cases.given.turns, betas)
    return replace(cases.given, turns=full @ cases.given.turns, joints=joints, betas=cases.given.betas + betas)


def _loss(network: PoseNetwork, rig: GraphRig, cases: Cases) -> Tensor:
    found, wanted = turned_cases(network, rig, cases), cases.wanted
    joints = (found.joints - wanted.joints).norm(dim=-1).mean()
    turns = (found.turns - wanted.turns)[:, :TURNED].square().sum((-1, -2)).add(1e-6).sqrt().mean()
    aligned = aligned_distance(found.joints, wanted.joints).mean()
    loss: Tensor = (
        _JOINTS * joints + _ALIGNED * aligned + _TURNS * turns + _BETAS * (found.betas - wanted.betas).square().mean()
    )
    return loss


@torch.no_grad()
def errors(network: PoseNetwork | None, rig: GraphRig, cases: Cases) -> dict[str, NDArray[np.float64]]:
    """Joint errors (N,) in millimetres at the pelvis and after Procrustes, and squared error of the betas.

    Args:
        network: None measures the given bodies.
        rig: of the graph.
        cases: whose truth is known.
    """
    found = cases.given if network is None else turned_cases(network, rig, cases)
    apart = (found.joints - cases.wanted.joints).norm(dim=-1).mean(1) * _MILLIMETRES
    aligned = [
        float(np.linalg.norm(procrustes(one, other).apply(one) - other, axis=1).mean()) * _MILLIMETRES
        for one, other in zip(
            found.joints.double().numpy()[:, :JOINTS], cases.wanted.joints.double().numpy(), strict=True
        )
    ]
    return {
        "joints_mm": apart.double().numpy(),
        "joints_pa_mm": np.array(aligned),
        "betas": (found.betas - cases.wanted.betas).square().mean(1).double().numpy(),
    }
