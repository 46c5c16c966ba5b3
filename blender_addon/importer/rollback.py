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
)


def _present() -> dict[int, bpy.types.ID]:
    return {block.session_uid: block for kind in _KINDS for block in getattr(bpy.data, kind)}


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Remove every data block made inside the ``with`` block if it ends with an exception."""
    before = set(_present())
    try:
        yield
    except BaseException:
        made = [b for uid, b in _present().items() if uid not in before and not isinstance(b, bpy.types.Key)]
        bpy.data.batch_remove(made)
        raise
