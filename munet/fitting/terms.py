"""Terms of the cost that compare the posed points with the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.fitting.evidence import DEPTH_BONES, Evidence
from munet.fitting.rig import BETAS, FOCAL, SIZE, TILT, TO_CAMERA, PointRig, Skeleton, State
from munet.fitting.solver import Block, quadratic, robust

Array = NDArray[np.float64]


EDGE = 0.3
"""Cosine between normal and ray below which skin belongs to the outline."""
_SUPPORT = 0.03
"""How far before or behind the middle of a foot the centre of mass may stand, metres."""
_TIPPING = 2.0
"""How much worse it is to stand beyond both feet than beside their middle."""


@dataclass(frozen=True)
class Projection:
    """Projected points.

    Attributes:
        pixels: (P, 2).
        jacobian: (P, 2, SIZE).
    """

    pixels: Array
    jacobian: Array


def project(points: Array, state: State, center: Array) -> Array:
    """Project points (P, 3), camera frame, to pixels (P, 2)."""
    result: Array = points[:, :2] / np.maximum(points[:, 2:], 0.05) * state.focal + center
    return result


def project_points(points: Array, jacobian: Array, state: State, center: Array) -> Projection:
    """Project points (P, 3), camera frame, with the derivative (P, 3, SIZE) carried along."""
    depth = np.maximum(points[:, 2], 0.05)
    flat = points[:, :2] / depth[:, None]
    scale = state.focal / depth
    moved = scale[:, None, None] * (jacobian[:, :2] - flat[:, :, None] * jacobian[:, 2:3])
    moved[:, :, FOCAL] += state.focal * flat
    return Projection(flat * state.focal + center, moved)


def landmark_block(projection: Projection, evidence: Evidence, sigma: float, limit: float) -> Block:
    """Return the distance of landmarks from their pixels; ``sigma`` and ``limit`` are shares of the height."""
    used = np.flatnonzero(evidence.trust > 0)
    residual = (projection.pixels[used] - evidence.pixels[used]) / evidence.height
    jacobian = projection.jacobian[used].reshape(-1, SIZE) / evidence.height
    return robust(residual.ravel(), jacobian, evidence.trust[used] / sigma, limit, group=2)


def depth_block(points: Array, jacobian: Array, evidence: Evidence, sigma: float, limit: float) -> Block:
    """Return the depth of each bone against the detector's 3D, in metres."""
    used = np.flatnonzero(evidence.depth_trust > 0)
    first, second = np.array(DEPTH_BONES)[used].T
    residual = points[second, 2] - points[first, 2] - evidence.depths[used]
    difference = jacobian[second, 2] - jacobian[first, 2]
    return robust(residual, difference, evidence.depth_trust[used] / sigma, limit)


def outside_block(distance: Array, slope: Array, sigma: float, limit: float) -> Block:
    """Return how far samples of the skin stick out of the mask.

    Args:
        distance: (N,) signed distance to the outline, shares of the height, positive outside.
        slope: (N, SIZE).
        sigma: distance that costs as much as one standard deviation of anything else.
        limit: distance at which a sample counts as hidden by something before the person.
    """
    used = np.flatnonzero(distance > 0)
    return robust(distance[used], slope[used], np.full(len(used), 1 / sigma), limit)


def outline_block(distance: Array, slope: Array, facing: Array, clothes: float, sigma: float, limit: float) -> Block:
    """Return how deep the body's own outline lies inside the mask, beyond the thickness of clothes.

    Args:
        distance: (N,) signed distance to the outline, shares of the height, positive outside.
        slope: (N, SIZE).
        facing: (N,) cosine between normal and ray.
        clothes: thickness, share of the height.
        sigma: depth that costs as much as one standard deviation of anything else.
        limit: depth at which a sample is taken for an outline before the rest of the body.
    """
    depth = -distance - clothes
    used = np.flatnonzero((np.abs(facing) < EDGE) & (depth > 0) & (depth < 2.5 * limit))
    return robust(depth[used], -slope[used], np.full(len(used), 1 / sigma), limit)


def facing_camera(rig: PointRig, skeleton: Skeleton, normals: Array, points: Array) -> Array:
    """Return the cosine (N,) between the posed normals of skin samples and the ray to the camera."""
    blended = np.einsum("nj,jab->nab", rig.weights, skeleton.turns)
    posed = np.einsum("nab,nb->na", blended, normals) * TO_CAMERA
    posed /= np.maximum(np.linalg.norm(posed, axis=1, keepdims=True), 1e-9)
    rays = points / np.linalg.norm(points, axis=1, keepdims=True)
    result: Array = -(posed * rays).sum(1)
    return result


def _up_derivative(state: State) -> Array:
    """Derivative (3, 2) of the unit vector up by the tilt."""
    up = state.up_cam
    result: Array = ((np.eye(3) - np.outer(up, up)) / np.linalg.norm([state.tilt[0], -1.0, state.tilt[1]]))[:, [0, 2]]
    return result


def ground_block(soles: Array, jacobian: Array, state: State, standing: float) -> list[Block]:
    """Return the pull of both soles onto one level plane: level feet and flat soles.

    Args:
        soles: (8, 3) four points of each sole, camera frame.
        jacobian: (8, 3, SIZE).
        state: gives the direction up.
        standing: how surely the person stands, in [0, 1].
    """
    mean = np.repeat(np.eye(2), 4, 0).T / 4
    flat = np.eye(8) - np.repeat(mean, 4, 0)
    level = (mean[0] - mean[1])[None]
    blocks = []
    for mixing, sigma, limit in ((level, 0.015, 0.08), (flat, 0.012, 0.04)):
        offsets = mixing @ soles
        slope = np.einsum("i,mij->mj", state.up_cam, np.tensordot(mixing, jacobian, 1))
        slope[:, TILT] += offsets @ _up_derivative(state)
        weight = np.full(len(mixing), np.sqrt(standing) / sigma)
        blocks.append(robust(offsets @ state.up_cam, slope, weight, limit))
    return blocks


def _into_the_picture(points: Array, jacobian: Array, state: State) -> tuple[Array, Array]:
    """Return the level distance (N,) along the view of offsets (N, 3), and its derivative (N, SIZE)."""
    up, up_dirs = state.up_cam, _up_derivative(state)
    rise = points @ up
    slope = jacobian[:, 2] - np.einsum("i,nij->nj", up, jacobian) * up[2]
    slope[:, TILT] -= points @ up_dirs * up[2] + rise[:, None] * up_dirs[2]
    return points[:, 2] - rise * up[2], slope


def balance_block(mass: Array, soles: Array, jacobians: tuple[Array, Array], state: State, standing: float) -> Block:
    """Return how far the centre of mass stands in front of or behind the soles, in metres.

    Only the direction into the picture counts: sideways the picture itself tells. Within the soles the pull to their
    middle is weak, because one may stand on one leg.

    Args:
        mass: (3,) centre of mass, camera frame.
        soles: (8, 3).
        jacobians: of ``mass`` (3, SIZE) and ``soles`` (8, 3, SIZE).
        state: gives the direction up.
        standing: how surely the person stands, in [0, 1].
    """
    feet, feet_jacobian = soles.reshape(2, 4, 3).mean(1), jacobians[1].reshape(2, 4, 3, -1).mean(1)
    distances, slopes = _into_the_picture(mass - feet, jacobians[0] - feet_jacobian, state)
    middle, middle_slope = distances.mean(), slopes.mean(0)
    near = int(np.abs(distances).argmin())
    tipping = float(np.sign(distances[near])) * max(abs(float(distances[near])) - _SUPPORT, 0.0)
    if np.sign(distances[0]) != np.sign(distances[1]):
        tipping = 0.0
    residual = np.array([middle, tipping * _TIPPING])
    jacobian = np.stack([middle_slope, slopes[near] * (_TIPPING if tipping else 0.0)])
    return robust(residual, jacobian, np.full(2, np.sqrt(standing) / 0.03), 0.3)


def anchor_block(state: State, start: State, focal_sigma: float, betas_sigma: float) -> Block:
    """Return the pull of betas to the mean person, of the focal length to its guess and of the camera to level."""
    residual = np.concatenate([state.betas, [state.log_focal - start.log_focal], state.tilt])
    jacobian = np.zeros((13, SIZE))
    jacobian[:10, BETAS] = np.eye(10)
    jacobian[10, FOCAL] = 1
    jacobian[11:, TILT] = np.eye(2)
    weight = np.concatenate([np.full(10, 1 / betas_sigma), [1 / focal_sigma, 1 / 0.03, 1 / 0.15]])
    return quadratic(residual, jacobian, weight)
