"""What lies under clothes loses its relief: folds of the body close, toes become shoes."""

from __future__ import annotations

import numpy as np

from munet.surface.anatomy import TRUNK_JOINTS, Anatomy
from munet.surface.operators import Floats, Ints, edge_weights, laplacian, smoother, soften_field, vertex_normals
from munet.surface.shoes import shod_feet
from munet.surface.solve import Mesh, prepare_mesh

# Lengths over which the relief is smoothed: limbs are thin and would shrink under more.
LIMB_METRES, TRUNK_METRES = 0.013, 0.032
SHOE_METRES = 0.005
SPREADING_STEPS = 5
# What smoothing takes off the thickness is put back, smoothed over this length: relief stays away.
REFILL_METRES = 0.12
# The relief fades between these offsets from the skin.
CLOTH_METRES = (0.004, 0.02)


def cover(
    mesh: Mesh, faces: Ints, rest: Floats, joints_rest: Floats, anatomy: Anatomy, along: Floats, shod: float
) -> Floats:
    """Rest vertices (V, 3) with the body's relief faded where something is worn.

    Args:
        mesh: operators of the rest pose.
        faces: (F, 3).
        rest: (V, 3) rest vertices of the body.
        joints_rest: (J, 3) rest joints.
        anatomy: regions of the body.
        along: (V,) metres that the surface stands off the body.
        shod: 1 when shoes are worn, 0 for bare feet.
    """
    fine = smoother(mesh.laplace, mesh.areas, LIMB_METRES)
    low, high = CLOTH_METRES
    worn = np.clip((along - low) / (high - low), 0, 1) * (1 - anatomy.locked) * (1 - anatomy.feet)
    trunk_share = anatomy.folded[:, list(TRUNK_JOINTS)].sum(1)
    # The trunk counts as dressed even where arms hide its outline.
    worn = np.maximum(worn, trunk_share * (1 - anatomy.locked))
    worn = np.clip(fine(worn), 0, 1)[:, None]
    limbs = fine(rest)
    trunk = _flattened(mesh, rest)
    faded = rest + worn * (limbs + trunk_share[:, None] * (trunk - limbs) - rest)
    covered = _refilled(mesh, faces, rest, faded, worn[:, 0])
    shaped: Floats = covered + shod * (_shoes(faces, covered, joints_rest, anatomy) - covered)
    return shaped


def _flattened(mesh: Mesh, rest: Floats) -> Floats:
    """Strongly smoothed vertices; a few steps without regard to shape spread the crowded ones of small steep relief."""
    coarse = smoother(mesh.laplace, mesh.areas, TRUNK_METRES)
    uniform = laplacian(mesh.pairs, np.ones(len(mesh.pairs)), len(rest))
    return soften_field(uniform, coarse(coarse(rest)), SPREADING_STEPS)


def _refilled(mesh: Mesh, faces: Ints, rest: Floats, faded: Floats, worn: Floats) -> Floats:
    """Faded vertices (V, 3) as thick as the body: smoothing takes a centimetre off thighs, in depth unnoticed."""
    broad = smoother(mesh.laplace, mesh.areas, REFILL_METRES)
    normals = vertex_normals(faded, faces)
    lost = broad(np.einsum("vi,vi->v", rest - faded, normals))
    refilled: Floats = faded + (worn * lost)[:, None] * normals
    return refilled


def _shoes(faces: Ints, rest: Floats, joints_rest: Floats, anatomy: Anatomy) -> Floats:
    pairs, _ = edge_weights(rest, faces)
    drawn = shod_feet(rest, pairs, anatomy.folded, joints_rest)
    mesh = prepare_mesh(drawn, faces)
    soft = smoother(mesh.laplace, mesh.areas, SHOE_METRES)(drawn)
    shoes: Floats = drawn + anatomy.feet[:, None] * (soft - drawn)
    return shoes
