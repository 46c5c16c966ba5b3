"""The mask of one person at full resolution.

BlazePose's own mask, averaged over many views, knows who the person is (not the helmet beside, not the poles in
the hands, not the neighbour), but is coarse; the saliency network knows edges a little better. They are mixed in a
band along the outline, closed-form matting lays the outline on the picture's edges, and a guided filter brings it
to full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.perception.averaging import average_mask
from munet.perception.cleanup import fill_holes, keep_person
from munet.perception.crop import Crop, paste_crop
from munet.perception.gaps import find_gaps
from munet.perception.guided import guided_upsample
from munet.perception.landmarks import LandmarkNetwork, Landmarks
from munet.perception.matting import solve_matte
from munet.perception.saliency import SaliencyNetwork

_WORK_PIXELS = 640
_NETWORK_PIXELS = 256
_BAND_CELLS = 2.5
_RIM_CELLS = 1.5
_UNSURE = (0.1, 0.9)
_LARGEST_HOLE = 0.004
_SMALLEST_PART = 0.01
_SEEN = 0.5


@dataclass(frozen=True)
class Region:
    """An upright rectangle of an image in whole pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def cut(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return this part of an array (H, W, ...)."""
        return values[self.top : self.bottom, self.left : self.right]


class PersonMasker:
    """The loaded networks that separate a person from everything else."""

    def __init__(self, landmarks: LandmarkNetwork, saliency: Path, threads: int) -> None:
        """Load the saliency network from its file; the landmark network is shared."""
        self._landmarks = landmarks
        self._saliency = SaliencyNetwork(saliency, threads)

    def segment(self, image: NDArray[np.uint8], person: Landmarks) -> NDArray[np.float32]:
        """Return the mask (H, W) in [0, 1] of ``person`` in an image (H, W, 3).

        Args:
            image: sRGB.
            person: as :func:`munet.perception.averaging.average_views` gives it.
        """
        height, width = image.shape[:2]
        wide = paste_crop(person.mask, person.crop, width, height)
        region = _region_of(wide)
        full = np.zeros((height, width), np.float32)
        if region is None:
            return full
        photo = np.ascontiguousarray(region.cut(image), np.uint8)
        scale = min(1.0, _WORK_PIXELS / max(region.size))
        size = (max(3, round(region.size[0] * scale)), max(3, round(region.size[1] * scale)))
        small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
        rough = _resize(self._rough_mask(image, person, wide, region), size)
        cell = max(1.0, person.next_crop.side / _NETWORK_PIXELS * scale)
        salient = self._saliency.find(small)
        gaps = find_gaps(small, rough, salient, cell)
        matte = _lay_on_edges(small, rough, salient, gaps, cell)
        seen = person.image[person.visibility > _SEEN]
        points = (seen - (region.left, region.top)) * (size[0] / region.size[0], size[1] / region.size[1])
        matte = _clean(matte, gaps, points, cell)
        full[region.top : region.bottom, region.left : region.right] = guided_upsample(matte, small, photo)
        return full

    def _rough_mask(
        self, image: NDArray[np.uint8], person: Landmarks, wide: NDArray[np.float32], region: Region
    ) -> NDArray[np.float32]:
        """Mean of the masks seen from the wide crop of the landmarks and from a tight one."""
        height, width = image.shape[:2]
        center = ((region.left + region.right) / 2, (region.top + region.bottom) / 2)
        tight = Crop(center, float(max(region.size)), person.next_crop.angle)
        mask, square = average_mask(self._landmarks, image, tight)
        both = (wide + paste_crop(mask, square, width, height)) / 2
        return np.ascontiguousarray(region.cut(both), np.float32)


def _region_of(mask: NDArray[np.float32], margin: float = 0.06) -> Region | None:
    rows, columns = np.flatnonzero((mask > _SEEN).any(1)), np.flatnonzero((mask > _SEEN).any(0))
    if not rows.size:
        return None
    height, width = mask.shape
    grow = max(2, round(margin * max(rows[-1] - rows[0], columns[-1] - columns[0])))
    return Region(
        max(0, int(columns[0]) - grow),
        max(0, int(rows[0]) - grow),
        min(width, int(columns[-1]) + 1 + grow),
        min(height, int(rows[-1]) + 1 + grow),
    )


def _lay_on_edges(
    image: NDArray[np.uint8],
    rough: NDArray[np.float32],
    salient: NDArray[np.float32],
    gaps: NDArray[np.bool_],
    cell: float,
) -> NDArray[np.float32]:
    solid = (rough > _SEEN).astype(np.uint8)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 3)
    band = np.maximum(inside, outside) < _BAND_CELLS * cell
    prior = np.where(band, (rough + salient) / 2, rough)
    prior[gaps] = 0
    reach = 2 * round(_RIM_CELLS * cell) + 1
    around = cv2.dilate(gaps.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    return solve_matte(image, prior, band | around | ((rough > _UNSURE[0]) & (rough < _UNSURE[1])))


def _clean(
    matte: NDArray[np.float32], gaps: NDArray[np.bool_], points: NDArray[np.floating], cell: float
) -> NDArray[np.float32]:
    area = float((matte > _SEEN).sum())
    whole = keep_person(fill_holes(matte, _LARGEST_HOLE * area, gaps), points, _SMALLEST_PART * area)
    depth = cv2.distanceTransform((whole > _SEEN).astype(np.uint8), cv2.DIST_L2, 3)
    # Only the rim of a person is translucent; doubts further inside come from colours like the background's.
    return np.where(depth > _RIM_CELLS * cell, np.float32(1), whole)


def _resize(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
