"""A backend for other computers: who may connect, and what they may do."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import socket as plain_socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from zmq.utils import z85

from backend import keys
from backend.broker.gatekeeper import Gatekeeper
from backend.broker.job_object import ExtendedLimits, bind_to_this_process
from backend.broker.settings import listen_parts
from backend.client import Client
from backend.protocol import BackendError, Message, RunFile, read_key_file, read_public_key
from backend.protocol.processes import ProcessWatch
from backend.worker.memory import held_bytes
from tests.backend.harness import PNG, ask, fake_backend, fake_client, launch_fake, raw_dealer, until

pytestmark = [pytest.mark.timeout(60), pytest.mark.skipif(not zmq.has("curve"), reason="this ZeroMQ has no CURVE")]


def free_port() -> int:
    with plain_socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def listening(folder: Path, mode: str = "normal") -> Iterator[tuple[RunFile, RunFile]]:
    """A backend that listens for others too; its run file, and what another computer knows about it."""
    keys.make_server(folder / "keys")
    port = free_port()
    words = ("--listen", f"tcp://127.0.0.1:{port}", "--curve-keys", str(folder / "keys"))
    with fake_backend(folder, mode, *words) as (_, run):
        server = read_public_key(folder / "keys" / "server.key")
        yield run, RunFile("127.0.0.1", port, 0, run.protocol, "", time.time(), server)


def keys_of(folder: Path, name: str) -> tuple[str, str]:
    keys.make_client(folder / "keys", name)
    return read_key_file(folder / "keys" / f"{name}.key_secret")


def test_a_user_with_a_key_works_from_afar_and_can_not_end_the_backend(tmp_path: Path) -> None:
    with listening(tmp_path) as (run, far), Client(far, keys=keys_of(tmp_path, "anna")) as client:
        client.wait_connected()
        result = client.wait(client.submit(PNG, "a.png"), timeout=20)
        assert result.persons[0].arrays["joints"].shape[1] == 3
        with pytest.raises(BackendError, match="own computer") as caught:
            client.shutdown(force=True)
        assert caught.value.code == "UNSUPPORTED"
        assert client.status()["clients"] == 1
        with raw_dealer(run) as near:
            assert ask(near, Message("ping", token=run.token)).type == "pong"
            assert ask(near, Message("ping", token="")).body["code"] == "AUTH"


def test_nobody_else_gets_an_answer(tmp_path: Path) -> None:
    with listening(tmp_path) as (run, far):
        stranger = tuple(key.decode() for key in zmq.curve_keypair())
        other_server = dataclasses.replace(far, curve_key=zmq.curve_keypair()[0].decode())
        for place, pair in ((far, stranger), (far, None), (other_server, keys_of(tmp_path, "anna"))):
            with Client(place, keys=pair) as client, pytest.raises(BackendError) as caught:
                client.wait_connected(1.0)
            assert caught.value.code == "TIMEOUT"
        with raw_dealer(dataclasses.replace(far, curve_key="")) as plain:
            plain.send_multipart([b'{"v":[1,0],"type":"ping","id":"","token":"' + run.token.encode() + b'"}'])
            assert not plain.poll(500)
        assert "unknown key" in (tmp_path / "log" / "backend.log").read_text()


def test_a_key_counts_from_the_moment_it_is_allowed_until_it_is_removed(tmp_path: Path) -> None:
    public, secret = (key.decode() for key in zmq.curve_keypair())
    with listening(tmp_path) as (_, far):
        assert "may connect" in keys.allow(tmp_path / "keys", "ben", public)[0]
        with Client(far, keys=(public, secret)) as client:
            client.wait_connected()
        (tmp_path / "keys" / "clients" / "ben.key").unlink()
        with Client(far, keys=(public, secret)) as client, pytest.raises(BackendError):
            client.wait_connected(1.0)


@pytest.mark.parametrize("words", [("--listen", "tcp://0.0.0.0:5571"), ("--listen", "0.0.0.0:5571")])
def test_the_network_needs_keys(tmp_path: Path, words: tuple[str, ...]) -> None:
    launch = launch_fake(tmp_path, "normal", *words)
    with pytest.raises(BackendError) as caught:
        launch.wait()
    assert "Exit status 5" in caught.value.detail


def test_endpoints_are_read() -> None:
    assert listen_parts("tcp://0.0.0.0:5571") == ("0.0.0.0", 5571)
    assert listen_parts("tcp://[::1]:1") == ("::1", 1)
    for wrong in ("", "tcp://*", "tcp://a:0", "tcp://a:65536", "ipc://x", "tcp://::1:5"):
        with pytest.raises(BackendError):
            listen_parts(wrong)


def test_key_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "k"
    assert keys.main(["server", str(folder)]) == 0
    assert keys.main(["server", str(folder)]) == 1
    assert keys.main(["client", str(folder), "anna"]) == 0
    assert keys.main(["client", str(folder), "../anna"]) == 1
    assert keys.main(["allow", str(folder), "ben", "short"]) == 1
    said = capsys.readouterr()
    assert read_public_key(folder / "server.key") in said.out
    assert "key already" in said.err
    secret = folder / "anna.key_secret"
    public, _ = zmq.auth.load_certificate(secret) if hasattr(zmq, "auth") else (read_public_key(secret).encode(), b"")
    assert list(keys.allowed_keys(folder)) == [public.decode()]
    if os.name == "posix":
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        secret.chmod(0o644)
        with pytest.raises(BackendError, match="can not be used") as caught:
            read_key_file(secret)
        assert "600" in caught.value.detail
    with pytest.raises(BackendError):
        read_key_file(folder / "server.key")


def test_the_gatekeeper_refuses_everything_but_an_allowed_key() -> None:
    key = b"k" * 32
    context: zmq.Context[Any] = zmq.Context()
    gate = Gatekeeper(context, lambda: {z85.encode(key).decode(): "anna"})
    good = [b"1.0", b"7", b"munet", b"127.0.0.1", b"", b"CURVE", key]
    assert gate.decide(good)[1:5] == [b"7", b"200", b"OK", b"anna"]
    for index, value in ((0, b"2.0"), (2, b"other"), (5, b"NULL"), (5, b"PLAIN"), (6, b"x" * 32), (6, b"short")):
        wrong = [*good]
        wrong[index] = value
        assert gate.decide(wrong)[2] == b"400"
    assert gate.decide(good[:-1])[2] == b"400"
    gate.close()
    context.term()


def test_a_photo_over_the_memory_limit_costs_only_itself(tmp_path: Path) -> None:
    assert held_bytes() > 10_000_000
    with fake_client(tmp_path, "slow", "--memory-gigabytes", "0.001") as (_, client):
        job = client.submit(PNG, "a.png")
        with pytest.raises(BackendError, match="memory limit") as caught:
            client.wait(job, timeout=20)
        assert caught.value.code == "OUT_OF_MEMORY"
        assert "GB" in caught.value.detail
        assert client.status()["worker"] in {"absent", "starting", "idle"}


def test_a_watched_process_is_not_mistaken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        watch = ProcessWatch(process.pid)
        assert watch.alive()
        monkeypatch.setattr("backend.protocol.processes._birth", lambda _: b"later")
        assert not watch.alive()
        monkeypatch.undo()
    finally:
        process.kill()
        process.wait()
    until(lambda: not watch.alive())
    assert not ProcessWatch(0).alive()


class Kernel:
    """A kernel32 that notes what it is asked."""

    def __init__(self, *, assigns: bool = True) -> None:
        self.calls: list[str] = []
        self.flags = 0
        self._assigns = assigns
        self.CreateJobObjectW = _Callable(77)

    def SetInformationJobObject(self, _job: Any, kind: int, limits: Any, size: int) -> int:  # noqa: D102, N802
        self.flags = ctypes.cast(limits, ctypes.POINTER(ExtendedLimits)).contents.basic.flags
        assert (kind, size) == (9, ctypes.sizeof(ExtendedLimits))
        return 1

    def AssignProcessToJobObject(self, job: ctypes.c_void_p, handle: ctypes.c_void_p) -> int:  # noqa: D102, N802
        assert (job.value, handle.value) == (77, 5)
        return int(self._assigns)

    def CloseHandle(self, _job: Any) -> None:  # noqa: D102, N802
        self.calls.append("closed")


class _Callable:
    def __init__(self, value: int) -> None:
        self._value = value
        self.restype: Any = None

    def __call__(self, *_: Any) -> int:
        return self._value


def test_the_windows_job_object_kills_with_its_owner() -> None:
    kernel = Kernel()
    assert bind_to_this_process(5, kernel) == 77
    assert kernel.flags == 0x2000
    refusing = Kernel(assigns=False)
    assert bind_to_this_process(5, refusing) == 0
    assert refusing.calls == ["closed"]
    if ctypes.sizeof(ctypes.c_void_p) == 8:
        assert ctypes.sizeof(ExtendedLimits) == 144
    if sys.platform != "win32":
        assert bind_to_this_process(5) == 0


def test_version_and_registration(tmp_path: Path) -> None:
    import json

    from munet import __version__

    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "backend"]
    said = subprocess.run(
        [*command, "--register"], env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    facts = json.loads(said.stdout)
    assert (facts["version"], facts["protocol"]) == (__version__, 1)
    assert [json.loads(path.read_text()) for path in tmp_path.rglob("backend.json")] == [facts]
