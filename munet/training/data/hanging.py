"""Cloth and hair that hang from a ring of the body: skirts, the skirts of dresses and coats, long hair.

Strands go down from the ring one row at a time, pulled by gravity, kept at their length, pushed out of the body and
held together sideways: the rest position of cloth without a simulation in time. Cloth that meets a thigh lies on it
and falls over the knee, as on somebody who sits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from munet.training.data.anatomy import RingTable, Skin
from munet.training.data.draw import HANGING_MEASURES
from munet.training.data.topology import grid_faces

ROWS, COLUMNS = 44, 97
LOCK_ROWS, LOCK_COLUMNS = 24, 65
CLEARANCE = 0.006
_STIFFNESS = 0.45
_ROUNDS = 12
_LIFT = 3.0
_THIGH_METRES, _KNEE_METRES = 0.42, 0.12


@dataclass(frozen=True)
class Sheet:
    """Hanging cloth of B people as grids.

    Attributes:
        vertices: (B, R, C, 3) world, metres; the first and last column coincide where the cloth is closed.
        worn: (B,) bool.
        weave: (B, R, C, 3) metres round the ring, metres down, and 0.
    """

    vertices: Tensor
    worn: Tensor
    weave: Tensor


def sheet_faces(rows: int, columns: int) -> Tensor:
    """Faces (F, 3) of a sheet, outside seen counter-clockwise."""
    return torch.from_numpy(grid_faces(rows, columns))


@dataclass(frozen=True)
class Strands:
    """Where strands begin and where they are drawn.

    Attributes:
        start: (B, C, 3) points of the ring.
        near: (B, C, 3) direction beside the thighs: down, along the trunk and after a lifted leg.
        far: (B, C, 3) direction below the knees.
        bend: metres along the strand at which the one gives way to the other.
    """

    start: Tensor
    near: Tensor
    far: Tensor
    bend: float


def hang_cloth(skin: Skin, row: Tensor, shell: Tensor, normals: Tensor, joints: Tensor, floor: Tensor) -> Sheet:
    """Hang the loose part of skirts, dresses, coats and shirts from the trunk.

    Args:
        skin: the fine skin.
        row: (B, H) ``HANGING_MEASURES`` of the cloth.
        shell: (B, V', 3) clothed skin, world, y up.
        normals: (B, V', 3) of the shell.
        joints: (B, J, 3) world.
        floor: (B,) metres from the waist to the soles.
    """
    length = _measure(row, "length") * floor

    def make(chosen: Tensor) -> tuple[Tensor, Tensor]:
        part, cloth, out = row[chosen], shell[chosen], normals[chosen]
        ring, outward = ring_points(skin.trunk, cloth, out, part, COLUMNS)
        strands = _skirt_strands(ring, outward, joints[chosen], _measure(part, "flare")[:, None, None])
        return _hung(skin, part, strands, length[chosen], ROWS, (cloth, out)), _ring_length(ring)

    return _for_wearers(row, length, make, ROWS, COLUMNS)


def _skirt_strands(ring: Tensor, outward: Tensor, joints: Tensor, flare: Tensor) -> Strands:
    """Directions of a skirt: gravity, the tube round a body that leans or lies, the thighs that it lies on."""
    gravity = ring.new_tensor([0.0, -1.0, 0.0])
    axis = normalize(joints[:, 0] - joints[:, 6], dim=-1)[:, None]
    left = normalize(joints[:, 1] - joints[:, 2], dim=-1)[:, None]
    thighs = normalize(joints[:, [4, 5]] - joints[:, [1, 2]], dim=-1)
    share = (6 * (outward * left).sum(-1, keepdim=True)).sigmoid()
    thigh = torch.lerp(thighs[:, 1:], thighs[:, :1], share)
    lifted = thigh - (thigh * axis).sum(-1, keepdim=True) * axis
    follows = (outward * lifted).sum(-1, keepdim=True).clamp(0, 1)
    level = normalize(outward - (outward * axis).sum(-1, keepdim=True) * axis, dim=-1) * flare
    near = normalize(gravity + axis + _LIFT * follows * thigh, dim=-1) + level
    return Strands(ring + outward * 0.004, near, normalize(gravity + 0.4 * axis, dim=-1) + level, _THIGH_METRES)


def hang_hair(skin: Skin, row: Tensor, shell: Tensor, normals: Tensor, floor: Tensor) -> Sheet:
    """Hang hair from the head; arguments as for :func:`hang_cloth`."""
    length = _measure(row, "length") * floor * 1.7

    def make(chosen: Tensor) -> tuple[Tensor, Tensor]:
        part, cloth, out = row[chosen], shell[chosen], normals[chosen]
        ring, outward = ring_points(skin.skull, cloth, out, part, LOCK_COLUMNS)
        drawn = outward * (0.05 + _measure(part, "flare")[:, None, None]) + outward.new_tensor([0.0, -1.0, 0.0])
        strands = Strands(ring - outward * 0.006, drawn, drawn, 1.0)
        return _hung(skin, part, strands, length[chosen], LOCK_ROWS, (cloth, out)), _ring_length(ring)

    return _for_wearers(row, length, make, LOCK_ROWS, LOCK_COLUMNS)


def _for_wearers(
    row: Tensor, length: Tensor, make: Callable[[Tensor], tuple[Tensor, Tensor]], rows: int, columns: int
) -> Sheet:
    """Compute the sheets of those who wear one; the others' stay at zero."""
    worn = row[:, 0] > 0
    chosen = worn.nonzero()[:, 0]
    vertices = row.new_zeros(len(row), rows, columns, 3)
    circle = row.new_ones(len(row))
    if len(chosen):
        vertices[chosen], circle[chosen] = make(chosen)
    across = torch.linspace(0, 1, columns, device=row.device)[None, None] * circle[:, None, None]
    along = torch.linspace(0, 1, rows, device=row.device)[None, :, None] * length[:, None, None]
    across, along = across + 0 * along, along + 0 * across
    return Sheet(vertices, worn, torch.stack([across, along, torch.zeros_like(along)], -1))


def _hung(skin: Skin, row: Tensor, strands: Strands, length: Tensor, rows: int, cloth: tuple[Tensor, Tensor]) -> Tensor:
    """Let cloth (B, R, C, 3) fall."""
    colliders, out = (value[:, skin.colliders] for value in cloth)
    step = (length / (rows - 1))[:, None, None]
    sheet = _fall(strands, step, rows, colliders, out, closed_ring(row))
    sheet = _folded(sheet, row, torch.linspace(0, 1, rows, device=row.device))
    return _settled(sheet, colliders, out, step)


def _measure(row: Tensor, name: str) -> Tensor:
    return row[:, HANGING_MEASURES.index(name)]


def closed_ring(row: Tensor) -> Tensor:
    """Whether (B,) cloth goes all the way round."""
    return _measure(row, "gap") <= 0


def ring_points(table: RingTable, shell: Tensor, normals: Tensor, row: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """Points (B, C, 3) of the clothed body on a ring, from one edge of the front opening to the other, and normals."""
    heights, angles = table.corners.shape[:2]
    level = ((1 - _measure(row, "top")) * (heights - 1)).round().long().clamp(0, heights - 1)
    gap = _measure(row, "gap")[:, None]
    turn = gap / 2 + torch.linspace(0, 1, columns, device=shell.device) * (2 * math.pi - gap)
    column = ((turn / (2 * math.pi) + 0.5) * angles - 0.5) % angles
    low = column.floor()
    share = (column - low)[..., None]
    batch = torch.arange(len(shell), device=shell.device)[:, None]

    def at(index: Tensor) -> tuple[Tensor, Tensor]:
        place = (level[:, None], index.long() % angles)
        corners, weights = table.corners[place], table.weights[place][..., None]
        return (shell[batch[..., None], corners] * weights).sum(-2), (normals[batch[..., None], corners] * weights).sum(
            -2
        )

    (p0, n0), (p1, n1) = at(low), at(low + 1)
    points, outward = torch.lerp(p0, p1, share), torch.lerp(n0, n1, share)
    closed = closed_ring(row)[:, None, None]
    for _ in range(3):
        points = _sideways(points[:, None], closed)[:, 0]
        outward = _sideways(outward[:, None], closed)[:, 0]
    return points, normalize(outward, dim=-1)


def _ring_length(ring: Tensor) -> Tensor:
    length: Tensor = (ring[:, 1:] - ring[:, :-1]).norm(dim=-1).sum(1)
    return length


def _fall(strands: Strands, step: Tensor, rows: int, colliders: Tensor, out: Tensor, closed: Tensor) -> Tensor:
    last, direction = strands.start, normalize(strands.near, dim=-1)
    sheet = [last]
    for number in range(1, rows):
        passed = ((number * step - strands.bend) / _KNEE_METRES + 0.5).clamp(0, 1)
        wanted = normalize(torch.lerp(torch.lerp(strands.near, strands.far, passed), direction, _STIFFNESS), dim=-1)
        place = last + wanted * step
        for _ in range(2):
            near = nearest_collider(place, colliders)
            place = pushed_out(place, colliders, out, near)
            place = _sideways(place[:, None], closed[:, None, None])[:, 0]
            place = last + normalize(place - last, dim=-1) * step
        place = pushed_out(place, colliders, out, near)
        direction = normalize(place - last, dim=-1)
        last = place
        sheet.append(place)
    return torch.stack(sheet, 1)


def nearest_collider(points: Tensor, colliders: Tensor) -> Tensor:
    """Number (B, N) of the collider (B, K, 3) nearest to each point (B, N, 3)."""
    # The order of |p - c|^2 is that of |c|^2 - 2 p c.
    score = torch.baddbmm((colliders * colliders).sum(-1)[:, None], points, colliders.transpose(1, 2), alpha=-2)
    return score.argmin(-1)


def pushed_out(points: Tensor, colliders: Tensor, out: Tensor, nearest: Tensor) -> Tensor:
    """Move points (B, N, 3) that are inside the body, or nearer than ``CLEARANCE``, out along its normals."""
    index = nearest[..., None].expand(-1, -1, 3)
    normal = out.gather(1, index)
    depth = ((points - colliders.gather(1, index)) * normal).sum(-1, keepdim=True)
    return points + normal * (CLEARANCE - depth).clamp_min(0)


def _sideways(sheet: Tensor, closed: Tensor) -> Tensor:
    """Average each point of a sheet (B, R, C, 3) with its neighbours in the row; edges of openings stay."""
    before = torch.cat([sheet[:, :, -2:-1], sheet[:, :, :-1]], 2)
    after = torch.cat([sheet[:, :, 1:], sheet[:, :, 1:2]], 2)
    mean = 0.5 * sheet + 0.25 * (before + after)
    middle = mean[:, :, 1:-1]
    edges = torch.where(closed.reshape(-1, 1, 1, 1), mean[:, :, [0, -1]], sheet[:, :, [0, -1]])
    return torch.cat([edges[:, :, :1], middle, edges[:, :, 1:]], 2)


def _folded(sheet: Tensor, row: Tensor, place: Tensor) -> Tensor:
    """Lay folds: waves round the hem that grow from the ring down."""
    columns = sheet.shape[2]
    center = sheet.mean(2, keepdim=True)
    outward = normalize((sheet - center) * sheet.new_tensor([1.0, 0.0, 1.0]), dim=-1)
    turn = torch.linspace(0, 2 * math.pi, columns, device=sheet.device)[None, None]
    folds, phase = _measure(row, "folds")[:, None, None], _measure(row, "phase")[:, None, None]
    down = place[None, :, None]
    bent = turn + 0.35 * (2 * turn + phase).sin() / folds.clamp_min(1) * 3
    wave = (folds * bent + phase + 1.2 * (2.5 * down + phase).sin()).cos()
    depth = (
        _measure(row, "fold_depth")[:, None, None] * down.clamp_min(0.0) ** 0.8 * (0.7 + 0.3 * (3 * turn + phase).sin())
    )
    return sheet + outward * (wave * depth)[..., None]


def _settled(sheet: Tensor, colliders: Tensor, out: Tensor, step: Tensor) -> Tensor:
    """Even the sheet out, keep its length and push it out of the body; the ring stays."""
    batch, rows, columns, _ = sheet.shape
    for turn in range(_ROUNDS):
        above, below = sheet[:, :-1], sheet[:, 1:]
        along = below - above
        stretch = 1 - step[:, None] / along.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        correction = 0.5 * stretch * along
        sheet = torch.cat([sheet[:, :1], below - correction], 1)
        if turn % 4 == 0:
            smoother = 0.5 * sheet[:, 1:-1] + 0.25 * (sheet[:, 2:] + sheet[:, :-2])
            sheet = torch.cat([sheet[:, :1], smoother, sheet[:, -1:]], 1)
        if turn % 6 == 5:
            flat = sheet[:, 1:].reshape(batch, -1, 3)
            flat = pushed_out(flat, colliders, out, nearest_collider(flat, colliders))
            sheet = torch.cat([sheet[:, :1], flat.reshape(batch, rows - 1, columns, 3)], 1)
    return sheet
