"""A made-up but valid person with its own NumPy skinning, independent of the product's code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

JOINTS = {
    "pelvis": (-1, (0.0, -0.24, 0.02)),
    "left_hip": (0, (0.06, -0.33, 0.01)),
    "right_hip": (0, (-0.06, -0.33, 0.01)),
    "spine1": (0, (0.0, -0.12, -0.01)),
    "left_knee": (1, (0.10, -0.71, 0.0)),
    "right_knee": (2, (-0.10, -0.71, 0.0)),
    "spine2": (3, (0.0, 0.02, 0.0)),
    "left_ankle": (4, (0.09, -1.11, -0.03)),
    "right_ankle": (5, (-0.09, -1.11, -0.03)),
    "spine3": (6, (0.0, 0.07, 0.02)),
    "left_foot": (7, (0.12, -1.17, 0.09)),
    "right_foot": (8, (-0.12, -1.17, 0.09)),
    "neck": (9, (0.0, 0.28, -0.02)),
    "left_collar": (9, (0.08, 0.18, -0.02)),
    "right_collar": (9, (-0.08, 0.18, -0.02)),
    "head": (12, (0.0, 0.37, 0.03)),
    "left_shoulder": (13, (0.17, 0.22, -0.02)),
    "right_shoulder": (14, (-0.17, 0.22, -0.02)),
    "left_elbow": (16, (0.43, 0.21, -0.05)),
    "right_elbow": (17, (-0.43, 0.21, -0.05)),
    "left_wrist": (18, (0.68, 0.22, -0.05)),
    "right_wrist": (19, (-0.68, 0.22, -0.05)),
    "left_hand": (20, (0.74, 0.21, -0.05)),
    "right_hand": (21, (-0.74, 0.21, -0.05)),
}
TIPS = {"head": (0.0, 0.17, 0.0), "left_foot": (0.0, -0.02, 0.1), "right_foot": (0.0, -0.02, 0.1)}
TAIL_CHILD = {"pelvis": "spine1", "spine3": "neck", "left_wrist": "left_hand", "right_wrist": "right_hand"}
FINGERS = ("index", "middle", "pinky", "ring", "thumb")
IMAGE_SIZE = (640, 800)
CYLINDER = 12


@dataclass(frozen=True)
class Skeleton:
    """Names, parents (J,), heads and tails (J, 3) in the body frame."""

    names: list[str]
    parents: list[int]
    heads: Array
    tails: Array


def skeleton() -> Skeleton:
    """Return 24 SMPL joints and 30 finger joints with bone ends."""
    names, parents = list(JOINTS), [parent for parent, _ in JOINTS.values()]
    heads = [np.array(point) for _, point in JOINTS.values()]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for row, finger in enumerate(FINGERS):
            for step in range(3):
                parents.append(names.index(f"{side}_hand") if step == 0 else len(names) - 1)
                names.append(f"{side}_{finger}{step + 1}")
                heads.append(np.array([sign * (0.78 + 0.025 * step), 0.21, -0.08 + 0.02 * row]))
    return Skeleton(names, parents, np.array(heads), _tails(names, parents, heads))


def _tails(names: list[str], parents: list[int], heads: list[Array]) -> Array:
    tails = []
    for index, name in enumerate(names):
        children = [i for i, parent in enumerate(parents) if parent == index]
        if name in TAIL_CHILD:
            tails.append(heads[names.index(TAIL_CHILD[name])])
        elif len(children) == 1:
            tails.append(heads[children[0]])
        else:
            reach = TIPS.get(name, np.array([0.03 if "left" in name else -0.03, 0.0, 0.0]))
            tails.append(heads[index] + np.array(reach))
    return np.array(tails)


def rotation_matrices(axis_angle: Array) -> Array:
    """Turn axis-angle (N, 3) into matrices (N, 3, 3) through unit quaternions."""
    angle = np.linalg.norm(axis_angle, axis=1)
    axis = axis_angle / np.maximum(angle, 1e-12)[:, None]
    w, (x, y, z) = np.cos(angle / 2), (np.sin(angle / 2)[:, None] * axis).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def skin(rest: Array, weights: Array, bones: Skeleton, axis_angle: Array) -> tuple[Array, Array]:
    """Linear blend skinning in the body frame: posed vertices (V, 3) and joints (J, 3)."""
    local = rotation_matrices(axis_angle)
    world = np.zeros((len(bones.names), 4, 4))
    for index, parent in enumerate(bones.parents):
        step = np.eye(4)
        step[:3, :3] = local[index]
        step[:3, 3] = bones.heads[index] - (bones.heads[parent] if parent >= 0 else 0)
        world[index] = step if parent < 0 else world[parent] @ step
    from_rest = world.copy()
    from_rest[:, :3, 3] -= np.einsum("jab,jb->ja", world[:, :3, :3], bones.heads)
    blended = np.einsum("vj,jab->vab", weights, from_rest)
    posed = np.einsum("vab,vb->va", blended[:, :3, :3], rest) + blended[:, :3, 3]
    return posed, world[:, :3, 3]


def _tubes(bones: Skeleton, rings: int, radius: float) -> tuple[Array, Array, Array]:
    """Return vertices, quads and the UVs (Q, 4, 2) of one open tube around every bone."""
    turn = np.linspace(0, 2 * np.pi, CYLINDER, endpoint=False)
    vertices, quads, uv = [], [], []
    for index, (head, tail) in enumerate(zip(bones.heads, bones.tails, strict=True)):
        along = (tail - head) / max(np.linalg.norm(tail - head), 1e-6)
        side = np.cross(along, [0.3, 0.4, 0.87])
        side /= np.linalg.norm(side)
        up = np.cross(along, side)
        width = radius * (0.25 if index >= 24 else 1.0)
        base = sum(len(part) for part in vertices)
        steps = np.linspace(0, 1, rings)[:, None, None]
        circle = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * up
        vertices.append((head + steps * (tail - head) + width * circle).reshape(-1, 3))
        for ring in range(rings - 1):
            for k in range(CYLINDER):
                low, high = base + ring * CYLINDER, base + (ring + 1) * CYLINDER
                after = (k + 1) % CYLINDER
                quads.append((low + k, low + after, high + after, high + k))
                u0, u1 = (index % 8 + np.array([k, k + 1]) / CYLINDER * 0.9) / 8
                v0, v1 = (index // 8 + np.array([ring, ring + 1]) / (rings - 1) * 0.9) / 8
                uv.append(((u0, v0), (u1, v0), (u1, v1), (u0, v1)))
    return np.concatenate(vertices), np.array(quads), np.array(uv)


def _weights(rest: Array, bones: Skeleton, rng: np.random.Generator) -> Array:
    middles = (bones.heads + bones.tails) / 2
    squared = (rest**2).sum(1)[:, None] - 2 * rest @ middles.T + (middles**2).sum(1)
    distance = np.sqrt(np.maximum(squared, 0)) * rng.uniform(0.9, 1.1, (1, len(middles)))
    closeness = np.exp(-((distance / 0.08) ** 2)) + 1e-9
    closeness[closeness < np.partition(closeness, -4, axis=1)[:, -4:-3]] = 0
    return closeness / closeness.sum(axis=1, keepdims=True)


def _skin_arrays(prefix: str, rest: Array, quads: Array, uv: Array, weights: Array) -> dict[str, Array]:
    faces = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    corner_uv = np.stack([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]], axis=1).reshape(-1, 3, 2)
    return {
        f"{prefix}_faces": faces.astype(np.int32),
        f"{prefix}_quads": quads.astype(np.int32),
        f"{prefix}_uv": corner_uv.astype(np.float32),
        f"{prefix}_rest_vertices": rest.astype(np.float32),
        f"{prefix}_weights": weights.astype(np.float32),
    }


def _texture(size: int) -> Array:
    row = np.arange(size, dtype=np.int64)
    red, green = np.meshgrid(row * 255 // size, row[::-1] * 255 // size)
    check = ((row[:, None] // 32 + row[None] // 32) % 2) * 120 + 60
    return np.stack([red, green, check], axis=2).astype(np.uint8)


def pose_corrective(arrays: dict[str, Array], axis_angle: Array) -> Array:
    """Return the corrective (V, 3) of a pose (J, 3) from the list of correctives in ``arrays``."""
    turned = (rotation_matrices(axis_angle) - np.eye(3)).reshape(-1, 9)
    moved = np.zeros(arrays["body_rest_vertices"].shape)
    offsets = np.einsum("nak,nk->na", arrays["pose_dirs"].astype(float), turned[arrays["pose_dirs_bones"]])
    np.add.at(moved, arrays["pose_dirs_vertices"], offsets)
    return moved


def _pose_dirs(vertices: int, rng: np.random.Generator) -> dict[str, Array]:
    """Every second vertex is moved by two of six bones."""
    moved = np.repeat(np.arange(0, vertices, 2), 2)
    bones = np.stack([rng.choice([1, 4, 9], len(moved) // 2), rng.choice([12, 18, 21], len(moved) // 2)], axis=1)
    return {
        "pose_dirs_vertices": moved.astype(np.int32),
        "pose_dirs_bones": bones.reshape(-1).astype(np.int32),
        "pose_dirs": rng.normal(0, 0.01, (len(moved), 3, 9)).astype(np.float16),
    }


def random_person(
    seed: int, *, rings: int = 4, texture: int = 256, still: bool = False, correctives: bool = False
) -> tuple[dict, dict]:
    """Make the arrays and facts of one person with a random pose, shape, root and camera distance."""
    rng = np.random.default_rng(seed)
    bones = skeleton()
    count = len(bones.names)
    pose = np.zeros((count, 3)) if still else rng.normal(0, 0.5, (count, 3)).clip(-1.6, 1.6)
    pose[0] = 0 if still else rng.normal(0, 1.0, 3)
    body_rest, quads, uv = _tubes(bones, rings, 0.05)
    surface_rest, surface_quads, surface_uv = _tubes(bones, rings + 2, 0.07)
    corrective = np.zeros_like(body_rest) if still else rng.normal(0, 0.004, body_rest.shape)
    body_weights, surface_weights = _weights(body_rest, bones, rng), _weights(surface_rest, bones, rng)
    arrays = {
        **_skin_arrays("body", body_rest, quads, uv, body_weights),
        **_skin_arrays("surface", surface_rest, surface_quads, surface_uv, surface_weights),
        "body_corrective": corrective.astype(np.float32),
        "body_shape_dirs": rng.normal(0, 0.01, (*body_rest.shape, 10)).astype(np.float16),
        "joint_shape_dirs": rng.normal(0, 0.01, (count, 3, 10)).astype(np.float16),
        "texture": _texture(texture),
        "betas": rng.normal(0, 1, 10).astype(np.float32),
    }
    if correctives:
        arrays.update(_pose_dirs(len(body_rest), rng))
        arrays["body_corrective"] = pose_corrective(arrays, pose).astype(np.float32)
    arrays.update(_posed(arrays, bones, pose, rng))
    facts = {"body_model": "synthetic 0", "silhouette_iou": 0.9, "landmark_error": 0.01, "warnings": ["a warning"]}
    return arrays, facts


def in_its_skin(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return the arrays of a person whose clothes are the skin: the body's topology, its shape in the photo's pose."""
    same = {f"surface_{name}": arrays[f"body_{name}"] for name in ("faces", "quads", "uv", "weights", "vertices")}
    rest = arrays["body_rest_vertices"] + arrays["body_corrective"]
    return {**arrays, **same, "surface_rest_vertices": rest.astype(np.float32)}


def _posed(arrays: dict[str, Array], bones: Skeleton, pose: Array, rng: np.random.Generator) -> dict[str, Array]:
    flip = np.array([1.0, -1.0, -1.0])
    translation = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), rng.uniform(3, 5)])
    body = arrays["body_rest_vertices"] + arrays["body_corrective"]
    body_posed, joints = skin(body, arrays["body_weights"], bones, pose)
    surface_posed, _ = skin(arrays["surface_rest_vertices"], arrays["surface_weights"], bones, pose)
    focal = rng.uniform(700, 1200)
    width, height = IMAGE_SIZE
    centre = (width / 2 + rng.uniform(-40, 40), height / 2 + rng.uniform(-40, 40))
    return {
        "joints": (joints[:24] * flip + translation).astype(np.float32),
        "body_vertices": (body_posed * flip + translation).astype(np.float32),
        "surface_vertices": (surface_posed * flip + translation).astype(np.float32),
        "pose": pose[:24].astype(np.float32),
        "bone_rotations": pose.astype(np.float32),
        "translation": translation.astype(np.float32),
        "camera_matrix": np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]], dtype=np.float32),
        "image_size": np.array(IMAGE_SIZE, dtype=np.int32),
        "bone_names": np.array(bones.names),
        "bone_parents": np.array(bones.parents, dtype=np.int32),
        "bone_heads": bones.heads.astype(np.float32),
        "bone_tails": bones.tails.astype(np.float32),
        "box": np.array([0, 0, *IMAGE_SIZE], dtype=np.float32),
        "up_cam": np.array([rng.normal(0, 0.1), -1.0, rng.normal(0, 0.4)], dtype=np.float32),
    }
