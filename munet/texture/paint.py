"""The texture of a clothed surface: the photo where it shows the surface, a plausible continuation elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation, Photo
from munet.render import vertex_normals
from munet.settings import Settings
from munet.surface.result import ClothedSurface
from munet.texture.atlas import Texels, texels_of
from munet.texture.bands import find_bands
from munet.texture.eyes import eye_angles, eye_colour
from munet.texture.fill import Filled, fill_vertices, laplacian, vertex_areas
from munet.texture.fine import cloth_of, fine_texture
from munet.texture.foreign import covered_arms, thing_in_view, thing_materials
from munet.texture.hair import Hair, grown_hair
from munet.texture.hands import doubtful_hands, stray_colours
from munet.texture.light import light_factor
from munet.texture.materials import Materials, find_materials
from munet.texture.mirror import mirrored_vertices
from munet.texture.pad import pad_seams
from munet.texture.priors import Evidence
from munet.texture.regions import Regions, regions_of
from munet.texture.rim import doubt_rim
from munet.texture.sample import Projected, Seen, project_vertices, sample_photo
from munet.texture.shadow import shadow_factor
from munet.texture.visibility import View, look_at_person

Floats = NDArray[np.float32]

_PAD_SHARE = 1 / 128
# Every second texel in both directions is plenty for the colours of vertices.
_SPARSE = 4
# sRGB steps by which mirrored detail departs from the smooth colour at most, on limbs and elsewhere.
_MOST = np.float32(40)
_MOST_ON_HEAD_AND_TRUNK = np.float32(14)


def paint(
    surface: ClothedSurface,
    fit: BodyFit,
    photo: Photo,
    observation: PersonObservation,
    settings: Settings,
    others: Sequence[tuple[ClothedSurface, BodyFit]] = (),
) -> NDArray[np.uint8]:
    """Paint a surface from its photo.

    Args:
        surface: what is painted; its posed vertices match the photo through the camera of ``fit``.
        fit: gives the camera.
        photo: the photo at working resolution.
        observation: gives the mask of the person.
        settings: size of the texture and seed.
        others: the other persons of the photo, who may stand in front, each with the fit that gives their camera.

    Returns:
        (T, T, 3) uint8 sRGB, first row at the top (v = 1), T = ``settings.texture_pixels``.

    Raises:
        InvalidInputError: mask and photo differ in size, or UVs and faces in number.
    """
    texels = texels_of(surface.faces, surface.uv, settings.texture_pixels)
    regions = regions_of(surface)
    mirrored = mirrored_vertices(surface.rest_vertices, surface.faces)
    view = _view(surface, fit, photo, observation, regions, others)
    projected = project_vertices(surface.vertices_cam, surface.faces, view)
    seen = sample_photo(texels, projected, view, photo.image)
    doubt_rim(seen, texels, projected, view, photo.image, observation.mask, regions)
    hidden = doubtful_hands(seen, texels, surface, fit.camera, regions)
    seen.weight[hidden[texels.corners[:, 0]]] = 0
    seen.weight[stray_colours(seen, texels, regions)] = 0
    evidence, materials = _evidence(surface, texels, seen)
    covered = covered_arms(evidence, materials, regions, surface.rest_vertices)
    if covered.any():
        _forget_thing(
            covered, evidence, materials, seen, texels, projected, view, photo.image, observation.mask, regions
        )
        hidden |= covered
        evidence, materials = _evidence(surface, texels, seen)
    even = _light_factor(surface, evidence, materials, regions)
    seen = _lit(seen, texels, even)
    evidence, materials = _evidence(surface, texels, seen)
    shadow = _shadow_factor(surface, evidence, materials, regions)
    seen, even = _lit(seen, texels, shadow), even * shadow
    evidence = Evidence(np.minimum(evidence.colour * shadow[:, None], 255), evidence.weight)
    facing = projected.values[:, 3]
    filled = fill_vertices(evidence, materials, facing, mirrored, regions, surface.rest_vertices, surface.faces)
    opposite = sample_photo(texels, _opposite(projected, mirrored, regions.eyes | hidden[mirrored]), view, photo.image)
    opposite = _lit(opposite, texels, even[mirrored])
    known = np.where(evidence.weight[:, None] > 0, evidence.colour, filled.smooth)
    hair = grown_hair(texels, seen, filled, regions, surface.rest_vertices, settings.seed)
    fine = fine_texture(texels, seen, filled, regions, cloth_of(surface, regions), settings.seed, hair is not None)
    colour = _compose(texels, seen, opposite, filled, known[mirrored], regions, hair, fine)
    _paint_bands(colour, surface, texels, seen, regions)
    _paint_eyes(colour, surface, texels, seen, regions)
    return _to_texture(colour, texels)


def _view(
    surface: ClothedSurface,
    fit: BodyFit,
    photo: Photo,
    observation: PersonObservation,
    regions: Regions,
    others: Sequence[tuple[ClothedSurface, BodyFit]],
) -> View:
    nearer = [(seen_by(fit.camera, other, their_fit.camera), other.faces) for other, their_fit in others]
    return look_at_person(surface, fit.camera, photo, observation, regions, nearer)


def seen_by(camera: Camera, other: ClothedSurface, their_camera: Camera) -> Floats:
    """Vertices (S, 3) of another person in this camera's frame: the same pixels, sizes and depths to its measure."""
    depth = other.vertices_cam[:, 2:] * np.float32(camera.focal / their_camera.focal)
    away = their_camera.project(other.vertices_cam) - np.asarray(camera.center, np.float32)
    return np.concatenate([away * depth / np.float32(camera.focal), depth], 1)


def _opposite(projected: Projected, mirrored: NDArray[np.int64], without: NDArray[np.bool_]) -> Projected:
    """Project the mirror image, turned away where it is not wanted."""
    values = projected.of(mirrored).values
    values[without, 3] = -1
    return Projected(values)


def _evidence(surface: ClothedSurface, texels: Texels, seen: Seen) -> tuple[Evidence, Materials]:
    """What is seen of the vertices, and the materials in it."""
    count = len(surface.rest_vertices)
    chosen = np.arange(0, len(texels.index), _SPARSE)
    some = texels.pick(chosen)
    colour, total = some.gather(seen.colour[chosen], seen.weight[chosen], count)
    evidence = Evidence(colour, np.clip(total / np.maximum(some.area(count), 1e-6), 0, 1))
    areas = vertex_areas(surface.rest_vertices, surface.faces)
    return evidence, find_materials(evidence.colour, evidence.weight * areas)


def _light_factor(surface: ClothedSurface, evidence: Evidence, materials: Materials, regions: Regions) -> Floats:
    faces = torch.from_numpy(surface.faces.astype(np.int64))
    normals = vertex_normals(torch.from_numpy(surface.vertices_cam), faces).numpy()
    areas = vertex_areas(surface.rest_vertices, surface.faces)
    return light_factor(evidence, materials, regions, normals, areas)


def _shadow_factor(surface: ClothedSurface, evidence: Evidence, materials: Materials, regions: Regions) -> Floats:
    areas = vertex_areas(surface.rest_vertices, surface.faces)
    stiffness = laplacian(surface.rest_vertices, surface.faces, regions)
    return shadow_factor(evidence, materials, regions, stiffness, areas)


def _lit(seen: Seen, texels: Texels, factor: Floats) -> Seen:
    """Colours of texels, brighter and darker by a factor (S,) at the vertices."""
    there = np.flatnonzero(seen.weight > 0)
    colour = np.zeros_like(seen.colour)
    colour[there] = np.minimum(seen.colour[there] * texels.pick(there).carry(factor[:, None]), 255)
    return Seen(colour, seen.weight)


def _forget_thing(
    covered: NDArray[np.bool_],
    evidence: Evidence,
    materials: Materials,
    seen: Seen,
    texels: Texels,
    projected: Projected,
    view: View,
    image: NDArray[np.uint8],
    mask: Floats,
    regions: Regions,
) -> None:
    """Distrust, in ``view`` and ``seen``, the covered arms and the thing that covers them, wherever it shows."""
    its = thing_materials(evidence, materials, covered, regions)
    shows_it = materials.belonging(evidence.colour)[:, its].sum(1) > 0.5
    seeds = projected.values[covered & (evidence.weight > 0) & shows_it, :2]
    view.trust[thing_in_view(image, mask, view, seeds, its, materials)] = 0
    trusted_still = sample_photo(texels, projected, view, image).weight
    np.minimum(seen.weight, trusted_still, out=seen.weight)
    seen.weight[covered[texels.corners[:, 0]]] = 0


def _compose(
    texels: Texels,
    seen: Seen,
    opposite: Seen,
    spread: Filled,
    plain: Floats,
    regions: Regions,
    hair: Hair | None,
    fine: Floats,
) -> Floats:
    """Blend photo, mirrored detail beyond its ``plain`` colours (S, 3), and smooth colour with grain: (N, 3)."""
    base = spread.at(texels)
    filled = base * (1 + fine[:, None])
    some = np.flatnonzero((opposite.weight > 0) & (seen.weight < 1))
    detail = opposite.colour[some] - texels.pick(some).carry(plain)
    # Large differences are things that exist once, or features that do not meet their mirror image exactly.
    most = np.where(regions.zone > 0, _MOST, _MOST_ON_HEAD_AND_TRUNK)[texels.corners[some, 0], None]
    detail = most * np.tanh(detail / most)
    share = opposite.weight[some, None]
    filled[some] = (1 - share) * filled[some] + share * (base[some] + detail)
    if hair is not None:
        grows = hair.share[:, None]
        filled[hair.place] = (1 - grows) * filled[hair.place] + grows * hair.colour
    return np.asarray(seen.weight[:, None] * seen.colour + (1 - seen.weight[:, None]) * filled, np.float32)


def _paint_bands(colour: Floats, surface: ClothedSurface, texels: Texels, seen: Seen, regions: Regions) -> None:
    """Carry the stripes of a hat on into ``colour`` where the head is not seen."""
    bands = find_bands(seen, texels, regions, surface.rest_vertices)
    if bands is None:
        return
    unseen = np.flatnonzero(regions.head[texels.corners[:, 0]] & (seen.weight < 1))
    stripes, on_hat = bands.at(texels.pick(unseen).carry(surface.rest_vertices))
    unseen = unseen[on_hat]
    weight = seen.weight[unseen, None]
    colour[unseen] = weight * seen.colour[unseen] + (1 - weight) * stripes[on_hat]


def _paint_eyes(colour: Floats, surface: ClothedSurface, texels: Texels, seen: Seen, regions: Regions) -> None:
    """Put eye colours into ``colour`` where an eye is not seen."""
    on_eye = np.flatnonzero(regions.eyes[texels.corners[:, 0]])
    if len(on_eye):
        angle = texels.pick(on_eye).carry(eye_angles(surface.rest_vertices, regions.eyes)[:, None])[:, 0]
        weight = seen.weight[on_eye, None]
        colour[on_eye] = weight * seen.colour[on_eye] + (1 - weight) * eye_colour(angle)


def _to_texture(colour: Floats, texels: Texels) -> NDArray[np.uint8]:
    size = texels.size
    texture = np.zeros((size * size, 3), np.uint8)
    texture[texels.index] = np.clip(np.rint(colour), 0, 255)
    covered = np.zeros(size * size, np.bool_)
    covered[texels.index] = True
    return pad_seams(texture.reshape(size, size, 3), covered.reshape(size, size), max(4, round(size * _PAD_SHARE)))
