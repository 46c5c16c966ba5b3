"""An export inside the Blender that was started for it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..errors import AddonError
from .files import write_character
from .job import PROGRESS, ExportJob, read_job, write_answer


def run(path: Path) -> int:
    """Do the job at ``path``, write down how it ended, and return the exit status."""
    job = read_job(path)
    failure: AddonError | None = None
    try:
        _export(job)
    except AddonError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - the other Blender shows whatever went wrong
        traceback.print_exc()
        detail = f"{type(error).__name__}: {error}"
        failure = AddonError("EXPORT", f"{Path(job.target).name} could not be written.", detail=detail)
    write_answer(Path(job.answer), failure)
    return 0 if failure is None else 1


def _export(job: ExportJob) -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    _tell(0.1)
    rig = _load(job)
    _tell(0.2)
    write_character(bpy.context, rig, job.form, Path(job.target), job.copied, job.written)
    _tell(1.0)


def _tell(fraction: float) -> None:
    sys.stdout.write(f"{PROGRESS}{fraction}\n")
    sys.stdout.flush()


def _load(job: ExportJob) -> bpy.types.Object:
    """Bring the character into the scene as it was in the other one; returns its rig."""
    with bpy.data.libraries.load(job.library) as (found, wanted):
        wanted.objects = list(found.objects)
    if job.copied.pose != "ANIMATION":
        for animated in _animated():
            _hold(animated)
    scene = bpy.context.scene
    for path, value in job.scene.items():
        place, _, name = path.rpartition(".")
        setattr(scene.path_resolve(place) if place else scene, name, value)
    for obj in wanted.objects:
        scene.collection.objects.link(obj)
    rig: bpy.types.Object = next(obj for obj in wanted.objects if obj.name == job.rig)
    bpy.context.view_layer.objects.active = rig
    if job.copied.pose == "ANIMATION":
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    bpy.context.view_layer.update()
    return rig


def _animated() -> Iterator[bpy.types.ID]:
    for kind in (bpy.data.objects, bpy.data.shape_keys, bpy.data.armatures, bpy.data.materials, bpy.data.meshes):
        yield from (block for block in kind if block.animation_data is not None)


def _hold(animated: bpy.types.ID) -> None:
    """Keep what actions have made of ``animated``, together with what the artist has changed since; drivers stay."""
    animation = animated.animation_data
    animation.action = None
    for track in animation.nla_tracks:
        track.mute = True
