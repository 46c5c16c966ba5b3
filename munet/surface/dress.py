"""From the posed body to the clothed surface of one person."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from munet.body.model import SMPL_PARENTS, BodyModel
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError
from munet.fitting.result import BodyFit
from munet.notes import Note
from munet.perception.observation import PersonObservation
from munet.settings import Settings
from munet.surface.anatomy import (
    Anatomy,
    describe,
    dressable,
    with_cut_off_limbs,
    with_hidden_limbs,
    with_pockets,
    without_contacts,
)
from munet.surface.cloth import cover
from munet.surface.contour import Matches
from munet.surface.hair import closed_hair
from munet.surface.operators import Floats, Ints, edge_weights, smoother, vertex_normals
from munet.surface.refine import Refined, Start, polished, refine, rest_room, smooth_normals
from munet.surface.result import ClothedSurface
from munet.surface.separate import separated
from munet.surface.silhouette import View, draw, make_view, overlap, sketch, without_thin_things
from munet.surface.skirt import Legs, find_hem, find_legs, held_together, in_middle, joined, with_skirt
from munet.surface.solve import Offsets, prepare_mesh
from munet.surface.unpose import Skin, blend, limit_influences, loosen_weights
from munet.surface.unseen import LOST_SHARE, SHINS, lost_bones, plain_trousers

POLISH_ROUNDS = {"draft": 1, "standard": 2, "high": 4}
# A predicted surface says how thick clothes are, no more: shorter waves go. Where a skirt ends is told more sharply.
EXPECTED_SMOOTHING_METRES, HEM_SMOOTHING_METRES = 0.05, 0.03
POOR_OVERLAP = 0.85
# A skirt that meets the mask worse than the legs alone by more than this is none.
LOST_OVERLAP = 0.08
CAM_FROM_BODY = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Prediction:
    """A posed clothed surface of the model's topology, camera frame. V: vertices.

    Attributes:
        vertices_cam: (V, 3) metres.
        normals_cam: (V, 3) unit normals whose folds the surface shall show, zero where unknown, or None.
    """

    vertices_cam: NDArray[np.floating]
    normals_cam: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class _Body:
    """The fitted body in double precision. V: vertices, J: joints."""

    rest: Floats
    joints_rest: Floats
    joints_cam: Floats
    transforms_cam: Floats
    weights: Floats
    faces: Ints
    anatomy: Anatomy


def dress(
    model: BodyModel,
    fit: BodyFit,
    observation: PersonObservation,
    settings: Settings,
    prediction: Prediction | None = None,
) -> ClothedSurface:
    """Clothe a fitted body so that its outline meets the person's mask.

    First the outline tells how far clothes and hair stand off the body. Then the body's relief fades under them,
    feet become shoes where the photo shows more than bare feet, weights of loose parts are softened, and the outline
    is met again. The topology is the body's own.

    Args:
        model: the body model of the fit.
        fit: pose, shape and camera.
        observation: the person's mask.
        settings: of the job: the preset says how often the outline is polished. Nothing here is random.
        prediction: a clothed surface, for instance a network's. How far it stands off the body is expected of
            clothes, which the outline then corrects; head, hands and feet are left to the outline.

    Raises:
        InvalidInputError: the mask is empty or has not the photo's size, or the prediction has the wrong shape.
    """
    body = _fitted_body(model, fit)
    lost = lost_bones(fit, observation.mask, body.anatomy)
    body = replace(body, anatomy=with_hidden_limbs(body.anatomy, lost))
    view = make_view(fit.camera, np.asarray(observation.mask, np.float32), fit.vertices_cam.astype(np.float64))
    clean = without_thin_things(view, fit.vertices_cam.astype(np.float64), body.faces)
    rounds = POLISH_ROUNDS[settings.preset]
    expected = _in_trousers(body, lost, _expected(body, fit, prediction))
    legs = find_legs(body.rest, body.joints_rest, body.anatomy.folded)
    hem = _hem(body, fit, clean, legs, expected.sharp)
    draft = _draft(_skirted(body, legs, hem, expected.sharp), clean, expected)
    second = refine(draft.start, clean, draft.offsets, rounds - 1, _predicted_normals(body, prediction))
    worn = _with_hair(body, draft, _unposed(draft, second), clean)
    if hem:
        worn = _in_skirt(body, draft, worn, clean, legs, hem, rounds)
    return _result(model, body, worn, view)


@dataclass(frozen=True)
class _Expected:
    """Metres (V,) that clothes are expected to stand off the body, and where (V,) in [0, 1] anything is expected.

    ``sharp`` is the same as ``along``, less smoothed.
    """

    along: Floats
    sharp: Floats
    known: Floats


@dataclass(frozen=True)
class _Draft:
    """A surface with its final weights, before its outline is met for the last time."""

    start: Start
    skin: Skin
    offsets: Offsets


def _draft(body: _Body, view: View, expected: _Expected) -> _Draft:
    """Measure how far clothes stand off the body, fade its relief under them and soften weights accordingly."""
    skin = blend(body.transforms_cam, body.weights)
    bare = _start(body, body.rest, skin, body.anatomy, np.full(len(body.rest), np.inf), expected)
    first = refine(bare, view)
    along = first.offsets.along
    mesh = prepare_mesh(body.rest, body.faces)
    rest = cover(mesh, body.faces, body.rest, body.joints_rest, body.anatomy, along, first.shod)
    loose = blend(body.transforms_cam, loosen_weights(mesh, body.weights, along * (1 - body.anatomy.locked)))
    anatomy = _bare_feet_locked(body.anatomy, first.shod)
    room = rest_room(rest, body.faces, anatomy)
    return _Draft(_start(body, rest, loose, anatomy, room, expected), loose, first.offsets)


def _expected(body: _Body, fit: BodyFit, prediction: Prediction | None) -> _Expected:
    """How far the clothes of a predicted surface stand off the body; 0 where nothing is worn or known."""
    if prediction is None:
        return _Expected(*np.zeros((3, len(body.rest))))
    known = dressable(body.anatomy)
    moved = _checked(prediction.vertices_cam, body) - fit.vertices_cam
    mesh = prepare_mesh(fit.vertices_cam.astype(np.float64), body.faces)
    normals = smooth_normals(mesh, fit.vertices_cam.astype(np.float64), body.faces)
    raw = np.einsum("vi,vi->v", moved, normals)
    along, sharp = (
        np.clip(smoother(mesh.laplace, mesh.areas, length)(raw), 0, None) * known
        for length in (EXPECTED_SMOOTHING_METRES, HEM_SMOOTHING_METRES)
    )
    return _Expected(along, sharp, known)


def _in_trousers(body: _Body, lost: Floats, expected: _Expected) -> _Expected:
    """Clothes are expected on shins that the photo does not show."""
    if lost[list(SHINS)].max() < LOST_SHARE:
        return expected
    normals = smooth_normals(prepare_mesh(body.rest, body.faces), body.rest, body.faces)
    trousers = plain_trousers(body.anatomy, body.rest, normals, body.joints_rest, lost)
    return replace(expected, along=np.maximum(expected.along, trousers))


def _hem(body: _Body, fit: BodyFit, view: View, legs: Legs, expected: Floats) -> float:
    """How far down the legs a skirt reaches, 0 when there is none."""
    own = sketch(view.camera, fit.vertices_cam.astype(np.float64), body.faces)
    return find_hem(view, own, body.joints_cam, legs, expected)


def _skirted(body: _Body, legs: Legs, hem: float, expected: Floats) -> _Body:
    return replace(body, anatomy=with_skirt(body.anatomy, legs, hem, expected)) if hem else body


def _predicted_normals(body: _Body, prediction: Prediction | None) -> Floats | None:
    """Predicted normals (V, 3) where clothes are."""
    if prediction is None or prediction.normals_cam is None:
        return None
    known = dressable(body.anatomy) > 0.5
    return _checked(prediction.normals_cam, body) * known[:, None]


def _checked(values: NDArray[np.floating], body: _Body) -> Floats:
    """A predicted array in double precision."""
    result = np.asarray(values, np.float64)
    if result.shape != body.rest.shape or not np.isfinite(result).all():
        raise InvalidInputError(
            "The predicted surface does not fit the body.",
            detail=f"expected {body.rest.shape} finite numbers, found {result.shape}",
        )
    return result


def _fitted_body(model: BodyModel, fit: BodyFit) -> _Body:
    if fit.vertices_cam.shape != tuple(model.template.shape):
        raise InvalidInputError(
            "The fit belongs to another body model.",
            detail=f"expected {tuple(model.template.shape)} vertices, found {fit.vertices_cam.shape}",
        )
    with torch.no_grad():
        betas, pose = (torch.from_numpy(np.asarray(a, np.float32))[None] for a in (fit.betas, fit.pose))
        posed = pose_body(model.to("cpu"), betas, pose)
        landmarks = torch.sparse.mm(model.landmarks, model.template)
    to_cam = np.eye(4)
    to_cam[:3, :3], to_cam[:3, 3] = CAM_FROM_BODY, fit.translation
    weights, template, faces = _array(model.weights), _array(model.template), model.faces.cpu().numpy().astype(np.int64)
    normals, joints = vertex_normals(template, faces), _array(model.joint_template)
    anatomy = describe(weights, template, normals, joints, _array(landmarks), model.parts.cpu().numpy())
    return _Body(
        rest=_array(posed.rest_corrected[0]),
        joints_rest=_array(posed.rest_joints[0]),
        joints_cam=fit.joints_cam.astype(np.float64),
        transforms_cam=to_cam @ _array(posed.transforms[0]),
        weights=limit_influences(weights),
        faces=faces,
        anatomy=with_cut_off_limbs(with_pockets(anatomy, fit.pocketed), fit.seen.copy()),
    )


def _array(tensor: torch.Tensor) -> Floats:
    return tensor.detach().cpu().numpy().astype(np.float64)


def _start(body: _Body, rest: Floats, skin: Skin, anatomy: Anatomy, room: Floats, expected: _Expected) -> Start:
    return Start(
        skin.pose(rest),
        rest,
        body.joints_cam,
        body.faces,
        SMPL_PARENTS,
        anatomy,
        room,
        expected.along,
        expected.known,
    )


def _bare_feet_locked(anatomy: Anatomy, shod: float) -> Anatomy:
    locked = np.maximum(anatomy.locked, np.clip(1.5 * anatomy.feet - 0.5, 0, 1) * (1 - shod))
    return replace(anatomy, locked=locked, outward=anatomy.outward * (1 - locked), ease=anatomy.ease * (1 - locked))


@dataclass(frozen=True)
class _Worn:
    """The dressed rest shape (V, 3), how it is posed, the matches of its outline, and which parts may not overlap."""

    rest: Floats
    skin: Skin
    outline: Matches
    anatomy: Anatomy


def _unposed(draft: _Draft, refined: Refined) -> _Worn:
    rest, skin = draft.start.rest, draft.skin
    displaced = rest + skin.rest_offset(refined.vertices_cam - skin.pose(rest))
    return _Worn(displaced, skin, refined.outline, draft.start.anatomy)


def _with_hair(body: _Body, draft: _Draft, worn: _Worn, view: View) -> _Worn:
    """Close hair over what it covers and take the outline the rest of the way to the mask's."""
    pairs, _ = edge_weights(worn.rest, body.faces)
    rest = closed_hair(draft.start.rest, worn.rest, pairs, worn.anatomy)
    posed = worn.skin.pose(rest)
    met, outline = polished(view, posed, body.faces, worn.anatomy, 1)
    return replace(worn, rest=rest + worn.skin.rest_offset(met - posed), outline=outline)


def _in_skirt(body: _Body, draft: _Draft, worn: _Worn, view: View, legs: Legs, hem: float, rounds: int) -> _Worn:
    """Join both legs to a skirt and take its outline the rest of the way to the mask's."""
    pairs, _ = edge_weights(worn.rest, body.faces)
    rest, weights = joined(
        pairs, draft.start.rest, worn.rest, worn.skin.weights, body.joints_rest, body.joints_cam, legs, hem
    )
    skin = blend(body.transforms_cam, weights)
    posed = skin.pose(rest)
    met, outline = polished(view, posed, body.faces, body.anatomy, rounds)
    middle = in_middle(rest, legs, hem)
    move = held_together(rest, skin.rest_offset(met - posed), legs, middle)
    skirted = _Worn(rest + move, skin, outline, without_contacts(worn.anatomy, middle))
    before, after = (_seen_share(body, view, each) for each in (worn, skirted))
    return skirted if after > before - LOST_OVERLAP else worn


def _seen_share(body: _Body, view: View, worn: _Worn) -> float:
    return overlap(sketch(view.camera, worn.skin.pose(worn.rest), body.faces), view.mask >= 0.5)


def _result(model: BodyModel, body: _Body, worn: _Worn, view: View) -> ClothedSurface:
    skin = worn.skin
    displaced = separated(worn.rest, skin, body.faces, worn.anatomy, worn.outline)
    rest_vertices, weights = displaced.astype(np.float32), skin.weights.astype(np.float32)
    vertices = blend(body.transforms_cam, weights.astype(np.float64)).pose(rest_vertices.astype(np.float64))
    inside = overlap(draw(view.camera, vertices, body.faces), view.mask >= 0.5)
    text = f"The surface meets the outline of the person only to {inside:.0%}."
    poor = (Note(text, "OUTLINE_MISSED", percent=round(100 * inside)),) if inside < POOR_OVERLAP else ()
    return ClothedSurface(
        vertices_cam=vertices.astype(np.float32),
        rest_vertices=rest_vertices,
        weights=weights,
        faces=body.faces.astype(np.int32),
        quads=model.quads.cpu().numpy().astype(np.int32),
        uv=model.uv.cpu().numpy().astype(np.float32),
        silhouette_iou=inside,
        warnings=poor,
    )
