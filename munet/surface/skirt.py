"""Skirts, dresses and long coats: cloth that closes the gap between the legs.

The body has no vertices for such cloth, so each leg becomes half of it: down to the hem both legs together take the
shape of their convex hull, the insides of both meet in a hidden wall between them, and there they follow both legs
alike, so that no step tears the cloth. Nothing of this happens unless the networks expect cloth far from the inside of
the legs and the mask does not show anything else between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import ConvexHull, cKDTree

from munet.surface.anatomy import Anatomy
from munet.surface.operators import Floats, Ints
from munet.surface.silhouette import View

HIPS, KNEES, ANKLES = (1, 2), (4, 5), (7, 8)
SIDES = (1.0, -1.0)
# Levels between hip (0) and ankle (1) at which cloth is looked for, and points between the legs at each.
LEVELS = np.arange(0.05, 1.0, 0.05)
POINTS = 60
# A gap between the legs narrower than this says nothing; a wider one is closed when so much of it is in the mask.
GAP_METRES, CLOSED_SHARE = 0.03, 0.9
# Expected distance of cloth from the inside of the legs, at its largest: less is enough where a closed gap is seen.
EXPECTED_METRES, EXPECTED_WITH_GAP_METRES = 0.088, 0.060
# Wide trousers reach farther down than this: what does must be expected to stand off farther than they do.
LONG, EXPECTED_OF_LONG_METRES = 0.8, 0.128
# The hem lies where the expected distance falls below this, or so many levels lower where a closed gap is seen; shorter
# skirts are within the reach of other clothes.
HEM_METRES, SEEN_BELOW, SHORTEST = 0.037, 3, 0.2
# A skirt stands off the legs at most this far, and so much farther than expected.
FARTHEST_METRES, BEYOND = 0.30, (1.0, 0.04)
# The hem is as wide as this share of the leg.
HEM_WIDTH = 0.03
# How far from the corner between outside and wall a seam may run, and where it ends.
SEAM_REACH, SEAM_ENDS = np.radians(40), np.radians(15)
BAND_METRES = 0.015
# Directions in which a skirt is measured, and over how many to either side its fall is evened out.
ANGLES = np.linspace(0, 2 * np.pi, 32, endpoint=False)
DIRECTIONS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)
FRONT, LEFT_RIGHT, BACK = 8, 16, 24
AROUND = 3
# The fall of a skirt is that of this quantile of the levels, the uppermost left out.
STEEPNESS, UPPER_BANDS = 0.6, 6
# Share of the shins' weights that cloth past the knees gives to the thighs, and the cosines of the knees' bend between
# which it does: on somebody who sits it falls over the knees.
PAST_KNEES, STRAIGHT_KNEES = 0.8, (0.3, 0.8)
MIDDLE_METRES = 1e-6
# Below the hem nothing stands farther off the leg than this.
BARE_METRES = 0.03


@dataclass(frozen=True)
class Legs:
    """Where vertices lie on the legs of a rest pose. V: vertices.

    Attributes:
        side: (V,) 1 for the left, -1 for the right leg.
        along: (V,) from hip (0) to ankle (1).
        share: (V,) in [0, 1]: belongs to a leg.
        inside: (V,) cosine between the way out of the leg and the way to the other leg, seen from above.
    """

    side: Floats
    along: Floats
    share: Floats
    inside: Floats


def find_legs(rest: Floats, joints_rest: Floats, folded: Floats) -> Legs:
    """Find the legs of a rest pose (V, 3) with joints (J, 3) and weights (V, 24)."""
    left, right = (folded[:, [hip, knee, ankle]].sum(1) for hip, knee, ankle in zip(HIPS, KNEES, ANKLES, strict=True))
    side = np.where(left >= right, SIDES[0], SIDES[1])
    top, bottom = joints_rest[list(HIPS), 1].mean(), joints_rest[list(ANKLES), 1].mean()
    away = rest[:, [0, 2]] - _axis(rest, joints_rest, side)
    inside = -side * away[:, 0] / np.maximum(np.linalg.norm(away, axis=1), 1e-9)
    along = np.clip((top - rest[:, 1]) / (top - bottom), 0, 1.1)
    return Legs(side, along, np.clip(left + right, 0, 1), inside)


def _axis(rest: Floats, joints_rest: Floats, side: Floats) -> Floats:
    """Middle (V, 2) of each vertex's leg at its height: x and z."""
    result = np.zeros((len(rest), 2))
    for sign, *chain in zip(SIDES, ANKLES, KNEES, HIPS, strict=True):
        heights = joints_rest[chain, 1]
        ways = [np.interp(rest[:, 1], heights, joints_rest[chain, axis]) for axis in (0, 2)]
        result = np.where((side == sign)[:, None], np.stack(ways, 1), result)
    return result


def find_hem(view: View, own: NDArray[np.bool_], joints_cam: Floats, legs: Legs, expected: Floats) -> float:
    """How far down the legs a skirt reaches, from hip (0) to ankle (1); 0 when nobody sees one.

    Args:
        view: mask and camera.
        own: (h, w) silhouette of the unclothed body.
        joints_cam: (J, 3) posed joints.
        legs: of the body.
        expected: (V,) metres, how far the networks expect cloth to stand off.
    """
    thick = np.array([_thickness(legs, expected, level) for level in LEVELS])
    gap, filled = np.array([_gap(view, own, joints_cam, level) for level in LEVELS]).T
    wide = gap >= GAP_METRES
    other, closed = wide & (filled < CLOSED_SHARE), wide & (filled >= CLOSED_SHARE)
    peak = int(thick.argmax())
    if other[: peak + 1].any() or thick[peak] < (EXPECTED_WITH_GAP_METRES if closed.any() else EXPECTED_METRES):
        return 0.0
    last = peak
    while last + 1 < len(LEVELS) and not other[last + 1] and _goes_on(thick, closed, last + 1):
        last += 1
    hem = float(LEVELS[last] + 0.5 * (LEVELS[1] - LEVELS[0]))
    trousers = hem > LONG and thick[peak] < EXPECTED_OF_LONG_METRES
    return hem if hem > SHORTEST and not trousers else 0.0


def _goes_on(thick: Floats, closed: NDArray[np.bool_], level: int) -> bool:
    """Whether cloth is expected at a level, or still seen between the legs a little below."""
    expected = thick[max(level - SEEN_BELOW, 0) : level + 1] > HEM_METRES
    return bool(expected[-1] or (closed[level] and expected.any()))


def _thickness(legs: Legs, expected: Floats, level: float) -> float:
    """Expected distance of cloth from the insides of both legs at a level, of the leg where it is less."""
    here = (np.abs(legs.along - level) < 0.05) & (legs.inside > 0.6) & (legs.share > 0.5)
    both = [expected[here & (legs.side == side)] for side in SIDES]
    return float(min(values.mean() if len(values) else 0.0 for values in both))


def _gap(view: View, own: NDArray[np.bool_], joints_cam: Floats, level: float) -> tuple[float, float]:
    """Metres between the legs where the photo shows no leg, and the share of them that is in the mask."""
    ends = np.stack([_on_leg(joints_cam, leg, level) for leg in (0, 1)])
    points = ends[0] + np.linspace(0, 1, POINTS)[:, None] * (ends[1] - ends[0])
    pixels = np.floor(view.camera.project(points)).astype(int)
    height, width = own.shape
    inside = ((pixels >= 0) & (pixels < [width, height])).all(1) & (points[:, 2] > 0)
    x, y = pixels[inside].T
    between = ~own[y, x]
    if not between.any():
        return 0.0, 0.0
    length = float(np.linalg.norm(ends[1] - ends[0]))
    return length * np.count_nonzero(between) / POINTS, float((view.mask[y, x][between] >= 0.5).mean())


def _on_leg(joints: Floats, leg: int, level: float) -> Floats:
    chain = joints[[HIPS[leg], KNEES[leg], ANKLES[leg]]]
    point: Floats = np.array([np.interp(level, (0, 0.5, 1), chain[:, axis]) for axis in range(3)])
    return point


def with_skirt(anatomy: Anatomy, legs: Legs, hem: float, expected: Floats) -> Anatomy:
    """The anatomy of somebody in a skirt: above its hem cloth may stand as far off as is expected, and more."""
    factor, more = BEYOND
    above = _down_to(legs, hem)
    reach = np.minimum(factor * expected + more, FARTHEST_METRES) * above
    below = np.clip((legs.along - hem) / HEM_WIDTH, 0, 1) * legs.share
    bare = np.minimum(anatomy.outward, BARE_METRES)
    outward = anatomy.outward + below * (bare - anatomy.outward)
    return replace(anatomy, outward=np.maximum(outward, reach * (1 - anatomy.locked)))


def _down_to(legs: Legs, hem: float) -> Floats:
    """1 on the legs (V,) above the hem, 0 below it and on the trunk."""
    above = np.clip((hem - legs.along) / HEM_WIDTH + 0.5, 0, 1)
    below_hip = np.clip(legs.along / 0.06, 0, 1)
    return np.asarray(above * below_hip * np.clip((legs.share - 0.05) / 0.3, 0, 1))


def joined(
    pairs: Ints,
    bare: Floats,
    rest: Floats,
    weights: Floats,
    joints_rest: Floats,
    joints_cam: Floats,
    legs: Legs,
    hem: float,
) -> tuple[Floats, Floats]:
    """Join both legs to a skirt that falls straight from the hips to its hem.

    Args:
        pairs: (E, 2) edges.
        bare: (V, 3) rest vertices without the skirt.
        rest: (V, 3) rest vertices that stand off as far as the mask shows.
        weights: (V, J).
        joints_rest: (J, 3).
        joints_cam: (J, 3) posed joints.
        legs: of the body.
        hem: share of the leg.

    Returns:
        Rest vertices (V, 3) and weights (V, J).
    """
    amount = _down_to(legs, hem)
    axis = _axis(rest, joints_rest, legs.side)
    target, extent = _onto_halves(pairs, bare, rest, joints_rest, axis, legs, amount)
    result = rest.copy()
    result[:, [0, 2]] += amount[:, None] * (target - rest[:, [0, 2]])
    beside = np.clip(np.abs(result[:, 0]) / extent, 0, 1)
    other = 0.5 * amount * (1 - beside)
    hanging = _hanging(weights, amount, joints_cam)
    return result, (1 - other)[:, None] * hanging + other[:, None] * _mirrored(hanging)


def in_middle(rest: Floats, legs: Legs, hem: float) -> NDArray[np.bool_]:
    """Seams and wall (V,) of joined rest vertices (V, 3)."""
    return np.asarray((np.abs(rest[:, 0]) < MIDDLE_METRES) & (_down_to(legs, hem) > 0.5))


def held_together(rest: Floats, move: Floats, legs: Legs, middle: NDArray[np.bool_]) -> Floats:
    """Displacements (V, 3) of joined rest vertices with which both halves stay in touch.

    In the middle each vertex moves as the mean of itself and the nearest one of the other half.
    """
    result = move.copy()
    left, right = (np.nonzero(middle & (legs.side == side))[0] for side in SIDES)
    if not len(left) or not len(right):
        return result
    for mine, others in ((left, right), (right, left)):
        partner = others[cKDTree(rest[others]).query(rest[mine])[1]]
        result[mine] = 0.5 * (move[mine] + move[partner])
    result[middle, 0] = 0
    return result


def _hanging(weights: Floats, amount: Floats, joints_cam: Floats) -> Floats:
    """Weights (V, J) of cloth that falls past the knees: it follows the thighs, unless the knees are bent sharply."""
    result = weights.copy()
    for hip, knee, ankle in zip(HIPS, KNEES, ANKLES, strict=True):
        thigh, shin = joints_cam[knee] - joints_cam[hip], joints_cam[ankle] - joints_cam[knee]
        straight = float(thigh @ shin) / max(float(np.linalg.norm(thigh) * np.linalg.norm(shin)), 1e-9)
        low, high = STRAIGHT_KNEES
        share = PAST_KNEES * amount * np.clip((straight - low) / (high - low), 0, 1)
        for joint in (knee, ankle):
            result[:, hip] += share * weights[:, joint]
            result[:, joint] -= share * weights[:, joint]
    return result


def _mirrored(weights: Floats) -> Floats:
    """Weights (V, J) with the joints of both legs exchanged."""
    swapped = weights.copy()
    for left, right in (HIPS, KNEES, ANKLES):
        swapped[:, [left, right]] = weights[:, [right, left]]
    return swapped


def _onto_halves(
    pairs: Ints, bare: Floats, rest: Floats, joints_rest: Floats, axis: Floats, legs: Legs, amount: Floats
) -> tuple[Floats, Floats]:
    """Places (V, 2), x and z, on the outline of each leg's half of the skirt, level by level, and its width there (V,).

    What looks away from the other leg becomes the outside, what looks to it the wall in the middle, where both halves
    meet. The seams between outside and wall are chains of edges down the front and down the back of each leg.
    """
    target = rest[:, [0, 2]].copy()
    band = np.floor((rest[:, 1].max() - rest[:, 1]) / BAND_METRES).astype(int)
    chosen = np.nonzero(amount > 0)[0]
    levels = np.arange(band[chosen].min(), band[chosen].max() + 1)
    middle = _middle(joints_rest, rest[:, 1].max() - (levels + 0.5) * BAND_METRES)
    tight, loose = (_radii(points, band, levels, middle) for points in (bare, rest))
    radii = np.maximum(_straight(loose), tight)
    row = np.clip(band - levels[0], 0, len(levels) - 1)
    ends = np.stack([middle[row, 1] + radii[row, FRONT], middle[row, 1] - radii[row, BACK]], 1)
    angle = _angle(target - axis, legs.side)
    corner = np.stack([np.abs(_angle(np.stack([-axis[:, 0], z - axis[:, 1]], 1), legs.side)) for z in ends.T], 1)
    seam = np.stack(
        [_seams(pairs, rest[:, 1], angle * sign, corner[:, k], legs, amount) for k, sign in ((0, 1), (1, -1))], 1
    )
    which = np.where(angle >= 0, 0, 1)
    mine = (np.arange(len(rest)), which)
    share = np.abs(angle) / seam[mine]
    turned = np.sign(angle) * np.minimum(share, 1) * corner[mine]
    past = np.clip(np.abs(angle) - seam[mine], 0, None) / np.maximum(2 * np.pi - seam.sum(1), 1e-3)
    across = np.where(which == 0, past, 1 - past)
    wall = np.stack([np.zeros(len(rest)), ends[:, 0] + across * (ends[:, 1] - ends[:, 0])], 1)
    direction = np.stack([legs.side * np.cos(turned), np.sin(turned)], 1)
    for level in range(len(levels)):
        here = chosen[row[chosen] == level]
        if len(here):
            planes = ConvexHull(middle[level] + radii[level][:, None] * DIRECTIONS).equations
            target[here] = axis[here] + direction[here] * _reach(axis[here], direction[here], planes)[:, None]
    target[:, 0] = legs.side * np.maximum(legs.side * target[:, 0], 0)
    return np.where((share >= 1)[:, None], wall, target), radii[row][:, [0, LEFT_RIGHT]].mean(1)


def _seams(pairs: Ints, height: Floats, angle: Floats, corner: Floats, legs: Legs, amount: Floats) -> Floats:
    """Angle (V,) of the seam at the height of every vertex: a chain of edges on each leg, near the corner's angle."""
    result = corner.copy()
    for side in SIDES:
        mine = (legs.side == side) & (amount > 0)
        near = mine & (np.abs(angle - corner) < SEAM_REACH)
        if np.count_nonzero(near) < 2:
            continue
        chain = _chain(pairs, height, np.abs(angle - corner), near)
        order = chain[np.argsort(height[chain])]
        here = mine & (height >= height[order[0]]) & (height <= height[order[-1]])
        result[here] = np.interp(height[here], height[order], angle[order])
    return result


def _chain(pairs: Ints, height: Floats, away: Floats, near: NDArray[np.bool_]) -> Ints:
    """Vertices of the way along edges from the highest to the lowest vertex marked near that stays nearest."""
    chosen = np.nonzero(near)[0]
    best = chosen[away[chosen] < SEAM_ENDS] if (away[chosen] < SEAM_ENDS).any() else chosen
    first, last = best[height[best].argmax()], best[height[best].argmin()]
    i, j = pairs[near[pairs].all(1)].T
    cost = 0.2 * np.abs(height[i] - height[j]) + 0.01 + (away[i] + away[j]) ** 2
    graph = sparse.coo_array((cost, (i, j)), (len(near), len(near))).tocsr()
    before = dijkstra(graph, directed=False, indices=int(first), return_predecessors=True)[1]
    chain = [int(last)]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return np.array(chain)


def _angle(away: Floats, side: Floats) -> Floats:
    """Angle (N,) from the outer side of the leg, positive to the front."""
    return np.asarray(np.arctan2(away[:, 1], side * away[:, 0]))


def _reach(axis: Floats, direction: Floats, planes: Floats) -> Floats:
    """Distance (N,) from points (N, 2) inside a convex outline to it, along directions (N, 2)."""
    room = -(axis @ planes[:, :2].T + planes[:, 2])
    speed = direction @ planes[:, :2].T
    return np.asarray(np.where(speed > 1e-6, np.maximum(room, 0) / np.maximum(speed, 1e-6), np.inf).min(1))


def _middle(joints_rest: Floats, heights: Floats) -> Floats:
    """Places (L, 2), x and z, half-way between both legs at some heights (L,)."""
    points = np.pad(heights[:, None], ((0, 0), (1, 1)))
    both = [_axis(points, joints_rest, np.full(len(heights), side)) for side in SIDES]
    return np.asarray((both[0] + both[1]) / 2)


def _radii(points: Floats, band: Ints, levels: Ints, middle: Floats) -> Floats:
    """Distance (L, D) of the convex outline of both legs from the middle, in all directions of every level."""
    result = np.zeros((len(levels), len(DIRECTIONS)))
    for row, (level, origin) in enumerate(zip(levels, middle, strict=True)):
        around = points[np.abs(band - level) <= 1][:, [0, 2]]
        planes = ConvexHull(around).equations
        result[row] = _reach(np.broadcast_to(origin, DIRECTIONS.shape), DIRECTIONS, planes)
    return result


def _straight(loose: Floats) -> Floats:
    """Radii (L, D) that grow evenly from the hips to the hem, as fast as most levels of ``loose`` ask for."""
    down = np.arange(len(loose), dtype=np.float64)[:, None]
    first = min(UPPER_BANDS, len(loose) - 1)
    slope = np.quantile((loose[first:] - loose[:1]) / down[first:], STEEPNESS, axis=0)
    ring = np.concatenate([slope[-AROUND:], slope, slope[:AROUND]])
    weight = np.hanning(2 * AROUND + 3)[1:-1]
    even = np.convolve(ring, weight / weight.sum(), "valid")
    straight: Floats = loose[:1] + even * down
    return straight
