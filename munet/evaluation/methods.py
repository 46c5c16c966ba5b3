"""Ways to a body and a surface that the ablations compare, each on one generated person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from munet.body.model import BodyModel
from munet.evaluation.alignment import Array
from munet.evaluation.datasets.synthetic import Observed
from munet.evaluation.person_errors import (
    TrueSurface,
    body_errors,
    map_error,
    mesh_errors,
    probed_truth,
    rendered_normals,
)
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.fit import finish, fit_body, prepare
from munet.fitting.guess import PoseGuess
from munet.fitting.prior import load_pose_prior
from munet.fitting.result import BodyFit
from munet.lifting.lift import guess_poses
from munet.lifting.network import LifterNet
from munet.lifting.start import start_from
from munet.settings import Settings
from munet.surface.dress import dress

Errors = dict[str, float]
BASE = "base"
SURFACES = " surfaces"
"""What the names of groups of surfaces end with."""


class Learned(Protocol):
    """The methods of a training."""

    def bodies(self, tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
        """Errors of bodies, by the method's name."""

    def surfaces(self, tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
        """Errors of surfaces, by the method's name."""


@dataclass(frozen=True)
class Bodies:
    """The bodies of one person that need no picture.

    Attributes:
        alone: fit from the closed-form start.
        lifted: of the pose network, without a fit.
        fit: that listens to the pose network, as in the product.
        truth: the true surface to compare with, where surfaces are asked for.
    """

    alone: BodyFit
    lifted: BodyFit
    fit: BodyFit
    truth: TrueSurface | None = None


@dataclass(frozen=True)
class Tools:
    """What is loaded once.

    Attributes:
        body: the default body.
        points: its points for the fit.
        lifter: the pose network.
        settings: of fit and surface.
        networks: methods of trained networks, by a name that tells training and weights.
    """

    body: BodyModel
    points: BodyPoints
    lifter: LifterNet
    settings: Settings
    networks: Mapping[str, Learned] = field(default_factory=dict)

    @classmethod
    def prepare(cls, body: BodyModel, lifter: LifterNet) -> Tools:
        """Make the tools without trained networks."""
        return cls(body, make_body_points(body), lifter, Settings())


def measure_person(tools: Tools, person: Observed, groups: Sequence[str]) -> dict[str, dict[str, Errors]]:
    """Errors of the methods of some groups on one person, by group and method.

    Args:
        tools: of :func:`groups_of`.
        person: one of a generated split.
        groups: names of :func:`groups_of`.

    Raises:
        MunetError: the person can not be fitted.
    """
    bodies = find_bodies(tools, person)
    if any(group.endswith(SURFACES) for group in groups):
        bodies = replace(bodies, truth=probed_truth(person))
    every: dict[str, Callable[[Tools, Observed, Bodies], dict[str, Errors]]] = {
        BASE: _bodies_without_networks,
        BASE + SURFACES: _surfaces_without_networks,
    }
    for name, learned in tools.networks.items():
        every |= {name: learned.bodies, name + SURFACES: learned.surfaces}
    return {group: every[group](tools, person, bodies) for group in groups}


def groups_of(tools: Tools, *, surfaces: bool = True) -> tuple[str, ...]:
    """Methods that share what they need: those without MuNet's networks, and those of each training."""
    names = (BASE, *tools.networks)
    return (*names, *(name + SURFACES for name in names)) if surfaces else names


def _bodies_without_networks(_: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
    return {
        "fit": fit_errors(bodies.alone, person),
        "lifter": fit_errors(bodies.lifted, person),
        "fit+lifter": fit_errors(bodies.fit, person),
    }


def _surfaces_without_networks(tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
    dressed = dress(tools.body, bodies.fit, person.person, tools.settings)
    return {
        "body": surface_errors_of(tools, person, bodies, bodies.fit.vertices_cam),
        "mask": surface_errors_of(tools, person, bodies, dressed.vertices_cam),
    }


def find_bodies(tools: Tools, person: Observed) -> Bodies:
    """Fit and lift; who shows too few landmarks to the pose network is fitted without it."""
    seen, photo = person.person, person.photo
    guesses = guess_poses(tools.lifter, seen, photo)
    alone = fit_body(tools.body, seen, photo, tools.settings)
    if not guesses:
        return Bodies(alone, alone, alone)
    fit = fit_body(tools.body, seen, photo, tools.settings, guesses)
    return Bodies(alone, lifted_body(tools, person, guesses[0]), fit)


def lifted_body(tools: Tools, person: Observed, guess: PoseGuess) -> BodyFit:
    """The body of a guess, placed where its landmarks meet the picture, without a fit."""
    objective, _ = prepare(tools.points, person.person, person.photo, load_pose_prior())
    state = replace(start_from(guess, objective), betas=guess.betas)
    return finish(tools.body, tools.points, state, person.person, objective)


def fit_errors(fit: BodyFit, person: Observed) -> Errors:
    """Errors of a fitted body."""
    return body_errors(fit.joints_cam.astype(np.float64), fit.vertices_cam.astype(np.float64), person)


def surface_errors_of(
    tools: Tools,
    person: Observed,
    bodies: Bodies,
    vertices_cam: NDArray[np.floating],
    fit: BodyFit | None = None,
) -> Errors:
    """Errors of a surface of the body's topology (V, 3) and of its normal maps.

    Args:
        tools: body.
        person: whose surface it should be.
        bodies: of the person, with the true surface.
        vertices_cam: the surface.
        fit: the body it stands on; the product's without.
    """
    stands = fit or bodies.fit
    faces, vertices = tools.body.faces.cpu().numpy(), np.asarray(vertices_cam, np.float64)
    maps = map_error(*rendered_normals(vertices, faces, stands.camera), person)
    joints: Array = stands.joints_cam.astype(np.float64)
    return mesh_errors(vertices, faces, joints, person, bodies.truth) | {"normal_maps": maps}
