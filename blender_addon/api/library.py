"""Collections as .blend files that other files link or append."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

from ..errors import AddonError


def save_library(path: str | Path, collections: Iterable[bpy.types.Collection]) -> Path:
    """Write collections with all they need as a .blend, which appears only when it is complete.

    Args:
        path: of the file.
        collections: for instance ``Person.collection`` or ``Result.collection``.

    Raises:
        AddonError: EXPORT: it can not be written.
    """
    path = Path(path).absolute()
    partial = path.with_name(f".{path.stem}.part.blend")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        bpy.data.libraries.write(str(partial), set(collections), fake_user=True, compress=True)
        partial.replace(path)
    except (RuntimeError, OSError) as error:
        hint = "Check the free space of the disk, or choose another folder."
        title = f"{path.name} could not be written."
        raise AddonError("EXPORT", title, detail=str(error).strip(), hint=hint) from error
    finally:
        partial.unlink(missing_ok=True)
    return path
