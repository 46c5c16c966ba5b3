"""Who is connected. Knows no sockets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ConnectedClient:
    """One authenticated client: its process id (0 if unknown or on another computer) and when it was last heard."""

    pid: int
    heard: float
    remote: bool = False


class ClientRegistry:
    """The clients by routing identity, and for how long there has been none."""

    def __init__(self, now: float) -> None:
        self._clients: dict[bytes, ConnectedClient] = {}
        self._alone_since = now

    def __len__(self) -> int:
        return len(self._clients)

    def hear(self, identity: bytes, now: float, *, remote: bool = False) -> None:
        """Note a sign of life."""
        client = self._clients.setdefault(identity, ConnectedClient(0, now, remote))
        client.heard = now

    def tell_pid(self, identity: bytes, pid: int) -> None:
        """Note the process id of a client; that of one on another computer says nothing here."""
        client = self._clients.get(identity)
        if client is not None and not client.remote:
            client.pid = pid or client.pid

    def forget(self, identity: bytes, now: float) -> None:
        """Remove a client."""
        if self._clients.pop(identity, None) is not None:
            self._alone_since = now

    def excuse(self, now: float) -> None:
        """Count the silence of everybody anew."""
        for client in self._clients.values():
            client.heard = now

    def lost(self, now: float, silence: float, dead_pid: int = 0) -> list[bytes]:
        """Return the clients that were silent for too long or belong to the process ``dead_pid``."""
        return [
            identity
            for identity, client in self._clients.items()
            if now - client.heard > silence or (dead_pid and client.pid == dead_pid)
        ]

    def alone_for(self, now: float) -> float:
        """Return for how many seconds no client has been connected."""
        return 0.0 if self._clients else now - self._alone_since
