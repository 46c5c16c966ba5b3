"""The whole way from Anny to the file of the default body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from default_body.correctives import Body, learn_correctives
from default_body.graph import make_coarse_level
from default_body.landmarks import Subjects, landmark_regressor
from default_body.mesh import enlarge_eye_islands, find_parts, mirror_map, smoothing_matrix, symmetrised, triangles
from default_body.shape import ShapeSpace, fit_shape_space, linear_map
from default_body.skeleton import JOINT_NAMES, joints_from_heads, keep_four, merged_weights, parents, share_palm
from default_body.source import Source, load_source
from default_body.straighten import relax_shape_space
from default_body.tpose import skin, tpose_turns

Array = NDArray[np.float64]

BETAS = 10
UNSEEN = 400
GRAPH_VERTICES = 6890
MIRRORED_JOINTS = np.array(
    [
        JOINT_NAMES.index(n.translate({}).replace("left", "#").replace("right", "left").replace("#", "right"))
        for n in JOINT_NAMES
    ]
)


def _symmetrised_dirs(dirs: Array, partner: NDArray[np.int64]) -> Array:
    return np.moveaxis(symmetrised(np.moveaxis(dirs, -1, 0), partner), 0, -1)


def tposed_people(source: Source, turns: Array, partner: NDArray[np.int64]) -> tuple[Array, Array]:
    """People (N, V, 3) and joints (N, 54, 3) in the T-pose with the pelvis at the origin, exactly symmetric."""
    vertices, heads = skin(source, turns)
    joints = joints_from_heads(source.bones, heads)
    joints = (joints + joints[:, MIRRORED_JOINTS] * [-1, 1, 1]) / 2
    origin = joints[:, :1].copy()
    vertices = symmetrised(vertices - origin, partner)
    return vertices, joints - origin


def report_errors(space: ShapeSpace, unseen: Array) -> None:
    """Print the reconstruction error of people who took no part in the shape space."""
    error = np.linalg.norm(space.decode(space.encode(unseen)) - unseen, axis=-1) * 1000
    stature = np.ptp(unseen[..., 1], axis=1)
    print(f"stature {stature.mean():.3f} m, standard deviation {stature.std():.3f} m")
    print(f"shape space, {BETAS} betas, {len(unseen)} unseen adults: mean {error.mean():.2f} mm, "
          f"99 % {np.percentile(error, 99):.2f} mm, max {error.max():.1f} mm")  # fmt: skip


def tails(joints: Array, mean: Array, weights: Array) -> Array:
    """Bone ends (N, 54, 3): the next joint of the chain, or the tip of the body part."""
    result = joints.copy()
    child = {0: 3, 3: 6, 6: 9, 9: 12, 12: 15, 1: 4, 4: 7, 7: 10, 2: 5, 5: 8, 8: 11}
    child |= {13: 16, 16: 18, 18: 20, 20: 22, 14: 17, 17: 19, 19: 21, 21: 23, 22: 27, 23: 42}
    for first in range(24, 54, 3):
        child |= {first: first + 1, first + 1: first + 2}
    for joint, end in child.items():
        result[:, joint] = joints[:, end]
    del mean, weights
    return result


def tip_vertices(mean: Array, joints: Array, weights: Array) -> dict[int, int]:
    """The outermost vertex of the body parts that end a chain: head, feet, finger tips."""
    tree = parents()
    tips: dict[int, int] = {}
    ends = [10, 11, 15, *range(26, 54, 3)]
    for joint in ends:
        direction = joints[joint] - joints[tree[joint]]
        if joint == 15:
            direction = np.array([0, 1.0, 0])
        if joint in {10, 11}:
            direction = np.array([0, 0, 1.0])
        own = np.nonzero(weights[:, joint] > 0.5)[0]
        tips[joint] = int(own[((mean[own] - joints[joint]) @ direction).argmax()])
    return tips


def build(output: Path, *, people: int, poses: int) -> None:
    """Make the file of the default body and print what it is worth."""
    source = load_source(people + UNSEEN, seed=0)
    rest = source.vertices[0].astype(np.float64)
    partner = mirror_map(rest)
    parts = find_parts(source.quads, rest)
    faces = triangles(source.quads)
    turns = tpose_turns(source)
    vertices, joints = tposed_people(source, turns, partner)
    skinned = fit_shape_space(vertices[:people], BETAS, faces)
    report_errors(skinned, vertices[people:])
    betas = skinned.encode(vertices[:people])
    average = smoothing_matrix(source.quads, len(rest))
    space = relax_shape_space(source, skinned, betas, turns.mean(0), faces, average)
    space = ShapeSpace(symmetrised(space.mean, partner), _symmetrised_dirs(space.dirs, partner))
    joint_template, joint_dirs, joint_error = linear_map(betas, joints[:people])
    print(f"linear joint regressor: mean error {joint_error * 1000:.2f} mm")
    weights = skinning_weights(source, space.mean, joint_template, partner)
    ends = tails(joints, space.mean, weights)
    for joint, vertex in tip_vertices(space.mean, joint_template, weights).items():
        ends[:, joint] = vertices[:, vertex]
    ends[:, 15, 0] = 0
    tail_template, tail_dirs, _ = linear_map(betas, ends[:people])
    head = weights[:, 15] > 0.9
    subjects = Subjects(vertices[:40], joints[:40], space.mean, parts, source.keypoints, source.keypoint_names)
    landmarks = landmark_regressor(subjects, head, partner)
    level = make_coarse_level(space.mean, faces, parts == 0, GRAPH_VERTICES)
    body = Body(space.mean, joint_template, parents(), weights, faces, average)
    pose_joints, pose_dirs = learn_correctives(body, partner, MIRRORED_JOINTS, poses)
    weight_joints, weight_values = keep_four(weights)
    arrays: dict[str, NDArray[Any]] = {
        "format": np.array("munet-body-1"),
        "template": space.mean.astype(np.float32),
        **_halves("shape", space.dirs),
        "joint_template": joint_template.astype(np.float32),
        "joint_shape_dirs": joint_dirs.astype(np.float32),
        "tail_template": tail_template.astype(np.float32),
        "tail_shape_dirs": tail_dirs.astype(np.float32),
        "weight_joints": weight_joints.astype(np.uint8),
        "weight_values": weight_values.astype(np.float32),
        "parents": parents().astype(np.int8),
        "joint_names": np.array(JOINT_NAMES),
        "quads": source.quads.astype(np.uint16),
        "quads_uv": source.quads_uv.astype(np.uint16),
        "uv": enlarge_eye_islands(source.uv, source.quads_uv, source.quads, parts).astype(np.float32),
        "parts": parts,
        "pose_joints": pose_joints.astype(np.uint8),
        "pose_dirs": np.where(np.abs(pose_dirs) < 1e-4, 0, pose_dirs).astype(np.float16),
        **_rows("landmarks", *_row_entries(landmarks), len(rest)),
        "graph_faces": level.faces.astype(np.uint16),
        **_rows("graph_down", *level.down, len(rest)),
        **_rows("graph_up", *level.up, int(level.faces.max()) + 1),
    }
    np.savez_compressed(output, **arrays)  # type: ignore[arg-type]
    print(f"{output.name}: {output.stat().st_size / 1e6:.2f} MB")


def skinning_weights(source: Source, mean: Array, joints: Array, partner: NDArray[np.int64]) -> Array:
    """Weights (V, 54), at most four a vertex, smooth and mirror-symmetric."""
    weights = share_palm(merged_weights(source), mean, joints)
    average = smoothing_matrix(source.quads, len(mean))
    for _ in range(2):
        weights = 0.5 * weights + 0.5 * (average @ weights)
    weights = (weights + weights[partner][:, MIRRORED_JOINTS]) / 2
    largest = np.zeros(weights.shape, bool)
    np.put_along_axis(largest, keep_four(weights)[0], True, 1)
    kept = weights * (largest & largest[partner][:, MIRRORED_JOINTS])
    return kept / kept.sum(1, keepdims=True)


def _halves(key: str, values: Array) -> dict[str, NDArray[Any]]:
    """Directions as 16-bit floats, scaled per last index so that the precision is used."""
    scale = np.abs(values).max(axis=tuple(range(values.ndim - 1)))
    return {f"{key}_dirs": (values / scale).astype(np.float16), f"{key}_scale": scale.astype(np.float32)}


def _rows(key: str, columns: NDArray[np.int64], values: Array, width: int) -> dict[str, NDArray[Any]]:
    return {
        f"{key}_columns": columns.astype(np.uint16),
        f"{key}_values": values.astype(np.float32),
        f"{key}_width": np.array(width),
    }


def _row_entries(matrix: Array) -> tuple[NDArray[np.int64], Array]:
    """The non-zero entries of each row, padded with zeros to the longest row."""
    count = int((matrix != 0).sum(1).max())
    columns = np.argsort(-matrix, 1, kind="stable")[:, :count]
    return columns, np.take_along_axis(matrix, columns, 1)
