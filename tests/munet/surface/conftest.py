"""The default body, and one person dressed once for all tests."""

import numpy as np
import pytest
import torch
from surface_scenes import CAMERA, Scene, body_anatomy, inflation, make_fit, observe

from munet.body.default import load_default_body
from munet.body.model import BodyModel
from munet.settings import Settings
from munet.surface.anatomy import Anatomy
from munet.surface.dress import dress
from munet.surface.silhouette import draw


@pytest.fixture(scope="session")
def model() -> BodyModel:
    torch.set_num_threads(1)
    return load_default_body()


@pytest.fixture(scope="session")
def anatomy(model: BodyModel) -> Anatomy:
    return body_anatomy(model)


@pytest.fixture(scope="session")
def scene(model: BodyModel, anatomy: Anatomy) -> Scene:
    """Arms lowered, one knee bent, dressed all over."""
    fit = make_fit(
        model,
        left_shoulder=(0, 0, -0.9), right_shoulder=(0, 0, 1.0), left_elbow=(0, -0.7, 0),
        left_hip=(-0.4, 0, 0.1), left_knee=(0.7, 0, 0), right_hip=(0, 0, -0.08),
    )  # fmt: skip
    field, clothed = inflation(model, anatomy, fit.vertices_cam.astype(np.float64))
    mask = draw(CAMERA, clothed, model.faces.numpy()).astype(np.float32)
    return Scene(fit, anatomy, field, mask, dress(model, fit, observe(mask), Settings()))
