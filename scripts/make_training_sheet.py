"""Contact sheet of generated training data.

    python scripts/make_training_sheet.py sheet.jpg --split train --samples 12

Each sample shows: the picture with observed landmarks' mask as outline, the clothed surface's normals from the front
and from the back, its depth, the naked body's normals over the picture.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from munet.training.data.generate import Generator, TrainingBatch  # noqa: E402
from munet.training.data.splits import SPLITS  # noqa: E402

_OUTWARD = (1.0, -1.0, -1.0)


def panels(batch: TrainingBatch) -> Tensor:
    """Return the pictures (3, H, 6 W) of a batch of one sample side by side, in [0, 1]."""
    body = _colours(batch.body_normals_front)
    shown = batch.body_mask[:, None] > 0
    overlay = torch.where(shown, 0.35 * batch.image + 0.65 * body, batch.image)
    row = [batch.image, batch.observed_mask[:, None].expand(-1, 3, -1, -1), _colours(batch.normals_front),
           _colours(batch.normals_back), _depth(batch), overlay]  # fmt: skip
    return torch.cat([picture[0] for picture in row], -1)


def _colours(normals: Tensor) -> Tensor:
    """Normals of the camera frame in the usual colours: blue faces the camera."""
    return normals * normals.new_tensor(_OUTWARD)[:, None, None] * 0.5 + 0.5


def _depth(batch: TrainingBatch) -> Tensor:
    seen = batch.depth > 0
    near, far = batch.depth[seen].min(), batch.depth[seen].max()
    grey = torch.where(seen, 1 - 0.85 * (batch.depth - near) / (far - near), 0.0)
    return grey[:, None].expand(-1, 3, -1, -1)


def sheet(rows: list[Tensor], columns: int) -> Image.Image:
    """Lay rows (3, H, W) out in columns."""
    blank = torch.ones_like(rows[0])
    padded = rows + [blank] * (-len(rows) % columns)
    lines = [torch.cat(padded[i : i + columns], 2) for i in range(0, len(padded), columns)]
    pixels = torch.cat(lines, 1).permute(1, 2, 0).clamp(0, 1).numpy()
    return Image.fromarray((pixels * 255).astype(np.uint8))


def main() -> None:
    """Generate the samples and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--columns", type=int, default=2)
    arguments = parser.parse_args()
    generator = Generator(arguments.seed, size=arguments.size, points=1024)
    indices = range(arguments.start, arguments.start + arguments.samples)
    rows = [panels(generator.batch(arguments.split, [index])) for index in indices]
    sheet(rows, arguments.columns).save(arguments.output, quality=85)
    print(f"{len(rows)} samples of {arguments.split}: {arguments.output}")


if __name__ == "__main__":
    main()
