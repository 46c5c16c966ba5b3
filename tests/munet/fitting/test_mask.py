"""The mask: its terms' gradients, and what it does for a fit."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from people import HEIGHT, WIDTH, Sitter, likely_rotations, photograph

from munet.body.default import load_default_body
from munet.fitting.body_points import make_body_points
from munet.fitting.fit import fit_body
from munet.fitting.result import BodyFit
from munet.fitting.terms import outline_block, outside_block
from munet.settings import Settings

MODEL = load_default_body()
BODY = make_body_points(MODEL)


def silhouette(fit: BodyFit) -> np.ndarray:
    """Fill every projected face: (H, W) uint8."""
    pixels = fit.camera.project(fit.vertices_cam)[MODEL.faces.numpy()]
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    for triangle in np.round(pixels).astype(np.int32):
        cv2.fillConvexPoly(image, triangle, 1)
    return image


def with_mask(sitter: Sitter, mask: np.ndarray) -> Sitter:
    return replace(sitter, observation=replace(sitter.observation, mask=mask.astype(np.float32)))


def test_gradients_of_both_terms() -> None:
    distance, facing = np.linspace(-0.06, 0.06, 40), np.linspace(-0.5, 0.5, 40)

    def blocks(values: np.ndarray) -> tuple[float, np.ndarray]:
        found = [
            outside_block(values, np.eye(40), 0.01, 0.02),
            outline_block(values, np.eye(40), facing, 0.01, 0.03, 0.015),
        ]
        return sum(b.cost for b in found), sum(b.jacobian.T @ b.residual for b in found)

    steps = 1e-7 * np.eye(40)
    numeric = np.array([(blocks(distance + s)[0] - blocks(distance - s)[0]) / 2e-7 for s in steps])
    np.testing.assert_allclose(blocks(distance)[1], numeric, atol=1e-3)


def test_body_fills_its_own_mask() -> None:
    random = np.random.default_rng(21)
    sitter = photograph(BODY, likely_rotations(random), random, noise=0.0, depth_noise=0.0)
    mask = silhouette(fit_body(MODEL, sitter.observation, sitter.photo, Settings()))
    noisy = photograph(BODY, sitter.state.rotations, random, noise=0.01)
    fitted = silhouette(fit_body(MODEL, with_mask(noisy, mask).observation, noisy.photo, Settings()))
    assert (fitted & mask).sum() / (fitted | mask).sum() > 0.85
    assert (fitted & ~mask & 1).sum() / fitted.sum() < 0.06


def test_a_thing_before_the_person_does_not_bend_the_body() -> None:
    random = np.random.default_rng(22)
    sitter = photograph(BODY, likely_rotations(random), random)
    plain = fit_body(MODEL, sitter.observation, sitter.photo, Settings())
    mask = silhouette(plain)
    rows = slice(HEIGHT // 2, HEIGHT // 2 + 60)
    mask[rows] = 0
    covered = fit_body(MODEL, with_mask(sitter, mask).observation, sitter.photo, Settings())
    moved = np.linalg.norm(covered.joints_cam[:24] - plain.joints_cam[:24], axis=1)
    assert covered.landmark_error < 0.012
    assert np.median(moved) < 0.05
