"""Where on the body a point lies, in the mean person's T-pose: what garments are cut by."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.render import rasterise
from munet.training.data.shoes import ShoeLast, shoe_last
from munet.training.data.topology import smoothing_matrix, split_long_edges

# Of the mean person's T-pose, as are all heights here: metres above the pelvis.
ARM_METRES, LEG_METRES, HIP_HEIGHT = 0.49, 0.823, -0.052
LONGEST_EDGE = 0.016
RING_COLUMNS, RING_ROWS = 128, 64


@dataclass(frozen=True)
class RingTable:
    """Points of the body round a vertical axis, as corners and weights of the fine skin's faces.

    Attributes:
        corners: (K, A, 3) int64 vertices of the fine skin; row 0 is the top; column 0 is at the back and the columns
            go over the right side to the front and the left.
        weights: (K, A, 3).
        top: height of row 0 in metres, mean person.
        bottom: height of the last row.
    """

    corners: Tensor
    weights: Tensor
    top: float
    bottom: float


@dataclass(frozen=True)
class Skin:
    """The skin at the resolution of cloth, and its anatomy.

    Attributes:
        parents: (V', 2) int64 into the body's vertices; the first V are those vertices themselves.
        faces: (F', 3) int64; eyes included.
        rest: (V', 3) mean person, T-pose.
        arm: (V',) 0 at the shoulder joint, 1 at the wrist; negative in the trunk.
        leg: (V',) 0 at the hip joint, 1 at the ankle; negative above.
        collar: (V',) metres above the plane of the neckline.
        is_skin: (V',) bool: not an eye.
        weave: (V', 3) coordinates in metres along which cloth is woven: the second one runs along the limb.
        weights: (V', 24) skinning.
        smoothing: sparse (V', V') mean of the neighbours.
        trunk: ring table from the crotch to the armpits.
        skull: ring table of the head.
        colliders: (K,) int64 vertices that keep hanging cloth out of the body.
        last: the shape of shoes.
    """

    parents: Tensor
    faces: Tensor
    rest: Tensor
    arm: Tensor
    leg: Tensor
    collar: Tensor
    is_skin: Tensor
    weave: Tensor
    weights: Tensor
    smoothing: Tensor
    trunk: RingTable
    skull: RingTable
    colliders: Tensor
    last: ShoeLast


def fine(values: Tensor, parents: Tensor) -> Tensor:
    """Carry values (..., V, C) of the body's vertices to the fine skin (..., V', C)."""
    return values[..., parents, :].mean(-2)


def make_skin(model: BodyModel) -> Skin:
    """Refine the skin of a body and measure it; computed on the CPU, then moved to the model's device."""
    body = model.to("cpu")
    mesh = split_long_edges(body.template.double().numpy(), body.faces.numpy(), LONGEST_EDGE)
    parents, faces = torch.from_numpy(mesh.parents), torch.from_numpy(mesh.faces)
    rest, joints = fine(body.template, parents), body.joint_template
    weights = fine(_folded(body.weights), parents)
    arm = (rest[:, 0].abs() - joints[16, 0]) / (joints[20, 0] - joints[16, 0])
    arm = torch.where(rest[:, 1] < joints[6, 1], arm.clamp_max(-0.1), arm)
    leg = (joints[1, 1] - rest[:, 1]) / (joints[1, 1] - joints[7, 1])
    is_skin = body.parts[parents[:, 0]] == 0
    skin = Skin(
        parents=parents,
        faces=faces,
        rest=rest,
        arm=arm,
        leg=leg,
        collar=collar_height(rest, joints),
        is_skin=is_skin,
        weave=torch.where((arm > 0.02)[:, None], rest[:, [1, 0, 2]], rest),
        weights=weights,
        smoothing=smoothing_matrix(mesh.faces, len(rest)),
        trunk=_ring_table(rest, faces, _on_trunk(arm, weights), 0.015, float(joints[9, 1]), float(joints[1, 1]) - 0.06),
        skull=_ring_table(rest, faces, (weights[:, 15] > 0.4) & is_skin, 0.02, float(rest[:, 1].max()) - 0.01, 0.56),
        colliders=_colliders(rest, arm, leg),
        last=shoe_last(rest, faces, (leg > 0.93).nonzero()[:, 0]),
    )
    return _moved(skin, model.device)


def collar_height(rest: Tensor, joints: Tensor) -> Tensor:
    """Height (V,) in metres above the plane of a neckline, which is lower in front."""
    normal = torch.nn.functional.normalize(rest.new_tensor([0.0, 1.0, 0.55]), dim=0)
    return (rest - joints[12]) @ normal


def _on_trunk(arm: Tensor, weights: Tensor) -> Tensor:
    return (arm < -0.05) & (weights[:, [15, 16, 17, 18, 19]].sum(1) < 0.3)


def _folded(weights: Tensor) -> Tensor:
    """Weights of 24 joints: fingers belong to the hands."""
    if weights.shape[1] == 24:
        return weights
    fingers = weights[:, 24:]
    half = fingers.shape[1] // 2
    folded = weights[:, :24].clone()
    folded[:, 22] += fingers[:, :half].sum(1)
    folded[:, 23] += fingers[:, half:].sum(1)
    return folded


def _colliders(rest: Tensor, arm: Tensor, leg: Tensor) -> Tensor:
    """Vertices of the trunk, legs, neck and head, about evenly spread."""
    usable = (arm < 0.05) & (leg < 1.03)
    cells = (rest / 0.025).floor().long()
    key = (cells[:, 0] * 4096 + cells[:, 1]) * 4096 + cells[:, 2]
    _, first = torch.unique(torch.where(usable, key, key.max() + 1), return_inverse=True)
    count = int(first.max()) + 1
    chosen = torch.full((count,), len(rest), dtype=torch.int64)
    chosen.scatter_reduce_(0, first[usable], torch.arange(len(rest))[usable], "amin")
    return chosen[chosen < len(rest)]


def _ring_table(rest: Tensor, faces: Tensor, part: Tensor, axis: float, top: float, bottom: float) -> RingTable:
    """Unroll a part of the body round a vertical axis at depth ``axis``: the outermost point at (height, angle)."""
    turned = torch.atan2(rest[:, 0], rest[:, 2] - axis)
    radius = torch.stack([rest[:, 0], rest[:, 2] - axis]).norm(dim=0)
    chosen = faces[part[faces].all(1)]
    angle = turned[chosen]
    angle = torch.where((angle.amax(1, keepdim=True) - angle) > math.pi, angle + 2 * math.pi, angle)
    corners = torch.cat([angle, angle - 2 * math.pi])
    column = (corners / (2 * math.pi) + 0.5) * RING_COLUMNS
    row = ((top - rest[chosen, 1]) / (top - bottom) * RING_ROWS).repeat(2, 1)
    image = torch.stack([column, row, 2 - radius[chosen].repeat(2, 1)], -1).reshape(1, -1, 3)
    seen = rasterise(image, torch.arange(image.shape[1]).reshape(-1, 3), RING_ROWS, RING_COLUMNS)
    face, weight = _filled(seen.face_index[0], seen.barycentric[0])
    return RingTable(chosen[face % len(chosen)], weight, top, bottom)


def _filled(face: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Give rays that miss the body the hit of the nearest row above, or else below."""
    for rows in (range(1, len(face)), range(len(face) - 2, -1, -1)):
        step = 1 if rows.step == 1 else -1
        for row in rows:
            missing = face[row] < 0
            face[row] = torch.where(missing, face[row - step], face[row])
            weight[row] = torch.where(missing[:, None], weight[row - step], weight[row])
    return face, weight


def _moved(skin: Skin, device: torch.device) -> Skin:
    if device.type == "cpu":
        return skin
    tensors = {f.name: getattr(skin, f.name).to(device) for f in fields(Skin) if f.type == "Tensor"}
    trunk, skull = _moved_table(skin.trunk, device), _moved_table(skin.skull, device)
    return replace(skin, **tensors, trunk=trunk, skull=skull, last=skin.last.to(device))


def _moved_table(table: RingTable, device: torch.device) -> RingTable:
    return replace(table, corners=table.corners.to(device), weights=table.weights.to(device))
