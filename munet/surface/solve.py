"""The least-squares problems of dressing: offsets that meet the outline and stay smooth everywhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from munet.surface.contour import Matches
from munet.surface.operators import Floats, Ints, edge_weights, factorise_free, laplacian, vertex_areas

# Pull of the outline per metre of contour, against the membrane energy of the offsets.
DATA_WEIGHT = 400.0
# Waves of the offset field shorter than this are bent away.
STIFF_METRES = 0.03
# The same two lengths for the last step in the image plane.
POLISH_DECAY_METRES, POLISH_STIFF_METRES = 0.15, 0.018
LOCK_WEIGHT = 1e7
FULLY_LOCKED = 0.99
BOUND_WEIGHT = 1e6
ROBUST_PASSES = 2
INITIAL_TOLERANCE = 0.10
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
        ease: (V,) metres, offset without evidence.
        expected: (V,) metres, offset that a network expects: the outline corrects it smoothly. 0 without.
        locked: (V,) in [0, 1].
        parents: (24,) parents of the joints, -1 for the root.
        shift: (24,) factor on the cost of shifting each joint.
    """

    outward: Floats
    inward: Floats
    ease: Floats
    expected: Floats
    locked: Floats
    parents: tuple[int, ...]
    shift: Floats


@dataclass(frozen=True)
class System:
    """What the least-squares problem of a start has in common from round to round.

    Attributes:
        mesh: where the offsets live.
        normals: (V, 3) directions of the offsets.
        carry: (V, 24) how shifts of the joints move the vertices.
        form: (V + 48, V + 48) quadratic form of offsets and shifts without any evidence.
        pull: (V + 48,) right-hand side without any evidence.
        free: (V + 48,) bool: unknowns that are not locked.
    """

    mesh: Mesh
    normals: Floats
    carry: Floats
    form: sparse.csr_array
    pull: Floats
    free: NDArray[np.bool_]


def make_system(mesh: Mesh, limits: Limits, normals: Floats, carry: Floats, decay: Floats) -> System:
    """Set up the problem; ``decay`` (V,) is the length in metres over which offsets without evidence decay."""
    rest = mesh.areas / decay**2
    lock = LOCK_WEIGHT * limits.locked * mesh.areas
    smooth = smoothness(mesh, STIFF_METRES)
    field = smooth + sparse.diags_array(rest + lock)
    form = sparse.block_diag([field, _shift_energy(limits)], format="csr")
    shifts = (0, 2 * len(limits.parents))
    free = np.pad(limits.locked < FULLY_LOCKED, shifts, constant_values=True)
    pull = rest * np.maximum(limits.ease, limits.expected) + smooth @ limits.expected
    return System(mesh, normals, carry, form, np.pad(pull, shifts), free)


def smoothness(mesh: Mesh, stiff: float) -> sparse.csr_array:
    """Quadratic form (V, V): membrane, and bending of waves shorter than ``stiff`` metres times two pi."""
    bending = mesh.laplace @ sparse.diags_array(stiff**2 / mesh.areas) @ mesh.laplace
    return sparse.csr_array(mesh.laplace + bending)


def solve_offsets(system: System, limits: Limits, matches: Matches, current: Offsets, tolerance: float) -> Offsets:
    """Offsets along the normals and sideways shifts of the joints that bring the outline to its matches.

    Robust against wrong matches (Geman and McClure, by reweighting) and bounded by an active set of penalties.

    Args:
        system: the problem without evidence.
        limits: bounds of the offsets.
        matches: distances still to go from the current state.
        current: the state in which the matches were found.
        tolerance: metres; matches that disagree by much more lose their say.
    """
    rows, target = _data_rows(system, matches, current)
    areas, joints = system.mesh.areas, current.shifts.size
    pull = DATA_WEIGHT * matches.weight * system.mesh.lengths[matches.vertex]
    robust = 1 / (1 + (matches.distance / INITIAL_TOLERANCE) ** 2)
    solution = np.concatenate([current.along, current.shifts.ravel()])
    for _ in range(ROBUST_PASSES):
        bounded, bound = _violations(solution[: len(areas)], limits)
        stiffness = np.pad(BOUND_WEIGHT * bounded * areas, (0, joints))
        weighted = rows.T @ sparse.diags_array(pull * robust)
        right = system.pull + weighted @ target + stiffness * np.pad(bound, (0, joints))
        solution = factorise_free(system.form + weighted @ rows + sparse.diags_array(stiffness), system.free)(right)
        robust = 1 / (1 + ((rows @ solution - target) / tolerance) ** 2) ** 2
    along = np.clip(solution[: len(areas)], -limits.inward, limits.outward)
    return Offsets(along, solution[len(areas) :].reshape(-1, 2))


def _data_rows(system: System, matches: Matches, current: Offsets) -> tuple[sparse.csr_array, Floats]:
    """Rows (M, V + 48) and targets (M,) of: offset and shift, seen along the match, reach the boundary."""
    normals, carry = system.normals, system.carry
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
    diagonal = (LOCK_WEIGHT * locked + 1 / POLISH_DECAY_METRES**2) * mesh.areas
    np.add.at(diagonal, vertex, pull)
    right = np.zeros((len(locked), 2))
    np.add.at(right, vertex, pull[:, None] * matches.distance[near][:, None] * matches.direction_cam[near, :2])
    solve = factorise_free(smoothness(mesh, POLISH_STIFF_METRES) + sparse.diags_array(diagonal), locked < FULLY_LOCKED)
    return np.pad(solve(right), ((0, 0), (0, 1)))
