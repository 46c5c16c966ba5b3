"""A body in the official SMPL format, made from the default body."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from munet.body.default import load_default_body
from munet.body.model import SMPL_PARENTS, BodyModel


@pytest.fixture(scope="session")
def model() -> BodyModel:
    torch.set_num_threads(2)
    return load_default_body()


def folded_weights(model: BodyModel) -> NDArray[np.float64]:
    weights = model.weights.double().numpy()
    folded = weights[:, :24].copy()
    folded[:, 22] += weights[:, 24:39].sum(1)
    folded[:, 23] += weights[:, 39:54].sum(1)
    return folded


@pytest.fixture(scope="session")
def official(model: BodyModel) -> dict[str, NDArray[np.generic]]:
    template, shape_dirs = model.template.double().numpy(), model.shape_dirs.double().numpy()
    wanted = np.concatenate([model.joint_template[:24, :, None], model.joint_shape_dirs[:24]], 2)
    known = np.concatenate([template[:, :, None], shape_dirs], 2)
    regressor = wanted.reshape(24, -1) @ np.linalg.pinv(known.reshape(len(template), -1))
    return {
        "v_template": template,
        "shapedirs": shape_dirs,
        "posedirs": model.pose_dirs.dense().double().numpy(),
        "J_regressor": regressor,
        "weights": folded_weights(model),
        "kintree_table": np.array([np.array(SMPL_PARENTS).astype(np.uint32), np.arange(24, dtype=np.uint32)]),
        "f": model.faces.numpy().astype(np.uint32),
    }
