"""The choices that reconstruct.py and batch.py share. Needs only the standard library."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FORMATS = ("blend", "glb", "fbx", "usd", "obj")
PRESETS = ("draft", "standard", "high")


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides about a result."""
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where results go (default: out)")
    parser.add_argument(
        "--formats",
        type=_formats,
        default=("blend", "glb"),
        help=f"scene files to write, of {','.join(FORMATS)}, or none (default: blend,glb)",
    )
    parser.add_argument("--preset", choices=PRESETS, default="standard", help="speed or quality (default: standard)")
    parser.add_argument(
        "--max-persons", type=int, default=8, metavar="N", help="largest N people of a photo (default: 8)"
    )
    parser.add_argument(
        "--texture-size", type=int, default=0, metavar="PIXELS", help="edge of the texture (default: preset)"
    )
    parser.add_argument(
        "--body", type=Path, metavar="FILE", help="your own SMPL, SMPL-H or SMPL-X file instead of the default body"
    )
    parser.add_argument(
        "--networks",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask MuNet's networks how thick clothes are (docs/ablations.md)",
    )
    parser.add_argument(
        "--folds",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="read the folds of clothes from the photo into a normal map (docs/texture.md)",
    )


def add_backend_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides about the backend."""
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default: auto)")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument(
        "--connect", type=Path, metavar="RUN_FILE", help="use a running backend instead of starting one"
    )


def add_clip_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides about a clip."""
    clip = parser.add_argument_group("clips")
    clip.add_argument(
        "--sequence", type=Path, metavar="CLIP", help="a video, or a folder of numbered pictures, instead of photos"
    )
    clip.add_argument("--first", type=int, default=0, metavar="N", help="first frame of the clip (default: 0)")
    clip.add_argument("--last", type=int, default=0, metavar="N", help="last frame of the clip (default: all)")
    clip.add_argument("--step", type=int, default=1, metavar="N", help="use every N-th frame (default: 1)")
    clip.add_argument("--fps", type=float, default=0.0, help="frame rate of the clip, where the file does not tell")
    clip.add_argument("--smoothing", type=float, default=0.5, help="0, as measured, to 1, very smooth (default: 0.5)")
    clip.add_argument("--still", type=int, default=-1, metavar="N", help="frame of the texture (default: the best)")
    clip.add_argument("--person", type=int, default=1, metavar="N", help="whom to follow, 1 is the largest")


def clip_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a clip, as they travel to the backend."""
    names = ("first", "last", "step", "fps", "smoothing", "still")
    return {**{name: getattr(options, name) for name in names}, "person": options.person - 1}


def job_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of every photo, as they travel to the backend."""
    return {
        "preset": options.preset,
        "max_persons": options.max_persons,
        "texture_size": options.texture_size,
        "device": "auto" if options.connect is None else options.device,
        "network": options.networks,
        "folds": options.folds,
        "body_file": "" if options.body is None else str(options.body.resolve()),
    }


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if names == ("none",):
        return ()
    if not names or set(names) - set(FORMATS):
        raise argparse.ArgumentTypeError(f"choose from {', '.join(FORMATS)}, or none")
    return names
