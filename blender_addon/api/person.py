"""A handle of one reconstructed person in the scene."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..errors import AddonError
from ..exporting.files import write_character
from ..exporting.options import CopyOptions, WriteOptions
from ..exporting.writers import ENDINGS
from ..importer.armature import apply_pose
from ..importer.body import set_photo_corrective
from ..importer.camera import look_through
from ..importer.correctives import set_correctives
from ..importer.frames import rotations_from_body
from ..importer.identity import fit_rig_to_shape
from ..importer.scene import show_body
from ..motion.keys import MotionOptions, add_motion, read_clip
from ..people import clothed_surface, control_rig, corrected_meshes, has_ik, light_version, rig_of, shaped_body
from ..rigging.bake import bake_correctives, frames_to_bake
from ..rigging.clothes import hide_covered_skin
from ..rigging.ground import stand_on_floor
from ..rigging.ik import snap_ik
from ..rigging.light import make_light_version
from ..rigging.naming import rename_bones
from ..rigging.poses import put_pose
from ..rigs import POSES, SCHEMES
from .checks import axis_angles, deleted, need_known, need_mode
from .library import save_library

_POSES = {entry.key for entry in POSES}
_SCHEMES = {scheme.key for scheme in SCHEMES}
_PARTS = {"SURFACE", "BODY", "BOTH", "LIGHT"}
_TARGETS = {"GENERAL", "UNREAL", "UNITY"}
_SHAPE_LIMIT = 5.0
_ORIGIN = (
    *("photo", "photo_path", "photo_sha256", "settings", "version", "body_model", "betas"),
    *("camera_matrix", "image_size", "silhouette_iou", "landmark_error", "warnings"),
)


@dataclass(frozen=True)
class Motion:
    """What :meth:`Person.apply_motion` has keyed.

    Attributes:
        action: the new action, which the person plays.
        frame_start, frame_end: first and last frame of its keys.
        notes: what the file left open and how it was understood.
    """

    action: bpy.types.Action
    frame_start: int
    frame_end: int
    notes: tuple[str, ...]


class Person:
    """One person: armature, body, clothed surface and camera. It holds no state of its own; make as many as you like.

    Args:
        thing: any object of the person, or the person's or the photo's collection (then its first person is meant).

    Raises:
        AddonError: NO_PERSON: there is no person of ours.
    """

    def __init__(self, thing: bpy.types.Object | bpy.types.Collection) -> None:
        objects = thing.all_objects if isinstance(thing, bpy.types.Collection) else (thing,)
        rig = next((found for obj in objects if (found := rig_of(obj)) is not None), None)
        if rig is None:
            hint = "Pass the armature, a mesh or the collection of a person that MuNet has made."
            raise AddonError("NO_PERSON", f"{thing.name} is no person made by MuNet.", hint=hint)
        self._rig = rig

    def __repr__(self) -> str:
        return f"Person({self.name!r})"

    @property
    def armature(self) -> bpy.types.Object:
        """The rig: 54 bones."""
        return self._rig

    @property
    def body(self) -> bpy.types.Object | None:
        """The body under the clothes, with the shape keys of the identity; None if it was deleted."""
        return shaped_body(self._rig)

    @property
    def surface(self) -> bpy.types.Object | None:
        """The clothed surface in full detail; None if it was deleted."""
        return clothed_surface(self._rig)

    @property
    def light(self) -> bpy.types.Object | None:
        """The light version of the clothed surface, once :meth:`make_light` has made it."""
        return light_version(self._rig)

    @property
    def camera(self) -> bpy.types.Object | None:
        """The camera that sees the person as the photo did; None if it was deleted."""
        camera: bpy.types.Object | None = self._rig.get("munet_camera")
        return camera

    @property
    def collection(self) -> bpy.types.Collection:
        """The collection that holds the person alone."""
        return self._rig.users_collection[0]

    @property
    def name(self) -> str:
        """The photo's name and the person's number in it, 1 for the largest."""
        return str(self._rig.name).removesuffix(" rig")

    @property
    def bones(self) -> dict[str, bpy.types.PoseBone]:
        """Pose bones by SMPL's names (``left_elbow``, ...), whatever they are called now."""
        return {bone.bone["munet_smpl_name"]: bone for bone in self._rig.pose.bones if "munet_smpl_name" in bone.bone}

    @property
    def origin(self) -> dict[str, Any]:
        """Where the person comes from.

        ``photo``, ``photo_path``, ``photo_sha256``, ``settings``, ``version``, ``body_model``, ``betas``,
        ``camera_matrix``, ``image_size``, ``silhouette_iou``, ``landmark_error``, ``warnings``.
        """
        found = {name: self._rig.get(f"munet_{name}") for name in _ORIGIN}
        found |= {name: list(found[name]) for name in ("betas", "camera_matrix", "image_size") if found[name]}
        return found | {
            "settings": json.loads(found["settings"] or "{}"),
            "warnings": tuple((found["warnings"] or "").splitlines()),
        }

    @property
    def shape(self) -> tuple[float, ...]:
        """Values of the body's shape keys; all 0 is the person of the photo, 1 is one standard deviation."""
        keys = self._body().data.shape_keys.key_blocks
        return tuple(float(key.value) for key in keys if key.name.startswith("Shape"))

    def apply_shape(self, values: Sequence[float], *, fit_rig: bool = True) -> None:
        """Change the identity with up to ten values from -5 to 5; the clothes follow.

        Args:
            values: of the shape keys, from the first on; the rest keep theirs.
            fit_rig: move the joints to where the new body has them, too; needs Object Mode.

        Raises:
            AddonError: NO_PART: the body was deleted; BAD_VALUE, WRONG_MODE.
        """
        body = self._body()
        keys = [key for key in body.data.shape_keys.key_blocks if key.name.startswith("Shape")]
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.ndim != 1 or len(numbers) > len(keys) or not (np.abs(numbers) <= _SHAPE_LIMIT).all():
            detail = f"Expected at most {len(keys)} numbers from -5 to 5, found {values!r}."
            raise AddonError("BAD_VALUE", "The shape can not be used.", detail=detail, hint="Pass other values.")
        if fit_rig:
            need_mode("OBJECT")
        for key, value in zip(keys, numbers.tolist(), strict=False):
            key.value = value
        if fit_rig:
            fit_rig_to_shape(bpy.context, self._rig, body)

    def set_pose(self, pose: str | Sequence[Sequence[float]] | Mapping[str, Sequence[float]]) -> None:
        """Put the person into a pose.

        Args:
            pose: "PHOTO", "REST" (T-pose) or "A"; or axis-angles in SMPL's convention: an array (24, 3) or (54, 3),
                root first, or vectors by SMPL's joint names, the others at rest. These stand at the rig's place.

        Raises:
            AddonError: BAD_VALUE: there is no such pose or joint.
        """
        if isinstance(pose, str):
            need_known("pose", [pose], _POSES)
            put_pose(self._rig, pose)
            return
        names: list[str] = json.loads(self._rig["munet_bone_names"])
        apply_pose(self._rig, names, rotations_from_body(axis_angles(pose, names)), None)
        set_photo_corrective(self._rig, 0.0)
        snap_ik(bpy.context, self._rig)

    def apply_motion(self, path: str | Path, **options: float | str) -> Motion:
        """Key the person with a BVH file or SMPL poses (npz, json) as a new action; docs/addon.md lists the files.

        Args:
            path: of the file.
            options: ``fps`` (0: of the file), ``up`` (AUTO, Y, Z, -Y), ``start`` (1), ``sampling`` (SCENE, FILE),
                ``scale`` (1.0), ``floor`` (CLIP, FRAME, FILE), ``travel`` (START, IN_PLACE, FILE).

        Raises:
            AddonError: NO_FILE, BAD_MOTION, UNKNOWN_SKELETON: the file can not be used; CONTROLLED: controls hold the
                bones; BAD_VALUE: an option is unknown.
        """
        need_known("option of motion", options, (field.name for field in fields(MotionOptions)))
        if has_ik(self._rig) or control_rig(self._rig) is not None:
            hint = "Remove the IK controls or the control rig first."
            raise AddonError("CONTROLLED", f"Controls hold the bones of {self.name}.", hint=hint)
        file = Path(path).absolute()
        if not file.is_file():
            raise AddonError("NO_FILE", "The file of motion is not there.", detail=f"{file}.", hint="Check its path.")
        chosen = MotionOptions(**options)
        clip = read_clip(file, self._rig, chosen)
        render = bpy.context.scene.render
        action = add_motion(self._rig, clip, chosen, render.fps / render.fps_base)
        span = action.frame_range
        return Motion(action, round(span[0]), round(span[1]), tuple(clip.notes))

    def rename_bones(self, scheme: str) -> None:
        """Name the bones after a scheme: BLENDER, SMPL, MIXAMO, UNREAL or HUMANOID; everything that uses them follows.

        Raises:
            AddonError: BAD_VALUE: there is no such scheme.
        """
        need_known("naming scheme", [scheme], _SCHEMES)
        rename_bones(self._rig, scheme)

    def export(
        self,
        path: str | Path,
        format: str = "",  # noqa: A002 what users know it by
        *,
        part: str = "SURFACE",
        pose: str = "POSED",
        target: str = "GENERAL",
        shape_keys: bool = False,
    ) -> list[Path]:
        """Write a copy of the person for other programs, or its collection for Blender; the scene stays as it is.

        Args:
            path: of the file.
            format: glb, fbx, usd, obj or blend; empty takes the ending of ``path``.
            part: SURFACE, BODY, BOTH or LIGHT (see :meth:`make_light`).
            pose: POSED, REST (T-pose) or ANIMATION (the action that is played).
            target: of an FBX: GENERAL, UNREAL or UNITY.
            shape_keys: keep them instead of baking the present shape.

        Returns:
            The files, ``path`` first. A blend file holds the whole collection, whatever the other arguments say.

        Raises:
            AddonError: BAD_VALUE, WRONG_MODE, NO_PART, NO_USD; EXPORT: Blender could not write it.
        """
        file = Path(path).absolute()
        form = format or {"usdz": "usd", "gltf": "glb"}.get(ending := file.suffix.lower().lstrip("."), ending)
        for what, value, known in (
            ("format", form, {*ENDINGS, "blend"}),
            ("part", part, _PARTS),
            ("pose", pose, {"POSED", "REST", "ANIMATION"}),
            ("target", target, _TARGETS),
        ):
            need_known(what, [value], known)
        if form == "blend":
            return [save_library(file, [self.collection])]
        need_mode("OBJECT", "POSE")
        copied = CopyOptions(part=part, pose=pose, keys=shape_keys, centimetres=target == "UNREAL" and form == "fbx")
        options = WriteOptions(animation=pose == "ANIMATION", keys=shape_keys, target=target)
        return write_character(bpy.context, self._rig, form, file, copied, options)

    def make_light(self, triangles: int = 5000, texture_size: int = 1024) -> bpy.types.Object:
        """Make the light version of the clothed surface, on the same rig, with a normal map of the full detail.

        Raises:
            AddonError: NO_PART: the clothed surface was deleted; WRONG_MODE: outside Object Mode.
        """
        if self.surface is None:
            raise deleted("clothed surface", self.name)
        need_mode("OBJECT")
        return make_light_version(self._rig, triangles, texture_size)

    def set_correctives(self, mode: str) -> None:
        """Choose how body and clothes are corrected where they bend.

        Args:
            mode: ON (live), OFF, or BAKE: shape keys with values of this pose, or with keyframes if it is animated.

        Raises:
            AddonError: BAD_VALUE; ANIMATED: the shape keys play an action of yours.
        """
        need_known("mode of correctives", [mode], {"ON", "OFF", "BAKE"})
        meshes = corrected_meshes(self._rig)
        if mode == "BAKE":
            bake_correctives(bpy.context, meshes, self._rig, frames_to_bake(bpy.context, self._rig))
        else:
            for mesh in meshes:
                set_correctives(mesh, self._rig, live=mode == "ON")

    def hide_covered_skin(self, *, hidden: bool = True) -> None:
        """Hide the skin of the body that lies under the clothes, or show it again."""
        hide_covered_skin(self._body(), hidden=hidden)

    def stand_on_floor(self) -> float:
        """Move the person up or down until the lowest point is at z = 0; returns the way."""
        return stand_on_floor(bpy.context, self._rig)

    def show_body(self) -> None:
        """Show the body under the clothes, in the viewport and in renders."""
        show_body(bpy.context, self._body())

    def look_through_camera(self) -> None:
        """Render the scene through the photo's camera, at the photo's size.

        Raises:
            AddonError: NO_PART: the camera was deleted.
        """
        if self.camera is None:
            raise deleted("camera", self.name)
        look_through(bpy.context.scene, self.camera)

    def _body(self) -> bpy.types.Object:
        body = self.body
        if body is None:
            raise deleted("body", self.name)
        return body
