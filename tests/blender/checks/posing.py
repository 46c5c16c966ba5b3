"""People with correctives in any pose, in Blender and by NumPy alone."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import bpy
import common
import numpy as np
import synthetic
from mathutils import Matrix


def person_with_correctives(seed: int, **options: Any) -> tuple[Any, Any]:
    """Return a synthetic character that has live correctives, and its objects, all visible."""
    character = common.people(seed, correctives=True, **options)[0]
    person = common.insert([character])[0]
    common.show_all()
    return character, person


def pose_numpy(character: Any, pose: np.ndarray, shape: np.ndarray | None = None) -> np.ndarray:
    """Return the posed body (V, 3) in Blender's axes around its pelvis, by NumPy alone."""
    arrays, bones = character.arrays, synthetic.skeleton()
    rest = arrays["body_rest_vertices"].astype(float)
    if shape is not None:
        rest = rest + arrays["body_shape_dirs"].astype(float) @ shape
        bones = dataclasses.replace(bones, heads=bones.heads + arrays["joint_shape_dirs"].astype(float) @ shape)
    rest = rest + synthetic.pose_corrective(arrays, pose)
    posed, joints = synthetic.skin(rest, arrays["body_weights"].astype(float), bones, pose)
    return (posed - joints[0]) @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]).T


def put(person: Any, pose: np.ndarray) -> None:
    """Put an SMPL pose (J, 3) on the rig bone by bone, through mathutils and not the product's own code."""
    turn = Matrix(((1, 0, 0), (0, 0, -1), (0, 1, 0)))
    names = json.loads(person.rig["munet_bone_names"])
    bones = {bone.bone["munet_smpl_name"]: bone for bone in person.rig.pose.bones}
    for name, matrix in zip(names, synthetic.rotation_matrices(pose), strict=True):
        rest = bones[name].bone.matrix_local.to_3x3()
        model = turn @ Matrix(matrix.tolist()) @ turn.transposed()
        bones[name].rotation_quaternion = (rest.transposed() @ model @ rest).to_quaternion()
    bpy.context.view_layer.update()


def error(
    character: Any,
    person: Any,
    pose: np.ndarray,
    shape: np.ndarray | None = None,
    mesh: bpy.types.Object | None = None,
) -> float:
    """Return the largest distance between Blender's body (or another mesh) and NumPy's, both around the pelvis."""
    root = next(b for b in person.rig.pose.bones if b.bone["munet_smpl_name"] == "pelvis")
    around = np.array(person.rig.matrix_world @ root.head)
    found = common.world_vertices(mesh or person.body) - around
    return float(np.linalg.norm(found - pose_numpy(character, pose, shape), axis=1).max())


def random_pose(seed: int) -> np.ndarray:
    """Return a wild pose (54, 3)."""
    return np.random.default_rng(seed).normal(0, 0.8, (54, 3))
