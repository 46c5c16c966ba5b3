"""Pictures of the finished body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from default_body.raster import shade
from munet.body.default import load_default_body
from munet.body.model import BodyModel
from munet.body.skinning import pose_body

Vector = tuple[float, float, float]
Picture = NDArray[np.uint8]

TILE = (400, 460)

POSES: dict[str, dict[int, Vector]] = {
    "rest": {},
    "walk": {
        1: (-0.5, 0, 0), 2: (0.35, 0, 0), 4: (0.25, 0, 0), 5: (0.7, 0, 0), 16: (0.1, 0.3, -1.2), 17: (0.1, 0.3, 1.2),
        18: (0, -0.5, 0), 19: (0, 0.4, 0),
    },
    "sit": {
        1: (-1.55, 0.1, 0), 2: (-1.55, -0.1, 0), 4: (1.55, 0, 0), 5: (1.55, 0, 0), 16: (0, -0.4, -1.1),
        17: (0, 0.4, 1.1), 18: (0, -1.2, 0), 19: (0, 1.2, 0),
    },
    "arms up": {13: (0, 0, 0.3), 14: (0, 0, -0.3), 16: (0, 0, 1.1), 17: (0, 0, -1.1)},
    "squat": {
        0: (0.4, 0, 0), 1: (-2.1, 0.3, 0.3), 2: (-2.1, -0.3, -0.3), 4: (2.4, 0, 0), 5: (2.4, 0, 0), 7: (-0.5, 0, 0),
        8: (-0.5, 0, 0), 16: (0, -1.3, -0.3), 17: (0, 1.3, 0.3), 18: (0, -0.6, 0), 19: (0, 0.6, 0),
    },
    "twist": {18: (1.2, 0, 0), 19: (1.2, 0, 0), 20: (0.6, 0, 0), 21: (0.6, 0, 0), 16: (0, 0, -0.7), 17: (0, 0, 0.7)},
    "elbows": {16: (0, 0, -0.6), 17: (0, 0, 0.6), 18: (0, -2.3, 0), 19: (0, 2.3, 0)},
}  # fmt: skip


def pose_of(joints: dict[int, Vector]) -> torch.Tensor:
    """Axis-angle (1, 24, 3) from a few joints."""
    pose = torch.zeros(1, 24, 3)
    for joint, vector in joints.items():
        pose[0, joint] = torch.tensor(vector)
    return pose


def _tile(model: BodyModel, points: torch.Tensor, yaw: float, span: float = 2.2) -> Picture:
    vertices = points.double().numpy()
    vertices = vertices - (vertices.min(0) + vertices.max(0)) / 2
    return shade(vertices, model.faces.numpy(), yaw=yaw, size=TILE, span=span)


def _grid(rows: list[list[Picture]]) -> Picture:
    return np.concatenate([np.concatenate(row, 1) for row in rows], 0)


def pose_sheet(model: BodyModel) -> Picture:
    """Poses from four directions."""
    rows = []
    for joints in POSES.values():
        body = pose_body(model, torch.zeros(1, 10), pose_of(joints))
        rows.append([_tile(model, body.vertices[0], yaw) for yaw in (0, -45, -90, 180)])
    return _grid(rows)


def shape_sheet(model: BodyModel) -> Picture:
    """The first five betas at -2 and 2, from the front and the side."""
    rows = []
    for index in range(5):
        row = []
        for value in (-2.0, 2.0):
            betas = torch.zeros(1, 10)
            betas[0, index] = value
            points = pose_body(model, betas, torch.zeros(1, 24, 3)).vertices[0]
            row += [_tile(model, points, yaw) for yaw in (0, -90)]
        rows.append(row)
    return _grid(rows)


def corrective_sheet(model: BodyModel) -> Picture:
    """Hard poses near one joint with plain skinning (left of each pair) and with correctives (right)."""
    views = (("squat", 1, 0.75, (-10, -60, -150)), ("sit", 1, 0.9, (-40, -90, 160)),
             ("elbows", 18, 0.5, (-50, 20, -150)),
             ("twist", 18, 0.5, (-30, 60, 160)), ("walk", 16, 0.6, (-30, 20, -140)))  # fmt: skip
    rows = []
    for name, joint, span, yaws in views:
        row = []
        for yaw in yaws:
            for correctives in (False, True):
                body = pose_body(model, torch.zeros(1, 10), pose_of(POSES[name]), correctives=correctives)
                points = (body.vertices[0] - body.joints[0, joint]).double().numpy()
                row.append(shade(points, model.faces.numpy(), yaw=yaw, size=(300, 300), span=span))
        rows.append(row)
    return _grid(rows)


def save_contact_sheet(path: Path) -> None:
    """Draw the default body: poses, shapes (``-shapes``) and correctives before and after (``-correctives``)."""
    model = load_default_body()
    sheets = {"": pose_sheet(model), "-shapes": shape_sheet(model), "-correctives": corrective_sheet(model)}
    for ending, picture in sheets.items():
        Image.fromarray(picture).quantize(64).save(path.with_stem(path.stem + ending), optimize=True)
