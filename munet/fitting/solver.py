"""Levenberg-Marquardt with robust residuals (iteratively re-weighted)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.fitting.rig import SIZE, State

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """One term of the cost, linearised.

    Attributes:
        residual: (M,) already weighted; the term's Gauss-Newton gradient is ``jacobian.T @ residual``.
        jacobian: (M, SIZE).
        cost: half the sum of the (robust) squares.
    """

    residual: Array
    jacobian: Array
    cost: float


Terms = Callable[[State], list[Block]]


def quadratic(residual: Array, jacobian: Array, weight: Array | float = 1.0) -> Block:
    """Return the block of plain least squares with square-root weights ``weight`` (M,) or a number."""
    scaled = residual * weight
    factor = np.broadcast_to(np.asarray(weight, np.float64), residual.shape)
    return Block(scaled, jacobian * factor[:, None], 0.5 * float(scaled @ scaled))


def robust(residual: Array, jacobian: Array, weight: Array, limit: float, group: int = 1) -> Block:
    """Return a block with the loss of Geman and McClure, which saturates at 0.5 weight**2 limit**2.

    Args:
        residual: (M,), ``group`` consecutive entries form one vector whose length is judged.
        jacobian: (M, SIZE).
        weight: (M / group,) square-root weights, outside of the loss.
        limit: residual length where the pull has dropped to a quarter.
        group: entries per vector.
    """
    squared = (residual.reshape(-1, group) ** 2).sum(1)
    falloff = limit**2 / (limit**2 + squared)
    factor = np.repeat(weight * falloff, group)
    cost = 0.5 * float((weight**2 * squared * falloff).sum())
    return Block(residual * factor, jacobian * factor[:, None], cost)


def minimise(state: State, terms: Terms, steps: int, tolerance: float = 1e-4) -> tuple[State, float]:
    """Minimise the sum of the terms from ``state``; returns the best state and its cost.

    Args:
        state: start.
        terms: linearises every term at a state.
        steps: most evaluations of the terms after the first.
        tolerance: stops when a step improves the cost by less than this share.
    """
    blocks = terms(state)
    cost, damping = sum(block.cost for block in blocks), 1e-3
    for _ in range(steps):
        step = _step(blocks, damping)
        candidate = state.moved(step)
        new_blocks = terms(candidate)
        new_cost = sum(block.cost for block in new_blocks)
        if new_cost >= cost:
            damping *= 8
            if damping > 1e3:
                break
            continue
        small = cost - new_cost < tolerance * cost
        state, blocks, cost, damping = candidate, new_blocks, new_cost, max(damping * 0.3, 1e-6)
        if small:
            break
    return state, cost


def _step(blocks: list[Block], damping: float) -> Array:
    jacobian = np.concatenate([block.jacobian for block in blocks])
    residual = np.concatenate([block.residual for block in blocks])
    hessian = jacobian.T @ jacobian
    diagonal = np.diagonal(hessian)
    hessian = hessian + np.diag(damping * diagonal + 1e-9 * (1 + diagonal.max()))
    step = -np.linalg.solve(hessian, jacobian.T @ residual)
    turn = float(np.abs(step[: SIZE - 16]).max())
    result: Array = step * min(1.0, 0.6 / max(turn, 1e-9))
    return result
