"""What the user sees while a batch runs: one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import shutil
import sys


class Console:
    """Lines for results and errors, and one progress line that is drawn only on a terminal."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        for stream in (sys.stdout, sys.stderr):
            # File names may hold what a terminal or a file on Windows can not show.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        self._drawn = False

    def progress(self, text: str) -> None:
        """Draw ``text`` over the progress line."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\x1b[K" + text[:width])
            sys.stderr.flush()
            self._drawn = True

    def clear(self) -> None:
        """Remove the progress line."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False

    def say(self, text: str) -> None:
        """Write a line about a success."""
        self.clear()
        print(_one_line(text), flush=True)

    def complain(self, text: str) -> None:
        """Write a line about a failure or a warning."""
        self.clear()
        print(_one_line(text), file=sys.stderr, flush=True)


def _one_line(text: str) -> str:
    return " ".join(text.split())
