"""The listed pose correctives are the model's own."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from munet.body.default import load_default_body
from munet.body.model import PoseDirs
from munet.body.skinning import pose_body


def _listed(dirs: PoseDirs, vertices: int, rotations: np.ndarray) -> np.ndarray:
    moved, bones, offsets = (part.numpy() for part in dirs.entries(2e-5))
    turned = rotations.reshape(-1, 9) - np.eye(3).reshape(9)
    corrective = np.zeros((vertices, 3))
    np.add.at(corrective, moved, np.einsum("nak,nk->na", offsets, turned[bones]))
    return corrective


def test_the_listed_correctives_equal_the_models() -> None:
    model = load_default_body()
    rotations = Rotation.random(model.joint_count, random_state=3).as_matrix()
    posed = pose_body(model, torch.zeros(1, 10), torch.from_numpy(rotations.astype(np.float32))[None])
    expected = (posed.rest_corrected - posed.rest_vertices)[0].numpy()
    np.testing.assert_allclose(_listed(model.pose_dirs, model.vertex_count, rotations), expected, atol=2e-4)


def test_dense_correctives_can_be_listed_too() -> None:
    dirs = torch.zeros(5, 3, 207)
    dirs[4, 2, 9 * 6 + 5] = 0.01
    moved, bones, offsets = PoseDirs(None, dirs).entries(2e-5)
    assert (moved.tolist(), bones.tolist()) == ([4], [7])
    assert offsets[0, 2, 5] == dirs[4, 2, 59]
    assert offsets.abs().sum() == dirs.abs().sum()
