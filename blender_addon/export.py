"""Save a scene for Blender and for everybody else."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import bpy

from .errors import AddonError
from .exporting.corrected import corrected
from .exporting.options import WriteOptions
from .exporting.textures import pictures_as_files
from .exporting.writers import ENDINGS, write

FORMATS = ("blend", *ENDINGS)


def _save_blend(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, copy=True, check_existing=False)


def _has_shapes() -> bool:
    """Return whether a visible mesh is changed by its shape keys; else they would only be ballast in the file."""
    meshes = [obj for obj in bpy.context.view_layer.objects if obj.type == "MESH" and obj.visible_get()]
    blocks = [key for obj in meshes if obj.data.shape_keys for key in obj.data.shape_keys.key_blocks[1:]]
    return any(key.value != 0.0 and not key.mute for key in blocks)


def _save_other(form: str, path: Path) -> None:
    """Write everything that is visible and rendered, and leave the selection as it was."""
    layer = bpy.context.view_layer
    selected = {obj.name for obj in layer.objects if obj.select_get()}
    for obj in layer.objects:
        obj.select_set(obj.visible_get() and not obj.hide_render)
    shown = [obj for obj in layer.objects if obj.select_get() and obj.type == "MESH"]
    try:
        with _pictures(form, shown, path.parent), corrected(shown):
            write(form, path, WriteOptions(cameras=True, keys=_has_shapes()))
    finally:
        for obj in layer.objects:
            obj.select_set(obj.name in selected)


def _pictures(form: str, objects: list[bpy.types.Object], folder: Path) -> AbstractContextManager[None]:
    """OBJ only names its pictures; the other formats hold them."""
    return pictures_as_files(objects, folder) if form == "obj" else nullcontext()


def save_scene(folder: Path, formats: list[str], stem: str = "scene") -> list[Path]:
    """Write the open scene into ``folder`` as ``stem`` in each of ``formats``; a file appears only when complete.

    Raises:
        AddonError: FORMAT: a format is unknown; EXPORT: Blender could not write it.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise AddonError("FORMAT", f"The format {unknown[0]} is unknown.", detail=f"Known: {', '.join(FORMATS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    return [_save(folder, name, stem) for name in formats]


def _save(folder: Path, name: str, stem: str) -> Path:
    if name != "blend":
        final = folder / f"{stem}.{ENDINGS[name]}"
        _save_other(name, final)
        return final
    final, partial = folder / f"{stem}.blend", folder / f".{stem}.part.blend"
    try:
        _save_blend(partial)
        partial.replace(final)
    except (RuntimeError, OSError) as error:
        hint = "Check the free space of the disk, or choose another folder or format."
        raise AddonError(
            "EXPORT", f"{final.name} could not be written.", detail=str(error).strip(), hint=hint
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return final
