"""Posing and unposing with linear blend skinning, guarded where blended bones nearly cancel each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from munet.surface.operators import Floats, factorise
from munet.surface.solve import Mesh

INFLUENCES = 4
# Weights of vertices this far off the skin are smoothed fully, of nearer ones in proportion.
LOOSE_METRES = (0.01, 0.06)
LOOSE_SMOOTHING_METRES = 0.04


@dataclass(frozen=True)
class Skin:
    """Blended transforms of every vertex, rest pose to camera frame.

    Attributes:
        weights: (V, J) at most four a row, rows sum to 1.
        linear: (V, 3, 3) blended linear part.
        shift: (V, 3) blended translation, metres.
    """

    weights: Floats
    linear: Floats
    shift: Floats

    def pose(self, rest: Floats) -> Floats:
        """Linear blend skinning of rest vertices (V, 3)."""
        posed: Floats = np.einsum("vij,vj->vi", self.linear, rest) + self.shift
        return posed

    def rest_offset(self, displacement_cam: Floats) -> Floats:
        """Turn displacements (V, 3) of posed vertices back to the rest pose by the rotation nearest to the blend.

        The inverse of the blend itself would blow displacements up where bones nearly cancel; the rotation does not.
        """
        u, _, vt = np.linalg.svd(self.linear)
        flipped = np.linalg.det(u @ vt) < 0
        u[flipped, :, 2] *= -1
        turned: Floats = np.einsum("vji,vj->vi", u @ vt, displacement_cam)
        return turned


def blend(transforms_cam: Floats, weights: Floats) -> Skin:
    """Blend joint transforms (J, 4, 4), rest pose to camera frame, with weights (V, J)."""
    kept = limit_influences(weights)
    blended = np.einsum("vj,jkl->vkl", kept, transforms_cam, optimize=True)
    return Skin(kept, blended[:, :3, :3], blended[:, :3, 3])


def limit_influences(weights: Floats) -> Floats:
    """Keep the four largest weights of each row (V, J) and scale rows to sum 1."""
    kept = np.maximum(weights, 0)
    if kept.shape[1] > INFLUENCES:
        least = np.partition(kept, -INFLUENCES, axis=1)[:, -INFLUENCES, None]
        kept = np.where(kept >= np.maximum(least, 1e-12), kept, 0)
        surplus = np.count_nonzero(kept, axis=1) > INFLUENCES
        for row in np.nonzero(surplus)[0]:
            kept[row, np.argsort(-kept[row], kind="stable")[INFLUENCES:]] = 0
    scaled: Floats = kept / kept.sum(1, keepdims=True)
    return scaled


def loosen_weights(mesh: Mesh, weights: Floats, distance: Floats) -> Floats:
    """Smooth skinning weights (V, J) where the surface stands off the skin, so that loose cloth bends softly.

    Args:
        mesh: operators of the mesh.
        weights: (V, J).
        distance: (V,) metres off the skin.
    """
    start, end = LOOSE_METRES
    amount = np.clip((distance - start) / (end - start), 0, 1)[:, None]
    # Only joints that move loose cloth; fingers, for instance, never do.
    used = np.nonzero((weights * amount).sum(0) > 0)[0]
    if not len(used):
        return limit_influences(weights)
    solve = factorise(sparse.diags_array(mesh.areas) + LOOSE_SMOOTHING_METRES**2 * mesh.laplace)
    smooth = np.zeros_like(weights)
    smooth[:, used] = solve(mesh.areas[:, None] * weights[:, used])
    return limit_influences(np.where(amount > 0, (1 - amount) * weights + amount * smooth, weights))
