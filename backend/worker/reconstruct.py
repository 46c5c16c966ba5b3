"""The real work of the worker: photo in, people out. The only place of the backend that imports munet's method."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

from munet import __version__
from munet.errors import InvalidInputError, JobCancelledError, MunetError
from munet.perception.photo import begins_as_picture, read_photo
from munet.progress import STAGES
from munet.settings import Preset, Settings

from ..protocol.errors import BackendError
from ..protocol.results import join_result
from .link import Start
from .loop import Outcome, Report, Work, WorkerJob
from .memory import held_bytes, limit_card
from .pictures import as_asked

if TYPE_CHECKING:
    from munet.perception.observation import Photo
    from munet.pipeline import Models, PhotoResult
    from munet.progress import Progress

log = logging.getLogger("backend.worker")

PRESETS = get_args(Preset)
MAX_TEXTURE = 8192
HEAD_START = 0.1
"""A photo that is waiting when the worker starts is read, and perhaps refused, before torch takes the processor."""


def make_work(start: Start) -> Work:
    """Return the function that runs a job; the libraries are loaded aside, the models with the first job."""
    # Threads of torch that wait spin otherwise, and on a busy machine everything takes ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    shop = _Shop(start.device, start.memory_limit)

    def work(job: WorkerJob, report: Report) -> Outcome:
        try:
            return shop.work(job, report)
        except JobCancelledError as error:
            raise BackendError("CANCELLED", error.title) from error
        except MunetError as error:
            raise BackendError(error.code, error.title, detail=error.detail, hint=error.hint) from error
        except BackendError:
            raise
        except Exception as error:
            raise _explain(error, job) from error

    return work


def device_facts() -> dict[str, Any]:
    """Return what the heartbeat tells: process, peak memory in bytes, and the GPU's memory once torch uses one."""
    facts: dict[str, Any] = {"pid": os.getpid(), "memory": held_bytes()}
    if sys.platform != "win32":
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        facts["memory_peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "__version__"):
        facts["torch"] = str(torch.__version__)
    if torch is not None and hasattr(torch, "cuda") and torch.cuda.is_initialized():
        free, total = torch.cuda.mem_get_info()
        facts |= {"device_name": torch.cuda.get_device_name(), "memory_free": free, "memory_total": total}
    elif torch is not None and hasattr(torch, "mps") and torch.backends.mps.is_available():
        total = torch.mps.recommended_max_memory()
        free = max(total - torch.mps.driver_allocated_memory(), 0)
        facts |= {"device_name": "Apple", "memory_free": free, "memory_total": total}
    return facts


def read_settings(values: dict[str, Any], device: str) -> Settings:
    """Turn the wire's settings into :class:`munet.settings.Settings`; unknown names are ignored, as in every message.

    Raises:
        InvalidInputError: a value has the wrong type or range.
    """
    known = {field.name: values[field.name] for field in fields(Settings) if field.name in values}
    ignored = sorted(set(values) - set(known))
    if ignored:
        log.warning("Unknown settings are ignored: %s", ", ".join(ignored))
    if known.get("device", "auto") == "auto":
        known["device"] = device
    if "persons" in known:
        known["persons"] = _indices(known["persons"])
    settings = Settings(**known)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    whole = (("texture_size", 0, MAX_TEXTURE), ("max_persons", 1, 100), ("seed", 0, 2**63 - 1), ("rounds", 0, 3))
    for name, low, high in whole:
        value = getattr(settings, name)
        if type(value) is not int or not low <= value <= high:
            raise InvalidInputError("A setting is wrong.", detail=f"{name} must be {low} to {high}, found {value!r}.")
    for name in ("network", "folds"):
        value = getattr(settings, name)
        if not isinstance(value, bool):
            raise InvalidInputError("A setting is wrong.", detail=f"{name} must be a bool, found {value!r}.")
    if settings.preset not in PRESETS:
        detail = f"preset must be one of {', '.join(PRESETS)}, found {settings.preset!r}."
        raise InvalidInputError("A setting is wrong.", detail=detail)
    for name in ("device", "body_file"):
        value = getattr(settings, name)
        if not isinstance(value, str):
            raise InvalidInputError("A setting is wrong.", detail=f"{name} must be a text, found {value!r}.")


def _indices(values: object) -> tuple[int, ...]:
    if not isinstance(values, list | tuple) or not all(type(value) is int and value >= 0 for value in values):
        raise InvalidInputError("A setting is wrong.", detail=f"persons must be a list of indices, found {values!r}.")
    return tuple(values)


class _Libraries:
    """torch and the method take seconds to load: a thread does it, so that a photo can be read meanwhile."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        executor = ThreadPoolExecutor(1, "munet-libraries")
        self._loaded = executor.submit(self._load)
        executor.shutdown(wait=False)

    @property
    def loaded(self) -> bool:
        """Whether :meth:`wait` returns at once."""
        return self._loaded.done()

    def begin(self) -> None:
        """Load them now."""
        self._wanted.set()

    def wait(self) -> None:
        """Return when they can be used, or raise what made that impossible."""
        self.begin()
        self._loaded.result()

    def _load(self) -> None:
        self._wanted.wait(HEAD_START)
        import torch

        import munet.pipeline  # noqa: F401 the method with all its libraries

        torch.set_num_threads(os.cpu_count() or 1)


class _Shop:
    """What is kept from job to job: the models, and how long the stages took the last time."""

    def __init__(self, device: str, memory_limit: int = 0) -> None:
        self._device = device
        self._memory_limit = memory_limit
        self._libraries = _Libraries()
        self._models: dict[str, Models] = {}
        self._seconds: dict[str, float] = {}
        self._clip_seconds: dict[str, float] = {}

    def work(self, job: WorkerJob, report: Report) -> Outcome:
        """Do what the kind of the job asks for.

        Raises:
            BackendError: UNSUPPORTED: an unknown kind.
        """
        kinds = {"photo": self.reconstruct, "people": self.find_people, "sequence": self.reconstruct_sequence}
        if job.kind not in kinds:
            detail = f"Expected one of {', '.join(kinds)}, found {job.kind!r}."
            raise BackendError("UNSUPPORTED", "The backend does not know this kind of job.", detail=detail)
        return kinds[job.kind](job, report)

    def find_people(self, job: WorkerJob, report: Report) -> Outcome:
        """Only find the people of a photo."""
        settings = read_settings(job.settings, self._device)
        photo = self._read(job)
        models = self._load(settings, report)
        from .people import find_people

        return find_people(models, photo, settings, report)

    def reconstruct_sequence(self, job: WorkerJob, report: Report) -> Outcome:
        """Reconstruct one person of a clip with its motion."""
        settings = read_settings(job.settings, self._device)
        models = self._load(settings, report)
        from munet.sequence.pipeline import CLIP_STAGES

        from .clip import reconstruct_sequence

        progress = stage_progress(CLIP_STAGES, self._clip_seconds, report)
        outcome, self._clip_seconds = reconstruct_sequence(models, job, settings, progress)
        return outcome

    def reconstruct(self, job: WorkerJob, report: Report) -> Outcome:
        """Reconstruct the people of a photo."""
        settings = read_settings(job.settings, self._device)
        progress = stage_progress(STAGES, self._seconds, report)
        progress("read", 0.0)
        began = time.perf_counter()
        photo = self._read(job)
        seconds = {"read": time.perf_counter() - began}
        models = self._load(settings, report)
        from munet.pipeline import reconstruct_people

        result = reconstruct_people(models, photo, settings, progress)
        self._seconds = {**result.seconds, **seconds}
        return _outcome(job, result, self._seconds, str(models.device))

    def _read(self, job: WorkerJob) -> Photo:
        """Decode the photo; the libraries are loaded meanwhile unless there is nothing to decode."""
        if begins_as_picture(job.image):
            self._libraries.begin()
        return read_photo(job.image, job.name)

    def _load(self, settings: Settings, report: Report) -> Models:
        if not self._libraries.loaded or settings.device not in self._models:
            report("load", 0, len(STAGES), 0.0, "Loading the models")
        self._libraries.wait()
        from munet.pipeline import Models

        if settings.device not in self._models:
            self._models.clear()
            self._models[settings.device] = models = Models.load(settings)
            limit_card(models.device, self._memory_limit)
        return self._models[settings.device]


def stage_progress(stages: tuple[str, ...], seconds: dict[str, float], report: Report) -> Progress:
    """Return the callback for ``munet.pipeline``: the whole job advances in proportion to the seconds of the last one.

    Without earlier seconds all stages count the same.
    """
    weights = [max(seconds.get(stage, 0.0), 0.01) if seconds else 1.0 for stage in stages]
    total = sum(weights)

    def progress(stage: str, fraction: float) -> None:
        index = stages.index(stage) if stage in stages else 0
        done = (sum(weights[:index]) + weights[index] * min(max(fraction, 0.0), 1.0)) / total
        try:
            report(stage, index, len(stages), min(done, 1.0), stage.replace("_", " ").capitalize())
        except BackendError as error:
            raise JobCancelledError(error.title) from error

    return progress


def _outcome(job: WorkerJob, result: PhotoResult, seconds: dict[str, float], device: str) -> Outcome:
    persons = as_asked([(person.arrays(), person.facts()) for person in result.persons], job)
    versions = {"backend": __version__, "device": device}
    return join_result(persons, seconds, result.warnings, result.preview, versions)


def _explain(error: Exception, job: WorkerJob) -> BackendError:
    """Turn a failure that nobody foresaw into words."""
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        hint = "Close other programs that use the device, or choose the Draft preset or the CPU."
        return BackendError("OUT_OF_MEMORY", "The device ran out of memory.", detail=str(error), hint=hint)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "Free some space on the backend's disk, also in its folder for temporary files, and try again."
        return BackendError("DISK_FULL", "The backend's disk is full.", detail=str(error), hint=hint)
    log.error("Job %s failed", job.name, exc_info=error)
    hint = "Open the backend's log for the details and report it if it happens again."
    detail = f"{type(error).__name__}: {error}"
    return BackendError("INTERNAL", "Something unexpected went wrong in the backend.", detail=detail, hint=hint)
