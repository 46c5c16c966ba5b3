"""From a posed start to a surface that meets the outline of the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from munet.surface.anatomy import Anatomy, bone_interpolation
from munet.surface.clearance import clearance
from munet.surface.contacts import find_contacts
from munet.surface.contour import Matches, Reach, find_matches
from munet.surface.operators import (
    Floats,
    Ints,
    neighbourhood_minimum,
    smoother,
    soften_field,
    unit,
    vertex_normals,
)
from munet.surface.silhouette import View, sketch
from munet.surface.solve import Limits, Mesh, Offsets, System, make_system, prepare_mesh, solve_in_plane, solve_offsets
from munet.surface.wrinkles import follow_normals

NORMAL_SMOOTHING_METRES = 0.02
RIM_SMOOTHING_STEPS = 4
LIMIT_EROSION_STEPS, LIMIT_SMOOTHING_STEPS = 2, 16
# Without evidence an offset decays over this length, outside the photo sooner.
DECAY_METRES, UNSEEN_DECAY_METRES = 0.6, 0.2
# Where a network expects clothes its expectation is returned to sooner: it knows more about depth than the outline.
EXPECTED_DECAY_METRES = 0.12
# Feet whose outline is not clearly inside that of bare feet, by the median, wear shoes.
SHOE_METRES = (-0.006, -0.002)
# Tolerance of the robust fit in each round, metres.
FIRST_ROUNDS, LATER_ROUNDS = (0.06, 0.03), (0.03, 0.02)
POLISH_METRES = 0.03
# The last step may go this far beyond what clothes may stand off the body.
BEYOND_METRES = 0.012
INWARD_SEARCH_METRES = 0.08
# Trunk and head are placed well by the landmarks, so they resist sideways shifts more than limbs do.
STEADY_JOINTS = {0: 6.0, 3: 6.0, 6: 6.0, 9: 6.0, 12: 6.0, 15: 6.0}


@dataclass(frozen=True)
class Start:
    """The surface before it meets the outline. V: vertices.

    Attributes:
        vertices_cam: (V, 3) posed body, camera frame.
        rest: (V, 3) the same in the rest pose.
        joints_cam: (J, 3) posed joints.
        faces: (F, 3).
        parents: (24,) parents of the SMPL joints.
        anatomy: limits of every vertex.
        room: (V,) metres that limbs can swell in the rest pose before they meet.
        expected: (V,) metres, offset along the normals that a network expects, 0 without.
        known: (V,) in [0, 1]: where a network expects anything, 0 without.
    """

    vertices_cam: Floats
    rest: Floats
    joints_cam: Floats
    faces: Ints
    parents: tuple[int, ...]
    anatomy: Anatomy
    room: Floats
    expected: Floats
    known: Floats


@dataclass(frozen=True)
class Refined:
    """The surface that meets the outline.

    Attributes:
        vertices_cam: (V, 3).
        offsets: along the normals, and the shifts of the joints.
        shod: 1 when the feet are bigger in the photo than bare ones, 0 when they are not.
        outline: the matches of the last step.
    """

    vertices_cam: Floats
    offsets: Offsets
    shod: float
    outline: Matches


@dataclass(frozen=True)
class _Frame:
    """What stays the same from round to round."""

    start: Start
    limits: Limits
    system: System


def refine(
    start: Start,
    view: View,
    previous: Offsets | None = None,
    polish_rounds: int = 0,
    target_normals: Floats | None = None,
) -> Refined:
    """Move a posed surface so that its outline meets the mask, smoothly and without running limbs into each other.

    Each round draws the surface, matches its outline with the mask's boundary and solves for offsets along smooth
    normals together with small sideways shifts of the limbs; a last step takes the outline the rest of the way in
    the image plane.

    Args:
        start: the posed surface.
        view: camera and mask, without things that are no clothes.
        previous: offsets to go on from.
        polish_rounds: how often the outline is taken the rest of the way in the image plane.
        target_normals: (V, 3) unit normals in the camera frame whose folds the surface shall show, zero where
            nothing is known, or None.

    Returns:
        The refined surface, its offsets relative to the start.
    """
    frame = _prepare(start, view)
    offsets = previous or Offsets(np.zeros(len(start.rest)), np.zeros((len(start.parents), 2)))
    shod: float | None = None
    for tolerance in FIRST_ROUNDS if previous is None else LATER_ROUNDS:
        matches = _match(frame, view, _assemble(frame, offsets))
        shod = _shod(start.anatomy, matches) if shod is None else shod
        offsets = solve_offsets(frame.system, frame.limits, matches, offsets, tolerance)
    vertices = _assemble(frame, offsets)
    if target_normals is not None:
        mesh, normals = frame.system.mesh, frame.system.normals
        vertices = follow_normals(mesh, vertices, normals, target_normals, start.anatomy.locked)
    if polish_rounds:
        room = start.anatomy.outward - offsets.along
        vertices, matches = _polish(view, frame.system.mesh, vertices, start.faces, start.anatomy, room, polish_rounds)
    return Refined(vertices, offsets, shod or 0.0, matches)


def polished(view: View, vertices: Floats, faces: Ints, anatomy: Anatomy, rounds: int) -> tuple[Floats, Matches]:
    """Take the outline of a posed surface (V, 3) the rest of the way to the mask; what is locked stays.

    Returns:
        The moved surface and the matches of the last round.
    """
    # What may hardly stand off the body has met the mask before as well as it may.
    room = np.where(anatomy.outward > 2 * POLISH_METRES, np.inf, 0.0)
    return _polish(view, prepare_mesh(vertices, faces), vertices, faces, anatomy, room, rounds)


def _polish(
    view: View, mesh: Mesh, vertices: Floats, faces: Ints, anatomy: Anatomy, room: Floats, rounds: int
) -> tuple[Floats, Matches]:
    outward = np.clip(room + BEYOND_METRES, 0, 2 * POLISH_METRES)
    reach = Reach(outward, _inward(anatomy, 2 * POLISH_METRES), anatomy.hands, anatomy.bystanders)
    for _ in range(rounds):
        matches = _match_closely(view, mesh, vertices, faces, reach)
        vertices = vertices + solve_in_plane(mesh, anatomy.locked, matches, POLISH_METRES)
    return vertices, matches


def rest_room(rest: Floats, faces: Ints, anatomy: Anatomy) -> Floats:
    """Offsets (V,) at which limbs would meet in the rest pose with vertices (V, 3)."""
    return clearance(rest, smooth_normals(prepare_mesh(rest, faces), rest, faces), anatomy.limb)


def _prepare(start: Start, view: View) -> _Frame:
    vertices, anatomy = start.vertices_cam, start.anatomy
    mesh = prepare_mesh(vertices, start.faces)
    normals = smooth_normals(mesh, vertices, start.faces)
    room = np.minimum(clearance(vertices, normals, anatomy.limb), start.room)
    outward = np.minimum(anatomy.outward, _eased(mesh, room)) * _apart(mesh, vertices, normals, anatomy)
    shift = np.array([STEADY_JOINTS.get(joint, 1.0) for joint in range(len(start.parents))])
    ease, expected = np.minimum(anatomy.ease, outward), np.minimum(start.expected, outward)
    limits = Limits(outward, anatomy.inward, ease, expected, anatomy.locked, start.parents, shift)
    alone = np.where(_in_photo(view, vertices), DECAY_METRES, UNSEEN_DECAY_METRES)
    decay = 1 / np.sqrt((1 - start.known) / alone**2 + start.known / np.minimum(alone, EXPECTED_DECAY_METRES) ** 2)
    carry = bone_interpolation(anatomy.folded, vertices, start.joints_cam)
    return _Frame(start, limits, make_system(mesh, limits, normals, carry, decay))


def _apart(mesh: Mesh, vertices: Floats, normals: Floats, anatomy: Anatomy) -> Floats:
    """1 for vertices (V,) that lie in no other part, 0 for those that do, softened: what overlaps shall not swell."""
    overlapping = find_contacts(vertices, normals, anatomy.part, 0.0)
    apart = np.ones(len(vertices))
    apart[overlapping.first] = apart[overlapping.second] = 0
    return _eased(mesh, apart)


def _eased(mesh: Mesh, limit: Floats) -> Floats:
    """A limit (V,) taken from the narrowest of the neighbours and softened."""
    narrow = neighbourhood_minimum(mesh.pairs, limit, LIMIT_EROSION_STEPS)
    return soften_field(mesh.laplace, narrow, LIMIT_SMOOTHING_STEPS)


def _in_photo(view: View, vertices_cam: Floats) -> NDArray[np.bool_]:
    """Which vertices (V,) lie inside the view."""
    pixels = view.camera.project(vertices_cam)
    inside = (pixels >= 0) & (pixels <= [view.camera.width, view.camera.height])
    seen: NDArray[np.bool_] = inside.all(1) & (vertices_cam[:, 2] > 0)
    return seen


def smooth_normals(mesh: Mesh, vertices: Floats, faces: Ints) -> Floats:
    """Unit normals (V, 3) without what is small."""
    smooth = smoother(mesh.laplace, mesh.areas, NORMAL_SMOOTHING_METRES)
    return unit(smooth(vertex_normals(vertices, faces)))


def _match(frame: _Frame, view: View, vertices: Floats) -> Matches:
    faces, anatomy = frame.start.faces, frame.start.anatomy
    reach = Reach(
        np.maximum(anatomy.outward, 0.05), _inward(anatomy, INWARD_SEARCH_METRES), anatomy.hands, anatomy.bystanders
    )
    normals = unit(soften_field(frame.system.mesh.laplace, vertex_normals(vertices, faces), RIM_SMOOTHING_STEPS))
    own = sketch(view.camera, vertices, faces)
    return find_matches(view, own, vertices, faces, normals, reach)


def _assemble(frame: _Frame, offsets: Offsets) -> Floats:
    """The surface (V, 3): offset along the normals and shifted with the joints."""
    moved = frame.start.vertices_cam + offsets.along[:, None] * frame.system.normals
    moved[:, :2] += frame.system.carry @ offsets.shifts
    return moved


def _shod(anatomy: Anatomy, matches: Matches) -> float:
    """Whether shoes are likely, 0 to 1: the outline is not inside that of bare feet. Unseen feet wear shoes."""
    feet = anatomy.feet[matches.vertex] > 0.7
    if np.count_nonzero(feet) < 10:
        return 1.0
    low, high = SHOE_METRES
    return float(np.clip((np.median(matches.distance[feet]) - low) / (high - low), 0, 1))


def _match_closely(view: View, mesh: Mesh, vertices: Floats, faces: Ints, reach: Reach) -> Matches:
    own = sketch(view.camera, vertices, faces)
    normals = unit(soften_field(mesh.laplace, vertex_normals(vertices, faces), RIM_SMOOTHING_STEPS))
    return find_matches(view, own, vertices, faces, normals, reach)


def _inward(anatomy: Anatomy, metres: float) -> Floats:
    """How far (V,) inward a boundary is sought: not at all where something stands before a limb."""
    return np.where(anatomy.hidden, 0.0, metres)
