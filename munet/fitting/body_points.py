"""The points of a body model that the fit looks at: landmarks, soles, centre of mass and samples of the skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from munet.body.skinning import pose_body
from munet.fitting.hands import relaxed_fingers
from munet.fitting.rig import JOINTS, Array, PointRig, descend
from munet.fitting.spheres import ARM_RADII, TRUNK, sphere_rows

if TYPE_CHECKING:
    from munet.body.model import BodyModel

SAMPLES = 320
"""Samples of the skin that are compared with the mask."""

_THINNING = 4
"""Every so manieth vertex may become a sample."""

_MASS = {0: 0.11, 3: 0.11, 6: 0.11, 9: 0.16, 15: 0.08, 1: 0.06, 4: 0.075, 7: 0.035, 16: 0.02, 18: 0.02, 20: 0.015}
"""Share of the body's mass at each joint (left ones count twice), after de Leva (1996)."""


@dataclass(frozen=True)
class BodyPoints:
    """A rig of all points of the fit.

    Attributes:
        rig: the points in this order: 33 landmarks, 8 of the soles, centre of mass, spheres, samples of the skin.
        normals: (SAMPLES, 3) rest normals of the samples, body frame.
        trunk_radii: (TRUNK,) radii of the spheres in trunk and thighs, metres.
        height: of the mean person in metres.
        samples: (SAMPLES,) vertices that are the samples of the skin.
    """

    rig: PointRig
    normals: Array
    trunk_radii: Array
    height: float
    samples: NDArray[np.int64]

    LANDMARKS = slice(0, 33)
    SOLES = slice(33, 41)
    MASS = 41
    SPHERES = slice(42, 42 + len(ARM_RADII) + TRUNK)
    SKIN = slice(SPHERES.stop, None)


def _numpy(value: Any) -> Array:  # noqa: ANN401 tensors, arrays and sparse matrices
    if isinstance(value, torch.Tensor):
        dense = value.to_dense() if value.layout != torch.strided else value
        return dense.detach().cpu().numpy().astype(np.float64)
    return np.asarray(value.toarray() if hasattr(value, "toarray") else value, np.float64)


def _regressor(matrix: Any, vertices: int) -> sparse.csr_matrix:  # noqa: ANN401 a dense or sparse matrix of any library
    if isinstance(matrix, torch.Tensor) and matrix.layout == torch.sparse_coo:
        coo = matrix.coalesce().cpu()
        rows, columns = coo.indices().numpy()
        return sparse.csr_matrix((coo.values().numpy().astype(np.float64), (rows, columns)), matrix.shape)
    return sparse.csr_matrix(_numpy(matrix).reshape(-1, vertices))


def merge_fingers(weights: Array, parents: NDArray[np.int64]) -> Array:
    """Sum the weights (V, J) of all joints beyond the 24th down to their ancestor among the first 24."""
    merged = weights[:, :JOINTS].copy()
    for joint in range(JOINTS, weights.shape[1]):
        ancestor = joint
        while ancestor >= JOINTS:
            ancestor = int(parents[ancestor])
        merged[:, ancestor] += weights[:, joint]
    return merged


def sole_vertices(template: Array, weights: Array) -> NDArray[np.int64]:
    """Return eight vertices: heel, toe, inner and outer edge of the left, then of the right sole."""
    chosen = []
    for ankle, toe in ((7, 10), (8, 11)):
        foot = np.flatnonzero(weights[:, ankle] + weights[:, toe] > 0.5)
        lowest = foot[template[foot, 1] < template[foot, 1].min() + 0.012]
        points = template[lowest]
        chosen += [lowest[i] for i in (points[:, 2].argmin(), points[:, 2].argmax())]
        chosen += [lowest[i] for i in (points[:, 0].argmin(), points[:, 0].argmax())]
    return np.array(chosen)


def spread_samples(points: Array, count: int) -> NDArray[np.int64]:
    """Return ``count`` indices of points (V, 3) that lie far from each other (farthest first)."""
    chosen = np.empty(count, np.int64)
    chosen[0] = int(points[:, 1].argmax())
    distance = ((points - points[chosen[0]]) ** 2).sum(1)
    for index in range(1, count):
        chosen[index] = int(distance.argmax())
        distance = np.minimum(distance, ((points - points[chosen[index]]) ** 2).sum(1))
    return chosen


def vertex_normals(vertices: Array, faces: NDArray[np.int64]) -> Array:
    """Return unit normals (V, 3), weighted by area."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(total, faces[:, corner], normal)
    result: Array = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return result


def _centre_of_mass(joints: Array, joint_dirs: Array) -> tuple[Array, Array, Array]:
    share = np.zeros(JOINTS)
    for joint, mass in _MASS.items():
        share[joint] = mass
        if joint in (1, 4, 7, 16, 18, 20):
            share[joint + 1] = mass
    share /= share.sum()
    return share[:, None] * joints, share[:, None, None] * joint_dirs, share


def _relaxed_template(model: BodyModel) -> Array:
    """The T-pose (V, 3) with the fingers as the fit will leave them."""
    count = len(model.joint_names)
    pose = torch.zeros(1, count, 3)
    pose[0, JOINTS:] = torch.from_numpy(relaxed_fingers(count - JOINTS))
    cpu = model.to("cpu")
    with torch.no_grad():
        return _numpy(pose_body(cpu, torch.zeros(1, cpu.shape_dirs.shape[2]), pose, correctives=False).vertices[0])


def make_body_points(model: BodyModel) -> BodyPoints:
    """Reduce a body model to the points that the fit looks at."""
    template, shape_dirs = _relaxed_template(model), _numpy(model.shape_dirs)[..., :10]
    parents = np.asarray(_numpy(model.parents), np.int64)
    weights = merge_fingers(_numpy(model.weights), parents)
    joints, joint_dirs = _numpy(model.joint_template)[:JOINTS], _numpy(model.joint_shape_dirs)[:JOINTS, :, :10]
    skin = np.flatnonzero(_numpy(model.parts) == 0)[::_THINNING]
    samples = skin[spread_samples(template[skin], SAMPLES)]
    picked = np.concatenate([sole_vertices(template, weights), samples])
    picks = sparse.csr_matrix((np.ones(len(picked)), (np.arange(len(picked)), picked)), (len(picked), len(template)))
    landmarks = _regressor(model.landmarks, len(template))
    spheres, radii = sphere_rows(template, weights, joints, landmarks)
    matrix = sparse.vstack([landmarks, picks[:8], spheres, picks[8:]]).tocsr()
    anchors, anchor_dirs, shares = _collapse(matrix, template, shape_dirs, weights)
    mass = _centre_of_mass(joints, joint_dirs)
    merged = [
        np.concatenate([part[: BodyPoints.MASS], extra[None], part[BodyPoints.MASS :]])
        for part, extra in zip((anchors, anchor_dirs, shares), mass, strict=True)
    ]
    rig = PointRig(parents[:JOINTS], joints, joint_dirs, merged[0], merged[1], merged[2], descend(parents[:JOINTS]))
    normals = vertex_normals(template, np.asarray(_numpy(model.faces), np.int64))[samples]
    return BodyPoints(rig, normals, radii, float(np.ptp(template[:, 1])), samples)


def _collapse(
    matrix: sparse.csr_matrix, template: Array, shape_dirs: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Return anchors (P, 24, 3), their change by betas (P, 24, 3, 10) and weights (P, 24) of linear combinations."""
    used = np.unique(matrix.indices)
    share = matrix[:, used]
    count = share.shape[0]
    values = np.concatenate([template[used, :, None], shape_dirs[used]], 2).reshape(len(used), 33)
    parts = np.stack([share @ (values * weights[used, j, None]) for j in range(JOINTS)], 1)
    both = parts.reshape(count, JOINTS, 3, 11)
    return np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1:]), share @ weights[used]
