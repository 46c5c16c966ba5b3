"""A clip in place of photos: the backend reads its frames itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from _backend_session import BackendSession
from _batch import Batch, Listener, Plan, Sent, unreadable

from backend.client import Job
from backend.protocol.errors import ExplainedError
from munet.errors import InvalidInputError
from munet.sequence.frames import clip_paths


class ClipBatch(Batch):
    """Runs one clip as :class:`Batch` runs photos."""

    def __init__(self, plan: Plan, session: BackendSession, listener: Listener, clip: Mapping[str, Any]) -> None:
        super().__init__(plan, session, listener)
        self._clip = clip

    def _send(self, index: int, photo: Path) -> Sent:
        sent = Sent(index, photo)
        try:
            sent.job = self._submit(sent)
        except ExplainedError as error:
            sent.problem = error
        except InvalidInputError as error:
            sent.problem = ExplainedError(error.code, error.title, detail=error.detail, hint=error.hint)
        except OSError as error:
            sent.problem = unreadable(photo, error)
        return sent

    def _submit(self, sent: Sent) -> Job:
        files = clip_paths(sent.photo.absolute())
        return self._session.submit_clip(files, sent.photo.stem, self._plan.settings, self._clip)
