"""Every check of the built extension runs in a Blender of its own, outside this process, with a time limit."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(Path(__file__).parent)]

from _environment import BLENDER_ENVIRONMENTS, clean_variables, ensure, unavailable_reason  # noqa: E402

import build_addon  # noqa: E402

CHECKS = Path(__file__).parent / "checks"
TIMEOUT = 300


@dataclass(frozen=True)
class Blender:
    """One Blender with the built extension installed into user folders of its own."""

    name: str
    python: Path
    home: Path

    def run(self, *command: str, timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
        """Run a Python command line in this Blender."""
        environment = {
            **clean_variables(),
            "BLENDER_USER_RESOURCES": str(self.home),
            "MUNET_RUNTIME_DIR": str(self.home / "run"),
            "PYTHONUNBUFFERED": "1",
        }
        return subprocess.run(
            [str(self.python), *command],
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.home,
            timeout=timeout,
            check=False,
        )

    def check(self, name: str, *arguments: str) -> str:
        """Run a check script to its end; it must say that it passed, and Blender must exit cleanly."""
        answer = self.run(str(CHECKS / f"{name}.py"), *arguments)
        output = answer.stdout + answer.stderr
        assert answer.returncode == 0, f"{self.name}: exit status {answer.returncode}\n{output[-4000:]}"
        assert "CHECK PASSED" in output, output[-4000:]
        sys.stdout.write(output)
        return output


def _names() -> list[str]:
    chosen = os.environ.get("MUNET_BLENDERS", "")
    return [name for name in chosen.split(",") if name] or list(BLENDER_ENVIRONMENTS)


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension as it ships for this computer."""
    return build_addon.build_zip([build_addon.this_platform()], tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def platform_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The edition for the public platform."""
    return build_addon.build_zip([build_addon.this_platform()], tmp_path_factory.mktemp("platform"), "platform")


@pytest.fixture(scope="session", params=_names())
def blender(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    extension_zip: Path,
    platform_zip: Path,
) -> Blender:
    """Each Blender there is a Python for, with the extension installed."""
    reason = unavailable_reason(request.param)
    if reason:
        pytest.skip(f"{request.param}: {reason}")
    found = Blender(request.param, ensure(request.param), tmp_path_factory.mktemp(request.param))
    found.check("install", str(extension_zip), str(platform_zip))
    return found


@pytest.fixture(scope="session")
def extension() -> Callable[[str], types.ModuleType]:
    """Import a module of the built extension that needs no Blender."""
    import importlib

    name = "munet_extension_without_blender"
    package = types.ModuleType(name)
    package.__path__ = [str(build_addon.build_tree())]
    sys.modules[name] = package
    return lambda module: importlib.import_module(f"{name}.{module}")
