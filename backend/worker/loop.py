"""The worker's loop: take a job, run it, answer. What a job does is given by the caller."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..protocol import messages
from ..protocol.errors import BackendError
from ..protocol.framing import Array, Message
from .link import Start, WorkerLink, read_start

log = logging.getLogger("backend.worker")

REPORT_SECONDS = 0.1
Outcome = tuple[dict[str, Any], dict[str, Array]]


@dataclass(frozen=True)
class WorkerJob:
    """One photo, or clip, to work on; ``kind`` says what is wanted, ``body`` everything else (docs/protocol.md)."""

    name: str
    image: bytes = field(repr=False)
    settings: dict[str, Any]
    kind: str = "photo"
    body: dict[str, Any] = field(default_factory=dict)


class Report(Protocol):
    """Reports progress; raises :class:`BackendError` CANCELLED if the job shall stop."""

    def __call__(self, stage: str, index: int, count: int, fraction: float, text: str) -> None:
        """Report that ``fraction`` of the whole job is done, in stage ``index`` of ``count``."""


Work = Callable[[WorkerJob, Report], Outcome]


def serve(make_work: Callable[[Start], Work], facts: Callable[[], dict[str, Any]]) -> None:
    """Run jobs until the broker ends this process.

    Args:
        make_work: builds the function that runs a job, which returns body and arrays of the ``result`` message and
            raises :class:`BackendError` for every failure that it can explain.
        facts: what the heartbeat says about this process.
    """
    start = read_start()
    link = WorkerLink(start, facts)
    link.start()
    work = make_work(start)
    while (order := link.orders.get()) is not None:
        _run(order, work, link)
    link.close()


def _run(order: Message, work: Work, link: WorkerLink) -> None:
    body = order.body
    kind = str(body.get("kind", "photo"))
    job = WorkerJob(body["name"], order.arrays["image"].tobytes(), body.get("settings", {}), kind, body)
    log.info("Job %s: %s", order.id, job.name)
    try:
        answer, arrays = work(job, _reporter(order.id, link))
        link.send(messages.RESULT, order.id, answer, arrays=arrays)
    except BackendError as error:
        log.info("Job %s failed: %s", order.id, error)
        failed = messages.CANCELLED if error.code == "CANCELLED" else messages.ERROR
        link.send(failed, order.id, error.body())


def _reporter(message_id: str, link: WorkerLink) -> Report:
    sent_at, sent_stage = 0.0, ""

    def report(stage: str, index: int, count: int, fraction: float, text: str) -> None:
        nonlocal sent_at, sent_stage
        if link.is_cancelled(message_id):
            raise BackendError("CANCELLED", "The job was cancelled.")
        now = time.monotonic()
        if stage == sent_stage and now - sent_at < REPORT_SECONDS:
            return
        sent_at, sent_stage = now, stage
        body = {"stage": stage, "index": index, "count": count, "fraction": fraction, "text": text}
        link.send(messages.PROGRESS, message_id, body)

    return report
