"""An export in a Blender of its own, so that the window of this one lives meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import bpy

from ..backend_manager.task import Task
from ..elsewhere import worker_command
from ..errors import AddonError
from ..people import shaped_body
from .copies import meshes_of
from .job import PROGRESS, TASK, ExportJob, read_answer
from .options import CopyOptions, WriteOptions
from .writers import check_format, move_files

LIMIT_SECONDS = 1800.0
_HINT = "Check the free space of the disk, or choose another folder or format."
_SCENE = (
    "frame_start",
    "frame_end",
    "frame_current",
    "frame_subframe",
    "render.fps",
    "render.fps_base",
    "unit_settings.system",
    "unit_settings.scale_length",
)


class _InOrder(set[bpy.types.ID]):
    """A set, as Blender wants it, that is gone through in a known order.

    Blender 4.4 and later lose the shape keys of a mesh that they come to by the drivers of others before its own turn,
    and the keys of the body drive those of the clothes.
    """

    def __init__(self, blocks: Sequence[bpy.types.ID]) -> None:
        super().__init__(blocks)
        self._blocks = list(blocks)

    def __iter__(self) -> Iterator[bpy.types.ID]:
        return iter(self._blocks)


def export_task(
    context: bpy.types.Context,
    rig: bpy.types.Object,
    form: str,
    path: Path,
    copied: CopyOptions,
    written: WriteOptions,
    program: Sequence[str],
) -> Task:
    """Save the character of ``rig`` for another Blender and return the task that lets it be exported there.

    ``path`` and what belongs to it appear when all is written. The result of the task is the list of files.

    Raises:
        AddonError: NO_PART: the character lacks the chosen part; NO_USD; EXPORT: the disk is full.
    """
    check_format(form)
    meshes = meshes_of(rig, copied.part)
    folder = Path(tempfile.mkdtemp(prefix="munet-export-", dir=bpy.app.tempdir or None))
    try:
        library = folder / "character.blend"
        blocks = dict.fromkeys(block for block in (shaped_body(rig), rig, *meshes) if block is not None)
        bpy.data.libraries.write(str(library), _InOrder(list(blocks)), path_remap="ABSOLUTE", fake_user=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".munet-", dir=path.parent))
    except (RuntimeError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _failed(path, str(error).strip()) from error
    scene = {name: context.scene.path_resolve(name) for name in _SCENE}
    target, answer = str(scratch / path.name), str(folder / "answer.json")
    job = ExportJob(str(library), rig.name, form, target, answer, copied, written, scene)
    job.save(folder / "job.json")
    command = worker_command(program, "exporting.inside", folder / "job.json")
    return Task(TASK, lambda task: _export(task, command, job, path))


def _failed(path: Path, detail: str) -> AddonError:
    return AddonError("EXPORT", f"{path.name} could not be written.", detail=detail, hint=_HINT)


def _export(task: Task, command: Sequence[str], job: ExportJob, path: Path) -> list[Path]:
    scratch, folder = Path(job.target).parent, Path(job.answer).parent

    def heard(line: str) -> None:
        if line.startswith(PROGRESS):
            task.report(float(line.removeprefix(PROGRESS)), path.name)

    try:
        task.report(0.0, path.name)
        ended = task.call(command, on_line=heard, limit=LIMIT_SECONDS, tied=True)
        try:
            failure = read_answer(Path(job.answer))
        except OSError as error:
            raise _failed(path, " ".join(ended.lines[-3:]) or str(ended.status)) from error
        if failure is not None:
            raise failure
        return move_files(scratch, path)
    except OSError as error:
        raise _failed(path, str(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
