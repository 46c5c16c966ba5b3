"""Heights of folded cloth: sheets with more cloth in one direction than room for it, at rest.

A sheet that is pushed together by a tensor field (how much, along which direction) rises until the square of its
slopes, averaged over about a wavelength, takes up the spare cloth, against its stiffness and, for some, against what
presses it onto the body (tension-field view of wrinkling; Foeppl-von Karman plates with a prescribed metric). Folds
then run across the push, branch, and end by themselves. Nothing is taken from any photo or scan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad, relu

SIZE = 192
"""Edge of the pictures of heights, pixels; they repeat."""
_WAVES = (11.0, 64.0)
_SPARE = (0.05, 0.35)
_STEPS = 100
_STIFFNESS = 0.007
_AVERAGED = 0.33
KINDS = ("parallel", "from a point", "around a point", "twisted", "free")
_SHARES = (0.3, 0.28, 0.2, 0.12, 0.1)


@dataclass(frozen=True)
class Push:
    """How cloth is pushed together.

    Attributes:
        along: (B, 2, N, N) unit direction.
        spare: (B, N, N) share of cloth too much.
        aside: (B,) share of that in the other direction.
        wave: (B,) usual wavelength in pixels.
        press: (B,) how strongly the body holds the cloth.
    """

    along: Tensor
    spare: Tensor
    aside: Tensor
    wave: Tensor
    press: Tensor


def make_heights(seed: int, count: int, size: int = SIZE) -> Tensor:
    """Let ``count`` sheets fold: heights (count, size, size) float32 in pixels, mean zero.

    Args:
        seed: of pushes and first ripples.
        count: sheets made at once.
        size: edge in pixels.
    """
    random = torch.Generator().manual_seed(seed)
    push = draw_push(random, count, size)
    ripple = _clouds(random, size, push.wave * 0.18)
    ripple = ripple - _blurred(ripple, push.wave * 0.4)
    state = (0.3 * ripple / ripple.flatten(1).std(1)[:, None, None]).requires_grad_()
    optimiser = torch.optim.Adam([state], betas=(0.9, 0.97))
    for step in range(_STEPS):
        optimiser.param_groups[0]["lr"] = 0.12 * (1 - step / _STEPS) + 0.01
        optimiser.zero_grad()
        _energy(_heights(state, push.wave), push).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    height = _heights(state.detach(), push.wave)
    return height - height.mean((1, 2), keepdim=True)


def draw_push(random: torch.Generator, count: int, size: int) -> Push:
    """Draw pushes of all kinds."""
    pushes = [_one_push(random, size) for _ in range(count)]
    low, high = (math.log(value) for value in _WAVES)
    wave = torch.exp(low + (high - low) * torch.rand(count, generator=random) ** 0.8)
    aside = 0.25 * torch.rand(count, generator=random)
    held = (torch.rand(count, generator=random) < 0.45).float()
    press = 0.15 * held * torch.rand(count, generator=random)
    along, spare = (torch.stack(part) for part in zip(*pushes, strict=True))
    return Push(along, spare, aside, wave, press)


def _one_push(random: torch.Generator, size: int) -> tuple[Tensor, Tensor]:
    """Direction (2, N, N) and strength (N, N) of one push."""

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    place = (torch.arange(size) + 0.5) / size
    down, across = torch.meshgrid(place, place, indexing="ij")
    kind = KINDS[int(torch.multinomial(torch.tensor(_SHARES), 1, generator=random))]
    x, y = across - between(-0.2, 1.2), down - between(-0.2, 1.2)
    sway = _clouds(random, size, torch.tensor([size * between(0.12, 0.3)]))[0]
    angle = {
        "parallel": between(0, math.pi) + 0.4 * sway,
        "from a point": torch.atan2(y, x) + math.pi / 2 + 0.2 * sway,
        "around a point": torch.atan2(y, x) + 0.25 * sway,
        "twisted": between(0, math.pi) + between(-2, 2) * x + between(-2, 2) * y,
        "free": between(0, math.pi) + 1.3 * sway,
    }[kind]
    patches = _clouds(random, size, torch.tensor([size * between(0.08, 0.25)]))[0]
    spare = torch.sigmoid(between(1, 3) * patches + between(-1.2, 1.2))
    if "point" in kind:
        away = (x * x + y * y).sqrt()
        spare = spare * torch.exp(-(((away - between(0.1, 0.5)) / between(0.25, 0.7)) ** 2))
    return torch.stack([angle.cos(), angle.sin()]), spare * math.exp(between(*(math.log(v) for v in _SPARE)))


def _energy(height: Tensor, push: Push) -> Tensor:
    """Energy (B,) of sheets, in units of what flat ones would have."""
    across = pad(height[:, :, 1:] - height[:, :, :-1], (0, 1))
    down = pad(height[:, 1:] - height[:, :-1], (0, 0, 0, 1))
    x, y = push.along.unbind(1)
    aside = push.aside[:, None, None]
    wanted = push.spare[:, None] * torch.stack([x**2 + aside * y**2, y**2 + aside * x**2, x * y * (1 - aside)], 1)
    taken = 0.5 * torch.stack([across**2, down**2, across * down], 1)
    gap = _blurred(taken, push.wave * _AVERAGED) - wanted
    stretch = gap[:, 0] ** 2 + gap[:, 1] ** 2 + 2 * gap[:, 2] ** 2
    bent = pad(across[:, :, 1:] - across[:, :, :-1], (1, 0)) + pad(down[:, 1:] - down[:, :-1], (0, 0, 1, 0))
    wave = push.wave[:, None, None]
    bending = _STIFFNESS * (wave / (2 * math.pi)) ** 2 * bent**2
    contact = 0.2 * push.press[:, None, None] * (0.3 * height.abs() + relu(-height)) / wave
    flat = (wanted[:, :2].sum(1) ** 2).mean((1, 2)) + 1e-5
    return (stretch + bending + contact).mean((1, 2)) / flat


def _heights(state: Tensor, wave: Tensor) -> Tensor:
    return _blurred(state, wave * 0.06) * (0.1 * wave[:, None, None])


def _blurred(values: Tensor, sigma: Tensor) -> Tensor:
    """Blur repeating pictures (B, ..., N, N), each with its own sigma (B,) in pixels."""
    size = values.shape[-1]
    waves = torch.fft.rfftfreq(size)[None] ** 2 + torch.fft.fftfreq(size)[:, None] ** 2
    widths = sigma.reshape(-1, *([1] * (values.dim() - 1)))
    kept = torch.exp(-2 * math.pi**2 * waves * widths**2)
    found: Tensor = torch.fft.irfft2(torch.fft.rfft2(values) * kept, s=(size, size))
    return found


def _clouds(random: torch.Generator, size: int, sigma: Tensor) -> Tensor:
    """Noise (B, N, N) of deviation 1 without detail below ``sigma`` (B,) pixels."""
    found = _blurred(torch.randn(len(sigma), size, size, generator=random), sigma)
    return found / found.flatten(1).std(1)[:, None, None]
