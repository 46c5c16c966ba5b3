"""Scans with rendered views: THuman2.0, CAPE and RenderPeople in the layouts of MuNet's and of ICON's loaders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from munet.evaluation.alignment import Array, Similarity
from munet.evaluation.files import DatasetError, numbers, read_dictionary, read_image, read_lines, require
from munet.evaluation.sample import Sample, TrueMesh, TrueSmpl

_LISTS = ("test.txt", "pose.txt", "loose.txt", "list.txt", "all.txt")
_TOLERANCE = 0.02


@dataclass(frozen=True)
class ScanSettings:
    """What differs between the scan data sets.

    Attributes:
        name: of the data set and of its folder in ICON's layout.
        to_calibrated: what the vertices of a scan are multiplied by before a calibration is applied.
        views: pictures taken of each scan, spread evenly over those that are there.
    """

    name: str
    to_calibrated: float
    views: int


THUMAN2 = ScanSettings("thuman2", 100.0, 6)
CAPE = ScanSettings("cape", 100.0, 3)
RENDERPEOPLE = ScanSettings("renderpeople", 1.0, 6)


@dataclass(frozen=True)
class View:
    """The files of one picture of one scan; ``body`` and ``smpl`` may be None."""

    name: str
    picture: Path
    calibration: Path
    scan: Path
    body: Path | None
    smpl: Path | None


class Scans:
    """Scans seen in rendered pictures without perspective.

    Scans have no scale of their own (THuman2.0's are between 0.5 and 1 high): half the picture is taken as one metre,
    in which people are about 1.76 m tall, as in ICON's evaluator. Bodies are in SMPL's metres.

    Two layouts are known. MuNet's and PaMIR's: ``ID/render/0060.png``, ``ID/calib/0060.txt``, ``ID/ID.obj``, and if
    there ``ID/ID_smpl.pkl`` or ``ID/ID.pkl``. ICON's and ECON's: ``NAME_36views/ID/{render,calib}/060.{png,txt}`` (any
    number of views), ``NAME/scans/ID.obj`` or ``NAME/scans/ID/ID.obj``, and if there ``NAME/smpl/ID.obj``. The ids
    stand in the first of test.txt, pose.txt, loose.txt, list.txt, all.txt, one a line, of which the last part of a
    path counts.

    Args:
        root: folder with the ids, or with ``NAME`` and ``NAME_36views``.
        settings: of the data set.

    Raises:
        DatasetError: neither layout is there, or a listed scan is incomplete.
    """

    def __init__(self, root: Path, settings: ScanSettings) -> None:
        self._settings = settings
        self._views = list(_find_views(root, settings))
        if not self._views:
            raise DatasetError("There are no scans.", detail=f"the list of ids under {root} is empty")

    @property
    def name(self) -> str:
        """Name as in the command line."""
        return self._settings.name

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._views)

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Walk through scans and views."""
        for view in self._views[::step]:
            camera = read_calibration(view.calibration)
            unit = Similarity(self._settings.to_calibrated, np.eye(3), np.zeros(3))
            yield Sample(
                name=view.name,
                image=read_image(view.picture),
                scan=TrueMesh(view.scan, camera.after(unit)),
                body=None if view.body is None else TrueMesh(view.body, _turned(camera)),
                smpl=None if view.smpl is None else _read_smpl(view.smpl, camera),
            )


def read_calibration(path: Path) -> Similarity:
    """From the frame of a scan to the camera frame, out of a PIFu calibration file.

    The file holds extrinsic (4, 4) and intrinsic (4, 4), whose product gives x right and y down in [-1, 1]. Half the
    picture is taken as one metre, as in ICON's evaluator. The depth axis is the one that makes the frame right-handed;
    the depth of its origin means nothing.

    Raises:
        DatasetError: the file is missing, has another form, or skews or mirrors the picture.
    """
    try:
        rows = numbers(np.loadtxt(require(path)), (8, 4), str(path))
    except ValueError as error:
        raise DatasetError("A calibration can not be read.", detail=f"{path}: {error}") from error
    projection = rows[4:] @ rows[:4]
    right, down = projection[0, :3], projection[1, :3]
    scale = float(np.linalg.norm(right))
    skewed = scale == 0 or abs(np.linalg.norm(down) / scale - 1) > _TOLERANCE
    if skewed or abs(right @ down) > _TOLERANCE * scale**2:
        raise DatasetError("A calibration is no scaled orthographic view.", detail=str(path))
    right = right / scale
    down = down - right * (right @ down)
    down = down / np.linalg.norm(down)
    rotation = np.stack([right, down, np.cross(right, down)])
    return Similarity(scale, rotation, np.array([projection[0, 3], projection[1, 3], 0.0]))


def _find_views(root: Path, settings: ScanSettings) -> Iterator[View]:
    folders = sorted(root.glob(f"{settings.name}_*views"))
    if folders:
        return _icon_views(root, folders[0], settings)
    ids = _ids([root])
    if not (root / ids[0] / "render").is_dir():
        raise DatasetError(
            "The layout is not known.",
            detail=f"neither {root / (settings.name + '_36views')} nor {root / ids[0] / 'render'} is there",
        )
    return _munet_views(root, ids, settings)


def _ids(folders: list[Path]) -> list[str]:
    found = next((folder / name for folder in folders for name in _LISTS if (folder / name).is_file()), None)
    if found is None:
        raise DatasetError("The list of scans is missing.", detail=f"none of {', '.join(_LISTS)} in {folders[0]}")
    ids = [line.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] for line in read_lines(found)]
    if not ids:
        raise DatasetError("The list of scans is empty.", detail=str(found))
    return ids


def _spread(folder: Path, count: int) -> list[str]:
    """Names without ending of at most ``count`` pictures of a folder, evenly spread."""
    stems = sorted(path.stem for path in require(folder).glob("*.png"))
    if not stems:
        raise DatasetError("There are no pictures.", detail=str(folder))
    count = min(count, len(stems))
    return [stems[index * len(stems) // count] for index in range(count)]


def _munet_views(root: Path, ids: list[str], settings: ScanSettings) -> Iterator[View]:
    for scan_id in ids:
        folder = root / scan_id
        smpl = [path for path in (folder / f"{scan_id}_smpl.pkl", folder / f"{scan_id}.pkl") if path.exists()]
        for stem in _spread(folder / "render", settings.views):
            yield View(
                name=f"{scan_id}/{stem}",
                picture=folder / "render" / f"{stem}.png",
                calibration=require(folder / "calib" / f"{stem}.txt"),
                scan=require(folder / f"{scan_id}.obj"),
                body=None,
                smpl=smpl[0] if smpl else None,
            )


def _icon_views(root: Path, views: Path, settings: ScanSettings) -> Iterator[View]:
    base = root / settings.name
    for scan_id in _ids([base, root]):
        flat, nested = base / "scans" / f"{scan_id}.obj", base / "scans" / scan_id / f"{scan_id}.obj"
        body = base / "smpl" / f"{scan_id}.obj"
        for stem in _spread(views / scan_id / "render", settings.views):
            yield View(
                name=f"{scan_id}/{stem}",
                picture=views / scan_id / "render" / f"{stem}.png",
                calibration=require(views / scan_id / "calib" / f"{stem}.txt"),
                scan=flat if flat.exists() else require(nested),
                body=body if body.exists() else None,
                smpl=None,
            )


def _read_smpl(path: Path, camera: Similarity) -> TrueSmpl:
    """Pose and shape of an SMPL body in metres; how it was scaled to its scan does not matter for its own errors."""
    data = read_dictionary(path)
    keys = ("pose",) if "pose" in data else ("global_orient", "body_pose")
    missing = [key for key in (*keys, "betas") if key not in data]
    if missing:
        raise DatasetError("SMPL parameters are incomplete.", detail=f"{path} lacks {', '.join(missing)}")
    pose = np.concatenate([np.asarray(data[key], np.float64).ravel() for key in keys])
    betas: Array = numbers(data["betas"], (-1,), str(path))[:10]
    return TrueSmpl(numbers(pose, (24, 3), str(path)), betas, "neutral", _turned(camera))


def _turned(camera: Similarity) -> Similarity:
    """The camera's rotation alone: for bodies that are in metres already."""
    return Similarity(1.0, camera.rotation, np.zeros(3))
