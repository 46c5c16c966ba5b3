"""A character as files for other programs."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import bpy

from .copies import exportable_copy
from .options import CopyOptions, WriteOptions
from .textures import pictures_as_files
from .writers import write


def write_character(
    context: bpy.types.Context,
    rig: bpy.types.Object,
    form: str,
    path: Path,
    copied: CopyOptions,
    written: WriteOptions,
) -> list[Path]:
    """Write a copy of the character of ``rig`` in the format ``form`` as ``path`` and what it needs.

    Returns:
        The files, ``path`` first.

    Raises:
        AddonError: NO_PART: the character lacks the chosen part; NO_USD, EXPORT: see :func:`.writers.write`.
    """
    with (
        exportable_copy(context, rig, copied) as objects,
        pictures_as_files(objects, path.parent) if form == "obj" else nullcontext(),
    ):
        return write(form, path, written)
