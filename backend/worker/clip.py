"""The job kind ``sequence``: a video or numbered pictures to one person with its motion."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from munet import __version__
from munet.errors import InvalidInputError
from munet.sequence.settings import ClipSettings

from ..protocol.results import join_result
from .loop import Outcome, WorkerJob
from .pictures import as_asked

if TYPE_CHECKING:
    from munet.pipeline import Models
    from munet.progress import Progress
    from munet.settings import Settings


def read_clip_settings(values: object) -> ClipSettings:
    """Turn the wire's ``clip`` into settings; unknown names are ignored, as in every message.

    Raises:
        InvalidInputError: it is no object, or a value is out of range.
    """
    if not isinstance(values, dict):
        raise InvalidInputError("The clip's settings are malformed.", detail=f"expected an object, found {values!r}.")
    known = {field.name: values[field.name] for field in fields(ClipSettings) if field.name in values}
    return ClipSettings(**known)


@contextmanager
def clip_files(job: WorkerJob) -> Iterator[list[Path]]:
    """Give the clip's files: those that the message names, or temporary copies of those that it holds.

    Raises:
        InvalidInputError: the message is malformed, or a named file does not exist here.
    """
    files = job.body.get("files", [])
    if not files:
        yield _named(job.image)
        return
    _check_files(files, len(job.image))
    with tempfile.TemporaryDirectory(prefix="munet-clip-") as folder:
        paths, ends = [], list(itertools.accumulate(size for _, size in files))
        for index, ((name, size), end) in enumerate(zip(files, ends, strict=True)):
            path = Path(folder) / f"{index:06d}{PurePath(name).suffix}"
            path.write_bytes(job.image[end - size : end])
            paths.append(path)
        yield paths


def _named(text: bytes) -> list[Path]:
    try:
        paths = [Path(line) for line in text.decode(errors="surrogatepass").split("\n")]
    except UnicodeDecodeError as error:
        raise InvalidInputError("The clip is malformed.", detail=f"{error}") from error
    missing = next((path for path in paths if not path.is_file()), None)
    if missing is not None:
        raise InvalidInputError("A file of the clip is missing.", detail=f"{missing}.", hint="Choose the clip again.")
    return paths


def _check_files(files: object, size: int) -> None:
    entries = files if isinstance(files, list) else []
    good = all(
        isinstance(entry, list | tuple)
        and len(entry) == 2
        and isinstance(entry[0], str)
        and type(entry[1]) is int
        and entry[1] > 0
        for entry in entries
    )
    if not entries or not good or sum(entry[1] for entry in entries) != size:
        detail = f"'files' must be names and sizes that add up to {size} bytes."
        raise InvalidInputError("The clip is malformed.", detail=detail)


def reconstruct_sequence(
    models: Models, job: WorkerJob, settings: Settings, progress: Progress
) -> tuple[Outcome, dict[str, float]]:
    """Return the answer to a job, and how long its stages took."""
    from munet.sequence.frames import open_frames
    from munet.sequence.pipeline import reconstruct_clip

    clip = read_clip_settings(job.body.get("clip", {}))
    with clip_files(job) as paths:
        result = reconstruct_clip(models, open_frames(paths), settings, clip, progress)
    arrays: dict[str, Any] = {**result.person.arrays(), **result.motion.arrays()}
    person = arrays, {**result.person.facts(), **result.motion.facts()}
    versions = {"backend": __version__, "device": str(models.device)}
    return join_result(
        as_asked([person], job), result.seconds, result.warnings, result.preview, versions
    ), result.seconds
