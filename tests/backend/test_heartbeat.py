"""A client stays known while the backend does all the talking."""

from __future__ import annotations

from pathlib import Path

from tests.backend.harness import PNG, fake_client


def test_steady_progress_does_not_make_the_client_seem_gone(tmp_path: Path) -> None:
    with fake_client(tmp_path, "normal", "--seconds", "0.8", "--client-silence", "2.5") as (_, client):
        result = client.wait(client.submit(PNG, "normal.png"), timeout=30.0)
    assert len(result.persons) == 1
