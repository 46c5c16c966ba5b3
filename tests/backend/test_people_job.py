"""The job kind that only finds people, on a photo of a person and on an empty one."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.protocol import BackendError, split_result
from backend.worker.link import Start
from backend.worker.loop import WorkerJob
from backend.worker.people import PICTURE_PIXELS, find_people
from backend.worker.reconstruct import make_work
from munet.errors import NoPersonError
from munet.perception.observation import Photo
from munet.perception.photo import read_photo
from munet.settings import Settings


def job(width: int = 400, height: int = 300, kind: str = "people") -> WorkerJob:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(stream, "PNG")
    return WorkerJob("a.png", stream.getvalue(), {}, kind)


def photo() -> Photo:
    return read_photo(job().image, "a.png")


def models(*people: Any) -> Any:
    perceiver = SimpleNamespace(find_landmarks=lambda _photo, _count: list(people))
    return SimpleNamespace(perceiver=perceiver, device="cpu")


def ignore(*_: object) -> None:
    """Report to nobody."""


def test_everybody_has_a_box_inside_the_photo_and_a_picture() -> None:
    points = np.array([[-20.0, 10.0], [100.0, 290.0]])
    person = SimpleNamespace(image=points, presence=0.9)
    result = split_result(*find_people(models(person, person), photo(), Settings(), ignore))
    assert [entry.facts["score"] for entry in result.persons] == [0.9, 0.9]
    assert result.persons[0].arrays["box"].tolist() == [0, 10, 100, 290]
    picture = result.persons[1].arrays["picture"]
    assert picture.shape == (PICTURE_PIXELS, PICTURE_PIXELS, 3)
    assert (picture == (10, 200, 30)).all()
    assert max(result.preview.shape) <= 1024


def test_an_empty_photo_says_so() -> None:
    with pytest.raises(NoPersonError, match=r"a\.png"):
        find_people(models(), photo(), Settings(), ignore)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(BackendError, match="kind") as caught:
        make_work(Start("tcp://127.0.0.1:1", "", "cpu", 0))(job(kind="poem"), ignore)
    assert caught.value.code == "UNSUPPORTED"
