"""Rotations against SciPy, round trips and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from munet.errors import InvalidInputError
from munet.geometry import rotation

GENERATOR = np.random.default_rng(0)
AXIS_ANGLES = np.concatenate([
    GENERATOR.normal(size=(50, 3)),
    GENERATOR.normal(size=(5, 3)) * 1e-6,
    np.zeros((1, 3)),
    np.diag([np.pi, np.pi, np.pi]) * (1 - 1e-9),
])  # fmt: skip


def test_matches_scipy() -> None:
    ours = rotation.matrix_from_axis_angle(torch.from_numpy(AXIS_ANGLES))
    np.testing.assert_allclose(ours.numpy(), Rotation.from_rotvec(AXIS_ANGLES).as_matrix(), atol=1e-9)


def test_axis_angle_round_trip() -> None:
    matrices = Rotation.from_rotvec(AXIS_ANGLES).as_matrix()
    back = rotation.matrix_from_axis_angle(rotation.axis_angle_from_matrix(torch.from_numpy(matrices)))
    np.testing.assert_allclose(back.numpy(), matrices, atol=1e-6)


def test_sixd_round_trip() -> None:
    matrices = torch.from_numpy(Rotation.from_rotvec(AXIS_ANGLES).as_matrix())
    torch.testing.assert_close(rotation.matrix_from_6d(rotation.sixd_from_matrix(matrices) * 3), matrices)


def test_gradient_is_finite_at_zero() -> None:
    assert torch.autograd.gradcheck(
        rotation.matrix_from_axis_angle, torch.zeros(2, 3, dtype=torch.double, requires_grad=True)
    )


def test_rotation_between_turns_source_onto_target() -> None:
    source = torch.from_numpy(np.concatenate([GENERATOR.normal(size=(20, 3)), [[1.0, 0, 0], [0, 0, 2.0]]]))
    target = torch.from_numpy(np.concatenate([GENERATOR.normal(size=(20, 3)), [[-1.0, 0, 0], [0, 0, 1.0]]]))
    turned = (rotation.rotation_between(source, target) @ source[..., None]).squeeze(-1)
    torch.testing.assert_close(
        torch.nn.functional.normalize(turned, dim=-1), torch.nn.functional.normalize(target, dim=-1), atol=1e-6, rtol=0
    )


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        rotation.matrix_from_axis_angle(torch.zeros(4))
