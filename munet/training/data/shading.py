"""Colours: skin, cloth and hair under simple light, before a made-up background."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate as interpolate_image
from torch.nn.functional import normalize

from munet.render import interpolate
from munet.training.data.draw import Drawn
from munet.training.data.kinds import SLOTS
from munet.training.data.looks import CLOUDS, PATTERNS, Looks
from munet.training.data.rendering import Side
from munet.training.data.scene import People, Stage

_COVER_ORDER = ("extra", "hair", "outer", "top", "bottom", "shoes")
_EYE_CENTERS = ((0.030, 0.647), (-0.030, 0.647))
_IRIS, _PUPIL = 0.0062, 0.0026
_SEAM = (0.013, 0.017)
_SLEEVE_SEAM, _ARM_HEIGHT = 0.187, 0.25


@dataclass(frozen=True)
class Pixels:
    """The P pixels that see somebody.

    Attributes:
        image: (P,) picture of the batch.
        rest: (P, 3) place on the mean person.
        weave: (P, 3) coordinates of the cloth, metres.
        fields: (P, S) metres inside each slot's garment.
        eye: (P,) bool.
        normal: (P, 3) camera frame.
        slot: (P,) slot that covers the pixel, -1 for bare skin.
    """

    image: Tensor
    rest: Tensor
    weave: Tensor
    fields: Tensor
    eye: Tensor
    normal: Tensor
    slot: Tensor


def shade(stage: Stage, drawn: Drawn, people: People, side: Side) -> Tensor:
    """Picture (B, H, W, 3) of the people in [0, 1], sRGB; zero where nobody is."""
    pixels = _gather(stage, people, side)
    looks = drawn.looks
    base = torch.where((pixels.slot < 0)[:, None], _skin_colour(looks, pixels), _cloth_colour(looks, pixels))
    lit = base * _light(looks, pixels) * _contact(pixels)[:, None] + _highlight(looks, pixels)[:, None]
    picture = side.normals.new_zeros(side.normals.shape)
    picture[side.fragments.mask] = lit.clamp(0, 1)
    return picture


def _gather(stage: Stage, people: People, side: Side) -> Pixels:
    mask = side.fragments.mask
    eye = (~stage.skin.is_skin).to(people.rest)
    padding = people.vertices.shape[1] - len(eye)
    eye = torch.cat([eye, eye.new_zeros(padding)]).expand(len(people.rest), -1)[..., None]
    values = interpolate(side.fragments, stage.faces, torch.cat([people.rest, people.weave, people.fields, eye], -1))[
        mask
    ]
    fields = values[:, 6:-1]
    slot = torch.full_like(fields[:, 0], -1, dtype=torch.int64)
    for name in reversed(_COVER_ORDER):
        number = SLOTS.index(name)
        slot = torch.where(fields[:, number] > 0, number, slot)
    image = mask.nonzero()[:, 0]
    return Pixels(
        image,
        values[:, :3],
        _weave(values[:, :3], values[:, 3:6]),
        fields,
        values[:, -1] > 0.5,
        side.normals[mask],
        slot,
    )


def _weave(rest: Tensor, hanging: Tensor) -> Tensor:
    """Coordinates (P, 3) of the cloth: those of sheets that hang, else the place on the body, turned on the arms."""
    on_arm = (rest[:, :1].abs() > _SLEEVE_SEAM) & (rest[:, 1:2] > _ARM_HEIGHT)
    along_limb = torch.where(on_arm, rest[:, [1, 0, 2]], rest)
    return torch.where(rest[:, :1] < -1, hanging, along_limb)


def _skin_colour(looks: Looks, pixels: Pixels) -> Tensor:
    colour = looks.skin[pixels.image]
    x, y, z = pixels.rest.unbind(-1)
    in_front = z > 0.08
    lips = in_front & (((x / 0.025) ** 2 + ((y - 0.5755) / 0.0085) ** 2) < 1)
    brows = in_front & (
        (((x.abs() - 0.032) / 0.021) ** 2 + ((y - 0.6655 + (x.abs() - 0.032) ** 2 * 8) / 0.0042) ** 2) < 1
    )
    colour = torch.where(lips[:, None], colour * colour.new_tensor([0.92, 0.66, 0.66]), colour)
    colour = torch.where(brows[:, None], torch.lerp(looks.hair[pixels.image], colour, 0.3), colour)
    blotches = 0.02 * ((x * 91 + y * 57).sin() * (y * 83 - z * 71).sin())
    return torch.where(pixels.eye[:, None], _eye_colour(looks, pixels), colour * (1 + blotches[:, None]))


def _eye_colour(looks: Looks, pixels: Pixels) -> Tensor:
    centers = pixels.rest.new_tensor(_EYE_CENTERS)
    away = (pixels.rest[:, None, :2] - centers).norm(dim=-1).amin(1)[:, None]
    white = pixels.rest.new_tensor([0.9, 0.88, 0.86]).expand(len(away), 3)
    colour = torch.where(away < _IRIS, looks.iris[pixels.image], white)
    return torch.where(away < _PUPIL, torch.full_like(white, 0.03), colour)


def _cloth_colour(looks: Looks, pixels: Pixels) -> Tensor:
    slot = pixels.slot.clamp_min(0)
    where = (pixels.image, slot)
    first, second = looks.colours[where].unbind(1)
    period, share, phase, grain = looks.weave[where].unbind(-1)
    mix = _pattern(looks.pattern[where], pixels, period, share, phase)
    fibre = (pixels.weave[:, 0] * 900).sin() * (pixels.weave[:, 1] * 900).sin()
    cloth = torch.lerp(first, second, mix[:, None]) * (1 + (grain * fibre)[:, None])
    hair = looks.hair[pixels.image] * (1 + 0.22 * _strands(pixels))[:, None]
    is_hair = slot == SLOTS.index("hair")
    leather = slot == SLOTS.index("shoes")
    cloth = torch.where(leather[:, None], first, cloth)
    field = pixels.fields.gather(1, slot[:, None])[:, 0]
    seam = (field > _SEAM[0]) & (field < _SEAM[1]) & ~is_hair
    return torch.where(is_hair[:, None], hair, cloth * torch.where(seam, 0.82, 1.0)[:, None])


def _pattern(pattern: Tensor, pixels: Pixels, period: Tensor, share: Tensor, phase: Tensor) -> Tensor:
    """Share (P,) of the second colour."""
    across, along, depth = pixels.weave.unbind(-1)
    u, v = across / period + phase, along / period + phase
    rings, stripes = (v % 1 < share).to(u), (u % 1 < share).to(u)
    blotch = (u * 2.1 + (v * 1.3 + 2 * phase).sin()).sin() + (v * 1.7 + (u * 1.9).sin() * 1.3 + depth / period).sin()
    dots = ((u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < 0.1 * share).to(u)
    x, y, z = pixels.rest.unbind(-1)
    on_chest = (z > 0.02) & (x.abs() < 0.05 + 0.09 * share) & ((y - 0.24).abs() < 0.03 + 0.1 * phase)
    letters = ((x * 60 + phase * 9).sin() * (y * 45).sin() + (x * 23 - y * 31).sin() * 0.6) > 0
    options = {"plain": torch.zeros_like(u), "rings": rings, "stripes": stripes, "checks": 0.5 * (rings + stripes),
               "blotches": (blotch * 2).sigmoid(), "dots": dots, "print": (on_chest & letters).to(u)}  # fmt: skip
    stacked = torch.stack([options[name] for name in PATTERNS], -1)
    return stacked.gather(1, pattern[:, None])[:, 0]


def _strands(pixels: Pixels) -> Tensor:
    across, along, depth = pixels.weave.unbind(-1)
    bend = 2.5 * (along * 21).sin()
    return 0.6 * (across * 800 + depth * 640 + bend).sin() + 0.4 * (across * 1700 - depth * 1300 + 2 * bend).sin()


def _light(looks: Looks, pixels: Pixels) -> Tensor:
    toward, colour = looks.sun[pixels.image].unbind(1)
    lambert = (pixels.normal * toward).sum(-1, keepdim=True)
    wrapped = ((lambert + 0.15) / 1.15).clamp_min(0)
    sky = torch.einsum("pi,pic->pc", pixels.normal, looks.sky[pixels.image])
    return (looks.ambient[pixels.image] + sky + colour * wrapped).clamp_min(0.03)


def _contact(pixels: Pixels) -> Tensor:
    """Darker skin where a garment begins."""
    gap = (-pixels.fields).clamp_min(0).amin(-1) if pixels.fields.shape[1] else pixels.fields.new_zeros(0)
    shade = 1 - 0.35 * torch.exp(-gap / 0.008)
    return torch.where(pixels.slot < 0, shade, torch.ones_like(shade))


def _highlight(looks: Looks, pixels: Pixels) -> Tensor:
    toward = looks.sun[pixels.image][:, 0]
    half = normalize(toward + toward.new_tensor([0.0, 0.0, -1.0]), dim=-1)
    return looks.gloss[pixels.image] * (pixels.normal * half).sum(-1).clamp_min(0) ** 24


def paint_background(looks: Looks, size: int) -> Tensor:
    """Pictures (B, H, W, 3) of gradients, clouds of colour, a floor and shapes."""
    x, y = _grid(size, looks.skin)
    corners = looks.background
    top = torch.lerp(corners[:, 0, None], corners[:, 1, None], x[0, :, None])
    bottom = torch.lerp(corners[:, 2, None], corners[:, 3, None], x[0, :, None])
    picture = torch.lerp(top[:, None], bottom[:, None], y[:, :1, None])
    horizon, hard = looks.cloud_strength[:, -2, None, None, None], looks.cloud_strength[:, -1, None, None, None]
    picture = torch.where(y[..., None] > horizon, corners[:, 3:, None] * 0.7, picture)
    for number, cells in enumerate(CLOUDS):
        cloud = interpolate_image(looks.clouds[:, number, :, :cells, :cells], size=size, mode="bilinear")
        cloud = torch.lerp(cloud, (cloud * 12).tanh() * 0.5, hard[..., 0:1])
        picture = picture + cloud.permute(0, 2, 3, 1) * looks.cloud_strength[:, number, None, None, None]
    return paint_shapes(picture, looks.shapes)[0].clamp(0, 1)


def paint_shapes(picture: Tensor, shapes: Tensor) -> tuple[Tensor, Tensor]:
    """Paint shapes (B, K, 9) over pictures (B, H, W, 3); also returns where (B, H, W), bool."""
    size = picture.shape[1]
    x, y = _grid(size, picture)
    covered = torch.zeros(picture.shape[:3], dtype=torch.bool, device=picture.device)
    for number in range(shapes.shape[1]):
        part = shapes[:, number, :, None, None]
        dx, dy = x - part[:, 0], y - part[:, 1]
        cosine, sine = part[:, 4].cos(), part[:, 4].sin()
        u = (dx * cosine + dy * sine) / part[:, 2].clamp_min(1e-6)
        v = (dy * cosine - dx * sine) / part[:, 3].clamp_min(1e-6)
        inside = torch.where(part[:, 5] > 0.5, u * u + v * v, torch.maximum(u.abs(), v.abs())) < 1
        shaded = shapes[:, number, None, None, 6:] * (0.85 + 0.15 * (u + v).clamp(-1, 1))[..., None]
        picture = torch.where(inside[..., None], shaded, picture)
        covered |= inside
    return picture, covered


def _grid(size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    place = (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) / size
    y, x = torch.meshgrid(place, place, indexing="ij")
    return x, y
