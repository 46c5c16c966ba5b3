"""From the wire's settings to munet's, and from munet's progress and failures back to the wire."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
import types
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.protocol import BackendError, split_result
from backend.worker.link import Start
from backend.worker.loop import WorkerJob
from backend.worker.reconstruct import make_work, read_settings, stage_progress
from munet.errors import InvalidInputError, JobCancelledError, ModelMissingError, NoPersonError
from munet.perception.observation import Photo
from munet.reconstruction import Reconstruction
from munet.settings import Settings
from tests.backend.capsule_person import capsule_person
from tests.backend.harness import ROOT

STAGES = ("read", "body", "preview")


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (300, 300)).save(stream, "PNG")
    return stream.getvalue()


START = Start("tcp://127.0.0.1:1", "", "cpu", 0)
JOB = WorkerJob("photo.jpg", picture(), {"preset": "draft"})


def ignore(*_: object) -> None:
    """Report to nobody."""


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Stand in for munet.pipeline, which needs the model files."""
    module = types.ModuleType("munet.pipeline")
    monkeypatch.setattr("backend.worker.reconstruct.STAGES", STAGES)
    module.loads = []

    class Models:
        device = "cpu"

        @classmethod
        def load(cls, settings: Settings) -> Models:
            module.loads.append(settings.device)
            return cls()

    def reconstruct_people(models: Any, photo: Photo, settings: Settings, progress: Any) -> Any:
        assert (models.device, photo.name, settings.preset) == ("cpu", "photo.jpg", "draft")
        for stage in STAGES[1:]:
            progress(stage, 0.0)
            progress(stage, 0.5)
        person = Reconstruction.from_parts(*capsule_person(0, 32))
        seconds = {"read": 0.0, "body": 6.0, "preview": 3.0}
        return types.SimpleNamespace(
            persons=(person,), seconds=seconds, warnings=("careful",), preview=np.zeros((2, 2, 3), np.uint8)
        )

    module.Models = Models
    module.reconstruct_people = reconstruct_people
    monkeypatch.setitem(sys.modules, "munet.pipeline", module)
    import munet

    monkeypatch.setattr(munet, "pipeline", module, raising=False)
    return module


def test_a_job_gives_a_result_and_the_models_stay(pipeline: types.ModuleType) -> None:
    work = make_work(START)
    reports: list[tuple[Any, ...]] = []
    for _ in range(2):
        result = split_result(*work(JOB, lambda *report: reports.append(report)))
    assert pipeline.loads == ["cpu"]
    assert result.warnings == ("careful",)
    assert result.versions["device"] == "cpu"
    assert result.persons[0].facts["body_model"] == "capsules (synthetic)"
    first, second = reports[:6], reports[6:]
    assert [report[0] for report in first] == ["read", "load", "body", "body", "preview", "preview"]
    assert [report[0] for report in second] == ["read", "body", "body", "preview", "preview"]
    assert [round(report[3], 3) for report in first] == [0.0, 0.0, 0.333, 0.5, 0.667, 0.833]
    assert [report[3] for report in second] == pytest.approx([0.0, 0.0, 0.33, 0.67, 0.83], abs=0.05)
    assert second[1] == ("body", 1, 3, pytest.approx(0.0, abs=0.1), "Body")
    assert result.seconds["read"] > 0.0


@pytest.mark.usefixtures("pipeline")
@pytest.mark.parametrize("pictures", ["png", "pixels", "clay", None])
def test_pictures_come_as_the_client_asks(pictures: str | None) -> None:
    job = replace(JOB, body={} if pictures is None else {"pictures": pictures})
    arrays = split_result(*make_work(START)(job, ignore)).persons[0].arrays
    pixels = capsule_person(0, 32)[0]["texture"]
    assert ("texture" in arrays) == (pictures != "png") == ("texture_png" not in arrays)
    assert arrays["normal_map"].shape == (0, 0, 3)
    if pictures == "png":
        found = np.asarray(Image.open(io.BytesIO(arrays["texture_png"].tobytes())))
        np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoPersonError("Nobody."), "NO_PERSON"),
        (ModelMissingError("No model.", detail="which"), "MODEL_MISSING"),
        (JobCancelledError("Stopped."), "CANCELLED"),
        (MemoryError(), "OUT_OF_MEMORY"),
        (OSError(errno.ENOSPC, "No space left on device"), "DISK_FULL"),
        (RuntimeError("a bug"), "INTERNAL"),
    ],
)
def test_failures_become_words(pipeline: types.ModuleType, error: Exception, code: str) -> None:
    def fail(*_: Any) -> None:
        raise error

    pipeline.reconstruct_people = fail
    with pytest.raises(BackendError) as caught:
        make_work(START)(JOB, ignore)
    assert caught.value.code == code
    if code != "CANCELLED":
        assert caught.value.hint
    if code == "INTERNAL":
        assert "RuntimeError: a bug" in caught.value.detail


def test_a_full_device_is_told_from_a_bug(pipeline: types.ModuleType) -> None:
    torch = pytest.importorskip("torch")

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    pipeline.reconstruct_people = fail
    with pytest.raises(BackendError) as caught:
        make_work(START)(JOB, ignore)
    assert caught.value.code == "OUT_OF_MEMORY"


def test_a_wrong_photo_is_refused_before_torch_is_loaded() -> None:
    program = """
import os, sys
import backend.worker.reconstruct as worker
from backend.protocol import BackendError
from backend.worker.link import Start
from backend.worker.loop import WorkerJob
worker.HEAD_START = 60.0
work = worker.make_work(Start("", "", "cpu", 0))
try:
    work(WorkerJob("text.jpg", b"hello", {}), lambda *_: None)
except BackendError as error:
    print(error.code, sorted({"torch", "scipy", "cv2", "munet.pipeline"} & set(sys.modules)), flush=True)
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, timeout=60, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["IMAGE_UNREADABLE", "[]"], done.stderr


def test_a_library_that_can_not_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "munet.pipeline", None)
    with pytest.raises(BackendError, match=r"munet\.pipeline") as caught:
        make_work(START)(JOB, ignore)
    assert caught.value.code == "INTERNAL"


def test_a_cancellation_passes_through_the_method_as_its_own_error() -> None:
    def report(*_: object) -> None:
        raise BackendError("CANCELLED", "Stopped.")

    with pytest.raises(JobCancelledError):
        stage_progress(STAGES, {}, report)("body", 0.0)


def test_settings_are_taken_over() -> None:
    values = {"preset": "high", "persons": [0, 2], "max_persons": 3, "texture_size": 512, "seed": 7, "new": True}
    expected = Settings(preset="high", persons=(0, 2), max_persons=3, texture_size=512, seed=7, device="cuda")
    assert read_settings(values, "cuda") == expected
    assert read_settings({"device": "cpu"}, "cuda").device == "cpu"


@pytest.mark.parametrize(
    "values",
    [
        {"preset": "best"},
        {"preset": None},
        {"max_persons": 0},
        {"max_persons": 2.0},
        {"texture_size": True},
        {"texture_size": 100_000},
        {"persons": 1},
        {"persons": [-1]},
        {"persons": ["a"]},
        {"seed": "x"},
        {"device": 3},
    ],
)
def test_wrong_settings_name_what_was_found(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_settings(values, "auto")
    assert repr(next(iter(values.values()))) in caught.value.detail
