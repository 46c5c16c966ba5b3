"""Differential operators of a triangle mesh: areas, normals, cotangent Laplacian, scale-aware smoothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Solver = Callable[[Floats], Floats]

# Cotangents of slivers are bounded so that the Laplacian stays positive and no thin triangle dominates.
COTANGENT_RANGE = (0.05, 5.0)


def area_vectors(vertices: Floats, faces: Ints) -> Floats:
    """Normals (F, 3) of faces, as long as their areas in square metres."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    vectors: Floats = 0.5 * np.cross(b - a, c - a)
    return vectors


def unit(vectors: Floats) -> Floats:
    """Vectors (N, D) scaled to length one; vectors without length stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.maximum(length, 1e-12)
    return scaled


def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """Unit normals (V, 3), adjacent faces weighed by area."""
    vectors = area_vectors(vertices, faces)
    columns = [np.bincount(faces.ravel(), np.repeat(vectors[:, k], 3), minlength=len(vertices)) for k in range(3)]
    return unit(np.stack(columns, 1))


def vertex_areas(vertices: Floats, faces: Ints) -> Floats:
    """A third of the area of the adjacent faces of every vertex (V,), square metres, never quite zero."""
    area = np.linalg.norm(area_vectors(vertices, faces), axis=1) / 3
    return np.maximum(np.bincount(faces.ravel(), np.repeat(area, 3), minlength=len(vertices)), 1e-9)


def edge_weights(vertices: Floats, faces: Ints) -> tuple[Ints, Floats]:
    """Cotangent weights of the undirected edges: pairs (E, 2), lower index first, and weights (E,)."""
    starts, ends, weights = [], [], []
    for k in range(3):
        corner, i, j = faces[:, k], faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        u, v = vertices[i] - vertices[corner], vertices[j] - vertices[corner]
        sine = np.linalg.norm(np.cross(u, v), axis=1)
        cotangent = np.einsum("fi,fi->f", u, v) / np.maximum(sine, 1e-12)
        starts.append(np.minimum(i, j))
        ends.append(np.maximum(i, j))
        weights.append(0.5 * np.clip(cotangent, *COTANGENT_RANGE))
    keys = np.concatenate(starts) * len(vertices) + np.concatenate(ends)
    unique, inverse = np.unique(keys, return_inverse=True)
    total = np.bincount(inverse, np.concatenate(weights)).astype(np.float64)
    return np.stack(np.divmod(unique, len(vertices)), 1).astype(np.int64), total


def laplacian(pairs: Ints, weights: Floats, count: int) -> sparse.csr_array:
    """Positive semi-definite Laplacian (count, count) of weighed edges."""
    i, j = pairs.T
    off = sparse.coo_array((-weights, (i, j)), (count, count))
    off = off + off.T
    return sparse.csr_array(sparse.diags_array(-np.asarray(off.sum(axis=1)).ravel()) + off)


def factorise(matrix: sparse.sparray) -> Solver:
    """Factorise a symmetric positive definite matrix once, to solve for several right-hand sides."""
    factor = splu(
        sparse.csc_array(matrix),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return factor.solve  # type: ignore[no-any-return]


def factorise_free(matrix: sparse.csr_array, free: NDArray[np.bool_]) -> Solver:
    """Like :func:`factorise` for the unknowns marked free; the others are zero."""
    index = np.nonzero(free)[0]
    solve_part = factorise(matrix[index][:, index])

    def solve(right: Floats) -> Floats:
        result = np.zeros_like(right)
        result[index] = solve_part(right[index])
        return result

    return solve


def smoother(laplace: sparse.csr_array, areas: Floats, length: float) -> Solver:
    """Low-pass filter for fields on the mesh that keeps waves much longer than ``length`` metres.

    Solves (A + length^4 L A^-1 L) x = A x0: bilaplacian smoothing by an implicit step, independent of the density of
    the mesh (Desbrun et al. 1999 for the implicit step; Botsch and Kobbelt 2004 for the operator).
    """
    mass = sparse.diags_array(areas)
    bilaplace = laplace @ sparse.diags_array(1 / areas) @ laplace
    solve = factorise(mass + length**4 * bilaplace)

    def apply(field: Floats) -> Floats:
        scaled = field * (areas if field.ndim == 1 else areas[:, None])
        return solve(scaled)

    return apply


def soften_field(laplace: sparse.csr_array, field: Floats, steps: int) -> Floats:
    """A field on vertices, (V,) or (V, D), averaged with its neighbours ``steps`` times."""
    result = field
    half = sparse.diags_array(0.5 / np.maximum(laplace.diagonal(), 1e-12))
    for _ in range(steps):
        result = result - half @ (laplace @ result)
    return result


def neighbourhood_minimum(pairs: Ints, field: Floats, rings: int) -> Floats:
    """The smallest value (V,) of a field within ``rings`` edges of every vertex."""
    result = field.copy()
    for _ in range(rings):
        before = result.copy()
        np.minimum.at(result, pairs[:, 0], before[pairs[:, 1]])
        np.minimum.at(result, pairs[:, 1], before[pairs[:, 0]])
    return result
