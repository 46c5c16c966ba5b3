"""The parts of the broker that know no sockets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.broker.clients import ClientRegistry
from backend.broker.jobs import JobQueue
from backend.broker.settings import BrokerSettings
from backend.protocol import BackendError

IMAGE = np.zeros(10, np.uint8)


def test_first_come_first_served() -> None:
    queue = JobQueue()
    assert [queue.add(b"one", name, {}, IMAGE) for name in "abc"] == [0, 1, 2]
    first = queue.start_next()
    assert first is not None
    assert first.id == "a"
    assert queue.running is first
    assert queue.add(b"two", "a", {}, IMAGE) == 3
    assert [queue.position(job) for job in queue.waiting] == [1, 2, 3]
    assert queue.waiting_bytes == 30


def test_the_same_id_of_two_clients_is_two_jobs() -> None:
    queue = JobQueue()
    queue.add(b"one", "a", {}, IMAGE)
    queue.add(b"two", "a", {}, IMAGE)
    queue.start_next()
    mine, other = queue.find(b"one", "a"), queue.find(b"two", "a")
    assert mine is queue.running
    assert other is queue.waiting[0]
    assert queue.find(b"one", "b") is None
    queue.drop_waiting(b"two")
    assert queue.find(b"two", "a") is None


def test_silent_clients_are_lost_and_solitude_is_counted() -> None:
    registry = ClientRegistry(0.0)
    assert registry.alone_for(5.0) == 5.0
    registry.hear(b"a", 5.0)
    registry.tell_pid(b"a", 11)
    registry.hear(b"b", 6.0)
    assert registry.alone_for(50.0) == 0.0
    assert registry.lost(12.0, silence=6.5) == [b"a"]
    assert registry.lost(6.0, silence=6.5, dead_pid=11) == [b"a"]
    registry.excuse(12.0)
    assert registry.lost(13.0, silence=6.5) == []
    registry.forget(b"a", 20.0)
    registry.forget(b"b", 21.0)
    assert registry.alone_for(24.0) == 3.0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "*", "example.org"])
def test_no_network_without_encryption(host: str) -> None:
    with pytest.raises(BackendError) as caught:
        BrokerSettings(Path("x"), host=host).check()
    assert caught.value.code == "INSECURE_HOST"
    BrokerSettings(Path("x"), host=host, curve_secret="k").check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1"])
def test_loopback_is_allowed(host: str) -> None:
    BrokerSettings(Path("x"), host=host).check()


def test_the_secret_key_is_not_printed() -> None:
    assert "k3y" not in repr(BrokerSettings(Path("x"), curve_secret="k3y"))
