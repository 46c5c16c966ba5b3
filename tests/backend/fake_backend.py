"""A backend for tests: ``python -m tests.backend.fake_backend --mode MODE``, with the options of the real one.

It is the real broker with a worker that only pretends (``fake_worker``), or, for the modes that break the protocol,
a few lines that answer wrongly. Needs neither torch nor the method.

Modes of the worker: normal, slow (0.4 s a stage), two (two people), crash, exit, hang, freeze, orphan (kills the
broker), nobody, unreadable, memory, error, and by-name: each photo's file name begins with its own mode. Modes of the
whole backend: garbage, version (another protocol), bad-token, mute (never answers), die (ends in the middle of a job),
late (starts slowly), no-start (ends at once).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import argparse
import dataclasses
from typing import Any

import zmq

from backend.__main__ import log_to, parse, run_broker, settings_from
from backend.protocol import messages
from backend.protocol.framing import Frame, Message, decode, encode
from backend.protocol.processes import process_alive
from backend.protocol.runfile import RunFile, new_token, write_run_file
from backend.protocol.version import MAJOR
from tests.backend.fake_worker import PHOTO_MODES

LIARS = ("garbage", "version", "bad-token", "mute", "die")


def options_from(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split off the options that only this backend has."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--mode", choices=("by-name", *PHOTO_MODES, *LIARS, "late", "no-start"), default="normal")
    parser.add_argument("--seconds", type=float, default=0.02, help="per stage")
    parser.add_argument("--silence", type=float, default=45.0, help="hung without heartbeat")
    parser.add_argument("--stall", type=float, default=900.0, help="hung without progress")
    parser.add_argument("--grace", type=float, default=5.0, help="after a cancellation")
    parser.add_argument("--unload", type=float, default=600.0, help="seconds until an idle worker ends")
    parser.add_argument("--client-silence", type=float, default=10.0, help="seconds until a client counts as gone")
    parser.add_argument("--max-jobs", type=int, default=1000)
    return parser.parse_known_args(arguments)


def lie(mode: str, run_path: Path, parent: int) -> None:
    """Answer wrongly until the parent is gone."""
    context: zmq.Context[Any] = zmq.Context()
    socket: zmq.Socket[Any] = context.socket(zmq.ROUTER)
    socket.linger = 0
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    write_run_file(RunFile("127.0.0.1", port, os.getpid(), MAJOR, new_token(), time.time()), run_path)
    end = time.monotonic() + 120.0
    while time.monotonic() < end and (not parent or process_alive(parent)):
        if socket.poll(100):
            identity, *frames = socket.recv_multipart()
            for answer in wrong_answers(mode, decode(frames)):
                socket.send_multipart([identity, *answer])


def wrong_answers(mode: str, message: Message) -> list[list[Frame]]:
    """Return what a backend in this mode answers."""
    if mode == "garbage":
        return [[b"\x00\xffrubbish", b"and more"]]
    if mode == "version":
        header = b'{"v":[99,0],"type":"welcome","id":"hello","new":{"shape":"of things"}}'
        return [[header]]
    if mode == "bad-token":
        body = {"code": "AUTH", "title": "The backend refused the connection.", "detail": "The token is wrong."}
        return [encode(Message(messages.ERROR, message.id, body))]
    if mode == "die" and message.type == messages.SUBMIT:
        os._exit(1)
    kinds = {messages.HELLO: messages.WELCOME, messages.PING: messages.PONG, messages.BYE: messages.DONE}
    if mode == "die" and message.type in kinds:
        return [encode(Message(kinds[message.type], message.id))]
    return []


def main() -> int:
    """Run until nobody needs it."""
    own, rest = options_from(sys.argv[1:])
    common = parse(rest)
    if own.mode == "no-start":
        sys.stderr.write("ModuleNotFoundError: No module named 'zmq'\n")
        return 1
    if own.mode == "late":
        time.sleep(1.0)
    log_to(common.log_file)
    settings = settings_from(common)
    if own.mode in LIARS:
        lie(own.mode, settings.run_path, settings.parent_pid)
        return 0
    mode = "normal" if own.mode == "late" else own.mode
    worker = (sys.executable, "-m", "tests.backend.fake_worker", "--mode", mode, "--seconds", str(own.seconds))
    os.chdir(Path(__file__).resolve().parents[2])
    settings = dataclasses.replace(
        settings,
        worker_command=worker,
        worker_silence=own.silence,
        worker_stall=own.stall,
        cancel_grace=own.grace,
        idle_unload=own.unload,
        client_silence=own.client_silence,
        max_jobs=own.max_jobs,
    )
    return run_broker(settings, "fake")


if __name__ == "__main__":
    sys.exit(main())
