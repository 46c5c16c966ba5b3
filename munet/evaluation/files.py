"""Read the files that data sets come in, without running anything out of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image

from munet.body.safe_pickle import read_pickle
from munet.errors import InvalidInputError, MunetError
from munet.evaluation.alignment import Array
from munet.evaluation.surface_metrics import Mesh

_RESTORE = "Check --root against the layout in docs/evaluation.md."


class MissingPackageError(MunetError):
    """A package that only some data sets need is not installed."""

    code = "PACKAGE_MISSING"


class DatasetError(MunetError):
    """A data set is incomplete, damaged or laid out in another way."""

    code = "DATASET"
    default_hint = _RESTORE


def optional_package(name: str, purpose: str) -> Any:  # noqa: ANN401 a module without types
    """Import a package that the backend does not need.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingPackageError(
            f"{purpose} needs the package {name}.", detail=str(error), hint=f"Install it: python -m pip install {name}"
        ) from error


def require(path: Path) -> Path:
    """Return the path.

    Raises:
        DatasetError: nothing is there.
    """
    if not path.exists():
        raise DatasetError("A part of the data set is missing.", detail=str(path))
    return path


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 3) uint8 sRGB; what is transparent becomes grey.

    Raises:
        DatasetError: the file is missing or no picture.
    """
    try:
        with Image.open(require(path)) as picture:
            if "A" not in picture.getbands():
                return np.asarray(picture.convert("RGB"), np.uint8)
            layered = picture.convert("RGBA")
            ground = Image.new("RGBA", layered.size, (128, 128, 128, 255))
            return np.asarray(Image.alpha_composite(ground, layered).convert("RGB"), np.uint8)
    except (OSError, ValueError) as error:
        raise DatasetError("A picture can not be read.", detail=f"{path}: {error}") from error


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, from its head.

    Raises:
        DatasetError: the file is missing or no picture.
    """
    try:
        with Image.open(require(path)) as picture:
            return picture.size
    except (OSError, ValueError) as error:
        raise DatasetError("A picture can not be read.", detail=f"{path}: {error}") from error


def video_frames(path: Path, wanted: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Decode the wanted frames (increasing, from 0) of a video as (H, W, 3) uint8 sRGB, one after the other.

    Raises:
        DatasetError: the file is missing, no video, or ends too early.
    """
    video = cv2.VideoCapture(str(require(path)))
    try:
        position = 0
        for frame in wanted:
            while position <= frame:
                if not video.grab():
                    raise DatasetError("A video ends too early.", detail=f"{path}: frame {frame} is not there")
                position += 1
            decoded, image = video.retrieve()
            if not decoded:
                raise DatasetError("A video is damaged.", detail=f"{path}: frame {frame}")
            yield frame, np.ascontiguousarray(image[..., ::-1], np.uint8)
    finally:
        video.release()


def read_dictionary(path: Path) -> dict[str, Any]:
    """Read a pickled dictionary of numbers, strings and arrays; anything else in it is refused.

    Raises:
        DatasetError: the file is missing, damaged, or holds anything that could run.
    """
    try:
        with require(path).open("rb") as stream:
            content = read_pickle(stream)
    except DatasetError:
        raise
    except (MunetError, OSError) as error:
        detail = error.detail if isinstance(error, MunetError) else str(error)
        raise DatasetError("A pickle can not be read.", detail=f"{path}: {detail}") from error
    if not isinstance(content, dict):
        raise DatasetError("A pickle holds no dictionary.", detail=f"{path}: {type(content).__name__}")
    return content


def numbers(value: object, shape: tuple[int, ...], name: str) -> Array:
    """Return finite numbers reshaped to ``shape`` (-1 leaves one length open).

    Raises:
        DatasetError: they are no numbers, not finite, or too many or too few.
    """
    try:
        array = np.asarray(value, np.float64).reshape(shape)
    except (TypeError, ValueError) as error:
        raise DatasetError("The ground truth has another form.", detail=f"{name}: {error}") from error
    if not np.isfinite(array).all():
        raise DatasetError("The ground truth is not finite.", detail=name)
    return array


def read_lines(path: Path) -> list[str]:
    """Lines of a text file that hold anything.

    Raises:
        DatasetError: the file is missing or no text.
    """
    try:
        return [line.strip() for line in require(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError("A list can not be read.", detail=f"{path}: {error}") from error


def read_mesh(path: Path) -> Mesh:
    """Read a mesh in the unit and frame of its file; textures are not loaded.

    Raises:
        DatasetError: the file is missing or no mesh.
    """
    try:
        loaded: Any = trimesh.load(require(path), force="mesh", process=False, skip_materials=True)
        return Mesh.checked(np.asarray(loaded.vertices), np.asarray(loaded.faces), path.name)
    except (OSError, ValueError, IndexError, KeyError, AttributeError, InvalidInputError) as error:
        raise DatasetError("A mesh can not be read.", detail=f"{path}: {error}") from error
