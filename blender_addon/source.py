"""The photo that a person in the scene was made from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import bpy

from .errors import AddonError
from .people import camera_of


def photo_of(rig: bpy.types.Object) -> tuple[Path, bytes]:
    """Return name and bytes of a person's photo: the file, if it is still the same, or the copy behind the camera.

    Raises:
        AddonError: NO_PHOTO: both are gone.
    """
    name, wanted = str(rig.get("munet_photo", "")), str(rig.get("munet_photo_sha256", ""))
    path = Path(str(rig.get("munet_photo_path", "")) or name)
    data = _bytes(path)
    if data and hashlib.sha256(data).hexdigest() == wanted:
        return path, data
    packed = _packed(rig)
    if packed:
        return path, packed
    state = "has changed" if data else "is not there any more"
    hint = "Put the file back, or add the photo to the list and reconstruct it as a new person."
    raise AddonError("NO_PHOTO", "The photo of this person is gone.", detail=f"{path} {state}.", hint=hint)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_absolute() else b""
    except OSError:
        return b""


def _packed(rig: bpy.types.Object) -> bytes:
    camera: Any = camera_of(rig)
    images = [background.image for background in camera.data.background_images] if camera is not None else []
    return next((bytes(i.packed_file.data) for i in images if i is not None and i.packed_file is not None), b"")
