"""The data sets by the names of the command line, and what is assumed about each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from munet.errors import InvalidInputError
from munet.evaluation.datasets.human36m import Human36M
from munet.evaluation.datasets.mpi_inf_3dhp import MpiInf3dhp
from munet.evaluation.datasets.pw3d import ThreeDPW
from munet.evaluation.datasets.scans import CAPE, RENDERPEOPLE, THUMAN2, Scans
from munet.evaluation.datasets.synthetic import SEED, SIZE, Synthetic
from munet.evaluation.sample import Dataset
from munet.evaluation.surface_metrics import SurfaceAlignment


@dataclass(frozen=True)
class DatasetKind:
    """One data set.

    Attributes:
        open: reads it from its folder; the generated one needs none.
        surface: whether it has clothed surfaces.
        protocol: split, frames and boxes, in words.
        alignment: of surfaces unless another is asked for.
    """

    open: Callable[[Path], Dataset]
    surface: bool
    protocol: str
    alignment: SurfaceAlignment = "centroid"


def _human36m(number: int) -> DatasetKind:
    cameras = "all cameras" if number == 1 else "the frontal camera 60457274"
    text = f"SPIN's protocol {number}: subjects 9 and 11, {cameras}, every fifth frame, boxes of the data set"
    return DatasetKind(lambda root: Human36M(root, 1 if number == 1 else 2), surface=False, protocol=text)


KINDS: dict[str, DatasetKind] = {
    "human36m": _human36m(2),
    "3dpw": DatasetKind(ThreeDPW, surface=False, protocol="test split, valid cameras, boxes of the 2D keypoints"),
    "mpi_inf_3dhp": DatasetKind(
        MpiInf3dhp,
        surface=False,
        protocol="TS1 to TS6, valid frames with all 17 joints inside, univ_annot3, their boxes",
    ),
    "thuman2": DatasetKind(
        lambda root: Scans(root, THUMAN2), surface=True, protocol="listed scans, 6 views each, no boxes"
    ),
    "cape": DatasetKind(lambda root: Scans(root, CAPE), surface=True, protocol="listed scans, 3 views each, no boxes"),
    "renderpeople": DatasetKind(
        lambda root: Scans(root, RENDERPEOPLE), surface=True, protocol="listed scans, 6 views each, no boxes"
    ),
    "synthetic": DatasetKind(
        lambda _: Synthetic(),
        surface=True,
        protocol=f"the generated test split, seed {SEED}, {SIZE} pixels, boxes of the visible pixels",
        alignment="root",
    ),
}


def dataset_kind(name: str, human36m_protocol: int = 2) -> DatasetKind:
    """Return a data set by name.

    Raises:
        InvalidInputError: there is none of that name, or the protocol is not 1 or 2.
    """
    if name not in KINDS or human36m_protocol not in {1, 2}:
        raise InvalidInputError(
            "There is no such data set.",
            detail=f"expected one of {', '.join(KINDS)} and protocol 1 or 2, found {name!r} and {human36m_protocol}",
        )
    return _human36m(human36m_protocol) if name == "human36m" else KINDS[name]
