"""Parts of the clothed surface that overlap are moved to either side of each other, in the photo's pose and at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from munet.surface.anatomy import Anatomy
from munet.surface.contacts import Contacts, find_contacts
from munet.surface.contour import Matches
from munet.surface.operators import Floats, Ints, factorise, neighbourhood_minimum, soften_field, unit, vertex_normals
from munet.surface.solve import DATA_WEIGHT, FULLY_LOCKED, LOCK_WEIGHT, Mesh, prepare_mesh, smoothness
from munet.surface.unpose import Skin

# Facing parts end this far from each other.
GAP_METRES, SLACK_METRES = 0.003, 0.004
# A round that finds nothing nearer than this is the last.
NEAR_ENOUGH_METRES = 0.001
ROUNDS, ACTIVE_SET_PASSES = 6, 3
# The displacement bends smoothly and fades over these lengths, within so many rings around the contacts.
STIFF_METRES, DECAY_METRES, RINGS = 0.03, 0.2, 8
CONTACT_WEIGHT = 30.0
NORMAL_SMOOTHING_STEPS = 3


@dataclass(frozen=True)
class _Rows:
    """Contacts as rows of a linear system in the displacements at rest.

    Attributes:
        contacts: in one pose.
        first: (C, 3) change of the height by the displacement of the first vertex.
        second: (C, 3) the same of the second.
    """

    contacts: Contacts
    first: Floats
    second: Floats

    def matrix(self, column: Ints, count: int) -> sparse.csr_array:
        """The rows (C, 3 * count); ``column`` (V,) numbers the free vertices, -1 for those that stay."""
        pairs = [
            _scattered(gradient, column[vertex], count)
            for gradient, vertex in ((self.first, self.contacts.first), (self.second, self.contacts.second))
        ]
        return sparse.csr_array(pairs[0] + pairs[1])

    def heights(self, moved: Floats) -> Floats:
        """Change of the heights (C,) by displacements (V, 3)."""
        both = np.stack([self.first, self.second]), np.stack([moved[self.contacts.first], moved[self.contacts.second]])
        change: Floats = np.einsum("sci,sci->c", *both)
        return change


def separated(rest: Floats, skin: Skin, faces: Ints, anatomy: Anatomy, outline: Matches) -> Floats:
    """Rest vertices (V, 3) moved so that no part runs into another, neither posed nor in the T-pose.

    The displacement is as smooth as the contacts allow: least squares of membrane and bending energy, contacts as
    penalties on one side only (active set). Contacts are looked for again after each solution. The outline of the
    person stays: an arm becomes flat where it lies against the trunk and does not move away from it.

    Args:
        rest: (V, 3) rest vertices, metres.
        skin: of the photo's pose.
        faces: (F, 3).
        anatomy: parts, and vertices that stay.
        outline: vertices that met the person's outline, and the direction in which they shall not move.
    """
    mesh, moved = prepare_mesh(rest, faces), np.zeros_like(rest)
    stay = _staying(mesh, skin, anatomy.locked, outline)
    for _ in range(ROUNDS):
        rows = _touching(mesh, rest + moved, skin, faces, anatomy)
        if not any((row.contacts.height < NEAR_ENOUGH_METRES).any() for row in rows):
            break
        moved = _apart(mesh, rows, moved, stay, anatomy.locked < FULLY_LOCKED)
    return rest + moved


def _staying(mesh: Mesh, skin: Skin, locked: Floats, outline: Matches) -> sparse.csr_array:
    """Quadratic form (3V, 3V) of displacements: smooth, small, across the outline none."""
    free = mesh.areas * (1 / DECAY_METRES**2 + LOCK_WEIGHT * locked)
    smooth = sparse.kron(smoothness(mesh, STIFF_METRES) + sparse.diags_array(free), sparse.eye_array(3), format="csr")
    across = np.einsum("mi,mij->mj", outline.direction_cam, skin.linear[outline.vertex])
    rows = _scattered(across, outline.vertex, len(locked))
    held = sparse.diags_array(DATA_WEIGHT * outline.weight * mesh.lengths[outline.vertex])
    return sparse.csr_array(smooth + rows.T @ held @ rows)


def _touching(mesh: Mesh, rest: Floats, skin: Skin, faces: Ints, anatomy: Anatomy) -> list[_Rows]:
    """Contacts in the photo's pose and in the T-pose, but for those of two locked vertices."""
    upright = np.broadcast_to(np.eye(3), skin.linear.shape)
    rows = []
    for points, linear in ((skin.pose(rest), skin.linear), (rest, upright)):
        normals = unit(soften_field(mesh.laplace, vertex_normals(points, faces), NORMAL_SMOOTHING_STEPS))
        found = find_contacts(points, normals, anatomy.part, GAP_METRES + SLACK_METRES)
        found = found.subset(np.minimum(*anatomy.locked[[found.first, found.second]]) < FULLY_LOCKED)
        first, second = (
            sign * np.einsum("ci,cij->cj", found.normal, linear[vertex])
            for sign, vertex in ((1, found.first), (-1, found.second))
        )
        rows.append(_Rows(found, first, second))
    return rows


def _apart(mesh: Mesh, rows: list[_Rows], moved: Floats, stay: sparse.csr_array, movable: NDArray[np.bool_]) -> Floats:
    """Displacements (V, 3) that open every contact."""
    free = np.nonzero(_around(mesh, rows) & movable)[0]
    column = np.full(len(moved), -1)
    column[free] = np.arange(len(free))
    matrix = sparse.csr_array(sparse.vstack([row.matrix(column, len(free)) for row in rows]))
    target = np.concatenate([GAP_METRES - row.contacts.height + row.heights(moved) for row in rows])
    unknown = (3 * free[:, None] + np.arange(3)).ravel()
    result = np.zeros_like(moved)
    result[free] = _one_sided(stay[unknown][:, unknown], matrix, target).reshape(-1, 3)
    return result


def _one_sided(form: sparse.csr_array, matrix: sparse.csr_array, target: Floats) -> Floats:
    """Minimise x.form.x under matrix x >= target, by penalties on the rows that would fall short."""
    active = target > 0
    solution = np.zeros(form.shape[0])
    for _ in range(ACTIVE_SET_PASSES):
        pushing = matrix[active]
        solution = factorise(form + CONTACT_WEIGHT * (pushing.T @ pushing))(
            CONTACT_WEIGHT * (pushing.T @ target[active])
        )
        short = matrix @ solution < target
        if (short == active).all():
            break
        active = short
    return solution


def _around(mesh: Mesh, rows: list[_Rows]) -> NDArray[np.bool_]:
    """Vertices (V,) within some rings around the contacts."""
    away = np.ones(len(mesh.areas))
    for row in rows:
        away[row.contacts.first] = away[row.contacts.second] = 0
    near: NDArray[np.bool_] = neighbourhood_minimum(mesh.pairs, away, RINGS) == 0
    return near


def _scattered(gradient: Floats, column: Ints, count: int) -> sparse.csr_array:
    """Rows (C, 3 * count) with gradients (C, 3) at the free vertices ``column`` (C,)."""
    rows = np.nonzero(column >= 0)[0]
    columns = 3 * column[rows][:, None] + np.arange(3)
    entries = (np.repeat(rows, 3), columns.ravel())
    return sparse.csr_array((gradient[rows].ravel(), entries), (len(gradient), 3 * count))
