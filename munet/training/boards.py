"""Where a training's numbers and pictures go besides its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from munet.errors import InvalidInputError


class NoBoard:
    """Shows nothing."""

    def numbers(self, step: int, group: str, values: dict[str, float]) -> None:
        """Leave numbers out."""

    def picture(self, step: int, picture: Tensor) -> None:
        """Leave a picture out."""


class TensorBoard:
    """Event files of TensorBoard."""

    def __init__(self, folder: Path) -> None:
        """Open the files.

        Raises:
            InvalidInputError: TensorBoard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InvalidInputError(
                "TensorBoard is not installed.", hint="Run `pip install tensorboard`, or leave --tensorboard out."
            ) from error
        self._writer: Any = SummaryWriter(str(folder))

    def numbers(self, step: int, group: str, values: dict[str, float]) -> None:
        """Write one curve for every name."""
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
        self._writer.flush()

    def picture(self, step: int, picture: Tensor) -> None:
        """Write a picture (3, H, W) in [0, 1]."""
        self._writer.add_image("people", picture, step)
