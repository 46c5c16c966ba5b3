"""Hands that the photo does not show although their surface faces it: in pockets, behind a bag, inside long sleeves."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from munet.geometry.camera import Camera
from munet.render import project, rasterise
from munet.surface.result import ClothedSurface
from munet.texture.atlas import Texels
from munet.texture.materials import find_materials
from munet.texture.regions import Regions
from munet.texture.sample import Seen

Floats = NDArray[np.float32]

_LONGEST = 384.0
# Share of a hand that lies over the rest of the person, from which on it may be hidden.
_OVERLAP = 0.7
_SPARSE = 48
# Share of the commonest colour's amount from which another one is common too.
_COMMON = 0.3


def doubtful_hands(
    seen: Seen, texels: Texels, surface: ClothedSurface, camera: Camera, regions: Regions
) -> NDArray[np.bool_]:
    """Find the hands that took the colour of the clothes behind them.

    A hand counts as hidden when nearly all of it lies over the rest of the person in the image and the commonest
    material on it is the commonest one of trunk and legs around it and not that of the face.

    Args:
        seen: colours of the texels.
        texels: of the surface.
        surface: the posed surface.
        camera: of the photo.
        regions: parts of the surface.

    Returns:
        (S,) bool, true on the vertices of hidden hands.
    """
    some = np.arange(0, len(texels.index), _SPARSE)
    vertex = texels.corners[some, 0]
    colour, weight = seen.colour[some], seen.weight[some]
    materials = find_materials(colour, weight)
    amount = materials.belonging(colour) * weight[:, None]
    on_face = regions.face[vertex]
    hidden = np.zeros(len(regions.hands), np.bool_)
    for side in (regions.hands & (surface.rest_vertices[:, 0] > 0), regions.hands & (surface.rest_vertices[:, 0] <= 0)):
        if amount[side[vertex]].sum() < 1 or _overlap(surface, camera, side) < _OVERLAP:
            continue
        near = _near(surface.vertices_cam, side) & ((regions.zone == 0) | (regions.zone >= 3))
        material = amount[side[vertex]].sum(0).argmax()
        like_clothes = material == amount[near[vertex]].sum(0).argmax()
        like_face = amount[on_face].sum() > 1 and material == amount[on_face].sum(0).argmax()
        if like_clothes and not like_face:
            hidden |= side
    return hidden


def stray_colours(seen: Seen, texels: Texels, regions: Regions) -> NDArray[np.int64]:
    """Find the texels (K,) of hands that have a colour rare on hands: fingers that missed their image.

    Args:
        seen: colours of the texels.
        texels: of the surface.
        regions: parts of the surface.

    Returns:
        Positions in the list of texels.
    """
    on_hand = np.flatnonzero(regions.hands[texels.corners[:, 0]] & (seen.weight > 0))
    if len(on_hand) == 0:
        return on_hand
    colour, weight = seen.colour[on_hand], seen.weight[on_hand]
    materials = find_materials(colour[::8], weight[::8])
    belonging = materials.belonging(colour)
    total = (belonging * weight[:, None]).sum(0)
    common = total > _COMMON * total.max()
    return np.asarray(on_hand[(belonging * common).sum(1) < 0.5], np.int64)


def _near(vertices_cam: Floats, chosen: NDArray[np.bool_], margin: float = 0.15) -> NDArray[np.bool_]:
    """Vertices in the box around the chosen ones, in metres across and up the image."""
    low, high = vertices_cam[chosen, :2].min(0) - margin, vertices_cam[chosen, :2].max(0) + margin
    inside: NDArray[np.bool_] = ((vertices_cam[:, :2] > low) & (vertices_cam[:, :2] < high)).all(1)
    return inside


def _overlap(surface: ClothedSurface, camera: Camera, hand: NDArray[np.bool_]) -> float:
    """Share of a hand's pixels that the rest of the surface covers too."""
    scale = min(1.0, _LONGEST / max(camera.width, camera.height))
    small = camera.scaled(scale, max(1, round(camera.width * scale)), max(1, round(camera.height * scale)))
    points = project(torch.from_numpy(small.matrix), torch.from_numpy(np.ascontiguousarray(surface.vertices_cam)))[None]
    on_hand = hand[surface.faces].any(1)
    masks = [
        rasterise(points, torch.from_numpy(faces.astype(np.int64)), small.height, small.width).mask
        for faces in (surface.faces[on_hand], surface.faces[~on_hand])
    ]
    return float((masks[0] & masks[1]).sum() / masks[0].sum().clamp_min(1))
