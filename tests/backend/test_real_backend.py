"""The backend as it ships, with the real worker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.client import Client, LaunchOptions, start_backend
from munet.errors import ModelMissingError
from munet.models.store import ModelStore
from munet.reconstruction import Reconstruction
from tests.backend.harness import ROOT, code_of

pytestmark = pytest.mark.timeout(300)
PHOTO = ROOT / "examples" / "standing-jacket.jpg"
SIZE = [1696, 2528]


@pytest.mark.parametrize("modules", ["backend.__main__, backend.client", "backend.worker.reconstruct"])
def test_nothing_heavy_is_loaded_at_the_start(modules: str) -> None:
    program = (
        f"import sys, {modules}; heavy = {{'torch', 'scipy', 'cv2', 'munet.pipeline'}};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    try:
        store = ModelStore()
        for name in store.files:
            store.path(name)
    except ModelMissingError as error:
        pytest.skip(str(error))
    options = LaunchOptions(
        Path(sys.executable), root=ROOT, device="cpu", runtime_dir=tmp_path / "run", log_file=tmp_path / "log" / "b.log"
    )
    launch = start_backend(options)
    try:
        with Client(launch.wait(), alive=launch.alive) as connection:
            connection.wait_connected()
            yield connection
    finally:
        launch.stop()


@pytest.mark.slow
def test_failures_and_a_person_from_one_worker(client: Client) -> None:
    text = client.submit(b"this is not a picture", "text.jpg")
    wrong = client.submit(PHOTO.read_bytes(), PHOTO.name, {"preset": "best"})
    photo = client.submit(PHOTO.read_bytes(), PHOTO.name, {"preset": "draft", "novelty": 1})
    assert code_of(client, text, 120.0) == "IMAGE_UNREADABLE"
    assert code_of(client, wrong, 60.0) == "INVALID_INPUT"
    fractions: list[float] = []
    result = client.wait(photo, timeout=240.0, on_update=lambda job: fractions.append(job.fraction))
    assert fractions == sorted(fractions)
    person = Reconstruction.from_parts(result.persons[0].arrays, result.persons[0].facts)
    assert person.image_size.tolist() == SIZE
    np.testing.assert_allclose(person.surface_weights.sum(axis=1), 1.0, atol=1e-4)
    assert result.versions["device"] == "cpu"
    assert result.preview.dtype == np.uint8
    assert client.status()["worker"] == "idle"
