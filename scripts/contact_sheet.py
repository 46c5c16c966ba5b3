"""One picture per person to judge geometry and texture by.

Three rows of whole figures: the textured surface, the same surface in clay, the body in clay; each in the photo's pose
from the front, at three quarters, from the side and from behind, then in the T-pose from the front and behind. Three
rows of face, hands and feet from near in the same order.

Usage: python scripts/contact_sheet.py RESULT... [--out sheet.png] [--height 420]
    RESULT is a person_*.npz file or a folder that holds some.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from munet.preview import backdrop, framing, labelled, levelled
from munet.reconstruction import Reconstruction, load_reconstruction
from munet.render.picture import PictureMesh, over, parallel_picture

Floats = NDArray[np.float32]

TURNS = (("front", 0.0), ("three quarters", -np.pi / 4), ("side", np.pi / 2), ("back", np.pi))
CLOSE_UPS = (
    ("face", (15,), 0.0), ("face side", (15,), np.pi / 3), ("left hand", (20,), 0.0), ("right hand", (21,), 0.0),
    ("feet", (7, 8), 0.0), ("feet behind", (7, 8), np.pi),
)  # fmt: skip
BODY_FRAME_TO_CAMERA = np.array([1, -1, -1], np.float32)
CLAY, BLUE = (0.74, 0.72, 0.70), (0.62, 0.74, 0.86)


def joint_chain(parents: NDArray[np.int32], roots: tuple[int, ...]) -> list[int]:
    """The joints ``roots`` and everything that hangs on them."""
    chain = set(roots)
    for joint, parent in enumerate(parents):
        if int(parent) in chain:
            chain.add(joint)
    return sorted(chain)


def near_view(mesh: PictureMesh, chosen: NDArray[np.bool_], yaw: float, height: int, width: int) -> Floats:
    """Picture of the chosen vertices' surroundings."""
    points = mesh.vertices_cam[chosen] if chosen.any() else mesh.vertices_cam
    center, scale = framing(points, height, width)
    return parallel_picture(mesh, yaw, center, 0.8 * scale, height, width)


def whole_views(mesh: PictureMesh, rest: PictureMesh, height: int) -> Floats:
    """The photo's pose and the T-pose from all sides."""
    width = round(height * 0.7)
    center, scale = framing(mesh.vertices_cam, height, width)
    row = [(name, parallel_picture(mesh, yaw, center, scale, height, width)) for name, yaw in TURNS]
    center, scale = framing(rest.vertices_cam, height, height)
    for name, yaw in (("T-pose", 0.0), ("T-pose back", np.pi)):
        row.append((name, parallel_picture(rest, yaw, center, scale, height, height)))
    return side_by_side(row)


def near_views(mesh: PictureMesh, weights: Floats, parents: NDArray[np.int32], height: int, width: int) -> Floats:
    """Face, hands and feet, in a row that is ``width`` wide."""
    wide = width // len(CLOSE_UPS)
    row = []
    for name, roots, yaw in CLOSE_UPS:
        chosen = weights[:, joint_chain(parents, roots)].sum(1) > 0.5
        row.append((name, near_view(mesh, chosen, yaw, height, wide)))
    joined = side_by_side(row)
    return np.concatenate([joined, backdrop(height, width - joined.shape[1])], 1)


def side_by_side(row: list[tuple[str, Floats]]) -> Floats:
    """Labelled pictures on a backdrop."""
    return np.concatenate([labelled(over(picture, backdrop(*picture.shape[:2])), name) for name, picture in row], 1)


def sheet(result: Reconstruction, height: int) -> Floats:
    """All rows of a person, standing level."""
    result = levelled(result)
    surface = PictureMesh(
        result.surface_vertices, result.surface_faces, CLAY, uv=result.surface_uv, texture=result.texture
    )
    surface_rest = replace(surface, vertices_cam=result.surface_rest_vertices * BODY_FRAME_TO_CAMERA)
    body = PictureMesh(result.body_vertices, result.body_faces, BLUE)
    body_rest = replace(body, vertices_cam=result.body_rest_vertices * BODY_FRAME_TO_CAMERA)
    rows = [
        (surface, surface_rest, result.surface_weights),
        (replace(surface, texture=None), replace(surface_rest, texture=None), result.surface_weights),
        (body, body_rest, result.body_weights),
    ]
    whole = [whole_views(mesh, rest, height) for mesh, rest, _ in rows]
    near = [near_views(mesh, weights, result.bone_parents, height, whole[0].shape[1]) for mesh, _, weights in rows]
    return np.concatenate(whole + near)


def result_files(paths: list[Path]) -> list[Path]:
    """The npz files that are meant by files and folders."""
    files = []
    for path in paths:
        files += sorted(path.glob("**/person_*.npz")) if path.is_dir() else [path]
    return files


def main() -> int:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("contact_sheet.png"))
    parser.add_argument("--height", type=int, default=420)
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = result_files(options.results)
    if not files:
        print("No person_*.npz there.", file=sys.stderr)
        return 1
    sheets = [sheet(load_reconstruction(path), options.height) for path in files]
    picture = np.clip(np.concatenate(sheets) * 255, 0, 255).astype(np.uint8)
    Image.fromarray(picture).save(options.out)
    print(f"{options.out}: {len(files)} people, {picture.shape[1]} x {picture.shape[0]} pixels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
