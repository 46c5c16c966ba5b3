"""Cloth that closes the gap between the legs: when it is believed, and what becomes of the legs."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from surface_scenes import CAMERA, make_fit, observe

from munet.body.model import BodyModel
from munet.body.skinning import blend, pose_body
from munet.fitting.result import BodyFit
from munet.settings import Settings
from munet.surface.anatomy import Anatomy
from munet.surface.dress import Prediction, dress
from munet.surface.operators import vertex_normals
from munet.surface.result import ClothedSurface
from munet.surface.silhouette import draw, make_view, sketch
from munet.surface.skirt import Legs, find_hem, find_legs

HEM = 0.6


@dataclass(frozen=True)
class Skirted:
    """Somebody with parted legs in a skirt as a trapezium of the mask."""

    fit: BodyFit
    legs: Legs
    mask: NDArray[np.float32]
    predicted: NDArray[np.float32]
    surface: ClothedSurface


@pytest.fixture(scope="module")
def skirted(model: BodyModel, anatomy: Anatomy) -> Skirted:
    fit = make_fit(
        model,
        left_shoulder=(0, 0, -0.5), right_shoulder=(0, 0, 0.5),
        left_hip=(0, 0, 0.17), right_hip=(0, 0, -0.17),
    )  # fmt: skip
    legs = find_legs(model.template.numpy().astype(float), model.joint_template.numpy().astype(float), anatomy.folded)
    body = fit.vertices_cam.astype(np.float64)
    cloth = 0.12 * (legs.along < HEM) * legs.share
    predicted = body + cloth[:, None] * vertex_normals(body, model.faces.numpy())
    mask = draw(CAMERA, body, model.faces.numpy()).astype(np.float32)
    cv2.fillConvexPoly(mask, skirt_corners(fit).round().astype(np.int32), 1.0)
    surface = dress(model, fit, observe(mask), Settings("draft"), Prediction(predicted))
    return Skirted(fit, legs, mask, predicted.astype(np.float32), surface)


def on_leg(fit: BodyFit, leg: int, along: float) -> NDArray[np.float64]:
    chain = fit.joints_cam[[1 + leg, 4 + leg, 7 + leg]]
    return np.array([np.interp(along, (0, 0.5, 1), chain[:, axis]) for axis in range(3)])


def skirt_corners(fit: BodyFit) -> NDArray[np.float32]:
    points = [on_leg(fit, leg, along) for leg, along in ((0, 0.0), (0, HEM), (1, HEM), (1, 0.0))]
    out = np.array([0.12, 0.20, -0.20, -0.12])
    return CAMERA.project(np.array(points) + np.stack([out, 0 * out, 0 * out], 1))


def hem_of(model: BodyModel, scene: Skirted, mask: NDArray[np.float32], expected: NDArray[np.float64]) -> float:
    body = scene.fit.vertices_cam.astype(np.float64)
    view = make_view(CAMERA, mask, body)
    own = sketch(view.camera, body, model.faces.numpy())
    return find_hem(view, own, scene.fit.joints_cam.astype(np.float64), scene.legs, expected)


def filled_to_the_feet(scene: Skirted) -> NDArray[np.float32]:
    points = [on_leg(scene.fit, leg, along) for leg, along in ((0, 0.0), (0, 1.0), (1, 1.0), (1, 0.0))]
    return cv2.fillConvexPoly(scene.mask.copy(), CAMERA.project(np.array(points)).round().astype(np.int32), 1.0)


def test_a_skirt_needs_both_witnesses(model: BodyModel, skirted: Skirted) -> None:
    """Expected cloth between which the photo shows background is wide trousers; a filled gap alone may be anything."""
    expected = 0.12 * (skirted.legs.along < HEM)
    bare = draw(CAMERA, skirted.fit.vertices_cam.astype(np.float64), model.faces.numpy()).astype(np.float32)
    assert abs(hem_of(model, skirted, skirted.mask, expected) - HEM) < 0.06
    assert hem_of(model, skirted, bare, expected) == 0
    assert hem_of(model, skirted, skirted.mask, 0 * expected) == 0
    assert hem_of(model, skirted, skirted.mask, 0.02 + 0 * expected) == 0
    assert hem_of(model, skirted, filled_to_the_feet(skirted), 0.10 + 0 * expected) == 0, "wide trousers"
    assert hem_of(model, skirted, filled_to_the_feet(skirted), 0.17 + 0 * expected) > 0.9


def test_the_gap_is_closed_down_to_the_hem(model: BodyModel, skirted: Skirted) -> None:
    own = draw(CAMERA, skirted.surface.vertices_cam.astype(np.float64), model.faces.numpy())
    for along, closed in ((0.25, True), (0.45, True), (0.8, False)):
        between = np.linspace(on_leg(skirted.fit, 0, along), on_leg(skirted.fit, 1, along), 40)
        x, y = CAMERA.project(between).astype(int).T
        assert own[y, x].all() == closed
    assert skirted.surface.silhouette_iou >= 0.94


def test_a_step_does_not_tear_it(model: BodyModel, skirted: Skirted) -> None:
    """Front and back of both halves stay together when one leg is lifted."""
    rest = skirted.surface.rest_vertices
    front = (np.abs(rest[:, 0]) < 4e-3) & (skirted.legs.along > 0.2) & (skirted.legs.along < HEM - 0.06)
    halves = [
        np.nonzero(front & (skirted.legs.side == side) & (rest[:, 2] > rest[front, 2].mean()))[0] for side in (1, -1)
    ]
    assert min(len(half) for half in halves) > 5
    for pose in (torch.zeros(1, model.joint_count, 3), step(model)):
        posed = posed_surface(model, skirted.surface, pose)
        left, right = (posed[half[np.argsort(rest[half, 1])]] for half in halves)
        away = [np.linalg.norm(right - point, axis=1).min() for point in left]
        assert np.quantile(away, 0.9) < 0.015


def step(model: BodyModel) -> torch.Tensor:
    pose = torch.zeros(1, model.joint_count, 3)
    pose[0, 1, 0], pose[0, 4, 0] = -0.8, 0.5
    return pose


def posed_surface(model: BodyModel, surface: ClothedSurface, pose: torch.Tensor) -> NDArray[np.float64]:
    with torch.no_grad():
        transforms = pose_body(model, torch.zeros(1, 10), pose).transforms
        weights, rest = torch.from_numpy(surface.weights), torch.from_numpy(surface.rest_vertices)
        return blend(weights, transforms, rest)[0].double().numpy()


def test_nothing_changes_above_the_hips(model: BodyModel, anatomy: Anatomy, skirted: Skirted) -> None:
    alone = dress(model, skirted.fit, observe(skirted.mask), Settings("draft"))
    away = np.linalg.norm(skirted.surface.vertices_cam - alone.vertices_cam, axis=1)
    upper = anatomy.folded[:, [6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]].sum(1) > 0.95
    assert np.median(away[upper]) < 0.002
