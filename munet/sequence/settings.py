"""What a user may choose about a clip."""

from __future__ import annotations

from dataclasses import dataclass

from munet.errors import InvalidInputError

MOST_FRAMES = 20_000


@dataclass(frozen=True)
class ClipSettings:
    """Settings of a clip besides those of :class:`munet.settings.Settings`.

    Attributes:
        first, last: frames of the file to use, from 0; ``last`` 0 means to the end.
        step: use every so many-th frame.
        fps: frames a second of the file; 0 takes what it states, 24 for pictures.
        smoothing: from 0, the motion as measured, to 1, very smooth.
        plant_feet: hold feet that rest on the ground.
        person: whom to follow, 0 is the largest in the first frame with somebody in it.
        still: frame of the file that gives clothes and texture; -1 takes the best one.
    """

    first: int = 0
    last: int = 0
    step: int = 1
    fps: float = 0.0
    smoothing: float = 0.5
    plant_feet: bool = True
    person: int = 0
    still: int = -1

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InvalidInputError: a value is out of its range.
        """
        ranges = (
            ("first", 0, 10**9), ("last", 0, 10**9), ("step", 1, 1000), ("fps", 0.0, 1000.0),
            ("smoothing", 0.0, 1.0), ("person", 0, 100), ("still", -1, 10**9),
        )  # fmt: skip
        for name, low, high in ranges:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                detail = f"{name} must be {low} to {high}, found {value!r}."
                raise InvalidInputError("A setting of the clip is wrong.", detail=detail)

    def uses(self, index: int) -> bool:
        """Tell whether frame ``index`` of the file belongs to the clip."""
        inside = self.first <= index and (self.last == 0 or index <= self.last)
        return inside and (index - self.first) % self.step == 0
