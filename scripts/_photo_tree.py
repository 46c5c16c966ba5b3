"""Which photos lie in folders, and where in the output folder each one's result belongs."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from _result_files import is_result
from _result_folder import folder_name, name_key, numbered

IMAGE_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"))
"""HEIC can not be read, but nobody shall believe that those photos were done."""


class NothingFoundError(Exception):
    """What the user named holds no photo; the message says what."""


@dataclass(frozen=True)
class PhotoTree:
    """Photos and the folder that holds them all.

    Attributes:
        root: absolute.
        photos: absolute, sorted, each once.
    """

    root: Path
    photos: tuple[Path, ...]


def find_photos(names: Sequence[str]) -> PhotoTree:
    """Find the photos in folders with all their subfolders, in patterns such as ``shoots/**/*.jpg``, and single ones.

    Hidden files and folders and the results of earlier runs are left out.

    Raises:
        NothingFoundError: a file or folder does not exist, or there is no photo at all.
    """
    found: dict[Path, None] = {}
    roots = []
    for name in names:
        root, photos = _photos_of(name)
        roots.append(root)
        found |= dict.fromkeys(photos)
    if not found:
        endings = ", ".join(sorted(IMAGE_ENDINGS))
        raise NothingFoundError(f"No photo was found in {', '.join(names)}. Known are {endings}.")
    try:
        root = Path(os.path.commonpath(roots))
    except ValueError as error:
        raise NothingFoundError(f"The photos lie on several drives; run each alone: {', '.join(names)}.") from error
    return PhotoTree(root, tuple(sorted(found)))


def _photos_of(name: str) -> tuple[Path, Iterator[Path]]:
    path = Path(os.path.abspath(Path(name).expanduser()))  # noqa: PTH100 resolve() would follow links
    if path.is_dir():
        return path, _walk(path)
    if path.is_file():
        return path.parent, iter([path])
    if not glob.has_magic(name):
        raise NothingFoundError(f"{name} does not exist.")
    root = next(parent for parent in path.parents if not glob.has_magic(str(parent)))
    try:
        # Unlike the module glob, ** of pathlib follows no links, which may lead round in circles.
        matches = list(root.glob(str(path.relative_to(root))))
    except (ValueError, OSError) as error:
        raise NothingFoundError(f"{name} can not be searched: {error}.") from error
    seen = (match for match in matches if not _hidden(match.relative_to(root)))
    return root, (match for match in seen if _is_photo(match) and not is_result(match.parent))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not is_result(here / name))
        yield from (here / name for name in sorted(files) if _is_photo(here / name))


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith(".") and path.is_file()


def result_places(tree: PhotoTree) -> dict[Path, Path]:
    """Return each photo's result folder, relative to the output folder, which mirrors the tree of the photos.

    A folder is named after the photo without its ending; with it where that name belongs to another photo or to a
    folder of photos.
    """
    relative = {photo: photo.relative_to(tree.root) for photo in tree.photos}
    taken = {_key(parent) for path in relative.values() for parent in path.parents}
    stems = Counter(_key(_stem(path)) for path in relative.values())
    places = {}
    for photo, path in relative.items():
        wanted = _stem(path)
        if stems[_key(wanted)] > 1 or _key(wanted) in taken:
            wanted = path.with_name(folder_name(path.name))
        place = next(path for name in numbered(wanted.name) if _key(path := wanted.with_name(name)) not in taken)
        taken.add(_key(place))
        places[photo] = place
    return places


def _stem(path: Path) -> Path:
    return path.with_name(folder_name(path.stem))


def _key(path: Path) -> str:
    return name_key(path.as_posix())
