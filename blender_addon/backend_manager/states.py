"""The states of the backend as this Blender sees it, and the ways between them. No bpy."""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Where the backend is in its life."""

    NOT_INSTALLED = "not installed"
    INSTALLING = "installing"
    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    STOPPING = "stopping"
    FAILED = "failed"
    UPDATE_NEEDED = "update needed"


RESTING = frozenset({State.NOT_INSTALLED, State.STOPPED, State.UPDATE_NEEDED})
"""What a look at the disk decides between, as long as nothing runs."""

SETTLED = RESTING | {State.FAILED}
"""Nothing changes until somebody asks for it."""

RUNNING = frozenset({State.READY, State.BUSY})
"""There is a backend to submit to."""

NEXT: dict[State, frozenset[State]] = {
    State.NOT_INSTALLED: frozenset({State.STARTING, State.INSTALLING, State.FAILED, *RESTING}),
    State.STOPPED: frozenset({State.STARTING, State.INSTALLING, State.FAILED, *RESTING}),
    State.UPDATE_NEEDED: frozenset({State.STARTING, State.INSTALLING, State.FAILED, *RESTING}),
    State.INSTALLING: frozenset({State.FAILED, *RESTING}),
    State.STARTING: frozenset({State.READY, State.FAILED, State.STOPPING}),
    State.READY: frozenset({State.BUSY, State.FAILED, State.STOPPING}),
    State.BUSY: frozenset({State.READY, State.FAILED, State.STOPPING}),
    State.STOPPING: frozenset({State.STOPPED}),
    State.FAILED: frozenset({State.STARTING, State.INSTALLING, State.STOPPING, State.FAILED, *RESTING}),
}


def may_go(old: State, new: State) -> bool:
    """Return whether there is a way from ``old`` to ``new``."""
    return new in NEXT[old]
