"""Make the keys of a backend for other computers: ``python -m backend.keys server|client|allow FOLDER ...``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import zmq

from .protocol.errors import BackendError
from .protocol.keys import (
    KEY_LETTERS,
    PUBLIC_SUFFIX,
    SECRET_SUFFIX,
    read_public_key,
    write_key_file,
    write_public_key,
)

SERVER = "server"
CLIENTS = "clients"


def server_secret_file(folder: Path) -> Path:
    """Return where the key pair of the backend lies."""
    return folder / (SERVER + SECRET_SUFFIX)


def allowed_keys(folder: Path) -> dict[str, str]:
    """Return the public keys of the users that may connect, with their names; files that hold none are left out."""
    found = {}
    for path in sorted((folder / CLIENTS).glob(f"*{PUBLIC_SUFFIX}")):
        try:
            found[read_public_key(path)] = path.stem
        except BackendError:
            continue
    return found


def make_server(folder: Path) -> list[str]:
    """Make the backend's key pair and the folder for those who may connect; return what to tell."""
    public, secret = _new_pair()
    write_key_file(server_secret_file(folder), public, secret)
    write_public_key(folder / (SERVER + PUBLIC_SUFFIX), public)
    (folder / CLIENTS).mkdir(exist_ok=True)
    return [
        f"Public key of the backend: {public}",
        f"Start it with: python -m backend --listen tcp://0.0.0.0:5571 --curve-keys {folder} --idle-minutes 0",
    ]


def make_client(folder: Path, name: str) -> list[str]:
    """Make a key pair for a user and allow it; return what to tell."""
    public, secret = _new_pair()
    path = write_key_file(folder / (_checked(name) + SECRET_SUFFIX), public, secret)
    write_public_key(folder / CLIENTS / (name + PUBLIC_SUFFIX), public)
    return [
        f"Bring this file to {name} over a safe way, and remove it here: {path}",
        f"Public key of the backend: {read_public_key(folder / (SERVER + PUBLIC_SUFFIX))}",
    ]


def allow(folder: Path, name: str, public: str) -> list[str]:
    """Allow a user who has made the keys already; return what to tell.

    Raises:
        BackendError: KEY_FILE: name or key are malformed.
    """
    if len(public) != KEY_LETTERS or '"' in public:
        raise BackendError("KEY_FILE", "The public key is malformed.", detail=f"It has {len(public)} letters, not 40.")
    path = write_public_key(folder / CLIENTS / (_checked(name) + PUBLIC_SUFFIX), public)
    return [f"{name} may connect. Remove {path} to take that back."]


def _new_pair() -> tuple[str, str]:
    public, secret = zmq.curve_keypair()
    return public.decode(), secret.decode()


def _checked(name: str) -> str:
    if not re.fullmatch(r"[\w-]{1,64}", name) or name == SERVER:
        raise BackendError("KEY_FILE", "The name is malformed.", detail=f"Use letters and digits: {name!r}.")
    return name


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m backend.keys", description="Keys for a backend in the network.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (("server", "the backend's own"), ("client", "a user's"), ("allow", "a user's, made elsewhere")):
        command = verbs.add_parser(verb, help=text)
        command.add_argument("folder", type=Path)
        if verb != "server":
            command.add_argument("name")
        if verb == "allow":
            command.add_argument("public_key")
    options = parser.parse_args(words)
    try:
        if options.verb == "server":
            lines = make_server(options.folder)
        elif options.verb == "client":
            lines = make_client(options.folder, options.name)
        else:
            lines = allow(options.folder, options.name, options.public_key)
    except BackendError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
