"""From a posed start to a surface that meets the outline of the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from munet.surface.anatomy import Anatomy, bone_interpolation
from munet.surface.clearance import clearance
from munet.surface.contour import Matches, Reach, find_matches
from munet.surface.operators import (
    Floats,
    Ints,
    Solver,
    smoother,
    unit,
    vertex_normals,
)
from munet.surface.silhouette import View, clothed_mask, draw
from munet.surface.solve import Limits, Mesh, Offsets, prepare_mesh, solve_in_plane, solve_offsets

NORMAL_SMOOTHING_METRES = 0.02
RIM_SMOOTHING_METRES = 0.008
# Feet whose outline is farther out than this, by the median, wear shoes.
SHOE_METRES = (0.001, 0.005)
# Tolerance of the robust fit in each round, metres.
ROUNDS = (0.06, 0.03, 0.02)
POLISH_METRES = 0.03
INWARD_SEARCH_METRES = 0.08
# Trunk and head are placed well by the landmarks, so they resist sideways shifts more than limbs do.
STEADY_JOINTS = {0: 6.0, 3: 6.0, 6: 6.0, 9: 6.0, 12: 10.0, 15: 15.0}


@dataclass(frozen=True)
class Start:
    """The surface before it meets the outline. V: vertices.

    Attributes:
        vertices_cam: (V, 3) posed, camera frame: the body, or what a network made of it.
        rest: (V, 3) the same in the rest pose.
        joints_cam: (J, 3) posed joints.
        faces: (F, 3).
        parents: (24,) parents of the SMPL joints.
        anatomy: limits of every vertex.
    """

    vertices_cam: Floats
    rest: Floats
    joints_cam: Floats
    faces: Ints
    parents: tuple[int, ...]
    anatomy: Anatomy


@dataclass(frozen=True)
class Refined:
    """The surface that meets the outline.

    Attributes:
        vertices_cam: (V, 3).
        offsets: along the normals, and the shifts of the joints.
        shod: 1 when the feet are bigger in the photo than bare ones, 0 when they are not.
    """

    vertices_cam: Floats
    offsets: Offsets
    shod: float


@dataclass(frozen=True)
class _Frame:
    """What stays the same from round to round."""

    start: Start
    mesh: Mesh
    limits: Limits
    normals: Floats
    carry: Floats
    smooth_rim: Solver


def refine(start: Start, view: View, previous: Offsets | None = None, polish_rounds: int = 0) -> Refined:
    """Move a posed surface so that its outline meets the mask, smoothly and without running limbs into each other.

    Each round draws the surface, matches its outline with the mask's boundary and solves for offsets along smooth
    normals together with small sideways shifts of the limbs; a last step takes the outline the rest of the way in
    the image plane.

    Args:
        start: the posed surface.
        view: camera and mask.
        previous: offsets to go on from.
        polish_rounds: how often the outline is taken the rest of the way in the image plane.

    Returns:
        The refined surface, its offsets relative to the start.
    """
    frame = _prepare(start)
    mask = clothed_mask(view, draw(view.camera, start.vertices_cam, start.faces), _metres_per_pixel(start, view))
    clean = View(view.camera, mask, view.border)
    offsets = previous or Offsets(np.zeros(len(start.rest)), np.zeros((len(start.parents), 2)))
    shod = _shod(start.anatomy, _match(frame, clean, _assemble(frame, offsets)))
    for tolerance in ROUNDS if previous is None else ROUNDS[-2:]:
        vertices = _assemble(frame, offsets)
        matches = _match(frame, clean, vertices)
        offsets = solve_offsets(frame.mesh, frame.limits, matches, frame.normals, frame.carry, offsets, tolerance)
    vertices = _assemble(frame, offsets)
    for _ in range(polish_rounds):
        vertices = vertices + _polish(frame, clean, vertices)
    return Refined(vertices, offsets, shod)


def _metres_per_pixel(start: Start, view: View) -> float:
    return float(np.median(start.vertices_cam[:, 2])) / view.camera.focal


def _prepare(start: Start) -> _Frame:
    vertices, faces = start.vertices_cam, start.faces
    mesh = prepare_mesh(vertices, faces)
    normals = _smooth_normals(mesh, vertices, faces, NORMAL_SMOOTHING_METRES)
    anatomy = start.anatomy
    return _Frame(
        start=start,
        mesh=mesh,
        limits=_limits(start, mesh, normals),
        normals=normals,
        carry=bone_interpolation(anatomy.folded, vertices, start.joints_cam),
        smooth_rim=smoother(mesh.laplace, mesh.areas, RIM_SMOOTHING_METRES),
    )


def _smooth_normals(mesh: Mesh, vertices: Floats, faces: Ints, length: float) -> Floats:
    return unit(smoother(mesh.laplace, mesh.areas, length)(vertex_normals(vertices, faces)))


def _limits(start: Start, mesh: Mesh, normals: Floats) -> Limits:
    """Bounds that keep limbs apart both in the photo's pose and in the rest pose."""
    anatomy = start.anatomy
    rest_normals = _smooth_normals(mesh, start.rest, start.faces, NORMAL_SMOOTHING_METRES)
    posed_room = clearance(start.vertices_cam, normals, anatomy.limb)
    rest_room = clearance(start.rest, rest_normals, anatomy.limb)
    room = np.minimum(posed_room, rest_room)
    shift = np.array([STEADY_JOINTS.get(joint, 1.0) for joint in range(len(start.parents))])
    return Limits(np.minimum(anatomy.outward, room), anatomy.inward, anatomy.locked, start.parents, shift)


def _match(frame: _Frame, view: View, vertices: Floats) -> Matches:
    faces, anatomy = frame.start.faces, frame.start.anatomy
    reach = Reach(np.maximum(anatomy.outward, 0.05), INWARD_SEARCH_METRES)
    normals = unit(frame.smooth_rim(vertex_normals(vertices, faces)))
    own = draw(view.camera, vertices, faces)
    return find_matches(view, own, vertices, faces, normals, reach)


def _assemble(frame: _Frame, offsets: Offsets) -> Floats:
    """The surface (V, 3): offset along the normals and shifted with the joints."""
    moved = frame.start.vertices_cam + offsets.along[:, None] * frame.normals
    moved[:, :2] += frame.carry @ offsets.shifts
    return moved


def _shod(anatomy: Anatomy, matches: Matches) -> float:
    """Whether the outline of the feet is farther out than bare feet: 0 to 1, 0 when no foot is seen."""
    feet = anatomy.feet[matches.vertex] > 0.7
    if np.count_nonzero(feet) < 10:
        return 0.0
    low, high = SHOE_METRES
    return float(np.clip((np.median(matches.distance[feet]) - low) / (high - low), 0, 1))


def _polish(frame: _Frame, view: View, vertices: Floats) -> Floats:
    faces, anatomy = frame.start.faces, frame.start.anatomy
    own = draw(view.camera, vertices, faces)
    reach = Reach(np.full(len(vertices), 2 * POLISH_METRES), 2 * POLISH_METRES)
    normals = unit(frame.smooth_rim(vertex_normals(vertices, faces)))
    matches = find_matches(view, own, vertices, faces, normals, reach)
    return solve_in_plane(frame.mesh, anatomy.locked, matches, POLISH_METRES)
