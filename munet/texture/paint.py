"""The texture of a clothed surface: the photo where it shows the surface, a plausible continuation elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from munet.errors import InvalidInputError
from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation, Photo
from munet.settings import Settings
from munet.surface.result import ClothedSurface
from munet.texture.atlas import Texels, texels_of
from munet.texture.eyes import eye_angles, eye_colour
from munet.texture.fill import Filled, fill_vertices
from munet.texture.grain import grain
from munet.texture.hands import doubtful_hands, stray_colours
from munet.texture.mirror import mirrored_vertices
from munet.texture.pad import pad_seams
from munet.texture.priors import Evidence
from munet.texture.regions import Regions, regions_of
from munet.texture.sample import Projected, Seen, project_vertices, sample_photo
from munet.texture.visibility import look
from munet.texture.weave import weave

Floats = NDArray[np.float32]

_PAD_SHARE = 1 / 128
# Every second texel in both directions is plenty for the colours of vertices.
_SPARSE = 4
# sRGB steps by which mirrored detail departs from the smooth colour at most, on limbs and elsewhere.
_MOST = np.float32(40)
_MOST_ON_HEAD_AND_TRUNK = np.float32(14)
# Fine texture relative to its colour: at most, where no sample of it is seen, and for which share of the texels.
_MOST_FINE = np.float32(0.5)
_GRAIN = np.float32(0.02)
_FEW = 0.002
_SURE = 0.9
_RARE = 0.015
# Brightness below which detail is not taken relative to it.
_DARKEST = np.float32(24)


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
    if observation.mask.shape != photo.image.shape[:2]:
        raise InvalidInputError(
            "Mask and photo differ in size.",
            detail=f"expected {photo.image.shape[:2]}, found {observation.mask.shape}",
        )
    texels = texels_of(surface.faces, surface.uv, settings.texture_pixels)
    regions = regions_of(surface)
    mirrored = mirrored_vertices(surface.rest_vertices, surface.faces)
    view = look(
        surface.vertices_cam,
        surface.faces,
        fit.camera,
        observation.mask,
        photo.image,
        regions.head | regions.eyes,
        [(_seen_by(fit.camera, other, their_fit.camera), other.faces) for other, their_fit in others],
    )
    projected = project_vertices(surface.vertices_cam, surface.faces, view)
    seen = sample_photo(texels, projected, view, photo.image)
    hidden = doubtful_hands(seen, texels, surface, fit.camera, regions)
    seen.weight[hidden[texels.corners[:, 0]]] = 0
    seen.weight[stray_colours(seen, texels, regions)] = 0
    filled = _fill(surface, texels, seen, projected.values[:, 3], regions, mirrored)
    opposite = sample_photo(texels, _opposite(projected, mirrored, regions.eyes | hidden[mirrored]), view, photo.image)
    colour = _compose(texels, seen, opposite, filled, mirrored, regions, settings.seed)
    _paint_eyes(colour, surface, texels, seen, regions)
    return _to_texture(colour, texels)


def _seen_by(camera: Camera, other: ClothedSurface, their_camera: Camera) -> Floats:
    """Vertices (S, 3) of another person in this camera's frame: the same pixels, sizes and depths to its measure."""
    depth = other.vertices_cam[:, 2:] * np.float32(camera.focal / their_camera.focal)
    away = their_camera.project(other.vertices_cam) - np.asarray(camera.center, np.float32)
    return np.concatenate([away * depth / np.float32(camera.focal), depth], 1)


def _opposite(projected: Projected, mirrored: NDArray[np.int64], without: NDArray[np.bool_]) -> Projected:
    """Project the mirror image, turned away where it is not wanted."""
    values = projected.of(mirrored).values
    values[without, 3] = -1
    return Projected(values)


def _fill(
    surface: ClothedSurface,
    texels: Texels,
    seen: Seen,
    facing: Floats,
    regions: Regions,
    mirrored: NDArray[np.int64],
) -> Filled:
    """Colours of the whole surface from what is seen of it."""
    count = len(surface.rest_vertices)
    chosen = np.arange(0, len(texels.index), _SPARSE)
    some = texels.pick(chosen)
    colour, total = some.gather(seen.colour[chosen], seen.weight[chosen], count)
    evidence = Evidence(colour, np.clip(total / np.maximum(some.area(count), 1e-6), 0, 1))
    return fill_vertices(evidence, facing, mirrored, regions, surface.rest_vertices, surface.faces)


def _compose(
    texels: Texels,
    seen: Seen,
    opposite: Seen,
    spread: Filled,
    mirrored: NDArray[np.int64],
    regions: Regions,
    seed: int,
) -> Floats:
    """Blend photo, mirrored detail and smooth colour with grain: (N, 3)."""
    base = spread.at(texels)
    filled = base * (1 + _fine_texture(texels, seen, base, spread, regions, seed)[:, None])
    some = np.flatnonzero((opposite.weight > 0) & (seen.weight < 1))
    detail = opposite.colour[some] - texels.pick(some).carry(spread.smooth[mirrored])
    # Large differences are things that exist once, or features that do not meet their mirror image exactly.
    most = np.where(regions.zone > 0, _MOST, _MOST_ON_HEAD_AND_TRUNK)[texels.corners[some, 0], None]
    detail = most * np.tanh(detail / most)
    share = opposite.weight[some, None]
    filled[some] = (1 - share) * filled[some] + share * (base[some] + detail)
    return seen.weight[:, None] * seen.colour + (1 - seen.weight[:, None]) * filled


def _fine_texture(texels: Texels, seen: Seen, base: Floats, spread: Filled, regions: Regions, seed: int) -> Floats:
    """Brightness (N,) relative to the smooth colour of texels that are not seen, like that of their material."""
    brightness = np.maximum(base.mean(1), _DARKEST)
    detail = np.zeros(texels.size**2, np.float32)
    detail[texels.index] = (seen.colour.mean(1) - base.mean(1)) / brightness
    corner = texels.corners[:, 0]
    kind = (spread.winner() + len(spread.kinship) * regions.head)[corner]
    sure = seen.weight > _SURE
    result = np.zeros(len(kind), np.float32)
    for number in np.unique(kind):
        ofkind = kind == number
        unseen = np.flatnonzero(ofkind & (seen.weight < 1))
        if len(unseen) < _FEW * len(kind):
            continue
        trusted = np.zeros(texels.size**2, np.bool_)
        trusted[texels.index[ofkind & sure]] = True
        made = None
        # What is rare is a border between materials: its roughness is nobody's texture.
        if trusted.sum() > _RARE * sure.sum():
            made = weave(texels.size, detail.reshape(texels.size, -1), trusted.reshape(texels.size, -1), seed)
        if made is None:
            made = _GRAIN * grain(texels.size // 2, seed)
        row, column = np.divmod(texels.index[unseen], texels.size)
        result[unseen] = made[row % len(made), column % len(made)]
    return np.clip(result, -_MOST_FINE, _MOST_FINE)


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
