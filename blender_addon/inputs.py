"""What the user names: photos in texts and folders, people of a photo by number. No bpy."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .errors import AddonError

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
VIDEO_ENDINGS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")
_LONGEST_NAME = 200
"""Bytes; file systems take 255."""
_NUMBERED = re.compile(r"(?P<head>.*?)(?P<number>\d+)$")


def photos_at(path: Path) -> list[Path]:
    """Return ``path``, or the photos inside if it is a folder."""
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_ENDINGS and not p.name.startswith("."))


def result_folders(photos: Iterable[Path], out: Path, *, overwrite: bool = False) -> Iterator[tuple[Path, Path]]:
    """Yield each photo, once, with a folder of its own in ``out``, named after it.

    A name that an earlier photo has, or that is there already unless ``overwrite``, gets a number.
    """
    taken: set[str] = set()
    for photo in dict.fromkeys(photo.absolute() for photo in photos):
        stem = _short(photo.stem).strip(". ") or "photo"
        names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
        name = next(n for n in names if n.casefold() not in taken and (overwrite or not (out / n).exists()))
        taken.add(name.casefold())
        yield photo, out.absolute() / name


def _short(stem: str) -> str:
    data = stem.encode(errors="surrogatepass")
    return stem if len(data) <= _LONGEST_NAME else data[:_LONGEST_NAME].decode(errors="ignore")


def photos_in_text(text: str) -> list[Path]:
    """Return the photos that exist of those a text names, one path, quoted path or file address in a line."""
    words = [line.strip().strip("\"'") for line in text.splitlines()]
    paths = [Path(url2pathname(urlsplit(word).path) if word.startswith("file:") else word) for word in words if word]
    absolute = [path.expanduser() for path in paths]
    return [
        photo
        for path in absolute
        if path.is_absolute() and path.exists()
        for photo in photos_at(path)
        if photo.suffix.lower() in IMAGE_ENDINGS
    ]


def person_indices(text: str) -> tuple[int, ...]:
    """Return the indices, from 0, of the people that ``text`` names by number from 1; empty for an empty text.

    Raises:
        AddonError: BAD_PERSONS: it is no list of numbers from 1 to 100.
    """
    words = text.replace(",", " ").split()
    if not all(word.isdecimal() and 1 <= int(word) <= 100 for word in words):
        hint = "Write numbers with commas, 1 for the largest person, or nothing for all."
        raise AddonError(
            "BAD_PERSONS", "The people of the photo are not understood.", detail=f"Found {text!r}.", hint=hint
        )
    return tuple(dict.fromkeys(int(word) - 1 for word in words))


def frame_number(path: Path) -> int | None:
    """Return the number at the end of a file's name, None if there is none."""
    found = _NUMBERED.match(path.stem)
    return int(found["number"]) if found else None


def clip_at(paths: list[Path]) -> tuple[tuple[Path, ...], str]:
    """Return the files of a clip in order, and its name: a video, chosen pictures, or all that are numbered alike.

    Args:
        paths: what the user has chosen; one numbered picture stands for all of its folder with the same beginning.

    Raises:
        AddonError: BAD_CLIP: nothing was chosen, several videos, or a picture without others.
    """
    videos = [path for path in paths if path.suffix.lower() in VIDEO_ENDINGS]
    pictures = [path for path in paths if path.suffix.lower() in IMAGE_ENDINGS]
    if len(videos) == 1 and not pictures:
        return (videos[0],), videos[0].stem
    if len(pictures) == 1 and not videos:
        pictures = _numbered_alike(pictures[0])
    if len(pictures) < 2 or videos:
        hint = "Choose one video, one picture of a numbered sequence, or several pictures."
        raise AddonError("BAD_CLIP", "This is no clip.", detail=f"{len(paths)} files.", hint=hint)
    return tuple(sorted(pictures, key=_order)), pictures[0].parent.name or pictures[0].stem


def _order(path: Path) -> tuple[str, int, str]:
    found = _NUMBERED.match(path.stem)
    return (found["head"], int(found["number"]), path.name) if found else (path.stem, -1, path.name)


def _numbered_alike(path: Path) -> list[Path]:
    found = _NUMBERED.match(path.stem)
    if found is None or not path.parent.is_dir():
        return [path]
    same = re.compile(re.escape(found["head"]) + r"\d+")
    return [p for p in path.parent.iterdir() if p.suffix.lower() == path.suffix.lower() and same.fullmatch(p.stem)]
