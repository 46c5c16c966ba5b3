"""Loaded networks and what they see in the example photos, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from munet.models.store import ModelStore
from munet.perception.observation import PersonObservation, Photo
from munet.perception.people import Perceiver
from munet.perception.photo import read_photo

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

Seen = tuple[Photo, list[PersonObservation]]


@pytest.fixture(scope="session")
def perceiver() -> Perceiver:
    """Fails with the store's own advice when the model files have not been fetched."""
    return Perceiver(ModelStore())


@pytest.fixture(scope="session")
def see(perceiver: Perceiver) -> Callable[[str], Seen]:
    """Return a function from an example's file name to the photo and the people in it."""
    known: dict[str, Seen] = {}

    def look(name: str) -> Seen:
        if name not in known:
            photo = read_photo((EXAMPLES / name).read_bytes(), name)
            known[name] = photo, perceiver.find_people(photo)
        return known[name]

    return look
