"""The geometry nodes that add the pose correctives to a mesh: sparse, without Python, on all cores.

The nodes make one point for each bone, turn its quaternion into the columns of ``R - I`` there, and let every slot of a
vertex (see :mod:`.corrective_data`) take the columns of its bone.
"""

from __future__ import annotations

import bpy

from .corrective_data import PREFIX

CHANNELS = "wxyz"
_KEY = "munet_correctives"
_Socket = bpy.types.NodeSocket


def corrective_nodes(bones: int, slots: int) -> bpy.types.NodeTree:
    """Return the group for meshes with that many ``slots`` and moving ``bones``, made where there is none yet.

    Its inputs beside the geometry are w, x, y and z of the first bone's quaternion, of the second's, and so on.
    """
    key = f"{bones} {slots}"
    found = next((group for group in bpy.data.node_groups if group.get(_KEY) == key), None)
    return found if found is not None else _build(key, bones, slots)


def input_names(group: bpy.types.NodeTree) -> list[str]:
    """Return the identifiers of the quaternions' inputs of ``group``, in order."""
    sockets = [item for item in group.interface.items_tree if item.in_out == "INPUT"]
    return [socket.identifier for socket in sockets if socket.socket_type == "NodeSocketFloat"]


def _build(key: str, bones: int, slots: int) -> bpy.types.NodeTree:
    group = bpy.data.node_groups.new("MuNet Pose Correctives", "GeometryNodeTree")
    group[_KEY] = key
    for way in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    for number in range(bones):
        for channel in CHANNELS:
            name = f"{number} {channel}"
            socket = group.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
            socket.hide_in_modifier = True
    source, sink = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    points = group.nodes.new("GeometryNodePoints")
    points.inputs["Count"].default_value = bones
    columns = _columns(group, source, bones)
    geometry = source.outputs[0]
    for slot in range(slots):
        geometry = _add_slot(group, slot, geometry, points.outputs[0], columns)
    group.links.new(geometry, sink.inputs[0])
    return group


def _columns(group: bpy.types.NodeTree, source: bpy.types.Node, bones: int) -> list[_Socket]:
    """Return the three columns of ``R - I`` as fields on the points of the bones."""
    index, rotation = group.nodes.new("GeometryNodeInputIndex"), group.nodes.new("FunctionNodeQuaternionToRotation")
    for channel in range(4):
        switch = group.nodes.new("GeometryNodeIndexSwitch")
        switch.data_type = "FLOAT"
        while len(switch.index_switch_items) < bones:
            switch.index_switch_items.new()
        group.links.new(index.outputs[0], switch.inputs["Index"])
        for bone in range(bones):
            group.links.new(source.outputs[1 + 4 * bone + channel], switch.inputs[1 + bone])
        group.links.new(switch.outputs[0], rotation.inputs[channel])
    return [_column(group, rotation.outputs[0], column) for column in range(3)]


def _column(group: bpy.types.NodeTree, rotation: _Socket, column: int) -> _Socket:
    axis = [float(column == entry) for entry in range(3)]
    turn, subtract = group.nodes.new("FunctionNodeRotateVector"), group.nodes.new("ShaderNodeVectorMath")
    turn.inputs["Vector"].default_value = axis
    group.links.new(rotation, turn.inputs["Rotation"])
    subtract.operation = "SUBTRACT"
    group.links.new(turn.outputs[0], subtract.inputs[0])
    subtract.inputs[1].default_value = axis
    return subtract.outputs[0]


def _add_slot(
    group: bpy.types.NodeTree, slot: int, geometry: _Socket, points: _Socket, columns: list[_Socket]
) -> _Socket:
    """Return ``geometry`` with what one slot of its vertices adds to them."""
    bone, offset = _stored(group, f"{slot}_bone", "INT"), None
    for number, column in enumerate(columns):
        sample = group.nodes.new("GeometryNodeSampleIndex")
        sample.data_type, sample.domain = "FLOAT_VECTOR", "POINT"
        group.links.new(points, sample.inputs["Geometry"])
        group.links.new(column, _enabled(sample.inputs, "Value"))
        group.links.new(bone, sample.inputs["Index"])
        product = group.nodes.new("FunctionNodeTransformDirection")
        group.links.new(_enabled(sample.outputs, "Value"), product.inputs["Direction"])
        group.links.new(_stored(group, f"{slot}_{number}", "FLOAT4X4"), product.inputs["Transform"])
        offset = product.outputs[0] if offset is None else _sum(group, offset, product.outputs[0])
    move = group.nodes.new("GeometryNodeSetPosition")
    group.links.new(geometry, move.inputs["Geometry"])
    group.links.new(_stored(group, f"{slot}_in", "BOOLEAN"), move.inputs["Selection"])
    group.links.new(offset, move.inputs["Offset"])
    return move.outputs[0]


def _stored(group: bpy.types.NodeTree, name: str, kind: str) -> _Socket:
    node = group.nodes.new("GeometryNodeInputNamedAttribute")
    node.data_type = kind
    node.inputs["Name"].default_value = f"{PREFIX}{name}"
    return _enabled(node.outputs, "Attribute")


def _sum(group: bpy.types.NodeTree, first: _Socket, second: _Socket) -> _Socket:
    node = group.nodes.new("ShaderNodeVectorMath")
    group.links.new(first, node.inputs[0])
    group.links.new(second, node.inputs[1])
    return node.outputs[0]


def _enabled(sockets: bpy.types.bpy_prop_collection[_Socket], name: str) -> _Socket:
    """Return the socket of that name; nodes of several types have one for each, of which one is in use."""
    found: _Socket = next(socket for socket in sockets if socket.name == name and socket.enabled)
    return found
