"""How sure a mean over people is: percentile bootstrap (Efron 1979)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from munet.errors import InvalidInputError
from munet.evaluation.alignment import AnyArray, Array

RESAMPLES = 2000
_LEVEL = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A number with the 95 % interval that drawing other people from the same ones gives.

    Attributes:
        value: over all people.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float


def mean_interval(values: AnyArray, seed: int = 0) -> Interval:
    """Mean of a metric (N,).

    Raises:
        InvalidInputError: there are no values.
    """
    numbers, draws = _checked(values), _draws(len(values), seed)
    return _interval(float(numbers.mean()), numbers[draws].mean(1))


def gain_interval(values: AnyArray, baseline: AnyArray, seed: int = 0) -> Interval:
    """Share by which the mean of ``values`` (N,) lies below that of ``baseline`` (N,) of the same people.

    Raises:
        InvalidInputError: there are no values, or the two differ in number.
    """
    ours, theirs = _checked(values), _checked(baseline)
    if len(ours) != len(theirs):
        raise InvalidInputError("A gain needs the same people.", detail=f"found {len(ours)} and {len(theirs)} values")
    draws = _draws(len(ours), seed)
    gains = 1 - ours[draws].mean(1) / theirs[draws].mean(1)
    return _interval(float(1 - ours.mean() / theirs.mean()), gains)


def _checked(values: AnyArray) -> Array:
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or not len(numbers) or not np.isfinite(numbers).all():
        raise InvalidInputError("A mean needs finite values.", detail=f"found an array of shape {numbers.shape}")
    return numbers


def _draws(count: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))


def _interval(value: float, resampled: Array) -> Interval:
    low, high = np.percentile(resampled, _LEVEL)
    return Interval(value, float(low), float(high))
