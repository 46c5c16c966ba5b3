"""A worker that does no work: it answers with synthetic people, or misbehaves as told."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from typing import Any

import numpy as np

from backend.protocol.errors import BackendError
from backend.protocol.results import join_result
from backend.worker.link import Start
from backend.worker.loop import Outcome, Report, Work, WorkerJob, serve
from backend.worker.memory import held_bytes
from tests.backend.capsule_person import as_file, capsule_person

STAGES = ("read", "people", "body", "network", "surface", "texture", "preview")
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM")
ERRORS = {
    "nobody": BackendError("NO_PERSON", "Nobody was found in the photo.", hint="Use a photo with a visible person."),
    "unreadable": BackendError("IMAGE_UNREADABLE", "The file is not an image.", hint="Save it again as JPEG or PNG."),
    "memory": BackendError("OUT_OF_MEMORY", "The device ran out of memory.", hint="Choose the Draft preset."),
    "error": BackendError("INTERNAL", "Something unexpected went wrong in the backend.", detail="On purpose."),
}
PHOTO_MODES = ("normal", "slow", "two", "crash", "hang", "freeze", "exit", "orphan", *ERRORS)


def work_in(mode: str, seconds: float) -> Work:
    """Return the function that runs a job; in the mode "by-name" the photo's name begins with its mode."""

    def work(job: WorkerJob, report: Report) -> Outcome:
        own = next((known for known in PHOTO_MODES if job.name.startswith(known)), "normal")
        chosen = own if mode == "by-name" else mode
        if job.kind != "sequence" and not job.image.startswith(SIGNATURES) and chosen not in ERRORS:
            chosen = "unreadable"
        for index, stage in enumerate(STAGES):
            report(stage, index, len(STAGES), index / len(STAGES), stage.capitalize())
            if index == 2:
                misbehave(chosen)
            pause(20.0 * seconds if chosen == "slow" else seconds, stage, index, report)
        if job.kind == "sequence":
            return clip_outcome(len(job.image.split(b"\n")))
        if job.kind == "people":
            return found(2)
        return outcome(2 if chosen == "two" else 1, files=job.body.get("pictures") == "png")

    return work


def pause(seconds: float, stage: str, index: int, report: Report) -> None:
    """Pretend to work for a while, reporting all the time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))
        report(stage, index, len(STAGES), (index + 1 - max(left, 0.0) / seconds) / len(STAGES), stage.capitalize())


def misbehave(mode: str) -> None:
    """Do what ``mode`` says in the middle of a job."""
    if mode in ERRORS:
        raise ERRORS[mode]
    if mode == "crash":
        os.kill(os.getpid(), signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    if mode == "orphan":
        os.kill(os.getppid(), signal.SIGKILL)
    if mode == "exit":
        sys.stderr.write("a library said goodbye\n")
        sys.stderr.flush()
        os._exit(7)
    if mode == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    if mode == "hang":
        time.sleep(3600.0)


def outcome(count: int, *, files: bool) -> Outcome:
    """Return a result with ``count`` people, their textures as pixels or as ``files``."""
    persons = [capsule_person(index) for index in range(count)]
    for arrays, _ in persons if files else ():
        arrays["texture_png"] = as_file(arrays.pop("texture"))
    seconds = dict.fromkeys(STAGES, 0.01)
    preview = np.tile(np.linspace(0, 255, 90).astype(np.uint8)[:, None, None], (1, 160, 3))
    return join_result(persons, seconds, [], preview, {"backend": "fake", "device": "cpu"})


def clip_outcome(count: int) -> Outcome:
    """Return a person who stands still for ``count`` frames."""
    arrays, told = capsule_person(0)
    arrays |= {
        "pose_sequence": np.repeat(arrays["pose"][None], count, 0),
        "translation_sequence": np.repeat(arrays["translation"][None], count, 0),
        "confidence_sequence": np.ones(count, np.float32),
        "frame_sequence": np.arange(count, dtype=np.int32),
    }
    picture = np.zeros((8, 8, 3), np.uint8)
    return join_result([(arrays, {**told, "fps": 25.0, "still": 0})], {}, [], picture, {"backend": "fake"})


def found(count: int) -> Outcome:
    """Return what looking for people gives."""
    picture, box = np.full((64, 64, 3), 128, np.uint8), np.zeros(4, np.float32)
    persons = [({"box": box, "picture": picture}, {"score": 1.0}) for _ in range(count)]
    return join_result(persons, {}, [], picture, {"backend": "fake", "device": "cpu"})


def facts() -> dict[str, Any]:
    """Return what the heartbeat says."""
    return {"pid": os.getpid(), "memory": held_bytes()}


def main() -> None:
    """Serve the broker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=("by-name", *PHOTO_MODES), default="normal")
    parser.add_argument("--seconds", type=float, default=0.02, help="per stage")
    options = parser.parse_args()

    def make_work(_: Start) -> Work:
        return work_in(options.mode, options.seconds)

    serve(make_work, facts)


if __name__ == "__main__":
    main()
