"""One mesh of everything that is seen of a person: clothed skin, hanging cloth, hanging hair."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from munet.body.model import BodyModel
from munet.body.skinning import PosedBody, pose_body
from munet.render import vertex_normals
from munet.training.data.anatomy import Skin, fine, make_skin
from munet.training.data.draw import CLOTH, LOCKS, Drawn
from munet.training.data.hanging import (
    COLUMNS,
    LOCK_COLUMNS,
    LOCK_ROWS,
    ROWS,
    Sheet,
    closed_ring,
    hang_cloth,
    hang_hair,
    sheet_faces,
)
from munet.training.data.kinds import SLOTS
from munet.training.data.shell import Shell, dress_shell


@dataclass(frozen=True)
class Stage:
    """What all samples share.

    Attributes:
        model: the body.
        skin: its fine skin.
        faces: (F, 3) int64 of the clothed person: skin, hanging cloth, hanging hair.
        group: (F,) int64: 0 skin, 1 hanging cloth, 2 hanging hair.
    """

    model: BodyModel
    skin: Skin
    faces: Tensor
    group: Tensor


@dataclass(frozen=True)
class People:
    """B dressed people in the world frame (y up, metres).

    Attributes:
        posed: the naked bodies.
        vertices: (B, N, 3) of the clothed person: fine skin, hanging cloth, hanging hair.
        normals: (B, N, 3).
        worn: (B, 3) bool: which groups exist.
        fields: (B, N, S) metres inside each slot's garment.
        weave: (B, N, 3) coordinates of the cloth in metres.
        rest: (B, N, 3) place on the mean person; far away for what hangs.
        body_fine: (B, V', 3) naked fine skin.
    """

    posed: PosedBody
    vertices: Tensor
    normals: Tensor
    worn: Tensor
    fields: Tensor
    weave: Tensor
    rest: Tensor
    body_fine: Tensor


def make_stage(model: BodyModel) -> Stage:
    """Prepare what all samples share, on the model's device."""
    skin = make_skin(model)
    device, count = model.device, len(skin.rest)
    cloth = sheet_faces(ROWS, COLUMNS).to(device) + count
    hair = sheet_faces(LOCK_ROWS, LOCK_COLUMNS).to(device) + count + ROWS * COLUMNS
    group = torch.cat([torch.full((len(f),), i) for i, f in enumerate((skin.faces, cloth, hair))])
    return Stage(model, skin, torch.cat([skin.faces, cloth, hair]), group.to(device))


def dress_people(stage: Stage, drawn: Drawn) -> People:
    """Pose and dress the people of a batch."""
    skin = stage.skin
    posed = pose_body(stage.model, drawn.betas, drawn.pose)
    body = fine(posed.vertices, skin.parents)
    shell = dress_shell(skin, drawn, body, posed.transforms)
    normals = vertex_normals(shell.vertices, skin.faces)
    floor = (posed.rest_vertices[..., 1].amax(1) - posed.rest_vertices[..., 1].amin(1)) * 0.58
    cloth = hang_cloth(skin, drawn.hanging[:, CLOTH], shell.vertices, normals, posed.joints, floor)
    hair = hang_hair(skin, drawn.hanging[:, LOCKS], shell.vertices, normals, floor)
    return _joined(stage, drawn, posed, body, shell, (cloth, hair))


def _joined(
    stage: Stage, drawn: Drawn, posed: PosedBody, body: Tensor, shell: Shell, sheets: tuple[Sheet, Sheet]
) -> People:
    batch, skin = len(body), stage.skin
    vertices = torch.cat([shell.vertices, *(s.vertices.flatten(1, 2) for s in sheets)], 1)
    worn = torch.stack([torch.ones_like(sheets[0].worn), sheets[0].worn, sheets[1].worn], 1)
    fields, rest = [shell.fields], [skin.rest.expand(batch, -1, -1)]
    for number, sheet in enumerate(sheets):
        flat = sheet.vertices.flatten(1, 2)
        slot = one_hot(drawn.hanging_slot[:, number], len(SLOTS)).to(flat) * 2 - 1
        fields.append(slot[:, None].expand(-1, flat.shape[1], -1))
        rest.append(torch.full_like(flat, -9.0))
    weave = torch.cat([skin.weave.expand(batch, -1, -1), *(s.weave.flatten(1, 2) for s in sheets)], 1)
    return People(
        posed=posed,
        vertices=vertices,
        normals=_normals(stage, vertices, drawn),
        worn=worn,
        fields=torch.cat(fields, 1),
        weave=weave,
        rest=torch.cat(rest, 1),
        body_fine=body,
    )


def _normals(stage: Stage, vertices: Tensor, drawn: Drawn) -> Tensor:
    """Normals (B, N, 3); the first and the last column of closed cloth share theirs."""
    normals = vertex_normals(vertices, stage.faces)
    start = len(stage.skin.rest)
    sheet = normals[:, start : start + ROWS * COLUMNS].reshape(len(normals), ROWS, COLUMNS, 3)
    seam = normalize(sheet[:, :, 0] + sheet[:, :, -1], dim=-1)
    closed = closed_ring(drawn.hanging[:, CLOTH])[:, None, None]
    first, last = (torch.where(closed, seam, sheet[:, :, i]) for i in (0, -1))
    sheet = torch.cat([first[:, :, None], sheet[:, :, 1:-1], last[:, :, None]], 2)
    return torch.cat([normals[:, :start], sheet.flatten(1, 2), normals[:, start + ROWS * COLUMNS :]], 1)
