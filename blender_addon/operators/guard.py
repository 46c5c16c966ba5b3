"""What an operator can not do ends in a sentence with its fix, whatever an artist has made of the scene before."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

import bpy

from ..errors import AddonError
from ..language import failure_text

_log = logging.getLogger(__package__)


def guard(operator: type[bpy.types.Operator]) -> None:
    """Let the failures of ``operator`` be told by itself; done once, also if it is registered again."""
    for name, wrap in (("execute", _executing), ("invoke", _invoking)):
        method = getattr(operator, name, None)
        if callable(method) and not hasattr(method, "__wrapped__"):
            setattr(operator, name, wrap(method))


def _executing(method: Callable[..., set[str]]) -> Callable[..., set[str]]:
    @functools.wraps(method)
    def execute(self: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
        return _told(self, lambda: method(self, context))

    return execute


def _invoking(method: Callable[..., set[str]]) -> Callable[..., set[str]]:
    @functools.wraps(method)
    def invoke(self: bpy.types.Operator, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return _told(self, lambda: method(self, context, event))

    return invoke


def _told(operator: bpy.types.Operator, call: Callable[[], set[str]]) -> set[str]:
    try:
        return call()
    except AddonError as error:
        operator.report({"ERROR"}, failure_text(error))
    except Exception as error:  # noqa: BLE001 - artists can take apart what was made, in more ways than we know
        _log.error("%s failed", operator.bl_label, exc_info=error)
        operator.report({"ERROR"}, failure_text(_unexpected(error)))
    return {"CANCELLED"}


def _unexpected(error: Exception) -> AddonError:
    return AddonError(
        "UNEXPECTED",
        "This could not be done.",
        detail=f"{type(error).__name__}: {error}",
        hint="Undo what was changed or deleted of this person, or reconstruct it again.",
    )
