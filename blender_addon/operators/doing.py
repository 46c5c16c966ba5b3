"""How an operator does what takes long: in steps that the timer takes, or at once for scripts; one undo step each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..errors import AddonError
from ..importer.rollback import all_or_nothing
from ..language import failure_text
from ..pump import start_pump
from ..session import current
from ..steps import Steps, run_through
from ..work import Work

_BUSY = "BUSY"


def do_in_steps(
    operator: bpy.types.Operator,
    title: str,
    begin: Callable[[], Steps[str]],
    *,
    expected: int,
    modes: tuple[str, ...] = ("OBJECT",),
) -> set[str]:
    """Let the timer take the steps that ``begin`` makes; do them now without a window, or if the operator shall wait.

    Args:
        operator: whose name the undo step gets.
        title: a word for the stages that the panel knows.
        begin: makes the steps, which return what is to be told.
        expected: about how many there are.
        modes: of Blender in which they may be taken.
    """
    try:
        if at_once(operator):
            with all_or_nothing():
                told = run_through(begin())
            bpy.ops.ed.undo_push(message=operator.bl_label)
            if told:
                operator.report({"INFO"}, told)
            return {"FINISHED"}
        _hand_over(operator, title, begin, expected, modes)
    except AddonError as error:
        operator.report({"WARNING" if error.code == _BUSY else "ERROR"}, failure_text(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def at_once(operator: bpy.types.Operator) -> bool:
    """Return whether ``operator`` does everything now: its timer would never fire, or a script wants it."""
    return bpy.app.background or bool(getattr(operator, "wait", False))


def _hand_over(
    operator: bpy.types.Operator, title: str, begin: Callable[[], Steps[str]], expected: int, modes: tuple[str, ...]
) -> None:
    session = current()
    if session.work is not None:
        raise AddonError(_BUSY, "Something else is being done.", hint="Wait until it has finished.")

    def tell(text: Any) -> None:  # noqa: ANN401 - what the steps returned
        if text:
            bpy.ops.munet.tell(text=text)

    label = operator.bl_label
    session.work = Work.of(session, title, begin, undo=label, expected=expected, done=tell, modes=modes)
    start_pump()


def the_person(name: str) -> bpy.types.Object:
    """Return the rig of that name.

    Raises:
        AddonError: GONE: there is none any more.
    """
    rig: bpy.types.Object | None = bpy.data.objects.get(name)
    if rig is None:
        raise AddonError("GONE", "The person has been deleted or renamed.", detail=name)
    return rig
