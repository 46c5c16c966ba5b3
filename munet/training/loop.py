"""The state of a training and its single step.

Everything random in a step comes from the plan's seed and the step's number, so that weights, optimiser and the number
are all that a training continues from.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.errors import InvalidInputError, MunetError
from munet.lifting.lift import load_lifter
from munet.losses import Views, total_loss
from munet.network import MuNet, MuNetOutput, Topology, create_munet, network_topology
from munet.network.joints import joint_regressor
from munet.training.checkpoint import Checkpoint
from munet.training.data.generate import TrainingBatch
from munet.training.data.splits import Split
from munet.training.fitted import KeptFits
from munet.training.given import Mix, given_bodies
from munet.training.lifted import opinions
from munet.training.moments import shorten_moments
from munet.training.network_batch import NetworkBatch, network_batch
from munet.training.objective import StagedNet, not_finite, set_trained
from munet.training.parallel import Team
from munet.training.people import Ahead, indices_of
from munet.training.stages import (
    Place,
    Plan,
    check_plan,
    config_of,
    losses_of,
    place_of,
    plan_to_dict,
    rate_of,
    views_of,
)

_MOMENTS = ("exp_avg", "exp_avg_sq")


class TrainingError(MunetError):
    """A training that can not go on."""

    code = "TRAINING"
    default_hint = "Continue from the last checkpoint with another plan, for instance a lower --rate in a new folder."


class Training:
    """Weights, optimiser and step of a training."""

    def __init__(
        self,
        plan: Plan,
        model: BodyModel,
        team: Team,
        *,
        micro: int = 0,
        topology: Topology | None = None,
        start: MuNet | None = None,
        fits: KeptFits | None = None,
    ) -> None:
        """Build the networks.

        Args:
            plan: of the training.
            model: body model that the data are made with.
            team: of this process.
            micro: people that a process works on at once; 0 means its whole share of a batch. Gradients of the pieces
                are added up.
            topology: of the networks' graph, if it is made already.
            start: networks whose weights the training begins with, instead of random ones.
            fits: real fits of the people, which the plan's share of them start from.

        Raises:
            InvalidInputError: the plan is out of range, the batch can not be cut like this, the networks to begin with
                are of another configuration, or there are no fits to start from.
        """
        check_plan(plan)
        if plan.given.real and fits is None:
            raise InvalidInputError("There are no fits to start from.", detail=f"wanted for {plan.given.real:.0%}")
        share = plan.batch // team.size
        self._pieces = max(share // micro, 1) if micro else 1
        if plan.batch % (self._pieces * team.size):
            raise InvalidInputError(
                "The batch can not be shared evenly.",
                detail=f"found {plan.batch} people, {team.size} processes and pieces of {micro}",
            )
        self.plan, self.team = plan, team
        self.model = model.to(team.device)
        made = topology or network_topology(model.to("cpu"), config_of(plan))
        self.topology = made.to(team.device)
        self.regressor: Tensor = joint_regressor(self.model, self.topology)
        self.config = config_of(plan)
        if start is not None and start.config != self.config:
            raise InvalidInputError(
                "The weights to begin with belong to another configuration.",
                detail=f"expected {plan.config} as it is now, found {start.config.name}",
            )
        self.net = create_munet(self.config, plan.seed).to(team.device)
        if start is not None:
            self.net.load_state_dict(start.state_dict())
        self._fits = fits
        self._lifter = load_lifter().to(team.device)
        self.step = 0
        self.seconds = 0.0
        self._enter()

    @property
    def done(self) -> bool:
        """Whether all stages are complete."""
        return self.step >= self.plan.steps

    @property
    def place(self) -> Place:
        """Where the next step lies."""
        return place_of(self.plan, self.step)

    def advance(self, people: Ahead) -> dict[str, float]:
        """Take one step.

        Returns:
            The mean of every loss term, their weighted sum "total" and the gradient's norm "gradient".

        Raises:
            TrainingError: a result, a loss or the gradient is not finite.
        """
        place = self.place
        self.net.train()
        if self.net.pose_network is not None:
            # No dropout: what is random in a step follows from its number.
            self.net.pose_network.eval()
        for group in self._optimiser.param_groups:
            group["lr"] = rate_of(place, self.plan.floor)
        self._optimiser.zero_grad(set_to_none=True)
        sums: dict[str, float] = {}
        for piece in range(self._pieces):
            for name, value in self._learn(people, place, piece).items():
                sums[name] = sums.get(name, 0.0) + value / self._pieces
        norm = torch.nn.utils.clip_grad_norm_(list(self._trained.values()), self.plan.clip)
        self._require_finite({"gradient": float(norm)})
        self._optimiser.step()
        shorten_moments(self._optimiser, self._random(self.step, -1))
        self.step += 1
        if self.place.number != place.number:
            self._enter()
        return sums | {"gradient": float(norm)}

    def prepare(
        self, batch: TrainingBatch, views: Views, number: int, mix: Mix | None = None, split: Split = "train"
    ) -> NetworkBatch:
        """A batch as networks and losses take it.

        Args:
            batch: of people.
            views: of the silhouettes.
            number: decides the errors of the bodies to start from, together with the plan's seed.
            mix: of those; the plan's without it.
            split: that the people are of.
        """
        given, opinion, seed = None, None, (self.plan.seed, number)
        if "opinion" in self.config.body.evidence:
            opinion = opinions(batch, self.model, self._lifter)
        if self.config.body.given:
            fits = None if self._fits is None else self._fits.of(split, batch)
            given = given_bodies(batch, self.model, self.topology, self._lifter, mix or self.plan.given, seed, fits)
        return network_batch(
            batch,
            self.model,
            self.topology,
            views,
            with_depth=self.plan.with_depth,
            given=given,
            dressed="dressed" not in self.plan.without and self.place.stage.name != "body",
            opinion=opinion,
        )

    def autocast(self) -> torch.autocast:
        """The precision of the networks."""
        return torch.autocast(self.team.device.type, torch.bfloat16, enabled=self.plan.bfloat16)

    def state(self) -> Checkpoint:
        """Everything that the next step depends on."""
        tensors = {f"net.{name}": value.detach() for name, value in self.net.state_dict().items()}
        for name, parameter in self._trained.items():
            for key, value in self._optimiser.state.get(parameter, {}).items():
                tensors[f"adam.{key}.{name}"] = value.bfloat16() if key in _MOMENTS else value
        facts = {"plan": plan_to_dict(self.plan), "step": self.step, "seconds": self.seconds}
        return Checkpoint(tensors, facts)

    def load(self, checkpoint: Checkpoint) -> None:
        """Continue from what :meth:`state` returned.

        Raises:
            InvalidInputError: the checkpoint belongs to another plan.
        """
        self._require_plan(checkpoint.facts["plan"])
        tensors = checkpoint.tensors
        self.net.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("net.")})
        self.step, self.seconds = int(checkpoint.facts["step"]), float(checkpoint.facts["seconds"])
        self._enter()
        for name, parameter in self._trained.items():
            if f"adam.step.{name}" in tensors:
                moments = {key: tensors[f"adam.{key}.{name}"].float().to(parameter.device) for key in _MOMENTS}
                self._optimiser.state[parameter] = {"step": tensors[f"adam.step.{name}"]} | moments

    def _enter(self) -> None:
        """Begin the stage of the next step: its networks learn, the optimiser remembers nothing."""
        self._trained = set_trained(self.net, self.place.stage)
        self._optimiser = torch.optim.Adam(self._trained.values(), lr=rate_of(self.place, self.plan.floor))
        self._module = self.team.wrap(StagedNet(self.net, self.topology, apart=self.plan.apart))

    def _learn(self, people: Ahead, place: Place, piece: int) -> dict[str, float]:
        part = piece * self.team.size + self.team.rank
        indices, following = self._indices(self.step, piece), self._following(piece)
        people_now = self._thinned(people.take(indices, following))
        batch = self.prepare(people_now, views_of(self.plan, place.step), self.step)
        with self.autocast():
            output = cast("MuNetOutput", self._module(place.stage, batch, place.rounds))
        self._require_results(output)
        found = total_loss(
            output,
            batch.targets,
            self.topology,
            self.regressor,
            losses_of(self.plan, place),
            self._random(self.step, part),
        )
        names, values = zip(*found.terms.items(), strict=True)
        terms = self.team.mean(torch.stack([*values, found.total.detach()])).tolist()
        losses = dict(zip((*names, "total"), terms, strict=True))
        self._require_finite(losses)
        (found.total / self._pieces).backward()  # type: ignore[no-untyped-call]
        return losses

    def _thinned(self, batch: TrainingBatch) -> TrainingBatch:
        """Fewer points of the true surfaces, where the plan says so: they are in random order."""
        few = self.plan.truth_points
        if not few:
            return batch
        return replace(
            batch, surface_points=batch.surface_points[:, :few], surface_normals=batch.surface_normals[:, :few]
        )

    def _indices(self, step: int, piece: int) -> list[int]:
        part = piece * self.team.size + self.team.rank
        return indices_of(self.plan, step, part, self._pieces * self.team.size)

    def _following(self, piece: int) -> list[int]:
        last = piece + 1 == self._pieces
        return self._indices(self.step + last, 0 if last else piece + 1)

    def _random(self, step: int, part: int) -> torch.Generator:
        mixed = np.random.SeedSequence([self.plan.seed, step, part + 1]).generate_state(1, np.uint64)[0]
        return torch.Generator(self.team.device).manual_seed(int(mixed >> np.uint64(1)))

    def _require_results(self, output: MuNetOutput) -> None:
        if name := not_finite(output):
            raise self._stopped(f"the networks' {name} is not finite")

    def _require_finite(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise self._stopped(f"{name} is {value}")

    def _stopped(self, why: str) -> TrainingError:
        return TrainingError(f"Training stopped at step {self.step} (stage {self.place.stage.name}): {why}.")

    def _require_plan(self, found: dict[str, Any]) -> None:
        wanted = plan_to_dict(self.plan)
        # Options that came after the checkpoint have their defaults.
        found = plan_to_dict(Plan(self.plan.config, (), self.plan.batch)) | found
        differing = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
        if differing:
            pairs = ", ".join(f"{n}: expected {wanted.get(n)}, found {found.get(n)}" for n in differing)
            raise InvalidInputError(
                "The checkpoint belongs to another plan.",
                detail=pairs,
                hint="Give the options that it was begun with, or choose another folder.",
            )
