"""Generated people before random cameras, and what a landmark detector would report of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.body.tree import TURNED, global_rotations
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.inputs import View, box_of, look_at, turn_to
from munet.training.lifting.detector import detect, draw_part, inside_part, measured_depths
from munet.training.lifting.poses import PoseLibrary, draw_poses, natural_poses, straighten
from munet.training.lifting.skeleton import Skeleton

FILM = 36.0
_SHORTEST, _LONGEST = 20.0, 100.0
GUESSED = 45.0
"""Focal length in millimetres on 36 mm film that is taken for photos that do not tell theirs."""

_FOCAL_KNOWN = 0.3
_NEAREST = 0.9
"""Least distance of the camera over the person's extent."""
_CROPPED = 0.6
"""Share of photos that are part of a larger one: nobody knows where its middle was."""
_WAIST, _PLAIN, _UPRIGHT = 0.72, 0.6, 0.5
"""Share of the height, from the top, above which an edge hides the knees; of people there, so many are natural ones
whatever the others do, and so many hold themselves upright."""
_EDGE = FILM / GUESSED
"""Longer side of a photo at depth 1, if its focal length is guessed."""


@dataclass(frozen=True)
class Batch:
    """B generated people: what is seen and what is true.

    Attributes:
        view: what the network sees; its ``marks`` are the true ones, without noise, in the same units.
        turns: (B, 22, 3, 3) true global rotations in the axes of the turned camera (y up, z to the camera).
        betas: (B, 10).
        joints: (B, 24, 3) metres in the same axes, the root joint at the origin.
    """

    view: View
    turns: Tensor
    betas: Tensor
    joints: Tensor


def make_batch(library: PoseLibrary, skeleton: Skeleton, count: int, seed: int, step: int) -> Batch:
    """Generate the people of one training step; the same seed and step give the same people."""
    random = torch.Generator().manual_seed(seed * 1_000_003 + step)
    local = draw_poses(library, count, random)
    part = draw_part(count, random)
    plain = (part[:, 1] < _WAIST) & (torch.rand(count, generator=random) < _PLAIN)
    local = torch.where(plain[:, None, None, None], natural_poses(library, count, random), local)
    straighten(local, portraits(part, random), random)
    local[:, 0] = _camera_turn(count, random) @ local[:, 0]
    spread = torch.where(torch.rand(count, 1, generator=random) < 0.5, 1.15, 0.7)
    betas = (torch.randn(count, 10, generator=random) * spread).clamp(-2.8, 2.8)
    turns = global_rotations(local, TURNED)
    joints, marks = skeleton.pose(turns, betas)
    return observe(turns, betas, joints, marks, part, random)


def portraits(part: Tensor, random: torch.Generator) -> Tensor:
    """Numbers (N,) of people without thighs, by the shown part (B, 2), who hold themselves upright."""
    drawn = torch.rand(len(part), generator=random)
    return ((part[:, 1] < _WAIST) & (drawn < _UPRIGHT)).nonzero().squeeze(1)


def observe(
    turns: Tensor, betas: Tensor, joints: Tensor, marks: Tensor, part: Tensor, random: torch.Generator
) -> Batch:
    """Place posed people (root-centred, y up, z to the camera) before cameras and disturb what is seen of them."""
    count = len(turns)
    flip = torch.tensor([1.0, -1.0, -1.0])
    points, stretch = _place(marks * flip, part, random)
    rays = _rays(points)
    inside = inside_part(rays, part, random)
    # Photos that are parts of larger ones are seen as if the camera had looked at the person.
    cropped = torch.rand(count, generator=random) < _CROPPED
    ahead = turn_to(box_of(rays, inside)[0])
    axes = torch.where(cropped[:, None, None], ahead, torch.eye(3))
    cut = _crop(rays, inside, (part[:, 1] - part[:, 0]) >= 1, random)
    inside = torch.where(cropped[:, None], inside * (cut.abs().amax(-1) < _EDGE / 2), inside)
    rays = torch.where(cropped[:, None, None], cut, rays)
    measured = (torch.rand(count, generator=random) < _FOCAL_KNOWN) & ~cropped
    factor = torch.where(measured | cropped, torch.ones_like(stretch), stretch)[:, None, None]
    points = points @ axes.transpose(-1, -2)
    size = (rays.amax(1) - rays.amin(1)).amax(1)[:, None, None]
    found = detect(points, inside, random)
    deep = turn_to(box_of(rays, found.known)[0]) @ points.transpose(-1, -2)
    depths, given = measured_depths(deep.transpose(-1, -2), found.known, random)
    seen = look_at((rays + found.noise * size) * factor, found.known, measured.float(), found.doubt, depths, given)
    clean = look_at_with(seen, rays * factor)
    axes = flip[:, None] * (seen.turn @ axes) * flip
    turned = axes[:, None] @ turns
    return Batch(clean, turned, betas, joints @ axes.transpose(-1, -2))


def _rays(points: Tensor) -> Tensor:
    return points[..., :2] / points[..., 2:].clamp_min(0.1)


def _crop(rays: Tensor, inside: Tensor, whole: Tensor, random: torch.Generator) -> Tensor:
    """What is seen of rays (B, M, 2) in a cut-out, whose focal length and middle are guessed.

    It shows the ``whole`` (B,) person, or so much of the height as is ``inside`` (B, M), with arms beyond the edge.
    """
    middle, edge = box_of(rays, inside)
    _, tall = box_of(rays * rays.new_tensor([0.0, 1.0]), inside)
    edge = torch.where(whole, edge, tall)
    drawn = torch.rand(len(rays), 3, generator=random)
    edge = edge * (1.08 + 0.45 * drawn[:, 0])
    middle = middle + (drawn[:, 1:] - 0.5) * 0.2 * edge[:, None]
    return (rays - middle[:, None]) / edge[:, None, None] * _EDGE


def look_at_with(view: View, rays: Tensor) -> View:
    """The same view with other landmarks (B, M, 2) at depth 1 of the unturned camera as its marks."""
    full = torch.cat([rays, torch.ones_like(rays[..., :1])], -1) @ view.turn.transpose(-1, -2)
    marks = full[..., :2] / full[..., 2:].clamp_min(0.05) / view.scale[:, None, None]
    return View(view.turn, view.scale, marks, view.known, view.features)


def _camera_turn(count: int, random: torch.Generator) -> Tensor:
    """Rotations (count, 3, 3) of the world before the camera: yaw anything, pitch and roll mostly small."""
    drawn = torch.randn(count, 2, generator=random)
    steep = (torch.rand(count, generator=random) < 0.2).float()
    pitch = torch.deg2rad(3 + drawn[:, 0] * (9 + 13 * steep))
    roll = torch.deg2rad(drawn[:, 1] * (2.5 + 5.5 * steep))
    yaw = (torch.rand(count, generator=random) * 2 - 1) * torch.pi
    zero = torch.zeros(count)
    turn = [torch.stack(v, 1) for v in ((zero, zero, roll), (pitch, zero, zero), (zero, yaw, zero))]
    return matrix_from_axis_angle(turn[0]) @ matrix_from_axis_angle(turn[1]) @ matrix_from_axis_angle(turn[2])


def _place(marks_cam: Tensor, part: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Landmarks (B, M, 3) before the true camera, and the factor that a guessed focal length puts on their rays."""
    count = len(marks_cam)
    drawn = torch.rand(count, 4, generator=random)
    focal = _SHORTEST * (_LONGEST / _SHORTEST) ** drawn[:, 0] / FILM
    low, high = marks_cam.amin(1), marks_cam.amax(1)
    size, shown = high - low, part[:, 1] - part[:, 0]
    extent = torch.where(shown < 1, size[:, 1] * shown, size[:, :2].amax(1))
    middle = (low + high) / 2
    middle[:, 1] = low[:, 1] + size[:, 1] * part.mean(1)
    share = 0.3 + 0.65 * drawn[:, 1]
    depth = torch.maximum(focal * extent / share, _NEAREST * size[:, :2].amax(1))
    room = (1 - focal * extent / depth).clamp_min(0)[:, None]
    place = (drawn[:, 2:] - 0.5) * room * torch.tensor([1.0, 0.6])
    centre = torch.cat([place / focal[:, None] * depth[:, None], depth[:, None]], 1)
    return marks_cam - middle[:, None] + centre[:, None], focal * FILM / GUESSED
