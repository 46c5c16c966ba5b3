"""Adam's memory in half the bytes: both moments keep to values that bfloat16 holds.

A checkpoint can then store them exactly in two bytes each, which lets the whole state of a small network travel in few
small files. The first moment changes by a tenth a step and is rounded; the second changes by a thousandth, less than
the distance of neighbouring values, and is rounded up or down at random with the right mean.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LOW_BITS = 0xFFFF


@torch.no_grad()
def shorten_moments(optimiser: torch.optim.Adam, generator: torch.Generator) -> None:
    """Round the moments of an optimiser in place; they stay float32 tensors."""
    for state in optimiser.state.values():
        state["exp_avg"].copy_(state["exp_avg"].bfloat16())
        state["exp_avg_sq"].copy_(stochastically_rounded(state["exp_avg_sq"], generator))


def stochastically_rounded(values: Tensor, generator: torch.Generator) -> Tensor:
    """Float32 values that bfloat16 holds, whose mean is that of ``values``.

    Args:
        values: float32, finite.
        generator: of random numbers, on the device of the values.
    """
    noise = torch.randint(0, _LOW_BITS + 1, values.shape, generator=generator, device=values.device, dtype=torch.int32)
    bits = (values.contiguous().view(torch.int32) + noise) & ~_LOW_BITS
    return bits.view(torch.float32)
