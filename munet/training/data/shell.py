"""Garments that follow the body: offsets of the fine skin, cut by anatomy, that wrinkle and sag.

Each slot of an outfit is a signed field over the skin, in metres, positive inside the garment. The cloth is the skin
moved outwards where the field is positive, so it stays closed and keeps the skin's topology; it returns to the skin
within a narrow band at the hem.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from munet.render import vertex_normals
from munet.training.data.anatomy import ARM_METRES, HIP_HEIGHT, LEG_METRES, Skin
from munet.training.data.draw import CLOTH, HANGING_MEASURES, MEASURES, Drawn
from munet.training.data.kinds import REGIONS, SLOTS
from munet.training.data.topology import smoothed

HEM_BAND = 0.012
_HEM_STIFFNESS = 0.07
_LEAST = 0.002
ANKLE_HEIGHT = -0.875
HEAD_CENTER = (0.0, 0.655, 0.035)
_COVERING = 24
_HANG = 0.7


@dataclass(frozen=True)
class Shell:
    """The clothed skin of B people.

    Attributes:
        vertices: (B, V', 3) world, metres.
        fields: (B, V', S) metres inside each slot's garment, negative outside.
        offsets: (B, V') metres by which the skin was moved outwards at most.
    """

    vertices: Tensor
    fields: Tensor
    offsets: Tensor


def measure(drawn: Drawn, name: str) -> Tensor:
    """One measure of every slot, (B, 1, S), to be spread over vertices."""
    return drawn.cuts[:, None, :, MEASURES.index(name)]


def garment_fields(skin: Skin, drawn: Drawn) -> Tensor:
    """Signed distance (B, V', S) in metres, positive inside; -1 for empty slots and on the eyes."""
    cut = torch.minimum(_cut_field(skin, drawn), _front_field(skin, drawn))
    cut[..., SLOTS.index("shoes")] = _shoe_field(skin, drawn)
    region = drawn.region[:, None]
    for number, name in enumerate(REGIONS[1:], 1):
        cut = torch.where(region == number, _region_field(skin, name, drawn)[..., None], cut)
    worn = (measure(drawn, "present") > 0) & skin.is_skin[:, None]
    return torch.where(worn, cut, -1.0)


def _cut_field(skin: Skin, drawn: Drawn) -> Tensor:
    arm, leg, height = skin.arm[:, None], skin.leg[:, None], skin.rest[:, 1:2]
    sleeve = (measure(drawn, "sleeve") - arm) * ARM_METRES
    hem = (_hem(drawn) - leg) * LEG_METRES
    waist = torch.where(measure(drawn, "waist") < 5, measure(drawn, "waist") - height, 9.0)
    beside = skin.rest[:, 0:1].abs()
    # Straps: however deep the neckline, the shoulders keep theirs.
    collar = measure(drawn, "collar") - skin.collar[:, None] + 0.6 * (beside - 0.085).clamp_min(0)
    in_front = ((skin.rest[:, 2:] - 0.01) / 0.06).clamp(0, 1)
    collar = collar - measure(drawn, "vee") * (1 - beside / 0.09).clamp_min(0) * in_front
    return torch.minimum(torch.minimum(sleeve, hem), torch.minimum(waist, collar))


def _hem(drawn: Drawn) -> Tensor:
    """Lower edge of each slot; what hangs from a ring takes over there."""
    hem = measure(drawn, "hem")
    row = drawn.hanging[:, CLOTH]
    ring = ring_height(row[:, HANGING_MEASURES.index("top")])
    at_ring = (HIP_HEIGHT - (ring - 0.02)) / LEG_METRES
    hangs = torch.nn.functional.one_hot(drawn.hanging_slot[:, CLOTH], len(SLOTS)).bool() & (row[:, :1] > 0)
    hangs &= torch.tensor([name in {"top", "outer"} for name in SLOTS], device=hem.device)
    return torch.where(hangs[:, None], at_ring[:, None, None], hem)


def ring_height(share: Tensor) -> Tensor:
    """Height in the mean person's T-pose of a ring of the trunk, ``share`` from the crotch (0) to the armpits (1)."""
    return -0.112 + share * (0.323 + 0.112)


def _front_field(skin: Skin, drawn: Drawn) -> Tensor:
    """Cut garments open in front."""
    gap = measure(drawn, "gap")
    wider = 1 + 0.8 * (0.25 - skin.rest[:, 1:2]).clamp(0, 0.4)
    open_here = (skin.rest[:, 2:] > 0.03) & (gap > 0)
    return torch.where(open_here, skin.rest[:, 0:1].abs() - gap * 0.5 * wider, 9.0)


def _shoe_field(skin: Skin, drawn: Drawn) -> Tensor:
    top = drawn.cuts[:, SLOTS.index("shoes"), MEASURES.index("waist"), None]
    return ANKLE_HEIGHT + top - skin.rest[:, 1]


def _region_field(skin: Skin, name: str, drawn: Drawn) -> Tensor:
    """Fields (B, V') of what is worn on the head and round the neck, hair included."""
    from_center = skin.rest - skin.rest.new_tensor(HEAD_CENTER)
    ragged = 0.006 * waves_at(drawn, skin.rest * 1.5)
    if name == "neck":
        near = 0.13 - skin.rest[:, 0].abs()
        band = 0.055 - (skin.collar - 0.015).abs()
        return torch.minimum(near, band) + ragged
    face = torch.stack([from_center[:, 0] / 1.0, (from_center[:, 1] + 0.035) / 1.35], -1).norm(dim=-1)
    behind_face = torch.where(from_center[:, 2] > 0.02, face - 0.068, 0.06)
    if name == "head":
        return torch.minimum(behind_face, skin.collar + 0.03).clamp_max(0.1)
    tilted = from_center @ normalize(skin.rest.new_tensor([0.0, 0.72, -0.69]), dim=0)
    ears = (from_center - from_center.new_tensor([0.0, -0.025, 0.005])).abs() - from_center.new_tensor([0, 0.04, 0.03])
    at_ear = torch.where(from_center[:, 0].abs() > 0.06, ears[:, 1:].amax(1), 1.0)
    scalp = torch.stack([tilted + 0.006, from_center[:, 1] + 0.09, at_ear]).amin(0)
    return scalp + ragged


def waves_at(drawn: Drawn, weave: Tensor, frequency: float = 1.0) -> Tensor:
    """Sum of the sample's waves (B, V) at coordinates (V, 3) or (B, V, 3) in metres, about unit variance."""
    angle = 2 * math.pi * frequency * (weave @ drawn.waves[..., :3].transpose(1, 2)) + drawn.waves[:, None, :, 3]
    return angle.sin().sum(-1) * math.sqrt(2 / drawn.waves.shape[1])


def folds_at(drawn: Drawn, weave: Tensor) -> Tensor:
    """Long, narrow folds (B, V) that fade in and out: crests of waves, each within patches of its own."""
    frequency = drawn.waves[..., :3]
    angle = 2 * math.pi * (weave @ frequency.transpose(1, 2)) + drawn.waves[:, None, :, 3]
    slow = 0.35 * frequency.roll(1, 1).transpose(1, 2)
    patches = 2 * math.pi * (weave @ slow) + drawn.waves[:, None, :, 3].roll(2, -1)
    crest = (0.5 + 0.5 * angle.cos()) ** 3 - 0.31
    height = 5 / frequency.norm(dim=-1)[:, None].clamp_min(3)
    folds: Tensor = 2.2 * (crest * (patches.sin() + 0.2).clamp_min(0) * height).sum(-1)
    return folds


def dress_shell(skin: Skin, drawn: Drawn, body_world: Tensor, transforms: Tensor) -> Shell:
    """Put the garments that follow the body on.

    Args:
        skin: the fine skin.
        drawn: the outfits.
        body_world: (B, V', 3) fine skin of the posed bodies, world frame, y up.
        transforms: (B, J, 4, 4) from the rest pose to the posed bodies.
    """
    fields = garment_fields(skin, drawn)
    ramp = (fields / HEM_BAND).clamp(0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    normals = vertex_normals(body_world, skin.faces)
    ease = _ease(skin, drawn)
    hang = 1 - _HANG * normals[..., 1]
    layers = ramp * ease * hang[..., None]
    depth = (measure(drawn, "wrinkles") * ramp).amax(-1)
    # Clothes over clothes: a jacket lies on the shirt, a shirt on the trousers' waist.
    offset = torch.maximum(_stacked_layers(layers), 0.35 * layers.amax(-1))
    loose = ramp.amax(-1) * (ease * ramp).amax(-1).div(0.02).clamp(0, 1)
    # Hems stay sharp: smoothing them would turn wide trousers into bloomers.
    loose = loose * (fields.amax(-1) / _HEM_STIFFNESS).clamp(0.05, 1)
    vertices = _relaxed(skin, body_world, normals, offset, loose)
    folded = torch.maximum(_wrinkles(skin, drawn) * depth, -0.5 * offset)
    vertices = vertices + normals * folded[..., None]
    inside = ((vertices - body_world) * normals).sum(-1)
    vertices = vertices + normals * (offset.clamp_max(_LEAST) - inside).clamp_min(0)[..., None]
    return Shell(_shod(skin, vertices, body_world, ramp, transforms), fields, offset)


def _shod(skin: Skin, vertices: Tensor, body_world: Tensor, ramp: Tensor, transforms: Tensor) -> Tensor:
    """Put shoes on: the last of the mean foot, turned with the foot; trousers that reach lower stay outside."""
    number = SLOTS.index("shoes")
    feet = skin.last.feet
    turns = torch.einsum("vj,bjxy->bvxy", skin.weights[feet], transforms[:, :24, :3, :3])
    moved = skin.last.put_on(body_world[:, feet], turns)
    bottom = ramp[:, feet, SLOTS.index("bottom")] > 0
    share = torch.where(bottom, 0.0, ramp[:, feet, number])[..., None]
    result = vertices.clone()
    result[:, feet] = torch.lerp(vertices[:, feet], moved, share)
    return result


def _stacked_layers(layers: Tensor) -> Tensor:
    order = [SLOTS.index(name) for name in ("bottom", "top", "outer")]
    body = layers[..., order]
    piled = torch.maximum(body.amax(-1), body[..., 1:].amax(-1) + 0.35 * body[..., 0])
    return torch.maximum(piled, layers.amax(-1)) + 0.3 * torch.minimum(layers[..., 4], piled)


def _ease(skin: Skin, drawn: Drawn) -> Tensor:
    """Distance (B, V', S) from the skin: trunk, sleeve and leg have their own."""
    arm, leg = skin.arm.clamp(0, 1)[:, None], skin.leg[:, None]
    on_arm = (skin.arm[:, None] / 0.2 + 0.25).clamp(0, 1)
    on_leg = ((leg + 0.02) / 0.12).clamp(0, 1)
    sleeve = measure(drawn, "sleeve_ease") * (0.6 + 0.7 * arm)
    legs = measure(drawn, "leg_ease") + measure(drawn, "leg_flare") * leg.clamp(0, 1.1) ** 1.5
    ease = torch.lerp(measure(drawn, "ease"), sleeve, on_arm)
    return torch.lerp(ease.expand(-1, len(skin.rest), -1), legs.expand(-1, len(skin.rest), -1), on_leg)


def _wrinkles(skin: Skin, drawn: Drawn) -> Tensor:
    """Folds (B, V') about unit height: along the limb everywhere, across it where the limb bends."""
    # Sleeves are woven along the arm: both weaves are blended over the shoulder, or it would break there.
    on_arm = (skin.arm / 0.25).clamp(0, 1)
    sleeve = skin.rest[:, [1, 0, 2]]
    fall = torch.lerp(folds_at(drawn, skin.rest), folds_at(drawn, sleeve), on_arm)
    fine = torch.lerp(waves_at(drawn, skin.rest, 1.7), waves_at(drawn, sleeve, 1.7), on_arm)
    across = torch.zeros_like(fall)
    bends = ((4, skin.leg, 0.49, 1, LEG_METRES), (5, skin.leg, 0.49, -1, LEG_METRES),
             (18, skin.arm, 0.53, 1, ARM_METRES), (19, skin.arm, 0.53, -1, ARM_METRES))  # fmt: skip
    for joint, along, place, side, metres in bends:
        turn = drawn.pose[:, joint].diagonal(dim1=-2, dim2=-1).sum(-1)
        bend = torch.acos(((turn - 1) / 2).clamp(-1, 1))[:, None]
        distance = (along - place) * metres
        near = torch.exp(-((distance / 0.07) ** 2)) * (skin.rest[:, 0] * side > 0)
        ripple = (2 * math.pi * distance / 0.035 + 1.5 * fine).sin()
        across = across + near * ripple * (bend / 1.2).clamp(0, 1.3)
    return 0.85 * fall + 0.2 * fine + 0.9 * across


def _relaxed(skin: Skin, body_world: Tensor, normals: Tensor, offset: Tensor, loose: Tensor) -> Tensor:
    """Smooth loose cloth so that it spans hollows, without ever going under the skin."""
    smooth_normals = normals
    keep = 1 - 0.9 * loose[..., None]
    for _ in range(6):
        smooth_normals = torch.lerp(smoothed(skin.smoothing, smooth_normals), smooth_normals, keep)
    smooth_normals = normalize(smooth_normals, dim=-1)
    smooth_normals = torch.where((smooth_normals * normals).sum(-1, keepdim=True) > 0.3, smooth_normals, normals)
    cloth = body_world + smooth_normals * offset[..., None]
    strength = 0.5 * loose[..., None]
    for _ in range(_COVERING):
        cloth = torch.lerp(cloth, smoothed(skin.smoothing, cloth), strength)
        inside = ((cloth - body_world) * normals).sum(-1)
        cloth = cloth + normals * (torch.minimum(offset, 0.6 * offset + 0.001) - inside).clamp_min(0)[..., None]
    return cloth
