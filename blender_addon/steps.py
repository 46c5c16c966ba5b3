"""Long work on Blender's data in short steps, between which the window lives. No bpy.

A function that works in steps is a generator. It yields ``None`` where Blender may have a turn, :data:`DRAW` where it
must have one, and :class:`Beside` for a calculation without Blender, whose result it gets back. :func:`run_through`
does it all at once, for scripts; :class:`Stepwise` spreads it over the ticks of a timer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
DRAW = "draw"


@dataclass(frozen=True)
class Beside:
    """A calculation that touches nothing of Blender's and may have a thread of its own."""

    call: Callable[[], Any]


Steps = Generator[Any, Any, T]


class Traces(Protocol):
    """What knows what the steps have made, and takes it away if they do not end well."""

    def note(self) -> None:
        """Take the present state for one in which nothing of it is new."""

    def collect(self) -> None:
        """Remember what is new."""

    def remove(self) -> None:
        """Take away what is remembered."""


def run_through(steps: Steps[T]) -> T:
    """Do all ``steps`` now."""
    answer: Any = None
    while True:
        try:
            asked = steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        answer = asked.call() if isinstance(asked, Beside) else None


class Stepwise:
    """Steps spread over many short turns.

    Between two turns the user may do anything. Undo, redo and another file make everything that the steps hold
    invalid; then they begin again.

    Args:
        begin: makes the steps.
        traces: of what they make.
        expected: about how many there are.
        upheavals: counts what makes Blender's data invalid.
    """

    def __init__(
        self, begin: Callable[[], Steps[Any]], traces: Traces, expected: int, upheavals: Callable[[], int]
    ) -> None:
        self.result: Any = None
        self.finished = False
        self._begin, self._traces, self._expected, self._upheavals = begin, traces, expected, upheavals
        self._seen, self._done = upheavals(), 0
        self._steps = begin()
        self._beside: Future[Any] | None = None

    @property
    def valid(self) -> bool:
        """Whether what the steps hold is still there."""
        return self._upheavals() == self._seen

    @property
    def fraction(self) -> float:
        """How far it is, in [0, 1]."""
        return min(self._done / max(self._expected, 1), 1.0)

    def advance(self, seconds: float) -> bool:
        """Do steps for about so long, at least one unless a calculation is under way; returns whether all are done.

        Raises:
            Exception: whatever a step raises; what the steps have made is taken away before.
        """
        if not self.valid:
            self._begin_again()
        end = time.monotonic() + seconds
        self._traces.note()
        try:
            while self._step() and time.monotonic() < end:
                pass
        except BaseException:
            self._traces.collect()
            self._traces.remove()
            raise
        self._traces.collect()
        return self.finished

    def abort(self) -> None:
        """Stop, and take away what was made."""
        self._traces.note()
        self._steps.close()
        self._traces.remove()

    def _begin_again(self) -> None:
        self._seen, self._done, self._beside, self.finished = self._upheavals(), 0, None, False
        self._steps.close()
        self._traces.remove()
        self._steps = self._begin()

    def _step(self) -> bool:
        """Do one step; returns whether the next one may follow at once."""
        if self._beside is None:
            asked = self._next(self._steps.send, None)
        elif not self._beside.done():
            return False
        else:
            ended, self._beside = self._beside, None
            failure = ended.exception()
            asked = self._next(self._steps.throw, failure) if failure else self._next(self._steps.send, ended.result())
        self._done += 1
        if isinstance(asked, Beside):
            self._beside = _in_thread(asked.call)
        return asked is None and not self.finished

    def _next(self, resume: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401 - what the steps yield
        try:
            return resume(value)
        except StopIteration as end:
            self.result, self.finished = end.value, True
            return None


def _in_thread(call: Callable[[], Any]) -> Future[Any]:
    """Call in a daemon thread, which does not hold up the exit of Blender."""
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            future.set_exception(error)

    threading.Thread(target=work, name="munet-beside", daemon=True).start()
    return future
