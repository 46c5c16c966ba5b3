"""One person before the trained networks: what of their answer the product takes over.

How much is taken was decided on the split "val" of the generated people (docs/ablations.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.fitting.result import BodyFit
from munet.learned.body_step import follow
from munet.learned.networks import Networks
from munet.network.infer import NetworkResult, move_person, refine_person
from munet.perception.observation import PersonObservation, Photo
from munet.settings import Settings
from munet.surface.dress import Prediction

FOLLOW_BODY = True
"""Whether the networks' body enters the fit."""
ROUNDS = 1
"""How often G_v moves the body: its pose step was trained on fits, not on its own results."""
DISTRUST = 0.02
"""Share of the person's height by which the landmarks may fit worse than before; beyond it the fit stays as it was."""
_THIGHS = [1, 2]
"""Joints without which the networks do not know how far a person leans: cut at the waist, people were leant back."""
SURFACE_SHARE = 1.0
"""Share of the networks' displacement that clothes are expected to stand off."""
USE_NORMALS = False
"""Whether the surface follows the networks' normals: they show no folds yet, and along arms and trunk they hold the
difference of two outlines instead. Folds come from a network of their own (munet/folds)."""


@dataclass(frozen=True)
class Learned:
    """What the networks add to one person.

    Attributes:
        fit: the body, corrected where the networks are followed.
        result: the networks' answer over that body.
    """

    fit: BodyFit
    result: NetworkResult


def consult(
    networks: Networks, fit: BodyFit, observation: PersonObservation, photo: Photo, settings: Settings
) -> Learned:
    """Show a fitted person to the networks.

    They move the body of whoever shows both thighs; people cut at the waist keep their fit.

    Args:
        networks: for the body model of the fit.
        fit: the fitted body.
        observation: of the person.
        photo: the picture.
        settings: rounds of body and normals where the body is followed.

    Raises:
        ModelMissingError: the networks' weights are absent or damaged.
    """
    product, points = networks.load()
    model = networks.body
    if FOLLOW_BODY and shows_thighs(fit):
        moved = move_person(product, model, observation, photo, fit, min(settings.network_rounds, ROUNDS))
        fit = trusted(fit, follow(model, points, fit, moved, observation, photo))
    return Learned(fit, refine_person(product, model, observation, photo, fit, 0))


def shows_thighs(fit: BodyFit) -> bool:
    """Whether the photo shows how far a person leans."""
    return bool(fit.seen[_THIGHS].all())


def trusted(before: BodyFit, after: BodyFit) -> BodyFit:
    """The fit that follows the networks, or the one before where landmarks speak against them."""
    return after if after.landmark_error <= before.landmark_error + DISTRUST else before


def prediction_of(learned: Learned) -> Prediction:
    """The surface that the mask is to meet."""
    return Prediction(displaced(learned, SURFACE_SHARE), learned.result.vertex_normals_cam if USE_NORMALS else None)


def displaced(learned: Learned, share: float) -> NDArray[np.float32]:
    """The body moved by a share of the networks' displacement: (V, 3) metres, camera frame."""
    body = learned.fit.vertices_cam
    return np.asarray(body + share * (learned.result.surface_vertices_cam - body), np.float32)
