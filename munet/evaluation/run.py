"""Walk through a data set: estimate, compare, collect."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

from munet.evaluation.compare import Comparison, compare
from munet.evaluation.estimate import Estimator, NotFoundError
from munet.evaluation.results import Results
from munet.evaluation.sample import Dataset


def evaluate(dataset: Dataset, estimator: Estimator, how: Comparison, limit: int | None = None) -> Iterator[Results]:
    """Yield the results so far after every sample.

    A person who is not found is counted as missed and left out of the means: read both together.

    Args:
        dataset: the test set.
        estimator: the pipeline.
        how: what is compared.
        limit: at most so many samples, spread evenly over the set, or None for all.

    Raises:
        MunetError: a file of the data set is missing or damaged.
    """
    results, step = Results(), stride(len(dataset), limit)
    for sample in islice(dataset.samples(step), limit):
        began = time.perf_counter()
        try:
            estimate = estimator.estimate(sample)
        except NotFoundError as reason:
            results.missed[sample.name] = str(reason)
        else:
            seconds = time.perf_counter() - began
            results.add(sample.name, compare(estimate, sample, how), seconds)
        yield results


def stride(count: int, limit: int | None) -> int:
    """Every how many samples one is taken so that about ``limit`` of ``count`` remain."""
    return 1 if limit is None or limit >= count else count // limit
