"""The list of photos and the fake backend, for checks of the operators."""

from __future__ import annotations

from pathlib import Path

import bpy
import common

PNG = (common.ROOT / "examples" / "astronaut.png").read_bytes()


def use_backend(*arguments: str) -> None:
    """Let the operators find the fake backend."""
    place = common.fake_backend(*arguments)
    for name in ("operators.reconstruct", "operators.backend"):
        common.part(name).backend_place = lambda _context: place
    common.part("session").look_again(place)


def photos(folder: Path, *names: str) -> None:
    """Put photos with these names into the list."""
    bpy.context.window_manager.munet.images.clear()
    for name in names:
        (folder / name).write_bytes(b"no picture" if name.endswith(".jpg") else PNG)
    files = [{"name": name} for name in names]
    assert bpy.ops.munet.add_images(directory=str(folder), files=files) == {"FINISHED"}


def states() -> list[str]:
    """Return what the list says about each photo."""
    return [image.status for image in bpy.context.window_manager.munet.images]


def failing(call: object) -> str:
    """Call an operator that must fail and return what it told."""
    try:
        call()
    except (RuntimeError, common.part("errors").AddonError) as error:
        return str(error)
    raise AssertionError("the operator should have failed")
