"""Save a scene for Blender and for everybody else."""

from __future__ import annotations

from pathlib import Path

import bpy

from .errors import AddonError

FORMATS = ("blend", "glb", "fbx", "usd")


def _save_blend(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, copy=True, check_existing=False)


def _has_shapes() -> bool:
    """Return whether a visible mesh is changed by its shape keys; else they would only be ballast in the file."""
    meshes = [obj for obj in bpy.context.view_layer.objects if obj.type == "MESH" and obj.visible_get()]
    blocks = [key for obj in meshes if obj.data.shape_keys for key in obj.data.shape_keys.key_blocks[1:]]
    return any(key.value != 0.0 and not key.mute for key in blocks)


def _save_glb(path: Path) -> None:
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_visible=True,
        use_renderable=True,
        export_cameras=True,
        export_skins=True,
        export_influence_nb=4,
        export_all_influences=False,
        export_morph=_has_shapes(),
        export_morph_normal=False,
        export_animations=False,
        export_rest_position_armature=False,
        export_current_frame=True,
        export_extras=False,
        export_yup=True,
    )


def _save_fbx(path: Path) -> None:
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        object_types={"ARMATURE", "MESH", "CAMERA"},
        use_visible=True,
        add_leaf_bones=False,
        use_armature_deform_only=True,
        bake_anim=False,
        path_mode="COPY",
        embed_textures=True,
    )


def _save_usd(path: Path) -> None:
    bpy.ops.wm.usd_export(filepath=str(path), visible_objects_only=True, export_armatures=True, export_textures=True)


_WRITERS = {"blend": _save_blend, "glb": _save_glb, "fbx": _save_fbx, "usd": _save_usd}
_ENDINGS = {"usd": "usdz"}


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
    ending = _ENDINGS.get(name, name)
    final, partial = folder / f"{stem}.{ending}", folder / f".{stem}.part.{ending}"
    try:
        _WRITERS[name](partial)
        partial.replace(final)
    except (RuntimeError, OSError, AttributeError) as error:
        detail = str(error).strip()
        hint = "Check the free space of the disk, or choose another folder or format."
        raise AddonError("EXPORT", f"{final.name} could not be written.", detail=detail, hint=hint) from error
    finally:
        partial.unlink(missing_ok=True)
    return final
