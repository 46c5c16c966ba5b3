"""All or nothing: what a failed import has made is taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

_KINDS = (
    "objects",
    "collections",
    "meshes",
    "armatures",
    "cameras",
    "materials",
    "images",
    "shape_keys",
    "node_groups",
    "actions",
)


def _present() -> dict[int, bpy.types.ID]:
    return {block.session_uid: block for kind in _KINDS for block in getattr(bpy.data, kind)}


class Made:
    """The data blocks that came into being between calls of :meth:`note` and :meth:`collect`.

    They are known by numbers that outlive undo, which makes references to them invalid.
    """

    def __init__(self) -> None:
        self._before: set[int] = set()
        self._made: set[int] = set()

    def note(self) -> None:
        """Take what is there for what was there before."""
        self._before = set(_present())

    def collect(self) -> None:
        """Remember what has come since."""
        self._made |= set(_present()) - self._before

    def remove(self) -> None:
        """Remove what is remembered, as far as it is still there."""
        made = [b for uid, b in _present().items() if uid in self._made and not isinstance(b, bpy.types.Key)]
        bpy.data.batch_remove(made)
        self._made.clear()


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Remove every data block made inside the ``with`` block if it ends with an exception."""
    made = Made()
    made.note()
    try:
        yield
    except BaseException:
        made.collect()
        made.remove()
        raise
