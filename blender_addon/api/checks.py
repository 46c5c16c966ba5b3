"""What the interface checks before it does anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError


def need_mode(*modes: str) -> None:
    """Refuse to work in another mode.

    Raises:
        AddonError: WRONG_MODE.
    """
    if bpy.context.mode not in modes:
        raise AddonError("WRONG_MODE", "This needs Object Mode.", hint="Leave the present mode first.")


def need_known(what: str, values: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that does not exist.

    Raises:
        AddonError: BAD_VALUE.
    """
    choices = sorted(known)
    for value in values:
        if value not in choices:
            hint = f"Choose from {', '.join(choices)}."
            raise AddonError("BAD_VALUE", f"There is no {what} {value!r}.", hint=hint)


def deleted(what: str, name: str) -> AddonError:
    """Return the error for a part of a person that is gone."""
    hint = "Load or reconstruct the person again."
    return AddonError("NO_PART", f"The {what} of {name} was deleted.", hint=hint)


def axis_angles(pose: object, names: list[str]) -> NDArray[np.float64]:
    """Return axis-angles (J, 3) of all bones from an array of some or from vectors by name; the others rest.

    Raises:
        AddonError: BAD_VALUE.
    """
    turns = np.zeros((len(names), 3))
    if isinstance(pose, Mapping):
        need_known("joint", map(str, pose), names)
        for name, vector in pose.items():
            turns[names.index(name)] = _floats(vector, (3,))
    else:
        given = _floats(pose, None)
        if given.ndim != 2 or given.shape[1] != 3 or len(given) not in {24, len(names)}:
            raise _bad(f"Expected axis-angles of shape (24, 3) or ({len(names)}, 3), found {given.shape}.")
        turns[: len(given)] = given
    return turns


def _floats(values: Any, shape: tuple[int, ...] | None) -> NDArray[np.float64]:  # noqa: ANN401 what users pass
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _bad(str(error)) from error
    if shape is not None and found.shape != shape:
        raise _bad(f"Expected shape {shape}, found {found.shape}.")
    if not np.isfinite(found).all():
        raise _bad("It holds NaN or infinity.")
    return found


def _bad(detail: str) -> AddonError:
    return AddonError("BAD_VALUE", "The pose can not be used.", detail=detail, hint="Pass finite numbers, in radians.")
