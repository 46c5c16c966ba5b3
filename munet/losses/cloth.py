"""The clothing's contour: what the surface adds to the outline of the body."""

from __future__ import annotations

from torch import Tensor


def cloth_loss(surface: Tensor, body: Tensor, true_surface: Tensor, true_body: Tensor) -> Tensor:
    """MuNet's L_cloth, eq. 16, pixel by pixel: | |m(S) - m(M)| - |m(S~) - m(M~)| |, its mean over four views.

    Where surface and body coincide exactly the inner difference has no slope; before the surface network has learned
    anything only the other surface terms move it.

    Args:
        surface: (B, 4, S, S) soft silhouettes of the predicted surface, trained.
        body: of the predicted body, trained.
        true_surface: of the true surface.
        true_body: of the true body.

    Returns:
        (B,).
    """
    wanted = (true_surface - true_body).abs().detach()
    return ((surface - body).abs() - wanted).abs().mean((1, 2, 3))
