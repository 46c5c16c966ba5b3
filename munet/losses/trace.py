"""The part of the surface's error that a wrong body causes."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn.functional import relu

from munet.errors import InvalidInputError

TraceVariant = Literal["full", "body_only", "clamped"]


def trace_loss(
    surface_error: Tensor, baseline_error: Tensor, variant: TraceVariant, body_error: Tensor | None = None
) -> Tensor:
    """MuNet's L_trace, eq. 15: error of the surface over the predicted body minus that over the true body.

    The baseline is a constant: otherwise the surface network would be rewarded for doing badly on true bodies.

    Args:
        surface_error: (B,) of the surface over the predicted body; its gradient reaches both networks.
        baseline_error: (B,) of the surface over the true body.
        variant: "full" trains both networks; "body_only" only what made the body; "clamped" the same, and only where
            the predicted body does worse than the true one.
        body_error: (B,) equal to ``surface_error``, from ``MuNetOutput.surface_for_body``; for the last two variants.

    Returns:
        (B,).

    Raises:
        InvalidInputError: the variant is unknown or its error is missing.
    """
    if variant == "full":
        return surface_error - baseline_error.detach()
    if variant not in {"body_only", "clamped"} or body_error is None:
        raise InvalidInputError(
            "L_trace needs a known variant and the error it works on.",
            detail=f"expected full, body_only or clamped (with body_error), found {variant}",
        )
    difference = body_error - baseline_error.detach()
    return relu(difference) if variant == "clamped" else difference
