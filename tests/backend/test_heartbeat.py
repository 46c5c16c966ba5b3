"""A client stays known while the backend does all the talking."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from backend.client.link import MUTE_AFTER, Link
from backend.protocol import BackendError, RunFile
from tests.backend.harness import PNG, fake_client


def test_steady_progress_does_not_make_the_client_seem_gone(tmp_path: Path) -> None:
    with fake_client(tmp_path, "normal", "--seconds", "0.8", "--client-silence", "2.5") as (_, client):
        result = client.wait(client.submit(PNG, "normal.png"), timeout=30.0)
    assert len(result.persons) == 1


def test_a_computer_that_slept_has_not_lost_its_backend() -> None:
    link = Link(RunFile("127.0.0.1", 1, os.getpid(), 1, "", 0.0), alive=lambda: True)
    long_ago = time.monotonic() - 2.0 * MUTE_AFTER
    link._heard = link._watched = long_ago
    link._watch()
    link._heard, link._pinged = long_ago, 0.0
    with pytest.raises(BackendError, match="not answered"):
        link._watch()
