"""Pictures of the finished body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from default_body.raster import shade
from munet.body.default import load_default_body
from munet.body.skinning import pose_body

POSES: dict[str, dict[int, tuple[float, float, float]]] = {
    "rest": {},
    "walk": {1: (-0.5, 0, 0), 2: (0.35, 0, 0), 4: (0.25, 0, 0), 5: (0.7, 0, 0), 16: (0.1, 0.3, -1.2), 17: (0.1, 0.3, 1.2),
             18: (0, -0.5, 0), 19: (0, 0.4, 0)},
    "sit": {1: (-1.55, 0.1, 0), 2: (-1.55, -0.1, 0), 4: (1.55, 0, 0), 5: (1.55, 0, 0), 16: (0, -0.4, -1.1),
            17: (0, 0.4, 1.1), 18: (0, -1.2, 0), 19: (0, 1.2, 0)},
    "arms up": {13: (0, 0, 0.3), 14: (0, 0, -0.3), 16: (0, 0, 1.1), 17: (0, 0, -1.1)},
    "squat": {0: (0.4, 0, 0), 1: (-2.1, 0.3, 0.3), 2: (-2.1, -0.3, -0.3), 4: (2.4, 0, 0), 5: (2.4, 0, 0),
              7: (-0.5, 0, 0), 8: (-0.5, 0, 0), 16: (0, -1.3, -0.3), 17: (0, 1.3, 0.3), 18: (0, -0.6, 0), 19: (0, 0.6, 0)},
    "twist": {18: (1.2, 0, 0), 19: (1.2, 0, 0), 20: (0.6, 0, 0), 21: (0.6, 0, 0), 16: (0, 0, -0.7), 17: (0, 0, 0.7)},
    "elbows": {16: (0, 0, -0.6), 17: (0, 0, 0.6), 18: (0, -2.3, 0), 19: (0, 2.3, 0)},
}  # fmt: skip


def pose_of(joints: dict[int, tuple[float, float, float]]) -> torch.Tensor:
    """Axis-angle (1, 24, 3) from a few joints."""
    pose = torch.zeros(1, 24, 3)
    for joint, vector in joints.items():
        pose[0, joint] = torch.tensor(vector)
    return pose


def sheet(correctives: bool = True) -> np.ndarray:
    """Rows: poses; columns: four directions of view. Then betas +-2."""
    model = load_default_body()
    faces = model.faces.numpy()
    rows = []
    for joints in POSES.values():
        body = pose_body(model, torch.zeros(1, 10), pose_of(joints), correctives=correctives)
        points = body.vertices[0].double().numpy()
        rows.append(np.concatenate([shade(points, faces, yaw=yaw, size=(460, 520)) for yaw in (0, -45, -90, 180)], 1))
    for betas in range(0, 4):
        tiles = []
        for value in (-2.0, 2.0):
            values = torch.zeros(1, 10)
            values[0, betas] = value
            body = pose_body(model, values, torch.zeros(1, 24, 3), correctives=correctives)
            points = body.vertices[0].double().numpy()
            tiles += [shade(points, faces, yaw=yaw, size=(460, 520)) for yaw in (0, -90)]
        rows.append(np.concatenate(tiles, 1))
    return np.concatenate(rows, 0)


def save_contact_sheet(path: Path) -> None:
    """Draw the default body into a PNG."""
    Image.fromarray(sheet()).save(path)
