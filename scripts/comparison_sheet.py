"""Two results of each photo beside each other: textured and in clay, from four sides.

Usage: python scripts/comparison_sheet.py PHOTO BEFORE.npz AFTER.npz [PHOTO BEFORE.npz AFTER.npz ...]
           [--names "without networks" "with networks"] --out docs/images/networks.jpg
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

from munet.preview import backdrop, framing, labelled, levelled, surface_mesh
from munet.reconstruction import Reconstruction, load_reconstruction
from munet.render.picture import over, parallel_picture

Floats = NDArray[np.float32]

HEIGHT, WIDTH, MARGIN = 300, 155, 8
PHOTO_WIDTH = 230
TURNS = (("front", 0.0), ("three quarters", 0.7), ("side", np.pi / 2), ("back", np.pi))


def photo_panel(path: Path) -> Floats:
    """The whole photo on grey, (2 * HEIGHT, PHOTO_WIDTH, 3) in [0, 1]."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((PHOTO_WIDTH, 2 * HEIGHT), Image.Resampling.LANCZOS)
    panel = np.full((2 * HEIGHT, PHOTO_WIDTH, 3), 0.75, np.float32)
    top, left = (2 * HEIGHT - image.height) // 2, (PHOTO_WIDTH - image.width) // 2
    panel[top : top + image.height, left : left + image.width] = np.asarray(image, np.float32) / 255
    return panel


def views(result: Reconstruction, name: str) -> Floats:
    """Textured above, in clay below."""
    result = levelled(result)
    center, scale = framing(result.surface_vertices, HEIGHT, WIDTH)
    # Whoever reaches out would be small in so narrow a panel.
    scale = min(1.3 * scale, 0.92 * HEIGHT / float(np.ptp(result.surface_vertices[:, 1])))
    textured = surface_mesh(result)
    rows = []
    for mesh in (textured, replace(textured, texture=None)):
        panels = [
            over(parallel_picture(mesh, yaw, center, scale, HEIGHT, WIDTH), backdrop(HEIGHT, WIDTH)) for _, yaw in TURNS
        ]
        words = [name if number == 0 else turn for number, (turn, _) in enumerate(TURNS)]
        if mesh.texture is None:
            words = [""] * len(TURNS)
        rows.append(np.concatenate([labelled(panel, word) for panel, word in zip(panels, words, strict=True)], 1))
    return np.concatenate(rows)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("triples", nargs="+", type=Path, metavar="PHOTO BEFORE AFTER")
    parser.add_argument("--names", nargs=2, default=("without networks", "with networks"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    blocks = []
    for photo, *pair in zip(options.triples[::3], options.triples[1::3], options.triples[2::3], strict=True):
        both = [views(load_reconstruction(path), name) for path, name in zip(pair, options.names, strict=True)]
        gap = np.ones((2 * HEIGHT, MARGIN, 3), np.float32)
        blocks += [np.concatenate([photo_panel(photo), gap, both[0], gap, both[1]], 1)]
        blocks += [np.ones((MARGIN, blocks[0].shape[1], 3), np.float32)]
    picture = np.concatenate(blocks[:-1])
    Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8)).save(options.out, quality=82, optimize=True)


if __name__ == "__main__":
    main()
