"""What the user names: photos in texts and folders, people of a photo by number. No bpy."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .errors import AddonError

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic")


def photos_at(path: Path) -> list[Path]:
    """Return ``path``, or the photos inside if it is a folder."""
    return sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_ENDINGS) if path.is_dir() else [path]


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
