"""The least-squares problems of dressing: offsets that meet the outline and stay smooth everywhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from munet.surface.contour import Matches
from munet.surface.operators import Floats, Ints, edge_weights, factorise, laplacian, vertex_areas

# Pull of the outline per metre of contour, against the membrane energy of the offsets.
DATA_WEIGHT = 400.0
# Without evidence an offset decays over this length.
DECAY_METRES = 0.6
# Waves of the offset field shorter than this are bent away.
STIFF_METRES = 0.03
LOCK_WEIGHT = 1e4
BOUND_WEIGHT = 3e3
# Cost of moving a joint sideways, alone and against its neighbour, in units of the data weight times metres.
SHIFT_WEIGHT = 8.0
SHIFT_BEND_WEIGHT = 30.0


@dataclass(frozen=True)
class Mesh:
    """The mesh on which offsets live. V: vertices.

    Attributes:
        pairs: (E, 2) edges.
        laplace: (V, V) cotangent Laplacian.
        areas: (V,) square metres.
        lengths: (V,) metres of contour that a vertex stands for.
    """

    pairs: Ints
    laplace: sparse.csr_array
    areas: Floats
    lengths: Floats


def prepare_mesh(vertices: Floats, faces: Ints) -> Mesh:
    """Operators of a mesh with vertices (V, 3) and faces (F, 3)."""
    pairs, weights = edge_weights(vertices, faces)
    areas = vertex_areas(vertices, faces)
    return Mesh(pairs, laplacian(pairs, weights, len(vertices)), areas, np.sqrt(areas))


@dataclass(frozen=True)
class Offsets:
    """The state of the dressing.

    Attributes:
        along: (V,) metres along the smooth normals.
        shifts: (24, 2) metres, sideways registration of the joints in the image plane.
    """

    along: Floats
    shifts: Floats


@dataclass(frozen=True)
class Limits:
    """Bounds of the offsets.

    Attributes:
        outward: (V,) metres.
        inward: (V,) metres, positive.
        locked: (V,) in [0, 1].
        parents: (24,) parents of the joints, -1 for the root.
        shift: (24,) factor on the cost of shifting each joint.
    """

    outward: Floats
    inward: Floats
    locked: Floats
    parents: tuple[int, ...]
    shift: Floats


def energy(mesh: Mesh, decay: float, stiff: float) -> sparse.csr_array:
    """Quadratic form (V, V) of smoothness: membrane, bending below ``stiff`` metres, decay over ``decay`` metres."""
    bending = mesh.laplace @ sparse.diags_array(stiff**2 / mesh.areas) @ mesh.laplace
    return sparse.csr_array(mesh.laplace + bending + sparse.diags_array(mesh.areas / decay**2))


def solve_offsets(
    mesh: Mesh,
    limits: Limits,
    matches: Matches,
    normals: Floats,
    carry: Floats,
    current: Offsets,
    tolerance: float,
) -> Offsets:
    """Offsets along the normals and sideways shifts of the joints that bring the outline to its matches.

    Robust against wrong matches (Geman and McClure, by reweighting) and bounded by an active set of penalties.

    Args:
        mesh: where the offsets live.
        limits: their bounds.
        matches: distances still to go from the current state.
        normals: (V, 3) directions of the offsets.
        carry: (V, 24) how shifts of the joints move the vertices.
        current: the state in which the matches were found.
        tolerance: metres; matches that disagree by much more lose their say.
    """
    rows, target = _data_rows(matches, normals, carry, current)
    base = sparse.block_diag([energy(mesh, DECAY_METRES, STIFF_METRES), _shift_energy(limits)], format="csr")
    pull = DATA_WEIGHT * matches.weight * mesh.lengths[matches.vertex]
    lock = LOCK_WEIGHT * limits.locked * mesh.areas
    robust = np.ones(len(target))
    solution = np.concatenate([current.along, current.shifts.ravel()])
    for _ in range(3):
        bounded, bound = _violations(solution[: len(lock)], limits)
        stiffness = lock + BOUND_WEIGHT * bounded * mesh.areas
        weighted = rows.T @ sparse.diags_array(pull * robust)
        diagonal = np.concatenate([stiffness, np.zeros(current.shifts.size)])
        right = weighted @ target
        right[: len(lock)] += BOUND_WEIGHT * bounded * mesh.areas * bound
        solution = factorise(base + weighted @ rows + sparse.diags_array(diagonal))(right)
        residual = rows @ solution - target
        robust = 1 / (1 + (residual / tolerance) ** 2) ** 2
    along = np.clip(solution[: len(lock)], -limits.inward, limits.outward)
    return Offsets(along, solution[len(lock) :].reshape(-1, 2))


def _data_rows(matches: Matches, normals: Floats, carry: Floats, current: Offsets) -> tuple[sparse.csr_array, Floats]:
    """Rows (M, V + 48) and targets (M,) of: offset and shift, seen along the match, reach the boundary."""
    count, joints = len(matches.vertex), carry.shape[1]
    gain = np.maximum(np.einsum("mi,mi->m", normals[matches.vertex], matches.direction_cam), 0.3)
    offset = sparse.csr_array((gain, (np.arange(count), matches.vertex)), (count, len(normals)))
    moved = carry[matches.vertex][:, :, None] * matches.direction_cam[:, None, :2]
    rows = sparse.csr_array(sparse.hstack([offset, sparse.csr_array(moved.reshape(count, 2 * joints))]))
    state = np.concatenate([current.along, current.shifts.ravel()])
    return rows, matches.distance + rows @ state


def _shift_energy(limits: Limits) -> sparse.csr_array:
    joints = len(limits.parents)
    form = np.diag(SHIFT_WEIGHT * limits.shift)
    for joint, parent in enumerate(limits.parents):
        if parent >= 0:
            form[[joint, parent], [joint, parent]] += SHIFT_BEND_WEIGHT
            form[[joint, parent], [parent, joint]] -= SHIFT_BEND_WEIGHT
    ridge = np.eye(joints) * 1e-6
    return sparse.csr_array(np.kron(form + ridge, np.eye(2)))


def _violations(along: Floats, limits: Limits) -> tuple[Floats, Floats]:
    """Which offsets (V,) break their bounds (0 or 1), and the bound they break."""
    above, below = along > limits.outward, along < -limits.inward
    return (above | below).astype(np.float64), np.where(above, limits.outward, -limits.inward)


def solve_in_plane(mesh: Mesh, locked: Floats, matches: Matches, limit: float) -> Floats:
    """Smooth displacement (V, 3) in the image plane that takes the outline the rest of the way.

    Args:
        mesh: where the displacement lives.
        locked: (V,) in [0, 1]: vertices that stay.
        matches: distances still to go.
        limit: metres; longer matches are left out.
    """
    near = np.abs(matches.distance) < limit
    vertex = matches.vertex[near]
    pull = 3 * DATA_WEIGHT * matches.weight[near] * mesh.lengths[vertex]
    diagonal = LOCK_WEIGHT * locked * mesh.areas
    np.add.at(diagonal, vertex, pull)
    right = np.zeros((len(locked), 2))
    np.add.at(right, vertex, pull[:, None] * matches.distance[near][:, None] * matches.direction_cam[near, :2])
    solve = factorise(energy(mesh, 0.15, 0.015) + sparse.diags_array(diagonal))
    return np.pad(solve(right), ((0, 0), (0, 1)))
