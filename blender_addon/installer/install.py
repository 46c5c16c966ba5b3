"""The installation itself, step by step in a task's thread. No bpy."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..backend_manager.installation import Installation, environment_python, find_installation
from ..backend_manager.task import Ended, Task
from ..errors import AddonError
from . import folders
from .bundle import Bundle
from .explain import explain
from .hardware import Hardware, this_computer
from .interpreters import Maker, find_maker
from .variants import Choice, Variant, choose, torch_backend

UV = "uv==0.13.8"
"""Fetched where a build of torch is needed that only uv knows how to find, and there is no uv."""

_PROBE = "import cv2, numpy, onnxruntime, scipy, torch, zmq; import ai_edge_litert.interpreter"
_QUIET = ("--disable-pip-version-check", "--no-input")
_OFFLINE_UV = ("--offline", "--no-python-downloads")


@dataclass(frozen=True)
class Order:
    """What the user wants.

    Attributes:
        folder: to install into; see :func:`folders.own_folder`.
        variant: build of the libraries, or "auto".
        wheels: folder with every wheel; None takes them from the network.
        models: folder of the model files; empty takes the user's own.
        fresh: make everything again, also what seems complete.
        probe: statement that has to run in the finished environment.
    """

    folder: Path
    variant: str = "auto"
    wheels: Path | None = None
    models: str = ""
    fresh: bool = False
    probe: str = _PROBE


@dataclass
class Installed:
    """What came of it.

    Attributes:
        installation: the finished environment.
        notes: what the user should know.
        seconds: by step.
    """

    installation: Installation
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def install_task(order: Order, bundle: Bundle) -> Task:
    """Return the task that installs ``bundle``; the same one repairs, resumes and updates."""
    folder = folders.own_folder(order.folder.absolute())
    order = replace(order, wheels=order.wheels.absolute() if order.wheels else None)
    return Task("install", lambda task: _Installer(task, folder, order, bundle).run(), folder / folders.LOG)


def remove_task(folder: Path) -> Task:
    """Return the task that removes what was installed in ``folder``."""

    def work(task: Task) -> None:
        task.report(0.5, "Removing the backend")
        folders.remove(folder)

    return Task("remove", work)


class _Installer:
    """One installation; every step can be repeated after an interruption."""

    def __init__(self, task: Task, folder: Path, order: Order, bundle: Bundle) -> None:
        self.task = task
        self.folder = folder
        self.order = order
        self.bundle = bundle
        self.seconds: dict[str, float] = {}
        self._began = time.monotonic()

    def run(self) -> Installed:
        """Install and return what is there now."""
        self.task.report(0.0, "Looking at this computer")
        folders.claim(self.folder)
        with folders.locked(self.folder):
            hardware = this_computer()
            choice = choose(hardware, self.order.variant)
            maker = find_maker(self.order.wheels)
            self._log(f"{hardware} {choice.variant.name} {maker}")
            name = self.bundle.environment_name(choice.variant.name, maker.version)
            environment = self._libraries(name, choice, maker, hardware)
            python = environment_python(environment)
            self._backend(python, maker)
            notes = [note for note in (choice.note, self._models(python)) if note]
            folders.finish_environment(self.folder, name, self._facts(choice.variant, maker))
            self._note_time("models")
        installation = find_installation(self.folder)
        if installation is None:
            raise AddonError("INSTALL", "The backend could not be installed.", detail=str(self.folder))
        self.task.report(1.0, "Installed")
        return Installed(installation, notes, self.seconds)

    def _facts(self, variant: Variant, maker: Maker) -> dict[str, object]:
        return {
            "version": self.bundle.version,
            "protocol": self.bundle.protocol,
            "fingerprint": self.bundle.fingerprint,
            "variant": variant.name,
            "python": "{}.{}".format(*maker.version),
            "finished": int(time.time()),
        }

    def _libraries(self, name: str, choice: Choice, maker: Maker, hardware: Hardware) -> Path:
        """Return the environment with all locked libraries, which an earlier installation may have left complete."""
        if self.order.fresh:
            (self.folder / name / folders.LIBRARIES).unlink(missing_ok=True)
        if (self.folder / name / folders.LIBRARIES).is_file():
            return self.folder / name
        folders.check_room(self.folder, choice.variant.disk)
        environment = folders.start_environment(self.folder, name)
        self._make(environment, maker)
        self._note_time("environment")
        lock = self.bundle.requirement_files(choice.variant.name)
        source = torch_backend(choice.variant, hardware) if self.order.wheels is None else ""
        if maker.uv:
            self._uv_install(maker.program, environment, lock, source)
        else:
            self._pip_install(environment, lock, source)
        self._note_time("libraries")
        self.task.report(0.86, "Checking the libraries")
        self._run([str(environment_python(environment)), "-c", self.order.probe])
        (environment / folders.LIBRARIES).write_text(choice.variant.name, encoding="utf-8")
        self._note_time("check")
        return environment

    def _make(self, environment: Path, maker: Maker) -> None:
        self.task.report(0.02, "Making an environment")
        if maker.uv:
            # pip fetches the model files; without network they come from the folder, and pip where there is one.
            how = _OFFLINE_UV if self.order.wheels else ("--seed",)
            number = "{}.{}".format(*maker.version)
            self._run([str(maker.program), "venv", *how, "--python", number, str(environment)])
            if self.order.wheels:
                self._run_quietly([str(environment_python(environment)), "-m", "ensurepip"])
        else:
            self._run([str(maker.program), "-m", "venv", str(environment)])

    def _uv_install(self, uv: Path, environment: Path, lock: Sequence[Path], source: str) -> None:
        where = ["--python", str(environment_python(environment)), "--link-mode", "copy"]
        where += ["--torch-backend", source] if source else []
        where += self._offline()
        files = [word for path in lock for word in ("-r", str(path))]
        self.task.report(0.06, "Fetching the libraries")
        self._run([str(uv), "pip", "install", *where, *files], lock)

    def _pip_install(self, environment: Path, lock: Sequence[Path], source: str) -> None:
        """Fetch everything, then install it: what was fetched before an interruption need not be fetched again."""
        python = str(environment_python(environment))
        if source:
            self._torch_by_uv(python, lock, source)
        files = [word for path in lock for word in ("-r", str(path))]
        offline = self._offline()
        if not offline and not source:
            store = self.folder / folders.DOWNLOADS
            store.mkdir(exist_ok=True)
            self.task.report(0.06, "Fetching the libraries")
            self._run([python, "-m", "pip", "download", *_QUIET, "--dest", str(store), *files], lock)
            offline = ["--no-index", "--find-links", str(store)]
        self.task.report(0.6 if self.order.wheels is None else 0.1, "Installing the libraries")
        # What is used is compiled by the check that follows; the rest may stay as it is.
        self._run([python, "-m", "pip", "install", "--no-compile", *_QUIET, *offline, *files], lock)

    def _torch_by_uv(self, python: str, lock: Sequence[Path], source: str) -> None:
        self.task.report(0.06, "Fetching PyTorch")
        self._run([python, "-m", "pip", "install", *_QUIET, UV])
        pinned = next(line for path in lock for line in _pins(path) if line.startswith("torch=="))
        uv = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend", source]
        self._run([*uv, pinned], lock)

    def _offline(self) -> list[str]:
        return ["--no-index", "--find-links", str(self.order.wheels)] if self.order.wheels else []

    def _backend(self, python: Path, maker: Maker) -> None:
        """Put the backend's own wheel into the environment; it has to name itself correctly."""
        self.task.report(0.9, "Installing the backend")
        pip = [str(python), "-m", "pip", "install", *_QUIET]
        if maker.uv:
            pip = [str(maker.program), "pip", "install", "--python", str(python), "--link-mode", "copy"]
        self._run([*pip, "--no-deps", "--no-index", "--force-reinstall", str(self.bundle.wheel)])
        answer = self._run([str(python), "-m", "backend", "--version"])
        if self.bundle.version not in answer.text:
            raise AddonError("INSTALL", "The installed backend does not answer as expected.", detail=answer.text[-200:])
        self._run_quietly([str(python), "-m", "backend", "--register"])
        self._note_time("backend")

    def _models(self, python: Path) -> str:
        """Fetch the model files; return what the user should know if that fails, because they can be fetched later."""
        self.task.report(0.93, "Fetching the model files")
        command = [str(python), "-m", "munet.models", "fetch"]
        command += ["--from", str(self.order.wheels)] if self.order.wheels else []
        variables = {"MUNET_MODELS": self.order.models} if self.order.models else {}
        answer = self.task.call(command, variables=variables, folder=self.folder)
        if answer.status == 0:
            return ""
        why = answer.lines[-1] if answer.lines else ""
        return f"The model files are still missing; press Fetch Model Files. {why}"

    def _run(self, command: list[str], lock: Sequence[Path] = ()) -> Ended:
        """Run a program that has to succeed."""
        progress = _Progress(self.task, [line for path in lock for line in _pins(path)])
        answer = self.task.call(command, on_line=progress.take if lock else None, folder=self.folder)
        if answer.status:
            raise explain(answer.text, self.task.log_file)
        return answer

    def _run_quietly(self, command: list[str]) -> Ended:
        return self.task.call(command, folder=self.folder)

    def _note_time(self, step: str) -> None:
        now = time.monotonic()
        self.seconds[step] = round(now - self._began, 1)
        self._began = now

    def _log(self, line: str) -> None:
        if self.task.log_file is not None:
            with self.task.log_file.open("a", encoding="utf-8") as stream:
                stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


def _pins(path: Path) -> list[str]:
    lines = [line.split(";")[0].split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "==" in line]


class _Progress:
    """Reads the words of pip and uv."""

    _SIZE = re.compile(r"\s*Downloading (\S+?)(?:-\d\S*)? \(([\d.]+ ?[kKMG]i?B)\)")
    _BEGUN = re.compile(r"\s*(?:Collecting|Processing|Downloading|Downloaded) +(\S+)")

    def __init__(self, task: Task, pins: Sequence[str]) -> None:
        self._task = task
        self._total = max(len(pins), 1)
        self._begun: set[str] = set()
        self._start = task.fraction
        self._end = 0.6 if task.fraction < 0.1 else 0.85

    def take(self, line: str) -> None:
        """Take in one line."""
        begun = self._BEGUN.match(line)
        size = self._SIZE.match(line)
        if begun:
            self._begun.add(re.split(r"[=<>\-\s]", Path(begun[1]).name)[0].lower().replace("_", "-"))
        if not (begun or size or line.startswith("Installing collected packages")):
            return
        part = min(len(self._begun) / self._total, 1.0)
        text = f"Downloading {size[1]} ({size[2]})" if size else self._task.text
        if line.startswith("Installing collected packages"):
            part, text = 1.0, "Unpacking the libraries"
        self._task.report(self._start + part * (self._end - self._start), text)
