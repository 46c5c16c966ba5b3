"""Sharper landmarks and masks: several views of one person, moved, turned, enlarged and mirrored.

The network's 256 pixel input quantises a tall person to about 1 % of the height; views that differ by fractions of
a cell disagree independently, so their median is both finer and robust, and their spread tells what is a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from munet.perception.crop import Crop, paste_crop, sample_continued
from munet.perception.landmarks import LandmarkNetwork, Landmarks, mirror_order

PATCH_PIXELS = 640
_PATCH_MARGIN = 1.3
# Spread of a landmark over the views, as a share of the person's crop, at which its visibility is halved.
_SPREAD = 0.06


@dataclass(frozen=True)
class View:
    """How a view differs from the person's crop: shift as shares of its side, enlargement, turn in radians."""

    dx: float = 0.0
    dy: float = 0.0
    enlarge: float = 1.0
    turn: float = 0.0

    def of(self, crop: Crop) -> Crop:
        """Return ``crop`` changed by this view."""
        center = (crop.center[0] + self.dx * crop.side, crop.center[1] + self.dy * crop.side)
        return Crop(center, crop.side * self.enlarge, crop.angle + self.turn)


# Six views (three and their mirror images) measured as good as twelve.
_LANDMARK_VIEWS = (View(0.02, 0.02), View(0.02, -0.02, 0.95), View(enlarge=1.12, turn=0.1))
FOLLOWED_VIEWS = (View(0.01, 0.01, 1.04),)
_MASK_VIEWS = (View(), View(0.02, -0.01, 1.06, 0.05), View(-0.01, 0.02, 1.12, -0.05))


@dataclass(frozen=True)
class _Patch:
    """A person cut out once: all views are taken from it instead of from the large photo."""

    pixels: NDArray[np.uint8]
    crop: Crop

    def inside(self, crop: Crop) -> Crop:
        x, y = self.crop.from_image(np.asarray(crop.center)) * PATCH_PIXELS
        return Crop((float(x), float(y)), crop.side * PATCH_PIXELS / self.crop.side, crop.angle)

    def look(self, network: LandmarkNetwork, crops: Iterable[Crop]) -> list[Landmarks]:
        """Evaluate crops (in pixels of this patch), each also mirrored."""
        mirror = np.ascontiguousarray(self.pixels[:, ::-1])
        views: list[Landmarks] = []
        for crop in crops:
            views += [network.find(self.pixels, crop), _mirrored(network.find(mirror, _mirrored_crop(crop)))]
        return views


def average_views(
    network: LandmarkNetwork, image: NDArray[np.uint8], person: Landmarks, views_of: tuple[View, ...] = _LANDMARK_VIEWS
) -> Landmarks:
    """Return ``person`` with the medians of several views of the image (H, W, 3) around ``person.next_crop``.

    ``views_of`` are the views, of each of which the mirror image is seen, too.

    The visibility is lowered where the views disagree by more than a few percent of the crop; ``presence`` is their
    mean; ``crop`` and ``mask`` of the result cover an upright square round the person.
    """
    crop = Crop(person.next_crop.center, person.next_crop.side * _PATCH_MARGIN)
    patch = _Patch(sample_continued(image, crop, PATCH_PIXELS), crop)
    base = patch.inside(person.next_crop)
    views = patch.look(network, (view.of(base) for view in views_of))
    units = np.stack([view.image for view in views]) / PATCH_PIXELS
    spread = np.linalg.norm(units.std(axis=0), axis=1) * _PATCH_MARGIN
    certainty = 1 / (1 + (spread / _SPREAD) ** 2)
    return replace(
        person,
        image=crop.to_image(np.median(units, axis=0)),
        world=np.median([view.world for view in views], axis=0),
        visibility=np.mean([view.visibility for view in views], axis=0) * certainty,
        presence=float(np.mean([view.presence for view in views])),
        crop=crop,
        mask=_mean_mask(views),
    )


def average_mask(network: LandmarkNetwork, image: NDArray[np.uint8], crop: Crop) -> tuple[NDArray[np.float32], Crop]:
    """Return the mean mask of several views round ``crop`` and the upright square that it covers."""
    square = Crop(crop.center, crop.side * _PATCH_MARGIN)
    patch = _Patch(sample_continued(image, square, PATCH_PIXELS), square)
    base = patch.inside(crop)
    return _mean_mask(patch.look(network, (view.of(base) for view in _MASK_VIEWS))), square


def _mirrored_crop(crop: Crop) -> Crop:
    return Crop((PATCH_PIXELS - crop.center[0], crop.center[1]), crop.side, -crop.angle)


def _mirrored(found: Landmarks) -> Landmarks:
    order = mirror_order()
    return replace(
        found,
        image=np.array([PATCH_PIXELS, 0]) + found.image[order] * (-1, 1),
        world=found.world[order] * (-1, 1, 1),
        visibility=found.visibility[order],
        crop=_mirrored_crop(found.crop),
        mask=np.ascontiguousarray(found.mask[:, ::-1]),
    )


def _mean_mask(views: list[Landmarks]) -> NDArray[np.float32]:
    """Mean of the views' masks, each counted only where the view looks."""
    total = np.zeros((PATCH_PIXELS, PATCH_PIXELS), np.float32)
    weight = np.full_like(total, 1e-6)
    for view in views:
        total += paste_crop(view.mask, view.crop, PATCH_PIXELS, PATCH_PIXELS)
        weight += paste_crop(np.ones_like(view.mask), view.crop, PATCH_PIXELS, PATCH_PIXELS)
    return total / weight
