"""What the photo does not show of somebody's legs: plain trousers, straight from the knee to the ankle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from munet.fitting.result import BodyFit
from munet.surface.anatomy import LONG_BONES, Anatomy
from munet.surface.operators import Floats, unit

# Knee and ankle of each leg.
SHINS = {4: 7, 5: 8}
# Cloth hangs this far around the ankle, from this share of the shin on.
HEM_METRES, HEM_SHARE = 0.02, 0.85
FARTHEST_METRES = 0.04
# Trousers are put on shins of which this share is lost.
LOST_SHARE = 0.5


def lost_bones(fit: BodyFit, mask: NDArray[np.floating], anatomy: Anatomy) -> Floats:
    """Share (24,) of each bone that lies outside the mask (H, W), 0 for bones whose ends are both seen."""
    height, width = mask.shape
    columns, rows = np.floor(fit.camera.project(fit.vertices_cam)).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    masked = inside & (mask[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)] >= 0.5)
    own = anatomy.folded > 0.5
    outside: Floats = (own & ~masked[:, None]).sum(0) / np.maximum(own.sum(0), 1)
    seen = [fit.seen[joint] and fit.seen[LONG_BONES.get(joint, joint)] for joint in range(len(outside))]
    return np.where(seen, 0.0, outside)


def plain_trousers(anatomy: Anatomy, rest: Floats, normals: Floats, joints_rest: Floats, lost: Floats) -> Floats:
    """Metres (V,) along the normals at which trousers hang around shins that the photo does not show.

    The cloth of each shin is the convex hull of the shin and of a hem around the ankle: it hangs straight down from
    knee and calf and shows neither the calf nor the ankle. 0 everywhere else.

    Args:
        anatomy: of the body.
        rest: (V, 3) rest pose.
        normals: (V, 3) unit, smooth.
        joints_rest: (J, 3) rest joints.
        lost: (24,) share of each bone that the photo does not show.
    """
    result = np.zeros(len(rest))
    for knee, ankle in SHINS.items():
        shin = np.nonzero(anatomy.folded[:, knee] > 0.5)[0]
        if lost[knee] < LOST_SHARE or len(shin) < 20:
            continue
        reach = _to_hull(rest[shin], normals[shin], joints_rest[knee], joints_rest[ankle])
        result[shin] = np.clip(reach, 0, FARTHEST_METRES)
    return result * (1 - anatomy.feet)


def _to_hull(points: Floats, directions: Floats, knee: Floats, ankle: Floats) -> Floats:
    """How far (N,) each point of a shin is from the hull of shin and hem along its direction."""
    bone = ankle - knee
    along = (points - knee) @ bone / float(bone @ bone)
    low = points[along > HEM_SHARE]
    hem = low + HEM_METRES * unit(low - knee - along[along > HEM_SHARE, None] * bone)
    planes = ConvexHull(np.concatenate([points, hem])).equations
    speed = directions @ planes[:, :3].T
    room = -(points @ planes[:, :3].T + planes[:, 3])
    reach: Floats = np.where(speed > 0.2, np.maximum(room, 0) / np.maximum(speed, 0.2), np.inf).min(1)
    return reach
