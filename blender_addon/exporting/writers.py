"""The calls of Blender's exporters. They write what is selected, into files that appear only when complete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import bpy

from ..errors import AddonError
from .options import WriteOptions

ENDINGS = {"glb": "glb", "fbx": "fbx", "usd": "usdz", "obj": "obj"}


def _call(operator: Callable[..., set[str]], **options: str | bool | float | set[str]) -> None:
    """Call an exporter with those of ``options`` that this Blender's version of it has."""
    known = {prop.identifier for prop in operator.get_rna_type().properties}
    operator(**{name: value for name, value in options.items() if name in known})


def _write_glb(path: Path, options: WriteOptions) -> None:
    _call(
        bpy.ops.export_scene.gltf,
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_cameras=options.cameras,
        export_skins=True,
        export_def_bones=True,
        export_influence_nb=4,
        export_all_influences=False,
        export_morph=options.keys,
        export_morph_normal=False,
        export_animations=options.animation,
        export_animation_mode="ACTIVE_ACTIONS",
        export_rest_position_armature=False,
        export_current_frame=not options.animation,
        export_extras=False,
        export_yup=True,
    )


def _write_fbx(path: Path, options: WriteOptions) -> None:
    _call(
        bpy.ops.export_scene.fbx,
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH", *(("CAMERA",) if options.cameras else ())},
        apply_scale_options="FBX_SCALE_ALL" if options.target == "UNITY" else "FBX_SCALE_NONE",
        axis_forward="-Z",
        axis_up="Y",
        mesh_smooth_type="FACE" if options.target == "UNREAL" else "OFF",
        use_mesh_modifiers=not options.keys,
        add_leaf_bones=False,
        use_armature_deform_only=True,
        bake_anim=options.animation,
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_bones=True,
        bake_anim_simplify_factor=0.0,
        path_mode="COPY",
        embed_textures=True,
    )


def _write_usd(path: Path, options: WriteOptions) -> None:
    _call(
        bpy.ops.wm.usd_export,
        filepath=str(path),
        selected_objects_only=True,
        export_animation=options.animation,
        export_custom_properties=False,
        export_armatures=True,
        export_shapekeys=options.keys,
        export_textures=True,
        export_textures_mode="NEW",
        export_cameras=options.cameras,
        convert_world_material=False,
    )


def _write_obj(path: Path, _options: WriteOptions) -> None:
    _call(
        bpy.ops.wm.obj_export,
        filepath=str(path),
        export_selected_objects=True,
        apply_modifiers=True,
        forward_axis="NEGATIVE_Z",
        up_axis="Y",
        export_materials=True,
        export_pbr_extensions=False,
        path_mode="COPY",
    )


_WRITERS = {"glb": _write_glb, "fbx": _write_fbx, "usd": _write_usd, "obj": _write_obj}


def has_usd() -> bool:
    """Return whether this Blender was built with USD."""
    return bool(bpy.app.build_options.usd)


def check_format(form: str) -> None:
    """Raise AddonError NO_USD where this Blender can not write ``form``."""
    if form == "usd" and not has_usd():
        hint = "Use glTF or FBX, or the Blender of blender.org."
        raise AddonError("NO_USD", "This Blender was built without USD.", hint=hint)


def write(form: str, path: Path, options: WriteOptions) -> list[Path]:
    """Write the selected objects in the format ``form``, a key of :data:`ENDINGS`, as ``path`` and what it needs.

    Returns:
        The files, ``path`` first.

    Raises:
        AddonError: EXPORT: Blender could not write them; NO_USD: it was built without USD.
    """
    check_format(form)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".munet-", dir=path.parent) as scratch:
            _WRITERS[form](Path(scratch) / path.name, options)
            return move_files(Path(scratch), path)
    except (RuntimeError, OSError, TypeError, AttributeError) as error:
        hint = "Check the free space of the disk, or choose another folder or format."
        raise AddonError(
            "EXPORT", f"{path.name} could not be written.", detail=str(error).strip(), hint=hint
        ) from error


def move_files(scratch: Path, path: Path) -> list[Path]:
    """Move what was written beside ``path``, which comes last, so that it is there only when all is."""
    if not (scratch / path.name).is_file():
        raise OSError("Blender's exporter wrote nothing.")
    others = [found for found in sorted(scratch.iterdir()) if found.name != path.name]
    for found in [*others, scratch / path.name]:
        target = path.parent / found.name
        if found.is_dir():
            shutil.copytree(found, target, dirs_exist_ok=True)
        else:
            found.replace(target)
    return [path, *(path.parent / found.name for found in others)]
