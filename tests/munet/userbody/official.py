"""Body files in the official layouts, made from the default body: other vertices, joints, betas and rest limbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from munet.body.model import SMPL_PARENTS, BodyModel
from munet.body.skinning import pose_body

Array = NDArray[np.float64]

SMPL_ORDER = tuple(range(24))
SMPLH_ORDER = (*range(22), *range(24, 54))
SMPLX_ORDER = (*range(22), 15, 15, 15, *range(24, 54))
"""Joints of the default body that stand for those of each kind of file; SMPL-X's jaw and eyes lie on the head's."""

ARMS_HANG, LEGS_APART = 0.07, 0.05
"""Radians by which the rest pose of the made files departs from the default body's T-pose."""


def mixing() -> Array:
    """An orthogonal (10, 10): the betas of the made files are other directions than the default body's."""
    return np.linalg.qr(np.random.default_rng(5).normal(size=(10, 10)))[0]


def smpl_arrays(model: BodyModel, order: tuple[int, ...] = SMPL_ORDER) -> dict[str, Any]:
    """SMPL (24 joints) or SMPL-H (52) with SMPL's 6890 vertices and 13776 faces, in an order of their own."""
    graph = model.graph
    assert graph is not None
    down = graph.down.coalesce()
    whole = sparse.csr_array((down.values().double().numpy(), tuple(down.indices().numpy())), down.shape)
    shuffle = np.random.default_rng(4).permutation(graph.vertex_count)
    arrays = _arrays(model, whole[shuffle], order)
    return arrays | {"f": np.argsort(shuffle)[graph.faces.numpy()].astype(np.uint32)} | _hands(order)


def smplx_arrays(model: BodyModel) -> dict[str, Any]:
    """SMPL-X (55 joints) with eyes that have their own bones, expressions, hands, facial points and an atlas."""
    arrays = _arrays(model, sparse.eye_array(model.vertex_count).tocsr(), SMPLX_ORDER)
    for part, joint in ((1, 23), (2, 24)):
        arrays["weights"][model.parts.numpy() == part] = np.eye(55)[joint]
    face = {"lmk_faces_idx": np.arange(51), "lmk_bary_coords": np.full((51, 3), 1 / 3)}
    atlas = {"vt": model.uv.double().numpy().reshape(-1, 2), "ft": np.arange(model.faces.numel()).reshape(-1, 3)}
    expressions = np.zeros((model.vertex_count, 3, 10))
    more = {"shapedirs": np.concatenate([arrays["shapedirs"], expressions], 2)}
    return arrays | more | _hands(SMPLX_ORDER) | face | atlas | {"f": model.faces.numpy().astype(np.uint32)}


def _hands(order: tuple[int, ...]) -> dict[str, Any]:
    if len(order) == 24:
        return {}
    means = {f"hands_mean{side}": np.full(45, 0.1) for side in "lr"}
    return means | {f"hands_components{side}": np.eye(45) for side in "lr"}


def _arrays(model: BodyModel, down: sparse.csr_array, order: tuple[int, ...]) -> dict[str, Any]:
    """Everything but the faces; ``down`` (W, V) makes the file's vertices from the default body's."""
    pose = torch.zeros(11, 24, 3)
    pose[:, 16, 2], pose[:, 17, 2], pose[:, 1, 2], pose[:, 2, 2] = -ARMS_HANG, ARMS_HANG, LEGS_APART, -LEGS_APART
    posed = pose_body(model, torch.cat([torch.zeros(1, 10), torch.eye(10)]), pose, correctives=False)
    points, joints = posed.vertices.double().numpy(), posed.joints.double().numpy()[:, list(order)]
    template = down @ points[0]
    moved = (points[1:] - points[0]).transpose(1, 2, 0).reshape(-1, 30)
    shape_dirs = (down @ moved).reshape(-1, 3, 10) @ mixing()
    joints[:, [1, 2], 1] -= 0.01
    if len(order) == 55:
        joints[:, 22:25] += [[0, -0.02, 0.02], [0.03, 0.06, 0.08], [-0.03, 0.06, 0.08]]
    head_dirs = (joints[1:] - joints[0]).transpose(1, 2, 0) @ mixing()
    known = np.concatenate([template[:, :, None], shape_dirs], 2).reshape(len(template), -1)
    wanted = np.concatenate([joints[0][:, :, None], head_dirs], 2).reshape(len(order), -1)
    tree = np.array(_parents(order)).astype(np.uint32)
    return {
        "v_template": template,
        "shapedirs": shape_dirs,
        "posedirs": _pose_dirs(model, down, order),
        "J_regressor": wanted @ np.linalg.pinv(known),
        "weights": _weights(model, down, order),
        "kintree_table": np.array([tree, np.arange(len(order), dtype=np.uint32)]),
    }


def _parents(order: tuple[int, ...]) -> list[int]:
    if len(order) == 24:
        return list(SMPL_PARENTS)
    face = len(order) - 52
    parents = [*SMPL_PARENTS[:22], *([15] * face)]
    for first in range(22 + face, len(order), 3):
        parents += [20 if first < 37 + face else 21, first, first + 1]
    return parents


def _weights(model: BodyModel, down: sparse.csr_array, order: tuple[int, ...]) -> Array:
    weights = model.weights.double().numpy().copy()
    if len(order) == 24:
        weights[:, 22] += weights[:, 24:39].sum(1)
        weights[:, 23] += weights[:, 39:54].sum(1)
    else:
        weights[:, 20] += weights[:, 22]
        weights[:, 21] += weights[:, 23]
    rows = down @ weights[:, list(order)]
    if len(order) == 55:
        rows[:, 22:25] = 0
    rows[rows < np.sort(rows, 1)[:, -4:-3]] = 0
    result: Array = rows / rows.sum(1, keepdims=True)
    return result


def _pose_dirs(model: BodyModel, down: sparse.csr_array, order: tuple[int, ...]) -> Array:
    used = model.pose_dirs.dense().numpy()[:, :, : 9 * (23 if len(order) == 24 else 21)]
    result = np.zeros((down.shape[0], 3, 9 * (len(order) - 1)), np.float32)
    result[:, :, : used.shape[2]] = (down @ used.reshape(len(used), -1)).reshape(-1, *used.shape[1:])
    return result


def write_npz(path: Path, arrays: dict[str, Any]) -> Path:
    """Write arrays in the releases' precision."""
    np.savez(path, **{k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in arrays.items()})
    return path
