"""How much each point of the image can be trusted to show a surface: mask, depth and outlines of nearer things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from munet.errors import InvalidInputError
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation, Photo
from munet.render import project, rasterise
from munet.surface.result import ClothedSurface
from munet.texture.regions import Regions

Floats = NDArray[np.float32]

# Metres. A step in depth larger than this is an outline, not a slope.
_STEP = 0.03
# Shares of the person's size in the image: nothing is trusted nearer than the first to an outline, everything beyond
# the second. They cover the misfit of surface and photo, which grows with the person's size in pixels. What lies
# behind an outline is trusted later than what lies before it, because there a misfit shows the wrong thing.
_MASK_MARGIN = (0.0015, 0.007)
_BEFORE_MARGIN = (0.0015, 0.006)
_BEHIND_MARGIN = (0.006, 0.02)
# On the head the surface fits better and small things matter: margins are this much narrower there.
_FINE = 0.4
# Width of the band along the mask's outline in which pixels that look like the background are not trusted.
_SUSPECT_BAND = 0.03
# sRGB steps between colours that could as well be the same.
_NOISE = 8.0
_FAR = np.float32(1e6)


@dataclass(frozen=True)
class View:
    """The part of the photo around a person.

    Attributes:
        camera: camera of this part at its own resolution.
        left, top: position of the part in the photo, pixels.
        scale: pixels of the part per pixel of the photo.
        depth: (h, w) float32 metres of the nearest surface, ``_FAR`` where there is none.
        limit: (h, w) float32 greatest depth that is seen at a pixel, bias included.
        trust: (h, w) float32 in [0, 1], falling towards the outlines of the mask and of nearer surfaces.
    """

    camera: Camera
    left: float
    top: float
    scale: float
    depth: Floats
    limit: Floats
    trust: Floats


def look_at_person(
    surface: ClothedSurface,
    camera: Camera,
    photo: Photo,
    observation: PersonObservation,
    regions: Regions,
    others: Sequence[tuple[Floats, NDArray[np.int32]]] = (),
    longest: int = 1024,
) -> View:
    """:func:`look` at a dressed person, with narrow margins round head and eyes.

    Raises:
        InvalidInputError: mask and photo differ in size.
    """
    if observation.mask.shape != photo.image.shape[:2]:
        raise InvalidInputError(
            "Mask and photo differ in size.",
            detail=f"expected {photo.image.shape[:2]}, found {observation.mask.shape}",
        )
    fine = regions.head | regions.eyes
    return look(surface.vertices_cam, surface.faces, camera, observation.mask, photo.image, fine, others, longest)


def look(
    vertices_cam: Floats,
    faces: NDArray[np.int32],
    camera: Camera,
    mask: Floats,
    image: NDArray[np.uint8],
    fine: NDArray[np.bool_],
    others: Sequence[tuple[Floats, NDArray[np.int32]]] = (),
    longest: int = 1024,
) -> View:
    """Render the depth around a person and find out where the photo shows that person.

    Args:
        vertices_cam: (S, 3) surface, metres, camera frame.
        faces: (G, 3).
        camera: camera of the photo.
        mask: (H, W) in [0, 1] of this person.
        image: (H, W, 3) the photo.
        fine: (S,) vertices around which the margins along outlines are narrow.
        others: surfaces of the other persons, in the same camera frame.
        longest: pixels on the long side of the part that is looked at.

    Returns:
        The view.
    """
    part, left, top, scale = _part_of_photo(camera, vertices_cam, longest)
    nearest, is_fine = _depth_map(part, vertices_cam, faces, fine)
    for other_vertices, other_faces in others:
        nobody = np.zeros(len(other_vertices), np.bool_)
        nearest = np.minimum(nearest, _depth_map(part, other_vertices, other_faces, nobody)[0])
    size = float(max(part.width, part.height))
    inside, colours = _cut(mask, part, left, top, scale), _cut(image, part, left, top, scale)
    broad, narrow = (_margin_trust(inside, nearest, colours, scale, size * share) for share in (1.0, _FINE))
    trust = np.where(is_fine, narrow, broad)
    around = np.ones((3, 3), np.uint8)
    limit = np.where(nearest < _FAR, cv2.erode(nearest, around) + np.float32(0.012), np.float32(0))
    return View(part, left, top, scale, nearest, limit.astype(np.float32), trust.astype(np.float32))


def _part_of_photo(camera: Camera, vertices_cam: Floats, longest: int) -> tuple[Camera, float, float, float]:
    pixels = camera.project(vertices_cam[vertices_cam[:, 2] > 0.05])
    photo = np.array([camera.width, camera.height], np.float32)
    if len(pixels) == 0:
        low, high = np.zeros(2, np.float32), photo
    else:
        low = np.clip(np.floor(pixels.min(0)) - 4, 0, photo - 8)
        high = np.clip(np.ceil(pixels.max(0)) + 4, low + 8, photo)
    width, height = (float(side) for side in high - low)
    scale = longest / max(width, height)
    left, top = float(low[0]), float(low[1])
    part = camera.cropped(left, top, int(width), int(height))
    return part.scaled(scale, max(8, round(width * scale)), max(8, round(height * scale))), left, top, scale


def _depth_map(
    camera: Camera, vertices_cam: Floats, faces: NDArray[np.int32], marked: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Depth (h, w), and where the nearest face has marked vertices, widened a little."""
    points = project(torch.from_numpy(camera.matrix), torch.from_numpy(np.ascontiguousarray(vertices_cam)))
    fragments = rasterise(points[None], torch.from_numpy(faces.astype(np.int64)), camera.height, camera.width)
    depth: Floats = fragments.depth[0].numpy()
    on_marked = np.append(marked[faces].all(1), False)[fragments.face_index[0].numpy()]
    widened = cv2.dilate(on_marked.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return np.where(depth > 0, depth, _FAR), np.asarray(widened)


def _margin_trust(mask: Floats, depth: Floats, colours: Floats, scale: float, size: float) -> Floats:
    trust = _mask_trust(mask, scale, size) * _outline_trust(depth, size)
    return trust * likeness_trust(colours, mask, size)


def _cut(image: NDArray[Any], part: Camera, left: float, top: float, scale: float) -> Floats:
    """Cut the part out of an image of the photo's size."""
    warp = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], np.float64)
    warp[:, 2] += (scale - 1) / 2
    size = (part.width, part.height)
    shrunk = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cut = cv2.warpAffine(image, warp, size, flags=shrunk, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.float32)


def _mask_trust(mask: Floats, scale: float, size: float) -> Floats:
    # The photo's border is no outline of the person: a one pixel frame copied from the inside keeps it trusted.
    inside = cv2.copyMakeBorder((mask > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    # At least one photo pixel: the outline's own pixels are a mixture with the background.
    return smooth_ramp(distance, max(size * _MASK_MARGIN[0], 1.5 * scale), max(size * _MASK_MARGIN[1], 3.5 * scale))


def likeness_trust(colours: Floats, mask: Floats, size: float) -> Floats:
    """Doubt pixels near the mask's outline that look more like the background there than like the person.

    Args:
        colours: (h, w, 3) 0 to 255.
        mask: (h, w) of the person.
        size: of the person in pixels.

    Returns:
        (h, w) in [0, 1]; 1 away from the outline and where nothing can be told.
    """
    band = size * _SUSPECT_BAND
    depth_inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    well_inside = depth_inside > band / 2
    person, person_known = _local_mean(colours, well_inside, band)
    around, around_known = _local_mean(colours, mask < 0.1, band)
    to_person = np.minimum(
        np.linalg.norm(colours - person, axis=-1),
        np.linalg.norm(colours - _nearest_colour(colours, well_inside, band), axis=-1),
    )
    to_around = np.linalg.norm(colours - around, axis=-1)
    # Differences of a few steps tell nothing.
    share = (to_around + _NOISE) / (to_person + to_around + 2 * _NOISE)
    doubt = 1 - smooth_ramp(share, 0.2, 0.45)
    doubt *= (depth_inside < band) & person_known & around_known
    return np.asarray(1 - doubt, np.float32)


def _nearest_colour(colours: Floats, chosen: NDArray[np.bool_], band: float) -> Floats:
    """Colour of the nearest chosen pixel, slightly blurred."""
    if not chosen.any():
        return colours
    _, label = cv2.distanceTransformWithLabels(
        (~chosen).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    blurred = np.asarray(cv2.GaussianBlur(colours, (0, 0), max(band / 8, 0.5)), np.float32)
    table = np.zeros((int(label.max()) + 1, 3), np.float32)
    table[label[chosen]] = blurred[chosen]
    return np.asarray(table[label], np.float32)


def _local_mean(colours: Floats, chosen: NDArray[np.bool_], width: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean colour of the chosen pixels around each pixel, and where there are enough of them; at a quarter size."""
    rows, columns = chosen.shape
    small = (max(1, columns // 4), max(1, rows // 4))
    weighted = np.concatenate([colours * chosen[..., None], chosen[..., None]], -1).astype(np.float32)
    reduced = cv2.resize(weighted, small, interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(cv2.GaussianBlur(reduced, (0, 0), max(width / 4, 1)), (columns, rows))
    amount = np.asarray(blurred[..., 3:], np.float32)
    mean = np.asarray(blurred[..., :3] / np.maximum(amount, 1e-4), np.float32)
    return mean, amount[..., 0] > 0.02


def _outline_trust(depth: Floats, size: float) -> Floats:
    """Fall to 0 at steps of the depth on both sides: there the photo may show the other side of the step."""
    around = np.ones((3, 3), np.uint8)
    nearest, farthest = cv2.erode(depth, around), cv2.dilate(depth, around)
    # Steps towards the empty image are the mask's business.
    step = (farthest - nearest > _STEP) & (farthest < _FAR)
    behind = step & (depth - nearest > farthest - depth)
    before = step & ~behind
    margin = round(size * _BEHIND_MARGIN[1])
    # The depth in front of which a pixel counts as lying behind the outline nearby.
    edge = np.where(before, depth, _FAR)
    lies_behind = depth > cv2.erode(edge, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)) + _STEP / 2
    distance = cv2.distanceTransform((~step).astype(np.uint8), cv2.DIST_L2, 5)
    trusted_behind = smooth_ramp(distance, size * _BEHIND_MARGIN[0], size * _BEHIND_MARGIN[1])
    trusted_before = smooth_ramp(distance, size * _BEFORE_MARGIN[0], size * _BEFORE_MARGIN[1])
    return np.where(lies_behind, trusted_behind, trusted_before)


def smooth_ramp(values: NDArray[Any], low: float, high: float) -> Floats:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    # Clipped before it is scaled: where no outline is near, the distance is the largest number a float holds.
    share: Floats = ((np.clip(values.astype(np.float32), low, high) - low) / (high - low)).astype(np.float32)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
