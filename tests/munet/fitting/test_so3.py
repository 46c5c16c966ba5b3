"""Rotations against SciPy and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from munet.fitting.so3 import exp_rotation, log_jacobian, log_rotation, rotation_aligning, rotation_between


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-5, 0.1, 1.0, 3.14159])
def test_exponential_and_logarithm_agree_with_scipy(scale: float) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 3))
    vectors *= scale / np.linalg.norm(vectors, axis=1, keepdims=True)
    matrices = exp_rotation(vectors)
    np.testing.assert_allclose(matrices, Rotation.from_rotvec(vectors).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(log_rotation(matrices), vectors, atol=1e-9)


def test_logarithm_of_half_turns() -> None:
    for axis in np.eye(3):
        vector = log_rotation(exp_rotation(np.pi * axis)[None])[0]
        np.testing.assert_allclose(np.abs(vector), np.pi * axis, atol=1e-6)


def test_logarithm_derivative_matches_finite_differences() -> None:
    random = np.random.default_rng(1)
    for vector in [*random.uniform(-1.7, 1.7, (20, 3)), np.zeros(3), np.array([1e-6, 0, 0])]:
        numeric = np.stack(
            [
                (
                    log_rotation(exp_rotation(vector) @ exp_rotation(step))
                    - log_rotation(exp_rotation(vector) @ exp_rotation(-step))
                )
                / 2e-6
                for step in 1e-6 * np.eye(3)
            ],
            1,
        )
        np.testing.assert_allclose(log_jacobian(vector), numeric, atol=1e-6)


def test_rotation_between_turns_source_onto_target() -> None:
    random = np.random.default_rng(2)
    pairs = [
        *random.normal(size=(20, 2, 3)),
        np.array([[1.0, 0, 0], [-1.0, 0, 0]]),
        np.array([[0, 2.0, 0], [0, 1.0, 0]]),
    ]
    for source, target in pairs:
        turned = rotation_between(source, target) @ source / np.linalg.norm(source)
        np.testing.assert_allclose(turned, target / np.linalg.norm(target), atol=1e-9)


def test_alignment_finds_the_rotation() -> None:
    truth = exp_rotation(np.array([0.3, -1.2, 0.5]))
    source = np.random.default_rng(3).normal(size=(4, 3))
    np.testing.assert_allclose(rotation_aligning(source, source @ truth.T), truth, atol=1e-12)
