"""Play an exported, animated glb with three.js in headless Chromium and compare its vertices with Blender's.

    python scripts/check_glb_in_browser.py out/photo/person_0.npz walk.bvh [--picture browser.jpg]

Needs Node.js with npm (or its package on the Python package index) and a Chromium or Chrome, on the path or named by
CHROME. Ends with status 1 if any vertex is further than a millimetre from where Blender has it, or none moves.
"""

from __future__ import annotations

import argparse
import base64
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _bootstrap import run_inside, runs_inside
from _environment import ROOT, SetupError, clean_variables, ensure
from _gltf_validator import node_modules

HERE = ROOT / "scripts" / "browser"
TOLERANCE = 1e-3
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SIZE = (520, 640)


def main() -> int:
    """Check one person with one clip."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("person", type=Path, help="person_N.npz of a result")
    parser.add_argument("motion", type=Path, help="BVH or SMPL poses")
    parser.add_argument("--picture", type=Path, help="write what the browser shows at three times, side by side")
    parser.add_argument("--blender", default="blender", help="environment to export with (default: blender-4.5)")
    options = parser.parse_args()
    backend = ensure("backend")
    if not runs_inside(backend):
        return run_inside(backend, __file__, sys.argv[1:])
    with tempfile.TemporaryDirectory() as scratch:
        return check(options, Path(scratch))


def check(options: argparse.Namespace, folder: Path) -> int:
    """Export, play, compare and tell."""
    import numpy as np
    from scipy.spatial import cKDTree

    exported = export(options, folder)
    expected = np.load(folder / "vertices.npy")
    shots = [folder / f"shot{index}.png" for index in range(3)]
    times = exported["seconds"]
    pictures = [[times[len(times) * (2 * index + 1) // 6], str(shot)] for index, shot in enumerate(shots)]
    played = play(folder, {"times": times, "pictures": pictures if options.picture else [], "size": SIZE})
    shown = [np.frombuffer(base64.b64decode(text), dtype=np.float32).reshape(-1, 3) for text in played["vertices"]]
    errors = [max(distances(cKDTree, a, b), distances(cKDTree, b, a)) for a, b in zip(expected, shown, strict=True)]
    ways = [float(np.linalg.norm(found - shown[0], axis=1).max()) for found in shown]
    told = played["told"]
    print(f"Blender {exported['blender']}, three.js r{told['revision']}, clip of {told['duration']:.1f} s")
    for frame, error, way in zip(exported["frames"], errors, ways, strict=True):
        print(f"frame {frame}: vertices moved up to {way:.3f} m, largest difference {error * 1000:.3f} mm")
    if options.picture:
        side_by_side(shots, options.picture)
    good = max(errors) < TOLERANCE and max(ways) > 10 * TOLERANCE
    print("The glb plays as in Blender." if good else "The glb does NOT play as in Blender.")
    return 0 if good else 1


def distances(tree: Any, points: Any, targets: Any) -> float:  # noqa: ANN401 arrays and a class of SciPy
    """Return the largest distance of ``points`` to the nearest of ``targets``; the glb cuts vertices at UV seams."""
    return float(tree(targets).query(points)[0].max())


def export(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Let Blender write the glb and its vertices into ``folder``."""
    person, motion = options.person.resolve(), options.motion.resolve()
    command = [ensure(options.blender), HERE / "animated_glb.py", person, motion, folder]
    answer = subprocess.run(command, capture_output=True, text=True, env=clean_variables(), check=False, timeout=600)
    if answer.returncode:
        raise SetupError(f"Blender could not export.\n{answer.stdout[-2000:]}{answer.stderr[-2000:]}")
    lines = [line for line in answer.stdout.splitlines() if line.startswith('{"frames"')]
    return dict(json.loads(lines[-1]))


def play(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Play ``model.glb`` of ``folder`` in the browser."""
    packages = (HERE / "packages.txt").read_text(encoding="utf-8").split()
    node, modules = node_modules("browser", packages)
    shutil.copy(HERE / "player.html", folder / "index.html")
    with served({"/three": modules / "three", "/": folder}) as url:
        command = [node, HERE / "play.js", modules, url, browser(), json.dumps(job)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if answer.returncode:
        raise SetupError(f"The browser could not play the glb.\n{answer.stderr[-2000:]}")
    return dict(json.loads(answer.stdout))


def browser() -> str:
    """Return the program of a Chromium or Chrome."""
    named = os.environ.get("CHROME")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if not found:
        raise SetupError("No Chromium or Chrome was found. Install one, or name its program in the variable CHROME.")
    return found


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves several folders under one root, silently."""

    def __init__(self, places: dict[str, Path], *arguments: Any) -> None:  # noqa: ANN401 what the server hands over
        self._places = places
        super().__init__(*arguments)

    def translate_path(self, path: str) -> str:
        """Return the file of a URL."""
        plain = path.partition("?")[0]
        prefix = next(prefix for prefix in self._places if plain.startswith(prefix))
        return str(self._places[prefix] / plain[len(prefix) :].lstrip("/"))

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def served(places: dict[str, Path]) -> Iterator[str]:
    """Serve folders on this computer alone, by the start of their URL, the longest first; yields the page's URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, places)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/index.html"
        finally:
            server.shutdown()


def side_by_side(shots: list[Path], picture: Path) -> None:
    """Write ``shots`` as one picture."""
    from PIL import Image

    images = [Image.open(shot).convert("RGB") for shot in shots]
    sheet = Image.new("RGB", (sum(image.width for image in images), images[0].height))
    for index, image in enumerate(images):
        sheet.paste(image, (index * images[0].width, 0))
    picture.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(picture, quality=88)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as error:
        sys.exit(str(error))
