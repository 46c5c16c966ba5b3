"""One picture of a data set with its ground truth, whatever the data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from munet.evaluation.alignment import Array, Similarity
from munet.evaluation.surface_metrics import Mesh

Gender = Literal["male", "female", "neutral"]


@dataclass(frozen=True)
class TrueJoints:
    """Joints of a person.

    Attributes:
        names: J names.
        positions_cam: (J, 3) metres; axes of the camera frame, origin wherever the data set has it.
        pixels: (J, 2) in the image, or None.
    """

    names: tuple[str, ...]
    positions_cam: Array
    pixels: Array | None = None


@dataclass(frozen=True)
class TrueSmpl:
    """Parameters of an SMPL body.

    Attributes:
        pose: (24, 3) axis-angle, root first, in the frame of the data set.
        betas: (10,).
        gender: of the SMPL file that the parameters belong to.
        to_camera: from the posed body's own frame to the camera frame, metres.
    """

    pose: Array
    betas: Array
    gender: Gender
    to_camera: Similarity


@dataclass(frozen=True)
class TrueMesh:
    """A mesh file of the ground truth.

    Attributes:
        path: .obj or another format that trimesh reads.
        to_camera: from the file's frame and unit to the camera frame (x right, y down, z forward), metres. Scans and
            their bodies are pictured without perspective: where their origin is in depth means nothing.
    """

    path: Path
    to_camera: Similarity


@dataclass(frozen=True)
class OwnBody:
    """A true body in the topology of the program's default body.

    Attributes:
        vertices_cam: (V, 3) metres.
        betas: (10,).
    """

    vertices_cam: Array
    betas: Array


@dataclass(frozen=True)
class Sample:
    """One person in one picture.

    Attributes:
        name: unique in its data set.
        image: (H, W, 3) uint8 sRGB.
        box: (4,) left, top, right, bottom in pixels where the protocol gives it, else None.
        focal: true focal length in pixels, or None; used only when asked for.
        joints: true joints, or None.
        smpl: true SMPL parameters, or None.
        scan: true clothed surface as a file or as a mesh in the camera frame, or None.
        body: mesh of the true SMPL body, or None.
        own: true body in the default body's topology, or None.
    """

    name: str
    image: NDArray[np.uint8]
    box: Array | None = None
    focal: float | None = None
    joints: TrueJoints | None = None
    smpl: TrueSmpl | None = None
    scan: TrueMesh | Mesh | None = None
    body: TrueMesh | None = None
    own: OwnBody | None = None


class Dataset(Protocol):
    """A test set that is read while it is walked through."""

    @property
    def name(self) -> str:
        """Name as in the command line."""

    def __len__(self) -> int:
        """Number of samples."""

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Walk through every ``step``-th sample in a fixed order; pictures of the others are not read."""
