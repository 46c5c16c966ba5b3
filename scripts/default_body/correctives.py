"""Pose correctives learnt from elastically relaxed poses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from default_body.anatomy import sample_poses, spread_twists
from default_body.elastic import Elastic, nearest_rotations, struts, surface_edges
from default_body.raster import vertex_normals
from munet.body.model import SMPL_PARENTS

Array = NDArray[np.float64]
Index = NDArray[np.int64]

SLOTS = 5
RIDGE = 3e-4
UNPOSE_DAMPING = 0.003
LARGEST = 0.07
SMOOTHING = 4
STEPS = 5
STRUT_WEIGHT = 0.15
ANCHOR = 0.3
LOOSE_ANCHOR = 0.02
SMOOTHNESS = 4.0
HINGES = ((4, 1, 7), (5, 2, 8), (18, 16, 20), (19, 17, 21))
SLACK = 0.02


@dataclass(frozen=True)
class Body:
    """What the correctives are made for: the mean person.

    Attributes:
        rest: (V, 3) T-pose.
        joints: (J, 3).
        tree: (J,) parents.
        weights: (V, J).
        faces: (F, 3).
        average: (V, V) neighbour average.
    """

    rest: Array
    joints: Array
    tree: Index
    weights: Array
    faces: Index
    average: csr_matrix


def kinematics(body: Body, pose: Array) -> tuple[Array, Array]:
    """Transforms (J, 4, 4) from rest to posed and posed joints (J, 3) of local rotations (24, 3, 3)."""
    count = len(body.joints)
    world, places = np.empty((count, 3, 3)), np.empty((count, 3))
    for joint, parent in enumerate(body.tree):
        local = pose[joint] if joint < 24 else np.eye(3)
        if parent < 0:
            world[joint], places[joint] = local, body.joints[joint]
            continue
        world[joint] = world[parent] @ local
        places[joint] = places[parent] + world[parent] @ (body.joints[joint] - body.joints[parent])
    transforms = np.zeros((count, 4, 4))
    transforms[:, :3, :3] = world
    transforms[:, :3, 3] = places - np.einsum("jab,jb->ja", world, body.joints)
    transforms[:, 3, 3] = 1
    return transforms, places


def anchor_weights(body: Body) -> Array:
    """How firmly a vertex is held to the skinned surface: where one rigid part dominates, and softly elsewhere."""
    hands = body.weights.copy()
    for hand, fingers in ((22, slice(24, 39)), (23, slice(39, 54))):
        hands[:, hand] += hands[:, fingers].sum(1)
        hands[:, fingers] = 0
    rigid = np.clip((hands.max(1) - 0.9) / 0.095, 0, 1)
    for _ in range(6):
        rigid = 0.5 * rigid + 0.5 * (body.average @ rigid)
    return ANCHOR * rigid**3 + LOOSE_ANCHOR


def _touch(body: Body, places: Array, points: Array) -> Array:
    """Keep the two sides of a bent hinge on their sides of its bisecting plane."""
    result = points.copy()
    for joint, parent, child in HINGES:
        members = np.nonzero(body.weights[:, joint] + body.weights[:, parent] > 0.5)[0]
        members = members[body.rest[members, 0] * body.joints[joint, 0] > 0]
        along = body.joints[child] - body.joints[joint]
        height = (body.rest[members] - body.joints[joint]) @ (along / np.linalg.norm(along))
        members, height = members[np.abs(height) > SLACK], height[np.abs(height) > SLACK]
        down, up = places[child] - places[joint], places[parent] - places[joint]
        down, up = down / np.linalg.norm(down), up / np.linalg.norm(up)
        if down @ up < -0.5:
            continue
        normal = (down - up) / np.linalg.norm(down - up)
        offset = result[members] - places[joint]
        inner = offset @ (down + up) > 0
        side = offset @ normal
        wrong = inner & (np.where(height > 0, -side, side) > 0)
        result[members[wrong]] -= side[wrong, None] * normal
    return result


def targets(body: Body, poses: Array) -> tuple[Array, Array]:
    """Offsets (P, V, 3) in the rest pose that turn skinning into the relaxed surface, and blended maps (P, V, 3, 4)."""
    edges = surface_edges(body.faces)
    inner = struts(body.rest, vertex_normals(body.rest, body.faces))
    strength = np.concatenate([np.ones(len(edges)), np.full(len(inner), STRUT_WEIGHT)])
    solid = Elastic(body.rest, np.concatenate([edges, inner]), strength, anchor_weights(body), SMOOTHNESS)
    offsets = np.empty((len(poses), *body.rest.shape), np.float32)
    maps = np.empty((len(poses), len(body.rest), 3, 4), np.float32)
    for index, pose in enumerate(poses):
        transforms, places = kinematics(body, pose)
        start, linear = spread_twists(body.rest, body.joints, pose, body.weights, transforms)
        relaxed = solid.relax(
            start, nearest_rotations(linear), STEPS, lambda points, places=places: _touch(body, places, points)
        )
        blended = (body.weights @ transforms[:, :3].reshape(-1, 12)).reshape(-1, 3, 4)
        gap = relaxed - np.einsum("vij,vj->vi", blended[..., :3], body.rest) - blended[..., 3]
        linear = blended[..., :3]
        normal = np.swapaxes(linear, 1, 2) @ linear + UNPOSE_DAMPING * np.eye(3)
        offset = np.linalg.solve(normal, np.swapaxes(linear, 1, 2) @ gap[..., None])[..., 0]
        size = np.linalg.norm(offset, axis=1, keepdims=True)
        offsets[index] = offset * np.minimum(1, LARGEST / np.maximum(size, 1e-9))
        maps[index] = blended
    return offsets, maps


def features(poses: Array) -> Array:
    """``R - I`` of joints 1..23 (P, 207)."""
    return (poses[:, 1:] - np.eye(3)).reshape(len(poses), -1)


def support(body: Body) -> tuple[Index, Array]:
    """The joints (V, 4), numbered from 0 for joint 1, that correct a vertex, and how strongly (V, 4)."""
    below = body.weights[:, :24].copy()
    below[:, 22] += body.weights[:, 24:39].sum(1)
    below[:, 23] += body.weights[:, 39:54].sum(1)
    mixed = np.zeros_like(below)
    for joint, parent in enumerate(SMPL_PARENTS):
        if parent >= 0:
            mixed[:, joint] = np.minimum(np.minimum(below[:, joint], below[:, parent]) * 8, 1)
    limbs = [1, 2, 4, 5, 16, 17, 18, 19]
    mixed[:, limbs] = np.maximum(mixed[:, limbs], np.clip(below[:, limbs] * 2, 0, 1) * 0.9)
    for wrist, elbow in ((20, 18), (21, 19), (7, 4), (8, 5)):
        mixed[:, wrist] = np.maximum(mixed[:, wrist], np.clip(below[:, elbow] * 2, 0, 1) * 0.9)
    for _ in range(10):
        mixed = np.maximum(mixed, 0.5 * mixed + 0.5 * (body.average @ mixed))
    mixed = mixed[:, 1:]
    order = np.argsort(-mixed, 1, kind="stable")[:, : SLOTS + 1]
    strength = np.take_along_axis(mixed, order, 1)
    strength = np.clip((strength[:, :SLOTS] - strength[:, SLOTS:]) * 3, 0, 1)
    return order[:, :SLOTS], strength


def regress(poses: Array, offsets: Array, joints: Index, strength: Array, ridge: float) -> Array:
    """Directions (V, 3, 36) of the vertices' own joints by ridge regression."""
    design = features(poses)
    gram, moment = design.T @ design, np.einsum("pf,pvk->vfk", design, offsets)
    columns = (joints[:, :, None] * 9 + np.arange(9)).reshape(len(joints), -1)
    scale = np.repeat(strength, 9, 1)
    local = gram[columns[:, :, None], columns[:, None, :]] * scale[:, :, None] * scale[:, None, :]
    local += ridge * len(poses) * np.eye(columns.shape[1])
    right = np.take_along_axis(moment, columns[:, :, None], 1) * scale[:, :, None]
    return np.swapaxes(np.linalg.solve(local, right) * scale[:, :, None], 1, 2)


def predict(poses: Array, joints: Index, dirs: Array) -> Array:
    """Offsets (P, V, 3) of poses."""
    values = features(poses).reshape(len(poses), 23, 9)
    return np.stack([np.einsum("vkf,vf->vk", dirs, v[joints].reshape(len(joints), -1)) for v in values])


def learn_correctives(body: Body, partner: Index, mirrored: Index, count: int) -> tuple[Index, Array]:
    """Joints (V, S) and directions (V, 3, S * 9) of the correctives; prints the error on unseen poses.

    Args:
        body: the mean person.
        partner: (V,) mirror map of the vertices.
        mirrored: (J,) mirror map of the joints.
        count: number of random poses.
    """
    poses = sample_poses(count, seed=1)
    offsets, _ = targets(body, poses)
    joints, dirs = fit_correctives(body, poses, offsets, partner, mirrored)
    report(body, sample_poses(max(count // 8, 4), seed=2), joints, dirs)
    return joints, dirs


def fit_correctives(body: Body, poses: Array, offsets: Array, partner: Index, mirrored: Index) -> tuple[Index, Array]:
    """Regress offsets (P, V, 3) of poses and of their mirror images, smooth and sparse over the surface."""
    flip = np.array([-1.0, 1, 1])
    poses = np.concatenate([poses, poses[:, mirrored[:24]] * flip[:, None] * flip])
    offsets = np.concatenate([offsets, offsets[:, partner] * flip.astype(np.float32)])
    joints, strength = support(body)
    dirs = regress(poses, offsets, joints, strength, RIDGE)
    dense = _dense(joints, dirs)
    for _ in range(SMOOTHING):
        dense = 0.5 * dense + 0.5 * (body.average @ dense.reshape(len(dense), -1)).reshape(dense.shape)
    dense = (dense + _mirror_image(dense, partner, mirrored[1:24] - 1)) / 2
    return _strongest(dense)


def _dense(joints: Index, dirs: Array) -> Array:
    dense = np.zeros((len(joints), 3, 23, 9))
    rows = np.arange(len(joints))[:, None]
    dense[rows, :, joints] = np.swapaxes(dirs.reshape(len(joints), 3, -1, 9), 1, 2)
    return dense


def _mirror_image(dense: Array, partner: Index, mirrored: Index) -> Array:
    """Directions of the mirrored body: x flips, and so do the entries of R - I with one x among row and column."""
    flip = np.array([-1.0, 1, 1])
    image: Array = dense[partner][:, :, mirrored] * flip[:, None, None] * np.outer(flip, flip).reshape(-1)
    return image


def _strongest(dense: Array) -> tuple[Index, Array]:
    """Keep the strongest joints of each vertex; the weakest kept one fades out where another takes its place."""
    size = np.sqrt((dense**2).sum((1, 3)))
    order = np.argsort(-size, 1, kind="stable")[:, : SLOTS + 1]
    ranked = np.take_along_axis(size, order, 1)
    fade = np.clip((ranked[:, :SLOTS] - ranked[:, SLOTS:]) / (0.5 * ranked[:, :SLOTS] + 1e-9), 0, 1)
    kept = dense[np.arange(len(dense))[:, None], :, order[:, :SLOTS]] * fade[:, :, None, None]
    return order[:, :SLOTS], np.swapaxes(kept, 1, 2).reshape(len(dense), 3, -1)


def report(body: Body, poses: Array, joints: Index, dirs: Array) -> None:
    """Print how far plain skinning and corrected skinning are from the relaxed surface on unseen poses."""
    offsets, maps = targets(body, poses)
    predicted = predict(poses, joints, dirs)
    far = np.linalg.norm(np.einsum("pvij,pvj->pvi", maps[..., :3], offsets), axis=-1)
    near = np.linalg.norm(np.einsum("pvij,pvj->pvi", maps[..., :3], offsets - predicted), axis=-1)
    bent = far > 0.003
    print(f"correctives, {len(poses)} unseen poses, {bent.mean() * 100:.0f} % of vertices that need more than 3 mm: "
          f"{far[bent].mean() * 1000:.1f} mm -> {near[bent].mean() * 1000:.1f} mm; "
          f"99 % {np.percentile(far, 99) * 1000:.1f} -> {np.percentile(near, 99) * 1000:.1f} mm")  # fmt: skip
