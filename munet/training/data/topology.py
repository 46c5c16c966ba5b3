"""Meshes that every sample shares: the finer skin that clothes are grown from, and grids that hang."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.errors import InvalidInputError

Index = NDArray[np.int64]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class FineMesh:
    """A mesh whose long edges were split.

    Attributes:
        parents: (V', 2) int64: each vertex is the mean of these two vertices of the coarse mesh.
        faces: (F', 3) int64.
    """

    parents: Index
    faces: Index


def split_long_edges(vertices: Array, faces: Index, longest: float) -> FineMesh:
    """Split the edges longer than ``longest`` in the middle, without holes between split and whole faces.

    Args:
        vertices: (V, 3).
        faces: (F, 3).
        longest: metres.

    Returns:
        A mesh whose first V vertices are the given ones.

    Raises:
        InvalidInputError: ``longest`` is not positive.
    """
    if longest <= 0:
        raise InvalidInputError("The longest edge must be positive.", detail=f"found {longest}")
    pairs = np.sort(np.stack([faces, np.roll(faces, -1, 1)], -1), -1)
    edges, owner = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
    split = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1) > longest
    middle = np.where(split, len(vertices) + np.cumsum(split) - 1, -1)[owner.reshape(-1, 3)]
    kept = np.arange(len(vertices))
    parents = np.concatenate([np.stack([kept, kept], 1), edges[split]])
    return FineMesh(parents.astype(np.int64), _retriangulated(faces, middle))


def _retriangulated(faces: Index, middle: Index) -> Index:
    count = (middle >= 0).sum(1)
    pieces = [faces[count == 0]]
    four = count == 3
    (a, b, c), (d, e, f) = faces[four].T, middle[four].T
    pieces += [np.stack(t, 1) for t in ((a, d, f), (d, b, e), (f, e, c), (d, e, f))]
    for corner in range(3):
        turned, mids = np.roll(faces, -corner, 1), np.roll(middle, -corner, 1)
        one = (count == 1) & (mids[:, 0] >= 0)
        (a, b, c), d = turned[one].T, mids[one, 0]
        pieces += [np.stack([a, d, c], 1), np.stack([d, b, c], 1)]
        two = (count == 2) & (mids[:, 0] >= 0) & (mids[:, 1] >= 0)
        (a, b, c), (d, e) = turned[two].T, mids[two, :2].T
        pieces += [np.stack(t, 1) for t in ((d, b, e), (a, d, e), (a, e, c))]
    return np.concatenate(pieces).astype(np.int64)


def grid_faces(rows: int, columns: int) -> Index:
    """Faces (F, 3) of a grid whose vertex (r, c) has the number ``r * columns + c``; outward is to the right of down.

    With columns that go round from the front over the left side, outside is outside.
    """
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    corner = (r * columns + c).reshape(-1)
    below, beside = corner + columns, corner + 1
    return np.concatenate([np.stack([corner, below, beside], 1), np.stack([beside, below, below + 1], 1)])


def smoothing_matrix(faces: Index, count: int) -> Tensor:
    """Sparse (V, V) matrix that replaces each vertex by the mean of its neighbours."""
    pairs = np.stack([faces, np.roll(faces, -1, 1)], -1).reshape(-1, 2)
    both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    degree = np.bincount(both[:, 0], minlength=count)
    index, value = torch.from_numpy(both.T.copy()), torch.from_numpy(1.0 / degree[both[:, 0]]).float()
    matrix = torch.sparse_coo_tensor(index, value, (count, count), check_invariants=True).coalesce()
    with warnings.catch_warnings():
        # The format is complete enough for products, and several times as fast as coordinates.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return matrix.to_sparse_csr()


def smoothed(matrix: Tensor, values: Tensor) -> Tensor:
    """Apply a matrix (V, V) to values (B, V, C)."""
    batch, count, channels = values.shape
    flat = values.permute(1, 0, 2).reshape(count, batch * channels)
    return (matrix @ flat).reshape(count, batch, channels).permute(1, 0, 2)
