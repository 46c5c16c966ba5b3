"""The folds of one person's clothes as a photo shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from munet.fitting.result import BodyFit
from munet.folds.network import STEP, FoldNet
from munet.folds.planes import PIXELS_PER_METRE, planes_of
from munet.folds.relief import folded, slopes, smoothed, unit
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation, Photo
from munet.render import normal_map, project, rasterise
from munet.surface.result import ClothedSurface
from munet.texture.normal_map import FoldPicture
from munet.texture.regions import Regions, regions_of
from munet.texture.visibility import View, look_at_person, smooth_ramp

Floats = NDArray[np.float32]

_LONGEST = 1024
# Metres over which the surface's own edges and dents are smoothed, about as in training.
_SMOOTH = 0.015
# Waves longer than about six times this are shape and not folds: the surface has them, or the network guessed.
_FOLD_METRES = 0.06
_STEEPEST = 1.2
# The training's loss shrinks what the network is not sure of: on unseen sheets the estimated slopes are 0.58 of the
# true ones on average. With this they are 0.87 (docs/model-cards/folds.md).
_STRENGTH = 1.5
# What is left of folds on skin.
_ON_SKIN = 0.3
# Distance in sRGB steps to the colour of the face up to which a pixel is skin, and from which it is not.
_LIKE_FACE = (28.0, 50.0)
_FEWEST = 40
_KNOWN = 0.5


@dataclass(frozen=True)
class _Seen:
    """What the network looks at, H x W pixels.

    Attributes:
        image: (H, W, 3) 0 to 255.
        mask: (H, W) of the person.
        normals: (H, W, 3) of the surface, zero where there is none.
        depth: (H, W) metres of the surface.
        trust: (H, W) how far folds are believed.
    """

    image: Floats
    mask: Floats
    normals: Floats
    depth: Floats
    trust: Floats


def see_folds(
    net: FoldNet,
    surface: ClothedSurface,
    fit: BodyFit,
    photo: Photo,
    observation: PersonObservation,
    others: Sequence[tuple[Floats, NDArray[np.int32]]] = (),
) -> FoldPicture:
    """See the folds of a clothed person.

    Args:
        net: of ``load_folds``.
        surface: of the person, in the camera frame of ``fit``.
        fit: gives the camera.
        photo: the picture.
        observation: gives the mask.
        others: vertices in the same camera frame and faces of people who may stand in front.

    Returns:
        The folds, none where the photo can not be trusted, less on skin.

    Raises:
        InvalidInputError: mask and photo differ in size.
    """
    regions = regions_of(surface)
    wanted = _pixels_wanted(surface, fit.camera)
    view = look_at_person(surface, fit.camera, photo, observation, regions, others, wanted)
    camera = _widened(view.camera)
    seen = _look_at(surface, regions, photo.image, observation.mask, view, camera)
    scale = camera.focal / float(np.median(surface.vertices_cam[:, 2]))
    return FoldPicture(_lean(net, seen, scale), seen.depth, camera)


def _pixels_wanted(surface: ClothedSurface, camera: Camera) -> int:
    """Pixels on the long side of the person's part of the photo at the network's scale."""
    ahead = surface.vertices_cam[surface.vertices_cam[:, 2] > 0.05]
    if not len(ahead):
        return STEP
    pixels = camera.project(ahead)
    low, high = np.clip(pixels.min(0), 0, None), np.minimum(pixels.max(0), (camera.width, camera.height))
    metres = float((high - low).max() + 8) * float(np.median(ahead[:, 2])) / camera.focal
    return int(np.clip(metres * PIXELS_PER_METRE, STEP, _LONGEST))


def _widened(camera: Camera) -> Camera:
    """The same camera with edges that the network can halve."""
    width, height = (STEP * math.ceil(edge / STEP) for edge in (camera.width, camera.height))
    return Camera(camera.focal, camera.center, width, height)


def _look_at(
    surface: ClothedSurface, regions: Regions, image: NDArray[np.uint8], mask: Floats, view: View, camera: Camera
) -> _Seen:
    vertices, faces = torch.from_numpy(surface.vertices_cam)[None], torch.from_numpy(surface.faces.astype(np.int64))
    fragments = rasterise(project(torch.from_numpy(camera.matrix), vertices), faces, camera.height, camera.width)
    normals = np.asarray(normal_map(fragments, vertices, faces)[0].numpy(), np.float32)
    on_face = np.append(regions.face[surface.faces].all(1), False)[fragments.face_index[0].numpy()]
    shown = _part(image, view, camera)
    trust = np.zeros((camera.height, camera.width), np.float32)
    trust[: view.trust.shape[0], : view.trust.shape[1]] = view.trust
    trust *= 1 - (1 - _ON_SKIN) * _skin(shown, on_face & (trust > _KNOWN))
    return _Seen(shown, _part(mask, view, camera), normals, fragments.depth[0].numpy(), trust)


def _part(picture: NDArray[Any], view: View, camera: Camera) -> Floats:
    """The part of a picture of the photo's size that ``camera`` shows, float32."""
    scale = view.scale
    left, top = max(0, int(view.left)), max(0, int(view.top))
    width, height = (math.ceil(edge / scale) + 2 for edge in (camera.width, camera.height))
    source = np.asarray(picture[top : top + height, left : left + width], np.float32)
    if scale < 1:
        # Bilinear reading of a bigger picture would skip pixels.
        source = np.asarray(cv2.GaussianBlur(source, (0, 0), max(0.4 / scale - 0.4, 0.05)), np.float32)
    shift = (scale - 1) / 2
    warp = np.array(
        [[scale, 0, shift - (view.left - left) * scale], [0, scale, shift - (view.top - top) * scale]], np.float64
    )
    size = (camera.width, camera.height)
    return np.asarray(cv2.warpAffine(source, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))


def _skin(image: Floats, on_face: NDArray[np.bool_]) -> Floats:
    """How far pixels (H, W) have the colour of the face; nowhere if no face is seen."""
    if int(on_face.sum()) < _FEWEST:
        return np.zeros(image.shape[:2], np.float32)
    smooth = cv2.GaussianBlur(image, (0, 0), 3)
    face = np.median(smooth[on_face], 0)
    return 1 - smooth_ramp(np.linalg.norm(smooth - face, axis=2), *_LIKE_FACE)


@torch.no_grad()
def _lean(net: FoldNet, seen: _Seen, scale: float) -> Floats:
    """What folds add to the normals (H, W, 3) of a surface that is seen at ``scale`` pixels a metre."""
    normals = torch.from_numpy(seen.normals).permute(2, 0, 1)[None]
    covered = ((normals**2).sum(1) > _KNOWN).float()
    person = torch.from_numpy(seen.mask)[None] * covered
    smooth = unit(smoothed(normals, _SMOOTH * scale)) * covered[:, None]
    picture = torch.from_numpy(seen.image).permute(2, 0, 1)[None] / 255
    height = net(planes_of(picture, person, smooth).contiguous(memory_format=torch.channels_last))
    steep = _STRENGTH * slopes(height) * person[:, None]
    reach = _FOLD_METRES * scale
    share = smoothed(person, reach)[:, None].clamp_min(1e-3)
    steep = (steep - smoothed(steep, reach) / share).clamp(-_STEEPEST, _STEEPEST)
    trusted = steep * (torch.from_numpy(seen.trust)[None] * person)[:, None]
    lean = (folded(normals, trusted) - normals) * covered[:, None]
    return np.asarray(lean[0].permute(1, 2, 0).numpy(), np.float32)
