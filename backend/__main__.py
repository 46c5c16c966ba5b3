"""Run the backend: ``python -m backend``."""

from __future__ import annotations

import argparse
import json
import logging
import logging.handlers
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from munet import __version__

from .broker import Broker, BrokerSettings
from .broker.limits import raise_file_limit
from .keys import allowed_keys, server_secret_file
from .protocol.errors import BackendError
from .protocol.keys import read_key_file
from .protocol.places import make_private_dir, runtime_dir
from .register import facts, register

EXIT_CODES = {"RUNTIME_DIR": 3, "PORT": 4, "INSECURE_HOST": 5, "KEY_FILE": 5}
LOG_BYTES = 5_000_000
LOG_COPIES = 3


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m backend", description=__doc__)
    parser.add_argument("--parent-pid", type=int, default=0, help="end together with this process")
    parser.add_argument("--runtime-dir", type=Path, help="folder of the run file (default: the user's own)")
    parser.add_argument("--name", default="backend", help="the run file is <name>.json")
    parser.add_argument("--device", default="auto", help="torch device (default: auto)")
    parser.add_argument("--idle-minutes", type=float, default=10.0, help="end after this long alone; 0: never")
    parser.add_argument("--unload-minutes", type=float, default=10.0, help="free the models after this long unused")
    parser.add_argument("--memory-gigabytes", type=float, default=0.0, help="most memory of a photo; 0: no limit")
    parser.add_argument("--warm", action="store_true", help="start the worker at once: a job will follow")
    parser.add_argument("--log-file", type=Path, help="rotating log (default: standard error)")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument("--listen", default="", help="tcp://address:port for other computers; needs --curve-keys")
    parser.add_argument("--curve-keys", type=Path, help="folder made by python -m backend.keys")
    parser.add_argument("--version", action="store_true", help="print version and protocol, and end")
    parser.add_argument("--register", action="store_true", help="let the add-on find this backend, and end")
    parser.add_argument("--host", default="127.0.0.1", help="address; other than loopback only with a CURVE key")
    parser.add_argument("--curve-secret-file", type=Path, help="file with the secret CURVE key (Z85)")
    return parser.parse_args(arguments)


def settings_from(options: argparse.Namespace) -> BrokerSettings:
    """Turn the command line into settings and create the private directory.

    Raises:
        BackendError: the directory or the key file can not be used.
    """
    folder: Path | None = options.curve_keys
    secret = read_key_file(server_secret_file(folder))[1] if folder else _read_secret(options.curve_secret_file)
    directory = make_private_dir(options.runtime_dir or runtime_dir())
    return BrokerSettings(
        run_path=directory / f"{options.name}.json",
        host=options.host,
        curve_secret=secret,
        listen=options.listen,
        allowed=(lambda: allowed_keys(folder)) if folder else None,
        memory_limit=int(options.memory_gigabytes * 1e9),
        parent_pid=options.parent_pid,
        device=options.device,
        idle_exit=60.0 * options.idle_minutes,
        idle_unload=60.0 * options.unload_minutes,
        warm=options.warm,
        log_file=options.log_file,
    )


def run_broker(settings: BrokerSettings, version: str) -> int:
    """Serve until the end and return the exit status."""
    raise_file_limit()
    try:
        broker = Broker(settings, version)
    except BackendError as error:
        return report(error)
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: broker.stop())
    broker.run()
    return 0


def report(error: BackendError) -> int:
    """Write the error and return the exit status that stands for it."""
    sys.stderr.write(f"{error}\n")
    return EXIT_CODES.get(error.code, 1)


def log_to(path: Path | None, level: str = "info") -> None:
    """Send the log to a rotating file, or to standard error."""
    handler: logging.Handler = logging.StreamHandler()
    if path is not None:
        make_private_dir(path.parent)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=LOG_BYTES, backupCount=LOG_COPIES, encoding="utf-8"
        )
    logging.basicConfig(
        level=level.upper(), handlers=[handler], format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s"
    )


def _read_secret(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise BackendError("INSECURE_HOST", f"The key file {path} can not be read.", detail=str(error)) from error


def main() -> int:
    """Run the backend and return the exit status."""
    options = parse(sys.argv[1:])
    if options.version or options.register:
        sys.stdout.write(json.dumps(facts()) + "\n")
        if options.register:
            register()
        return 0
    try:
        log_to(options.log_file, options.log_level)
        return run_broker(settings_from(options), __version__)
    except BackendError as error:
        return report(error)


if __name__ == "__main__":
    sys.exit(main())
