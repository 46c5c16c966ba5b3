"""What a user may choose about a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Preset = Literal["draft", "standard", "high"]


@dataclass(frozen=True)
class Settings:
    """Settings of one job.

    Attributes:
        preset: draft halves the texture and the refinement steps, high doubles the refinement.
        texture_size: edge of the square texture in pixels; 0 takes the preset's own size.
        max_persons: how many people of a photo to reconstruct, largest first.
        persons: indices (largest first) of the people to reconstruct; empty means all.
        device: torch device name, or "auto".
        seed: seed of everything random.
        body_file: path, on the backend's computer, of an SMPL, SMPL-H or SMPL-X file that takes the place of the
            default body; empty for the default body.
        network: whether MuNet's networks are asked for clothes.
        folds: whether the folds of clothes are read from the photo into a normal map.
        rounds: of body and normals in the networks, 1 to 3; 0 takes the preset's own.
    """

    preset: Preset = "standard"
    texture_size: int = 0
    max_persons: int = 8
    persons: tuple[int, ...] = ()
    device: str = "auto"
    seed: int = 0
    body_file: str = ""
    network: bool = True
    folds: bool = True
    rounds: int = 0

    @property
    def texture_pixels(self) -> int:
        """Edge of the texture in pixels, resolved from the preset where it is not set."""
        return self.texture_size or {"draft": 1024, "standard": 2048, "high": 4096}[self.preset]

    @property
    def network_rounds(self) -> int:
        """Rounds of body and normals in the networks, resolved from the preset where they are not set."""
        return self.rounds or {"draft": 1, "standard": 2, "high": 3}[self.preset]
