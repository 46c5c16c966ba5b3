"""Packed pictures as files, for formats that only name them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

_ENDINGS = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}


def _image_nodes(objects: list[bpy.types.Object]) -> Iterator[bpy.types.Node]:
    materials = {slot.material for obj in objects for slot in obj.material_slots if slot.material}
    for material in sorted(materials, key=lambda material: material.name):
        for node in material.node_tree.nodes if material.node_tree else ():
            if node.type == "TEX_IMAGE" and node.image is not None:
                yield node


@contextmanager
def pictures_as_files(objects: list[bpy.types.Object], folder: Path) -> Iterator[None]:
    """Let materials of ``objects`` show files in ``folder`` and not packed pictures inside the ``with`` block."""
    shown: list[tuple[bpy.types.Node, bpy.types.Image]] = []
    try:
        for node in _image_nodes(objects):
            packed = node.image.packed_file
            if packed is not None:
                shown.append((node, node.image))
                node.image = _as_file(node.image, bytes(packed.data), folder)
        yield
    finally:
        for node, image in shown:
            temporary, node.image = node.image, image
            bpy.data.images.remove(temporary)


def _as_file(image: bpy.types.Image, data: bytes, folder: Path) -> bpy.types.Image:
    ending = next((ending for start, ending in _ENDINGS.items() if data.startswith(start)), ".png")
    path = folder / f"{bpy.path.clean_name(Path(image.name).stem)}{ending}"
    path.write_bytes(data)
    return bpy.data.images.load(str(path))
