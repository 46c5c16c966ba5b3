"""The default body, a person who was photographed with it, and files in the official layouts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from official import SMPLH_ORDER, smpl_arrays, smplx_arrays, write_npz
from sitter import Person, make_person

from munet.body.default import load_default_body
from munet.body.model import BodyModel


@pytest.fixture(scope="session")
def model() -> BodyModel:
    torch.set_num_threads(1)
    return load_default_body()


@pytest.fixture(scope="session")
def person(model: BodyModel) -> Person:
    return make_person(model)


@pytest.fixture(scope="session", params=("SMPL", "SMPL-H", "SMPL-X"))
def body_file(request: pytest.FixtureRequest, model: BodyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of each kind."""
    folder = tmp_path_factory.mktemp("bodies")
    if request.param == "SMPL":
        return write_npz(folder / "SMPL_NEUTRAL.npz", smpl_arrays(model))
    if request.param == "SMPL-H":
        return write_npz(folder / "SMPLH_NEUTRAL.npz", smpl_arrays(model, SMPLH_ORDER))
    return write_npz(folder / "SMPLX_NEUTRAL.npz", smplx_arrays(model))
