"""Ears under hair leave no trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from munet.body.model import BodyModel
from munet.surface.anatomy import Anatomy, describe
from munet.surface.hair import closed_hair
from munet.surface.operators import Floats, Ints, edge_weights, vertex_normals


@pytest.fixture(scope="module")
def head(model: BodyModel) -> tuple[Floats, Ints, Anatomy]:
    """Template vertices, edges and anatomy."""
    template, weights, joints = (
        each.numpy().astype(np.float64) for each in (model.template, model.weights, model.joint_template)
    )
    faces = model.faces.numpy().astype(np.int64)
    landmarks = torch.sparse.mm(model.landmarks, model.template).numpy().astype(np.float64)
    normals = vertex_normals(template, faces)
    anatomy = describe(weights, template, normals, joints, landmarks, model.parts.numpy())
    return template, edge_weights(template, faces)[0], anatomy


def test_bare_ears_stay(head: tuple[Floats, Ints, Anatomy]) -> None:
    template, pairs, anatomy = head
    assert np.array_equal(closed_hair(template, template, pairs, anatomy), template)


def test_an_ear_under_hair_leaves_no_trace(head: tuple[Floats, Ints, Anatomy]) -> None:
    template, pairs, anatomy = head
    on_left = anatomy.ears & (template[:, 0] > 0)
    assert np.count_nonzero(on_left) > 200
    dressed = template + 0.03 * on_left[:, None] * [1.0, 0, 0]
    found = closed_hair(template, dressed, pairs, anatomy)
    assert np.array_equal(found[~on_left], template[~on_left])
    inner = pairs[on_left[pairs].all(1)]
    before, after = (np.abs(np.diff(v[inner, 0], axis=1)).mean() for v in (dressed, found))
    assert after < 0.5 * before
