"""A light version of the clothed surface: fewer faces on the same rig, and a normal map of what they leave out."""

from __future__ import annotations

import json
from typing import Any

import bmesh
import bpy
import numpy as np
from mathutils.kdtree import KDTree

from ..errors import AddonError
from ..importer.armature import apart, ordered_bones
from ..importer.character import Skin
from ..importer.corrective_data import Correctives, read_correctives, write_correctives
from ..importer.correctives import make_live
from ..importer.frames import Floats
from ..importer.material import pack_image
from ..importer.mesh import UV_NAME, bind, build_skinned
from ..importer.photo import stored_pixels
from ..importer.png import decode_png, encode_png
from ..people import CORRECTIVES, LIGHT, LIGHT_OF, LIGHT_WITH, clothed_surface, light_version, made_as
from ..steps import Beside, Steps, run_through
from .normal_map import Corners, normal_map, resampled

_INFLUENCES = 4
_CORNERS = 4
"""Blender has no tangents of faces with more."""
_MOSTLY = 0.5
_DETAILED = ("head", "neck", "wrist", "hand", "index", "middle", "pinky", "ring", "thumb")
_SPARED, _PROTECTION = 0.5, 0.1


def make_light_version(rig: bpy.types.Object, faces: int, size: int) -> bpy.types.Object:
    """Do at once what :func:`making_light_version` does."""
    return run_through(making_light_version(rig, faces, size))


def making_light_version(rig: bpy.types.Object, faces: int, size: int) -> Steps[bpy.types.Object]:
    """Make the light version of the clothed surface of ``rig`` in steps; nobody sees it before the last one.

    An older one goes then.

    Args:
        rig: of a person with a clothed surface.
        faces: about how many triangles are wanted.
        size: edge of the normal map in pixels.

    Raises:
        AddonError: NO_SURFACE: the person has none, or one without faces or UV map; NO_SHADER.
    """
    surface = clothed_surface(rig)
    if surface is None or not surface.data.uv_layers or not surface.data.polygons:
        raise AddonError("NO_SURFACE", "The clothed surface of this person was deleted or has no faces or UV map.")
    if _shader(surface.active_material) is None:
        title = "The material of the clothed surface has no Principled BSDF, which shows a normal map."
        raise AddonError("NO_SHADER", title, hint="Give it one, and press the button again.")
    names = [bone.name for bone in ordered_bones(rig, json.loads(rig["munet_bone_names"]))]
    skin, rest = _decimated(surface, names, faces)
    yield
    full, folds = _frames(surface.data), (yield from _shown_normals(surface.active_material))
    yield
    light = build_skinned(f"{rig.name.removesuffix(' rig')} light", skin, rest, names)
    lean = _frames(light.data)
    yield
    picture = yield Beside(lambda: encode_png(normal_map(full, lean, size, resampled(folds, size))))
    light.data.materials.append(_with_normals(surface, picture, light.name))
    yield
    _take_over(surface, light)
    yield
    bind(light, rig)
    if CORRECTIVES in surface.modifiers:
        make_live(light, rig)
    older = light_version(rig)
    light[LIGHT], light[LIGHT_OF], light[LIGHT_WITH] = True, made_as(rig), [faces, size]
    _put_in_place(surface, light, older)
    return light


def _put_in_place(surface: bpy.types.Object, light: bpy.types.Object, older: bpy.types.Object | None) -> None:
    """Link ``light`` to the collections of ``surface`` under the names of the ``older`` one, which goes."""
    if older is not None:
        name = older.name
        _remove(older)
        light.name = light.data.name = light.active_material.name = name
        _normal_node(light.active_material).image.name = f"{name} normals"
    for collection in surface.users_collection:
        collection.objects.link(light)


def show_light_version(rig: bpy.types.Object, *, shown: bool) -> None:
    """Show either the light version or the surface in full detail, in the viewport and in renders."""
    for obj, visible in ((light_version(rig), shown), (clothed_surface(rig), not shown)):
        if obj is not None:
            if obj.name in bpy.context.view_layer.objects:
                obj.hide_set(not visible)
            obj.hide_viewport, obj.hide_render = False, not visible


def _remove(light: bpy.types.Object) -> None:
    """Remove ``light`` with what was made for it and nobody else uses."""
    nodes = {material: _normal_node(material) for material in light.data.materials}
    made = [thing for m, node in nodes.items() if node is not None for thing in (m, node.image) if thing is not None]
    bpy.data.batch_remove([light, *(thing for thing in (light.data, *made) if thing.users == 1)])


def _normal_node(material: bpy.types.Material | None) -> bpy.types.Node | None:
    tree = material.node_tree if material is not None else None
    return tree.nodes.get("Light Version") if tree is not None else None


def _shader(material: bpy.types.Material | None) -> bpy.types.Node | None:
    nodes = material.node_tree.nodes if material is not None and material.node_tree is not None else ()
    return next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)


def _decimated(surface: bpy.types.Object, names: list[str], faces: int) -> tuple[Skin, Floats]:
    """Return the surface at rest with fewer triangles, and its vertices; face and hands keep more than the rest."""
    mesh = surface.data.copy()
    work = bpy.data.objects.new("munet light", mesh)
    try:
        _drop_keys(work)
        for old, new in zip(surface.vertex_groups, work.vertex_groups, strict=True):
            new.name = old.name
        triangles = len(mesh.loops) - 2 * len(mesh.polygons)
        modifier = work.modifiers.new("Decimate", "DECIMATE")
        modifier.ratio, modifier.use_collapse_triangulate = min(1.0, faces / triangles), True
        modifier.vertex_group = _protected(work, names).name
        modifier.vertex_group_factor, modifier.invert_vertex_group = _PROTECTION, True
        with apart(work) as context:
            shown = work.evaluated_get(context.evaluated_depsgraph_get())
            return _arrays(shown.to_mesh(), work, names)
    finally:
        bpy.data.batch_remove([work, mesh])


def _drop_keys(work: bpy.types.Object) -> None:
    """Leave the mesh of ``work`` at rest; Blender keeps what it takes off as a data-block of nobody's."""
    number = work.data.shape_keys.session_uid if work.data.shape_keys else None
    work.shape_key_clear()
    bpy.data.batch_remove([keys for keys in bpy.data.shape_keys if keys.session_uid == number])


def _protected(work: bpy.types.Object, names: list[str]) -> bpy.types.VertexGroup:
    """Add a vertex group of what should keep its detail."""
    body_names = {group.name: group.index for group in work.vertex_groups}
    group = work.vertex_groups.new(name="munet detail")
    wanted = {body_names[name] for name in names if name in body_names and _is_detailed(name)}
    vertices = work.data.vertices
    chosen = [v.index for v in vertices if sum(float(g.weight) for g in v.groups if g.group in wanted) > _MOSTLY]
    group.add(chosen, _SPARED, "REPLACE")
    return group


def _is_detailed(name: str) -> bool:
    return any(part in name.lower() for part in _DETAILED)


def _flat(points: bpy.types.bpy_prop_collection[Any], name: str, width: int) -> Floats:
    """Return a property (N, width) of all of ``points``."""
    values = np.empty(width * len(points), dtype=np.float32)
    points.foreach_get(name, values)
    return values.reshape(-1, width).astype(np.float64)


def _arrays(mesh: bpy.types.Mesh, work: bpy.types.Object, names: list[str]) -> tuple[Skin, Floats]:
    loops, uv = _triangle_loops(mesh)
    rest, corners = _flat(mesh.vertices, "co", 3), np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    weights = _weights(mesh, {group.index: group.name for group in work.vertex_groups}, names)
    return Skin(rest, rest, weights, corners[loops], np.zeros((0, 4), dtype=np.int32), uv), rest


def _weights(mesh: bpy.types.Mesh, groups: dict[int, str], names: list[str]) -> Floats:
    """Return the four largest weights of each vertex (V, J)."""
    work = bmesh.new()
    work.from_mesh(mesh)
    layer, weights = work.verts.layers.deform.active, np.zeros((len(work.verts), len(names)), dtype=np.float32)
    numbers = {index: names.index(name) for index, name in groups.items() if name in names}
    for row, vertex in enumerate(work.verts if layer is not None else ()):
        for group, weight in vertex[layer].items():
            if group in numbers:
                weights[row, numbers[group]] = weight
    work.free()
    least = np.sort(weights, axis=1)[:, -_INFLUENCES, None]
    return np.where(weights >= least, weights, 0.0)


def _triangle_loops(mesh: bpy.types.Mesh) -> tuple[np.ndarray, Floats]:
    """Return the loops (T, 3) of the triangles of ``mesh``, and the UVs (T, 3, 2) there."""
    mesh.calc_loop_triangles()
    loops = np.empty(3 * len(mesh.loop_triangles), dtype=np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    return loops.reshape(-1, 3), _flat(mesh.uv_layers[0].uv, "vector", 2)[loops].reshape(-1, 3, 2)


def _shown_normals(material: bpy.types.Material) -> Steps[np.ndarray | None]:
    """Return the picture (H, W, 3 or 4) of the material's own normal map, first row at the bottom, or None."""
    bends = [node for node in material.node_tree.nodes if node.type == "NORMAL_MAP" and node.inputs["Color"].is_linked]
    source = bends[0].inputs["Color"].links[0].from_node if bends else None
    if source is None or source.type != "TEX_IMAGE" or source.image is None:
        return None
    packed = source.image.packed_file
    if packed is not None and not source.image.is_dirty:
        # Blender would decode it on the main thread, which takes half a second of a large one.
        data = bytes(packed.data)
        decoded = yield Beside(lambda: _decoded(data))
        if decoded is not None:
            return decoded  # type: ignore[no-any-return]
    return stored_pixels(source.image)


def _decoded(data: bytes) -> np.ndarray | None:
    """Return the pixels (H, W, 3), first row at the bottom, in [0, 1], of a picture that we wrote, else None."""
    try:
        return decode_png(memoryview(data))[::-1].astype(np.float32) / 255
    except ValueError:
        return None


def _frames(mesh: bpy.types.Mesh) -> Corners:
    """Return normals and tangents of ``mesh``; those of faces with more than four corners after cutting them up."""
    corners = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("loop_total", corners)
    if corners.max(initial=0) > _CORNERS:
        cut = _cut_up(mesh)
        try:
            return _frames(cut)
        finally:
            bpy.data.meshes.remove(cut)
    loops, uv = _triangle_loops(mesh)
    mesh.calc_tangents(uvmap=mesh.uv_layers[0].name)
    channels = (("normal", 3), ("tangent", 3), ("bitangent_sign", 1))
    values = np.concatenate([_flat(mesh.loops, name, width) for name, width in channels], axis=1)
    mesh.free_tangents()
    return Corners(uv, values[loops])


def _cut_up(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    cut, work = mesh.copy(), bmesh.new()
    work.from_mesh(cut)
    bmesh.ops.triangulate(work, faces=[face for face in work.faces if len(face.verts) > _CORNERS])
    work.to_mesh(cut)
    work.free()
    return cut


def _with_normals(surface: bpy.types.Object, picture: bytes, name: str) -> bpy.types.Material:
    """Copy the material of ``surface`` and let ``picture`` bend its normals."""
    material = surface.active_material.copy()
    material.name = name
    tree = material.node_tree
    for node in [node for node in tree.nodes if node.type == "NORMAL_MAP"]:
        for link in list(node.inputs["Color"].links):
            tree.nodes.remove(link.from_node)
        tree.nodes.remove(node)
    shader = _shader(material)
    texture, bend = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeNormalMap")
    texture.name = "Light Version"
    texture.image = pack_image(f"{name} normals", picture)
    texture.image.colorspace_settings.name = "Non-Color"
    bend.uv_map = UV_NAME
    texture.location = (shader.location.x - 640, shader.location.y - 320)
    bend.location = (shader.location.x - 320, shader.location.y - 320)
    tree.links.new(texture.outputs["Color"], bend.inputs["Color"])
    tree.links.new(bend.outputs["Normal"], shader.inputs["Normal"])
    return material


def _take_over(surface: bpy.types.Object, light: bpy.types.Object) -> None:
    """Give ``light`` the shape keys and correctives that ``surface`` has at the nearest of its vertices."""
    near = _nearest(surface.data, light.data)
    _copy_keys(surface, light, near)
    correctives = read_correctives(surface.data)
    if correctives is not None:
        order = np.argsort(correctives.vertices, kind="stable")
        starts = np.searchsorted(correctives.vertices[order], [near, near + 1])
        counts = starts[1] - starts[0]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = order[np.repeat(starts[0], counts) + within]
        vertices = np.repeat(np.arange(len(near)), counts)
        write_correctives(light.data, Correctives(vertices, correctives.bones[rows], correctives.directions[rows]))


def _nearest(full: bpy.types.Mesh, light: bpy.types.Mesh) -> np.ndarray:
    tree = KDTree(len(full.vertices))
    points = full.shape_keys.key_blocks[0].points if full.shape_keys else full.vertices
    for index, point in enumerate(points):
        tree.insert(point.co, index)
    tree.balance()
    return np.array([tree.find(vertex.co)[1] for vertex in light.vertices])


def _copy_keys(surface: bpy.types.Object, light: bpy.types.Object, near: np.ndarray) -> None:
    shape = surface.data.shape_keys
    if shape is None:
        return
    places = {key.name: _flat(key.points, "co", 3) for key in shape.key_blocks}
    basis, rest = places[shape.key_blocks[0].name], _flat(light.data.vertices, "co", 3)
    light.shape_key_add(name="Basis", from_mix=False)
    for key in [key for key in shape.key_blocks[1:] if key.name.startswith("Shape")]:
        made = light.shape_key_add(name=key.name, from_mix=False)
        moved = rest + (places[key.name] - basis)[near]
        made.points.foreach_set("co", moved.astype(np.float32).reshape(-1))
        made.slider_min, made.slider_max, made.value = key.slider_min, key.slider_max, key.value
        curve = shape.animation_data.drivers.find(key.path_from_id("value")) if shape.animation_data else None
        if curve is not None:
            light.data.shape_keys.animation_data_create().drivers.from_existing(src_driver=curve)
