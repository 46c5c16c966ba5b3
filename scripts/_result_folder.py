"""A result folder that appears all at once, or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from _result_files import is_result

from backend.protocol.processes import process_alive

LONGEST_NAME = 200
"""Bytes of a folder's name: file systems take 255, and the hidden folder's name holds more."""
TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)\.(?P<kind>part|old)")


class ResultFolder:
    """Work in :attr:`path`, then :meth:`complete` it under its final name, or :meth:`discard` it.

    Args:
        final: where the folder shall appear; its parents are made if needed.
        overwrite: replace a result that is there instead of choosing another name; nothing else is ever replaced.

    Raises:
        OSError: the hidden folder can not be made.

    Attributes:
        path: the hidden folder to work in.
    """

    def __init__(self, final: Path, *, overwrite: bool) -> None:
        self.path = final.with_name(f".{final.name}.{os.getpid()}.part")
        self._final = final
        self._overwrite = overwrite
        self._made = [parent for parent in final.parents if not parent.exists()]
        self.path.mkdir(parents=True)

    def complete(self) -> Path:
        """Give the folder its final name and return it; an older result stays until then, or keeps its name."""
        if self._overwrite and is_result(self._final):
            _swap(self.path, self._final)
            return self._final
        while True:
            final = next(self._final.with_name(name) for name in numbered(self._final.name) if self._free(name))
            try:
                return self.path.rename(final)
            except OSError:
                if not final.exists():
                    raise

    def _free(self, name: str) -> bool:
        return not self._final.with_name(name).exists()

    def discard(self) -> None:
        """Remove everything, parents that were made for it and are empty too; safe after :meth:`complete`."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            for parent in self._made:
                parent.rmdir()


class ResultFolders:
    """Hands out the result folders of one batch below ``root``.

    Args:
        root: the folder of all results; made if needed.
        overwrite: replace the results of earlier batches instead of choosing another name.
    """

    def __init__(self, root: Path, *, overwrite: bool) -> None:
        self._root = root
        self._overwrite = overwrite
        self._taken: set[str] = set()

    def prepare(self) -> None:
        """Make the root and clean up after batches that were killed.

        Raises:
            OSError: the root can not be made.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        clean_up(self._root)

    def open(self, stem: str) -> ResultFolder:
        """Make the working folder for a photo.

        Raises:
            OSError: it can not be made.
        """
        name = self._free_name(folder_name(stem))
        folder = ResultFolder(self._root / name, overwrite=self._overwrite)
        self._taken.add(name_key(name))
        return folder

    def _free_name(self, stem: str) -> str:
        return next(name for name in numbered(stem) if self._is_free(name))

    def _is_free(self, name: str) -> bool:
        place = self._root / name
        return name_key(name) not in self._taken and (not place.exists() or (self._overwrite and is_result(place)))


def clean_up(root: Path) -> None:
    """Remove what batches that were killed have left in ``root``, and put results back that they were replacing.

    Raises:
        OSError: something can not be moved.
    """
    for path in list(root.iterdir()):
        temporary = TEMPORARY.fullmatch(path.name)
        if temporary and path.is_dir() and not process_alive(int(temporary["pid"])):
            final = root / temporary["name"]
            if temporary["kind"] == "old" and not final.exists():
                path.rename(final)
            else:
                shutil.rmtree(path, ignore_errors=True)


def folder_name(stem: str) -> str:
    """Return the name of the folder for a photo named ``stem``."""
    data = stem.encode(errors="surrogatepass")
    short = stem if len(data) <= LONGEST_NAME else data[:LONGEST_NAME].decode(errors="ignore")
    return short.strip(". ") or "photo"


def numbered(name: str) -> Iterator[str]:
    """Yield the name, then the name with -2, -3, ..."""
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def name_key(name: str) -> str:
    """Names that differ only in case are one name on Windows and macOS."""
    return name.casefold()


def _swap(new: Path, final: Path) -> None:
    old = final.with_name(f".{final.name}.{os.getpid()}.old")
    final.rename(old)
    try:
        new.rename(final)
    except BaseException:
        with contextlib.suppress(OSError):
            old.rename(final)
        raise
    shutil.rmtree(old, ignore_errors=True)
