"""Where the network files live on this machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from munet.errors import DiskFullError, ModelMissingError
from munet.models.packages import PackageError, download, extract

FOLDER_VARIABLE = "MUNET_MODELS"
_CHUNK = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
Report = Callable[[str], None]


@dataclass(frozen=True)
class ModelFile:
    """One file of the model list ``munet/assets/models.json``.

    Attributes:
        name: what the code calls it.
        kind: "pypi" or "npm".
        package: name of the package that carries it.
        version: exact version of that package.
        member: path inside the package.
        sha256: hash of the file.
        size: bytes.
        licence: SPDX identifier.
        purpose: one sentence.
        wheel: platform tag, Python version and ABI of the wheel that is opened (only opened, never installed).
    """

    name: str
    kind: str
    package: str
    version: str
    member: str
    sha256: str
    size: int
    licence: str
    purpose: str
    wheel: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Name in the store's folder."""
        return self.member.rsplit("/", 1)[-1]


def load_model_list() -> tuple[ModelFile, ...]:
    """Read the list of model files that ships with the code."""
    text = resources.files("munet").joinpath("assets/models.json").read_text("utf-8")
    return tuple(ModelFile(**{**entry, "wheel": tuple(entry.get("wheel", ()))}) for entry in json.loads(text)["files"])


def default_folder() -> Path:
    """Return the folder of the store: ``MUNET_MODELS`` where set, else the user's cache folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "munet" / "models"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "munet" / "models"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "munet" / "models"


class ModelStore:
    """The verified network files of this machine."""

    def __init__(self, folder: Path | None = None, files: Iterable[ModelFile] | None = None) -> None:
        """Open the store in ``folder`` (default: :func:`default_folder`); nothing is read yet.

        Args:
            folder: where the files are kept.
            files: the list to use instead of the one that ships with the code.
        """
        self.folder = default_folder() if folder is None else folder
        self.files = {file.name: file for file in (load_model_list() if files is None else files)}

    def path(self, name: str) -> Path:
        """Return the verified file ``name``; never touches the network.

        Raises:
            ModelMissingError: the file is not listed, absent or damaged.
        """
        file = self._listed(name)
        problem = self.problem(file)
        if problem:
            raise ModelMissingError(f"The model file {file.file_name} {problem}.", detail=f"Folder: {self.folder}.")
        return self.folder / file.file_name

    def problem(self, file: ModelFile) -> str:
        """Say what is wrong with ``file`` in the store; empty when it is there and whole."""
        path = self.folder / file.file_name
        if not path.is_file():
            return "is missing"
        size = path.stat().st_size
        if size != file.size:
            return f"is damaged (expected {file.size} bytes, found {size})"
        if hash_file(path) != file.sha256:
            return "is damaged (its SHA-256 differs from the listed one)"
        return ""

    def fetch(self, names: Iterable[str] | None = None, report: Report | None = None) -> list[Path]:
        """Make sure that files are in the store, downloading the packages of those that are missing or damaged.

        Args:
            names: files to fetch; all that are listed when None.
            report: receives a line of text per step.

        Raises:
            ModelMissingError: a package can not be downloaded or does not hold the listed file.
            DiskFullError: there is no room.
        """
        wanted = [self._listed(name) for name in (self.files if names is None else names)]
        missing = [file for file in wanted if self.problem(file)]
        by_package: dict[tuple[str, str, str], list[ModelFile]] = {}
        for file in missing:
            by_package.setdefault((file.kind, file.package, file.version), []).append(file)
        for group in by_package.values():
            self._fetch_package(group, report or _ignore)
        return [self.folder / file.file_name for file in wanted]

    def take(self, source: Path, report: Report | None = None) -> list[Path]:
        """Copy the files that are missing or damaged from the folder ``source``; the network is not used.

        Raises:
            ModelMissingError: a file is not there either, or is another one.
            DiskFullError: there is no room.
        """
        say = report or _ignore
        for file in self.files.values():
            if not self.problem(file):
                continue
            say(f"Copying {file.file_name}")
            try:
                self._copy(file, source / file.file_name)
            except OSError as error:
                raise self._not_stored(error) from error
        return [self.folder / file.file_name for file in self.files.values()]

    def _copy(self, file: ModelFile, path: Path) -> None:
        if not path.is_file() or hash_file(path) != file.sha256:
            found = "not there" if not path.is_file() else "another file"
            raise ModelMissingError(f"The model file {file.file_name} is missing.", detail=f"{path} is {found}.")
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".{file.file_name}.part"
        shutil.copyfile(path, partial)
        partial.replace(self.folder / file.file_name)

    def _listed(self, name: str) -> ModelFile:
        if name not in self.files:
            raise ModelMissingError(
                "An unknown model file was asked for.", detail=f"expected one of {sorted(self.files)}, found {name!r}"
            )
        return self.files[name]

    def _fetch_package(self, group: list[ModelFile], report: Report) -> None:
        first = group[0]
        report(f"Fetching {', '.join(file.file_name for file in group)} from {first.package} {first.version}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="fetch-", dir=self.folder) as scratch:
                archive = download(first.kind, first.package, first.version, first.wheel, Path(scratch))
                for file in group:
                    self._install(file, extract(archive, file.member, Path(scratch)))
        except PackageError as error:
            raise ModelMissingError(
                f"The model file {first.file_name} could not be fetched.", detail=str(error)
            ) from error
        except OSError as error:
            raise self._not_stored(error) from error

    def _not_stored(self, error: OSError) -> DiskFullError:
        hint = "Free some disk space" if error.errno in _NO_ROOM else "Make this folder writable"
        return DiskFullError(
            "The model files could not be stored.",
            detail=f"{self.folder}: {error.strerror or error}.",
            hint=f"{hint}, or name another one with the variable {FOLDER_VARIABLE}, and try again.",
        )

    def _install(self, file: ModelFile, unpacked: Path) -> None:
        found = hash_file(unpacked)
        if found != file.sha256:
            raise PackageError(
                f"{file.package} {file.version} holds another {file.file_name} than expected: "
                f"SHA-256 expected {file.sha256}, found {found}."
            )
        unpacked.replace(self.folder / file.file_name)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _ignore(line: str) -> None:
    del line
