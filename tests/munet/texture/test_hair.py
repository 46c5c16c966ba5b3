"""Hair that nobody sees is like the hair that is seen; its rim shows nothing of the background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.texture.hair import Likeness
from munet.texture.quilt import comb, make_alike
from munet.texture.rim import colour_bins, histogram

Floats = NDArray[np.float32]


def stripes(degrees: float, size: int = 160) -> Floats:
    """Fine strands that lean by so much from running down, with uneven widths."""
    row, column = np.mgrid[:size, :size].astype(np.float32)
    across = column * np.cos(np.radians(degrees)) - row * np.sin(np.radians(degrees))
    noise = np.random.default_rng(0).standard_normal(4 * size).astype(np.float32)
    smooth = cv2.GaussianBlur(noise[None], (0, 0), 1.0)[0]
    luma = np.interp(across + 2 * size, np.arange(4 * size), smooth)
    return np.repeat(luma[..., None], 3, 2).astype(np.float32)


def curls(size: int = 160) -> Floats:
    noise = np.random.default_rng(1).standard_normal((size, size, 3)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 3.0), np.float32)


def on_sheet(patch: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    detail, known = np.zeros((320, 640, 3), np.float32), np.zeros((320, 640), np.bool_)
    known[60:220, 200:360] = True
    detail[60:220, 200:360] = patch
    return detail, known


def slopes(luma: Floats) -> tuple[float, float]:
    """How much a picture changes across and downwards."""
    return float(np.abs(np.diff(luma, axis=1)).mean()), float(np.abs(np.diff(luma, axis=0)).mean())


def test_leaning_strands_are_combed_down() -> None:
    detail, known = on_sheet(stripes(30))
    library = comb(detail, known)
    assert library is not None
    assert library.straight
    made = make_alike(detail, known, library, np.random.default_rng(0)).mean(2)
    across, down = slopes(made)
    assert across > 2.5 * down
    assert abs(made.std() / library.hair[library.hair != 0].std() - 1) < 0.5


def test_curls_are_made_of_curls_around_what_is_seen() -> None:
    detail, known = on_sheet(curls())
    library = comb(detail, known)
    assert library is not None
    assert not library.straight
    made = make_alike(detail, known, library, np.random.default_rng(0))
    assert np.allclose(made[known], detail[known])
    unseen = made[~known]
    assert abs(unseen.std() / detail[known].std() - 1) < 0.25
    again = make_alike(detail, known, library, np.random.default_rng(0))
    assert np.array_equal(made, again)


def test_too_little_hair_gives_none() -> None:
    known = np.zeros((320, 640), np.bool_)
    assert comb(np.zeros((320, 640, 3), np.float32), known) is None
    known[100:110, 100:300] = True
    assert comb(np.zeros((320, 640, 3), np.float32), known) is None


def test_hair_is_told_from_skin_by_colour() -> None:
    random = np.random.default_rng(0)
    hair = random.normal([60, 40, 30], 6, (2000, 3)).astype(np.float32)
    skin = random.normal([205, 160, 135], 6, (2000, 3)).astype(np.float32)
    kind = Likeness(np.concatenate([hair, skin[:500]]), skin)
    assert kind.is_hair(hair).mean() > 0.98
    assert kind.is_hair(skin).mean() < 0.05
    leaf = np.array([[90, 160, 40]], np.float32)
    assert kind.how_hairy(leaf)[0] < 0.2 < kind.how_hairy(hair).mean()


def test_histogram_is_a_density() -> None:
    colours = np.random.default_rng(0).uniform(0, 255, (500, 3)).astype(np.float32)
    assert np.isclose(histogram(colours).sum(), 1, atol=0.2)
    assert len(colour_bins(np.zeros((0, 3), np.float32))[0]) == 0
