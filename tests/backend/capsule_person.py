"""A small synthetic character: a tube around every bone, skinned, textured and posed.

It obeys the whole contract of ``munet.reconstruction.Reconstruction`` and needs NumPy alone, so that tests of the
backend and of the add-on can use it without the method.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BONES = (
    # name, parent, head of the left side or the middle (body frame, metres)
    ("pelvis", -1, (0.0, -0.22, 0.02)),
    ("left_hip", 0, (0.07, -0.31, 0.02)),
    ("right_hip", 0, (-0.07, -0.31, 0.02)),
    ("spine1", 0, (0.0, -0.11, 0.0)),
    ("left_knee", 1, (0.10, -0.70, 0.02)),
    ("right_knee", 2, (-0.10, -0.70, 0.02)),
    ("spine2", 3, (0.0, 0.02, 0.0)),
    ("left_ankle", 4, (0.09, -1.12, -0.02)),
    ("right_ankle", 5, (-0.09, -1.12, -0.02)),
    ("spine3", 6, (0.0, 0.10, 0.0)),
    ("left_foot", 7, (0.11, -1.18, 0.10)),
    ("right_foot", 8, (-0.11, -1.18, 0.10)),
    ("neck", 9, (0.0, 0.29, -0.01)),
    ("left_collar", 9, (0.06, 0.22, 0.0)),
    ("right_collar", 9, (-0.06, 0.22, 0.0)),
    ("head", 12, (0.0, 0.38, 0.02)),
    ("left_shoulder", 13, (0.18, 0.24, -0.01)),
    ("right_shoulder", 14, (-0.18, 0.24, -0.01)),
    ("left_elbow", 16, (0.43, 0.24, -0.02)),
    ("right_elbow", 17, (-0.43, 0.24, -0.02)),
    ("left_wrist", 18, (0.68, 0.24, -0.02)),
    ("right_wrist", 19, (-0.68, 0.24, -0.02)),
    ("left_hand", 20, (0.75, 0.24, -0.02)),
    ("right_hand", 21, (-0.75, 0.24, -0.02)),
)
FINGERS = (("index", 0.02), ("middle", 0.0), ("pinky", -0.04), ("ring", -0.02), ("thumb", 0.04))
LEAF_TAILS = {"head": (0.0, 0.22, 0.0), "left_foot": (0.0, 0.0, 0.08), "right_foot": (0.0, 0.0, 0.08)}
SIDES = 8
CAMERA_FROM_BODY = np.diag([1.0, -1.0, -1.0])
IMAGE_SIZE = (640, 480)
FOCAL = 600.0


@dataclass(frozen=True)
class Skeleton:
    """Names, (J,) parents, (J, 3) heads and tails in the T-pose, body frame."""

    names: tuple[str, ...]
    parents: Array
    heads: Array
    tails: Array


def skeleton() -> Skeleton:
    """Return the 54 bones of the contract."""
    names = [name for name, _, _ in BONES]
    parents = [parent for _, parent, _ in BONES]
    heads = [np.array(head) for _, _, head in BONES]
    for side, hand, sign in (("left", 22, 1.0), ("right", 23, -1.0)):
        for finger, offset in FINGERS:
            for link in range(3):
                parents.append(hand if link == 0 else len(names) - 1)
                names.append(f"{side}_{finger}{link + 1}")
                heads.append(heads[hand] + np.array([sign * (0.04 + 0.025 * link), 0.0, offset]))
    return Skeleton(tuple(names), np.array(parents, np.int32), np.array(heads), _tails(names, parents, heads))


def _tails(names: list[str], parents: list[int], heads: list[Array]) -> Array:
    tails = []
    for bone, head in enumerate(heads):
        children = [child for child, parent in enumerate(parents) if parent == bone]
        if names[bone] in LEAF_TAILS:
            tails.append(head + np.array(LEAF_TAILS[names[bone]]))
        elif children:
            tails.append(heads[children[len(children) // 2]])
        else:
            tails.append(head + np.array([np.sign(head[0]) * 0.025, 0.0, 0.0]))
    return np.array(tails)


def tubes(bones: Skeleton, rings: int, thickness: float) -> tuple[Array, Array, Array, Array]:
    """Return vertices (V, 3), quads (Q, 4), weights (V, J) and the bone of each quad (Q,)."""
    vertices, quads, owners = [], [], []
    weights = np.zeros((len(bones.names) * rings * SIDES, len(bones.names)))
    for bone in range(len(bones.names)):
        start = len(vertices) * rings * SIDES
        along = np.repeat(np.linspace(0.0, 1.0, rings), SIDES)
        vertices.append(_tube(bones.heads[bone], bones.tails[bone], rings, thickness))
        share = np.where(bones.parents[bone] >= 0, 0.5 * np.clip(1.0 - along / 0.4, 0.0, 1.0), 0.0)
        rows = np.arange(start, start + rings * SIDES)
        weights[rows, bone] += 1.0 - share
        weights[rows, max(bones.parents[bone], 0)] += share
        own = _tube_quads(rings) + start
        quads.append(own)
        owners.append(np.full(len(own), bone))
    return np.concatenate(vertices), np.concatenate(quads), weights, np.concatenate(owners)


def _tube(head: Array, tail: Array, rings: int, thickness: float) -> Array:
    axis = tail - head
    length = np.linalg.norm(axis)
    side = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.8 * length else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(axis / length, side)
    angles = 2.0 * np.pi * np.arange(SIDES) / SIDES
    circle = np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * other
    radius = thickness * min(0.3 * length, 0.1)
    steps = np.linspace(0.0, 1.0, rings)
    bulge = radius * (0.7 + 0.3 * np.sin(np.pi * steps))
    return (head + steps[:, None, None] * axis + bulge[:, None, None] * circle).reshape(-1, 3)


def _tube_quads(rings: int) -> Array:
    quads = []
    for ring in range(rings - 1):
        for corner in range(SIDES):
            low, nearby = ring * SIDES + corner, ring * SIDES + (corner + 1) % SIDES
            quads.append((low, nearby, nearby + SIDES, low + SIDES))
    last = (rings - 1) * SIDES
    quads += [(3, 2, 1, 0), (7, 4, 3, 0), (7, 6, 5, 4)]
    quads += [(last, last + 1, last + 2, last + 3), (last, last + 3, last + 4, last + 7)]
    quads += [(last + 4, last + 5, last + 6, last + 7)]
    return np.array(quads, np.int32)


def triangles(quads: Array) -> Array:
    """Split quad q into the faces 2q and 2q + 1."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)


def cell_uv(count: int) -> tuple[Array, int]:
    """Give every quad a cell of its own; return (2 count, 3, 2) UVs and the number of cells along an edge."""
    edge = int(np.ceil(np.sqrt(count)))
    cell = np.stack([np.arange(count) % edge, np.arange(count) // edge], axis=1)[:, None]
    corners = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]])[None]
    quad_uv = (cell + corners) / edge
    return np.stack([quad_uv[:, [0, 1, 2]], quad_uv[:, [0, 2, 3]]], axis=1).reshape(-1, 3, 2), edge


def cell_texture(owners: Array, edge: int, pixels: int) -> Array:
    """Paint every cell in the colour of its bone, (pixels, pixels, 3) uint8, first row at the top."""
    palette = np.random.default_rng(5).integers(60, 240, (owners.max() + 1, 3))
    cells = np.full((edge * edge, 3), 128)
    cells[: len(owners)] = palette[owners]
    index = np.arange(pixels) * edge // pixels
    return cells.reshape(edge, edge, 3)[index[::-1]][:, index].astype(np.uint8)


def rotation(vector: Array) -> Array:
    """Axis-angle (3,) to matrix (3, 3), Rodrigues' formula."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = np.asarray(vector) / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def transforms(heads: Array, parents: Array, rotations: Array) -> Array:
    """Return (J, 4, 4) world transforms of the bones relative to the T-pose, body frame."""
    world = np.tile(np.eye(4), (len(heads), 1, 1))
    for bone, parent in enumerate(parents):
        local = np.eye(4)
        local[:3, :3] = rotation(rotations[bone])
        local[:3, 3] = heads[bone] - (heads[parent] if parent >= 0 else 0.0)
        world[bone] = world[parent] @ local if parent >= 0 else local
    world[:, :3, 3] -= np.einsum("jab,jb->ja", world[:, :3, :3], heads)
    return world


def skin(vertices: Array, weights: Array, world: Array) -> Array:
    """Linear blend skinning, (V, 3)."""
    blended = np.einsum("vj,jab->vab", weights, world)
    return np.einsum("vab,vb->va", blended[:, :3, :3], vertices) + blended[:, :3, 3]


def photo_pose(index: int) -> Array:
    """Return (54, 3) local rotations of a person who stands in three-quarter view with bent limbs."""
    pose = np.zeros((54, 3))
    pose[0] = (0.05, 0.35 - 0.2 * index, 0.0)
    pose[[1, 4]] = [(-0.5, 0.0, 0.1), (0.8, 0.0, 0.0)]
    pose[[16, 17]] = [(0.0, 0.1, -1.1), (0.2, 0.0, 0.9)]
    pose[[18, 19]] = [(0.0, -0.7, 0.0), (0.0, 1.2 + 0.1 * index, 0.0)]
    pose[[6, 12, 15]] = [(0.1, 0.1, 0.0), (-0.1, 0.0, 0.05), (0.0, 0.3, 0.0)]
    for finger in range(24, 54):
        pose[finger] = (0.0, 0.0, -0.3 if finger < 39 else 0.3)
    return pose


def capsule_person(index: int = 0, texture_pixels: int = 512) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays and facts of the ``index``-th person; always the same for the same arguments."""
    mean = skeleton()
    betas = np.linspace(0.8, -0.8, 10) * (1.0 if index % 2 == 0 else -0.5)
    world_pose = photo_pose(index)
    translation = np.array([0.9 * index, -0.3, 3.2])
    body = _mesh(mean, 6, 1.0, betas)
    surface = _mesh(mean, 8, 1.35, betas)
    joint_dirs = _shape_dirs(mean.heads)
    heads = mean.heads + joint_dirs.astype(np.float64) @ betas
    tails = mean.tails + _shape_dirs(mean.tails).astype(np.float64) @ betas
    world = transforms(heads, mean.parents, world_pose)
    corrective = 0.004 * np.sin(40.0 * body["rest"][:, [1, 2, 0]])

    def photo(rest: Array, weights: Array) -> Array:
        return skin(rest, weights, world) @ CAMERA_FROM_BODY + translation

    joints = np.einsum("jab,jb->ja", world[:, :3, :3], heads) + world[:, :3, 3]
    floats = {
        "joints": joints[:24] @ CAMERA_FROM_BODY + translation,
        "pose": world_pose[:24],
        "betas": betas,
        "translation": translation,
        "camera_matrix": np.array([[FOCAL, 0, IMAGE_SIZE[0] / 2], [0, FOCAL, IMAGE_SIZE[1] / 2], [0, 0, 1]]),
        "body_vertices": photo(body["rest"] + corrective, body["weights"]),
        "body_rest_vertices": body["rest"],
        "body_corrective": corrective,
        "body_weights": body["weights"],
        "body_uv": body["uv"],
        "surface_vertices": photo(surface["rest"], surface["weights"]),
        "surface_rest_vertices": surface["rest"],
        "surface_weights": surface["weights"],
        "surface_uv": surface["uv"],
        "bone_heads": heads,
        "bone_tails": tails,
        "bone_rotations": world_pose,
    }
    arrays = {name: np.asarray(value, np.float32) for name, value in floats.items()}
    arrays |= {
        "image_size": np.array(IMAGE_SIZE, np.int32),
        "body_faces": triangles(body["quads"]).astype(np.int32),
        "body_quads": body["quads"],
        "body_shape_dirs": body["shape_dirs"],
        "surface_faces": triangles(surface["quads"]).astype(np.int32),
        "surface_quads": surface["quads"],
        "texture": cell_texture(surface["owners"], surface["edge"], texture_pixels),
        "bone_names": np.array(mean.names),
        "bone_parents": mean.parents,
        "joint_shape_dirs": joint_dirs,
        "box": _box(arrays["surface_vertices"], arrays["camera_matrix"]),
    }
    facts = {
        "body_model": "capsules (synthetic)",
        "silhouette_iou": 0.97,
        "landmark_error": 0.01,
        "warnings": ["This is a synthetic character."],
    }
    return arrays, facts


def _mesh(bones: Skeleton, rings: int, thickness: float, betas: Array) -> dict[str, Any]:
    vertices, quads, weights, owners = tubes(bones, rings, thickness)
    dirs = _shape_dirs(vertices)
    uv, edge = cell_uv(len(quads))
    rest = vertices + dirs.astype(np.float64) @ betas
    return {
        "rest": rest,
        "shape_dirs": dirs,
        "quads": quads,
        "weights": weights,
        "uv": uv,
        "edge": edge,
        "owners": owners,
    }


def _shape_dirs(points: Array) -> Array:
    """Return (N, 3, 10) float16: taller, wider, deeper, then smaller and smaller waves."""
    dirs = np.zeros((*points.shape, 10))
    dirs[:, 1, 0] = 0.03 * points[:, 1]
    dirs[:, 0, 1] = 0.03 * points[:, 0]
    dirs[:, 2, 2] = 0.05 * points[:, 2]
    for beta in range(3, 10):
        dirs[:, beta % 3, beta] = 0.002 * points[:, (beta + 1) % 3] / (beta - 2)
    return dirs.astype(np.float16)


def _box(vertices_cam: Array, camera_matrix: Array) -> Array:
    pixels = vertices_cam @ camera_matrix.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]).astype(np.float32)


def as_file(pixels: Array) -> Array:
    """Return pixels (H, W, 3) as the bytes (N,) of a PNG file without filters."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"IDAT": zlib.compress(rows.tobytes(), 1),
        b"IEND": b"",
    }
    file = b"\x89PNG\r\n\x1a\n"
    for kind, body in parts.items():
        file += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return np.frombuffer(file, np.uint8)
