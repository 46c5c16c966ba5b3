"""The handle of a job on the client's side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..protocol import messages
from ..protocol.errors import BackendError, ProtocolError
from ..protocol.framing import Message
from ..protocol.results import JobResult, split_result

JobState = Literal["sent", "queued", "running", "done", "failed", "cancelled"]


@dataclass
class Job:
    """One submitted photo; changes only inside ``Client.pump`` and ``Client.wait``.

    Attributes:
        id: unique identifier.
        name: of the photo.
        state: where the job is.
        position: jobs before this one.
        stage: name of the current stage.
        stage_index, stage_count: of the current stage, from 0.
        fraction: of the whole job, in [0, 1].
        text: one line for the user.
        result: present when the state is "done".
        error: present when the state is "failed" or "cancelled".
        cancel_requested: the user has asked to cancel.
    """

    id: str
    name: str
    state: JobState = "sent"
    position: int = 0
    stage: str = ""
    stage_index: int = 0
    stage_count: int = 0
    fraction: float = 0.0
    text: str = ""
    result: JobResult | None = None
    error: BackendError | None = None
    cancel_requested: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to this job."""
        return self.state in {"done", "failed", "cancelled"}

    def apply(self, message: Message) -> None:
        """Take over what the backend says about this job; anything after the end is ignored."""
        if self.finished:
            return
        try:
            self._apply(message)
        except ProtocolError as error:
            self.fail(error)
        except (TypeError, ValueError) as error:
            self.fail(ProtocolError("An answer of the backend is malformed.", detail=str(error)))

    def _apply(self, message: Message) -> None:
        body = message.body
        if message.type == messages.ACCEPTED:
            self.state, self.position = "queued", int(body.get("position", 0))
        elif message.type == messages.PROGRESS:
            self._advance(message)
        elif message.type == messages.RESULT:
            self.result = split_result(body, message.arrays)
            self.state, self.fraction = "done", 1.0
        elif message.type == messages.ERROR:
            self.fail(BackendError.from_body(body))
        elif message.type == messages.CANCELLED:
            self.state, self.error = "cancelled", BackendError("CANCELLED", "The job was cancelled.")

    def _advance(self, message: Message) -> None:
        body = message.body
        self.state = "queued" if body.get("queued") else "running"
        self.position = int(body.get("position", 0))
        self.stage = str(body.get("stage", ""))
        self.stage_index, self.stage_count = int(body.get("index", 0)), int(body.get("count", 0))
        self.fraction = min(max(float(body.get("fraction", 0.0)), 0.0), 1.0)
        self.text = str(body.get("text", ""))

    def fail(self, error: BackendError) -> None:
        """End the job with ``error`` unless it has already ended."""
        if not self.finished:
            self.state, self.error = ("cancelled" if error.code == "CANCELLED" else "failed"), error
