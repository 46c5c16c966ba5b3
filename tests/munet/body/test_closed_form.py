"""A rig from vertices alone: bodies that the model can make come back."""

from __future__ import annotations

import pytest
import torch
from scipy.spatial.transform import Rotation

from munet.body.closed_form import fit_vertices
from munet.body.default import load_default_body
from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return load_default_body()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_posed_body_comes_back(model: BodyModel, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    turns = 0.35 * torch.randn(24, 3, generator=random)
    turns[0] *= 4
    pose = torch.from_numpy(Rotation.from_rotvec(turns.numpy()).as_matrix()).float()
    betas, place = torch.randn(1, 10, generator=random), torch.tensor([[0.3, -0.2, 2.5]])
    wanted = pose_body(model, betas, pose[None], place)
    found = fit_vertices(model, wanted.vertices[0])
    again = pose_body(model, found.betas[None], found.rotations[None], found.translation[None])
    assert float((again.vertices - wanted.vertices).norm(dim=-1).mean()) < 0.005
    assert float((again.joints[:, :24] - wanted.joints[:, :24]).norm(dim=-1).mean()) < 0.006
    torch.testing.assert_close(found.rotations @ found.rotations.transpose(1, 2), torch.eye(3).expand(24, 3, 3))
    assert float(torch.linalg.det(found.rotations).min()) > 0.99


def test_other_vertices_are_refused(model: BodyModel) -> None:
    with pytest.raises(InvalidInputError, match=r"found \(5, 3\)"):
        fit_vertices(model, torch.zeros(5, 3))
