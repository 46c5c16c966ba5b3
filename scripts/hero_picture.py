"""The picture at the head of the README: photos, and the characters made from them, textured, bare and rigged.

Usage: python scripts/hero_picture.py PHOTO RESULT.npz [PHOTO RESULT.npz ...] --out docs/images/hero.jpg
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from munet.preview import backdrop, body_mesh, framing, levelled, surface_mesh
from munet.reconstruction import Reconstruction, load_reconstruction
from munet.render.picture import over, parallel_picture, turned

Floats = NDArray[np.float32]

HEIGHT, WIDTH, MARGIN = 520, 330, 8
TURNS = (0.0, 0.7, np.pi)


def photo_panel(path: Path, result: Reconstruction) -> Floats:
    """The photo around the person, (HEIGHT, WIDTH, 3) in [0, 1]."""
    image = Image.open(path).convert("RGB")
    left, top, right, bottom = result.box
    scale = 0.92 * HEIGHT / (bottom - top)
    x, y = (left + right) / 2, (top + bottom) / 2
    half_width, half_height = WIDTH / scale / 2, HEIGHT / scale / 2
    x = float(np.clip(x, half_width, max(image.width - half_width, half_width)))
    y = float(np.clip(y, half_height, max(image.height - half_height, half_height)))
    box = (round(x - half_width), round(y - half_height), round(x + half_width), round(y + half_height))
    return np.asarray(image.crop(box).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), np.float32) / 255


def posed_bones(result: Reconstruction) -> list[tuple[Floats, Floats]]:
    """Head and tail of SMPL's bones in the photo's pose, levelled."""
    pairs = [(int(result.bone_parents[i]), i) for i in range(1, 24)]
    return [(result.joints[parent], result.joints[child]) for parent, child in pairs]


def rig_panel(result: Reconstruction, center: Floats, scale: float) -> Floats:
    """The body in clay with its bones."""
    picture = over(parallel_picture(body_mesh(result), 0.0, center, scale, HEIGHT, WIDTH), backdrop(HEIGHT, WIDTH))
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for head, tail in posed_bones(result):
        ends = turned(np.stack([head, tail]), 0.0, center)[:, :2] * scale + (WIDTH / 2, HEIGHT / 2)
        draw.line([tuple(end) for end in ends], fill=(255, 140, 26), width=3)
        for x, y in ends:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=(30, 34, 40))
    return np.asarray(image, np.float32) / 255


def row(photo: Path, result: Reconstruction) -> Floats:
    """Photo, three views of the character, and its rig."""
    level = levelled(result)
    center, scale = framing(level.surface_vertices, HEIGHT, WIDTH)
    mesh, background = surface_mesh(level), backdrop(HEIGHT, WIDTH)
    views = [over(parallel_picture(mesh, yaw, center, scale, HEIGHT, WIDTH), background) for yaw in TURNS]
    gap = np.ones((HEIGHT, MARGIN, 3), np.float32)
    panels = [photo_panel(photo, result), *views, rig_panel(level, center, scale)]
    return np.concatenate([part for panel in panels for part in (panel, gap)][:-1], 1)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+", type=Path, metavar="PHOTO RESULT")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    pairs = list(zip(options.pairs[::2], options.pairs[1::2], strict=True))
    rows = [row(photo, load_reconstruction(result)) for photo, result in pairs]
    gap = np.ones((MARGIN, rows[0].shape[1], 3), np.float32)
    picture = np.concatenate([part for line in rows for part in (line, gap)][:-1])
    Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8)).save(options.out, quality=85, optimize=True)


if __name__ == "__main__":
    main()
