"""Write generated training data to disk: ``python -m munet.training.data FOLDER --split train --count 20000``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch

from munet.training.data.cache import write_cache
from munet.training.data.generate import Generator
from munet.training.data.splits import SPLITS, TEST_PEOPLE


def main() -> None:
    """Read the arguments, generate and report how far it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--count", type=int, default=TEST_PEOPLE, help="samples, rounded up to whole shards")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=256, help="pixels of the pictures' edge")
    parser.add_argument("--points", type=int, default=4096, help="surface points of each person")
    parser.add_argument("--batch", type=int, default=8, help="samples generated at once")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    generator = Generator(arguments.seed, size=arguments.size, points=arguments.points, device=arguments.device)
    start = time.monotonic()

    def report(done: int, wanted: int) -> None:
        sys.stderr.write(f"\r{done} of {wanted}, {time.monotonic() - start:.0f} s ")
        sys.stderr.flush()

    written = write_cache(
        generator, arguments.folder, arguments.split, arguments.count, batch_size=arguments.batch, report=report
    )
    sys.stderr.write(f"\n{written} shards written to {arguments.folder / arguments.split}\n")


if __name__ == "__main__":
    main()
