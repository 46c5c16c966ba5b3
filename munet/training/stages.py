"""What decides the course of a training: its stages, their losses and their rates."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from munet.errors import InvalidInputError
from munet.losses import LossSettings, LossWeights, SurfaceErrorSettings, Views
from munet.network import NetworkConfig
from munet.network.config import CONFIGS
from munet.training.given import Mix

StageName = Literal["body", "surface", "joint"]

# Networks that a stage changes; the others stand still.
TRAINED: dict[StageName, tuple[str, ...]] = {
    "body": ("body_encoder", "body_network", "pose_network"),
    "surface": ("normal_network", "local_encoder", "surface_network"),
    "joint": ("body_encoder", "body_network", "pose_network", "normal_network", "local_encoder", "surface_network"),
}
# Terms that mean something in a stage.
_TERMS: dict[StageName, frozenset[str]] = {
    "body": frozenset({"vertices", "joints", "reprojection", "body_chamfer"}),
    "surface": frozenset({"normal_maps", "surface", "dressed", "edges", "laplacian", "surface_silhouette"}),
    "joint": frozenset(entry.name for entry in fields(LossWeights)),
}
# The surface is useless at first, so its feedback to the body grows with it.
_RAMPED = ("trace", "cloth")
_RAMP = 0.1
_WARM_UP = 200
_LATE_RATE = 0.1
# Front and east.
_IN_TURN = ((0,), (2,))


@dataclass(frozen=True)
class Stage:
    """One stage of a training.

    Attributes:
        name: "body": G_v alone; "surface": normal network, E_l and G_e over true bodies; "joint": everything, with the
            feedback of the surface.
        steps: of the optimiser.
        rate: learning rate of the first half; a tenth in the second.
        rounds: the joint stage predicts the body in turn with 1 to that many rounds.
    """

    name: StageName
    steps: int
    rate: float = 3e-4
    rounds: int = 1


@dataclass(frozen=True)
class Plan:
    """A whole training; two runs of one plan on one machine give the same weights, however often they stop.

    Attributes:
        config: name of the networks' configuration.
        stages: one after another.
        batch: people of a step, over all processes.
        seed: of weights, data and points on surfaces.
        samples: people that are made once and kept, in an order that changes with every pass; 0 makes new ones for
            ever.
        points: surface points of each person.
        with_depth: give the networks the true front depth.
        view_size: edge of the four silhouettes in pixels.
        surface_samples: points drawn on predicted surfaces.
        clip: largest norm of the gradient.
        bfloat16: networks under bfloat16 autocast; losses stay in float32.
        without: loss terms left out, for ablations.
        apart: whether the surface's losses are kept from the body in the stage `joint`, for ablations.
        given: bodies that the networks start from, where their configuration does.
        sides: silhouettes of a step: 4, or 1, front and side in turn (front and back have one outline).
        truth_points: of the true surface that are compared with, 0 for all.
        start: SHA-256 of the file of weights that the training begins with; empty where it begins with random ones.
        floor: learning rate at the end of a stage over that at its beginning, to which it falls as a cosine; 0 for the
            paper's, which is a tenth in the second half.
    """

    config: str
    stages: tuple[Stage, ...]
    batch: int
    seed: int = 0
    samples: int = 0
    points: int = 8192
    with_depth: bool = False
    view_size: int = 96
    surface_samples: int = 5000
    clip: float = 1.0
    bfloat16: bool = False
    without: tuple[str, ...] = ()
    given: Mix = field(default_factory=Mix)
    sides: int = 4
    truth_points: int = 0
    floor: float = 0.0
    start: str = ""
    apart: bool = False

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)


# Adam, 3e-4 then 3e-5, 40 passes over 18 000 pictures in batches of 16 jointly: MuNet, sections 4.1 and 4.2. Lengths of
# the body's stage: GraphCMR's 50 passes. The paper's warm-up of G_e is unknown.
PLANS = {
    "paper": Plan(
        "paper",
        (Stage("body", 56_000), Stage("surface", 10_000), Stage("joint", 45_000)),
        batch=16,
        points=50_000,
        with_depth=True,
        view_size=160,
        surface_samples=20_000,
        without=("dressed",),
    ),
    "small": Plan(
        "small",
        (Stage("surface", 12_000, rate=1e-3), Stage("body", 6_000, rate=1e-3), Stage("joint", 12_000, rounds=2)),
        batch=32,
        points=4096,
        floor=0.02,
    ),
}
PLANS["small-rgb"] = replace(PLANS["small"], config="small-rgb")
# What a CPU core learns in an hour or so: fewer people, one silhouette at a time, fewer points.
CPU = {
    "stages": (Stage("surface", 760, rate=1e-3), Stage("body", 160, rate=1e-3), Stage("joint", 100, rate=5e-4)),
    "batch": 4,
    "view_size": 64,
    "surface_samples": 2000,
    "truth_points": 2048,
    "sides": 1,
    "bfloat16": True,
}


def check_plan(plan: Plan) -> None:
    """Validate a plan.

    Raises:
        InvalidInputError: a name is unknown or a number out of range.
    """
    known = {entry.name for entry in fields(LossWeights)}
    problems = {
        "config": plan.config in CONFIGS,
        "stages": bool(plan.stages) and all(s.steps > 0 and s.rate > 0 and 1 <= s.rounds <= 8 for s in plan.stages),
        "batch": plan.batch > 0,
        "seed": plan.seed >= 0,
        "samples": plan.samples >= 0,
        "clip": plan.clip > 0,
        "without": set(plan.without) <= known,
        "given": min(plan.given.true, plan.given.fitted, plan.given.real) >= 0
        and max(plan.given.true + plan.given.fitted, plan.given.real) <= 1,
        "sides": plan.sides in {1, 4},
        "truth_points": 0 <= plan.truth_points <= plan.points,
        "floor": 0 <= plan.floor < 1,
    }
    wrong = [name for name, good in problems.items() if not good]
    if wrong:
        found = ", ".join(f"{name} = {getattr(plan, name)!r}" for name in wrong)
        raise InvalidInputError("The training's plan is out of range.", detail=f"found {found}")


def scaled(plan: Plan, length: float) -> Plan:
    """The plan with ``length`` times as many steps in every stage, at least 1."""
    return replace(plan, stages=tuple(replace(s, steps=max(round(s.steps * length), 1)) for s in plan.stages))


@dataclass(frozen=True)
class Place:
    """Where a step lies: its stage, and how many steps of the stage come before it."""

    stage: Stage
    number: int
    step: int
    rounds: int = field(default=1)


def place_of(plan: Plan, step: int) -> Place:
    """The place of a step; that of the last step for all later ones.

    Raises:
        InvalidInputError: the plan has no step.
    """
    step = min(step, plan.steps - 1)
    for number, stage in enumerate(plan.stages):
        if step < stage.steps:
            rounds = 1 + step % stage.rounds if stage.name == "joint" else 1
            return Place(stage, number, step, rounds)
        step -= stage.steps
    raise InvalidInputError("A plan needs at least one step.", detail=f"found {plan.steps}")


def rate_of(place: Place, floor: float = 0.0) -> float:
    """Learning rate: warm-up (200 steps, or a tenth of a short stage), constant, a tenth of it in the second half.

    With a floor it falls to that share of itself as a cosine.
    """
    done = place.step / place.stage.steps
    warm_up = max(min(_WARM_UP, _RAMP * place.stage.steps), 1)
    fallen = _LATE_RATE if done >= 0.5 else 1.0
    if floor:
        fallen = floor + (1 - floor) * (0.5 + 0.5 * math.cos(math.pi * done))
    return place.stage.rate * min((place.step + 1) / warm_up, 1.0) * fallen


def losses_of(plan: Plan, place: Place) -> LossSettings:
    """The losses of a step: those of its stage, L_trace and L_cloth growing during the stage's first tenth."""
    grown = min((place.step + 1) / max(_RAMP * place.stage.steps, 1), 1.0)
    usual, kept = LossWeights(), _TERMS[place.stage.name] - set(plan.without)
    weights = {
        entry.name: getattr(usual, entry.name) * (grown if entry.name in _RAMPED else 1.0)
        if entry.name in kept
        else 0.0
        for entry in fields(LossWeights)
    }
    return LossSettings(
        weights=LossWeights(**weights),
        error=SurfaceErrorSettings(samples=plan.surface_samples),
        views=views_of(plan, place.step),
    )


def views_of(plan: Plan, step: int = 0) -> Views:
    """The silhouettes of a step."""
    return Views(size=plan.view_size, sides=_IN_TURN[step % len(_IN_TURN)] if plan.sides == 1 else (0, 1, 2, 3))


def config_of(plan: Plan) -> NetworkConfig:
    """The networks' configuration."""
    return CONFIGS[plan.config]


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """The plan as JSON can hold it."""
    return asdict(plan) | {"stages": [asdict(stage) for stage in plan.stages], "without": list(plan.without)}
