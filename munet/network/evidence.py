"""What a picture says about the bones of a body that is there already: numbers, gathered where each bone is seen.

Everything is turned so that the camera looks at the pelvis: the same mistake then has the same numbers wherever in a
photo somebody stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.body.tree import JOINTS, TURNED
from munet.geometry.rotation import rotation_between
from munet.network.camera import pinhole_translation, project
from munet.network.inputs import NetworkInputs
from munet.network.local import read_map
from munet.network.rig import GivenPose, GraphRig

MARKS = 33
_HIPS, _SHOULDERS = (23, 24), (11, 12)
# Below this a landmark is lost, and where it is said to be means nothing.
_KNOWN = 0.1
# Below this it is no more than guessed.
_SEEN = 0.5
# Metres: farther away from the surface that is seen, a vertex is behind something.
_HIDDEN = 0.04
_INSIDE = 0.5
_FARTHEST = 0.5
_SIDE = 12
SHARED = {
    "pose": 6 * TURNED + 10 + 3 * JOINTS,
    "landmarks": 3 * MARKS,
    "depths": 4 * MARKS,
    "normals": 0,
    "opinion": 11 + 5 * JOINTS,
}
"""Numbers of a whole person that each kind of evidence has."""
OF_BONES = {"pose": 6, "landmarks": 0, "depths": 0, "normals": 2 * _SIDE, "opinion": 6}
"""Numbers of every bone."""


@dataclass(frozen=True)
class Evidence:
    """Of B people.

    Attributes:
        shared: (B, S).
        bones: (B, 22, N).
        view: (B, 3, 3) rotations from the body frame to that of the camera that looks at the pelvis, y up.
    """

    shared: Tensor
    bones: Tensor
    view: Tensor


def view_of(inputs: NetworkInputs, camera: Tensor) -> Tensor:
    """Rotations (B, 3, 3) after which the pelvis lies straight ahead."""
    eye = torch.eye(3, dtype=camera.dtype, device=camera.device).expand(len(camera), -1, -1)
    if inputs.intrinsics is None:
        return eye
    ray = pinhole_translation(camera, inputs.intrinsics)
    ahead = ray.new_tensor([0.0, 0.0, 1.0]).expand_as(ray)
    flip = ray.new_tensor([1.0, -1.0, -1.0])
    turn = rotation_between(ray / ray.norm(dim=1, keepdim=True), ahead)
    return flip[:, None] * turn * flip


@torch.no_grad()
def gather(
    kinds: tuple[str, ...],
    rig: GraphRig,
    inputs: NetworkInputs,
    pose: GivenPose,
    body: Tensor,
    camera: Tensor,
    maps: Tensor | None,
    normals: Tensor | None,
) -> Evidence:
    """Gather the evidence about bodies, without gradient.

    Args:
        kinds: keys of ``SHARED``, in order.
        rig: of the graph.
        inputs: of the people.
        pose: of the bodies.
        body: (B, V, 3) metres, body frame.
        camera: (B, 3).
        maps: (B, 8, R, R) of :func:`munet.network.normal_network.body_maps`, for the kind "normals".
        normals: (B, 6, R, R) of the clothes, for the same.
    """
    view = view_of(inputs, camera)
    shared, bones = [], []
    for kind in kinds:
        if kind == "pose":
            turns = (view[:, None] @ pose.turns[:, :TURNED])[..., :2]
            shared += [turns.flatten(1), pose.betas, _turned(pose.joints, view).flatten(1)]
            bones += [turns.flatten(2)]
        elif kind == "landmarks":
            shared += [inputs.landmarks[..., 2], _beside(inputs, pose, camera).flatten(1)]
        elif kind == "depths":
            shared += _depths(inputs, pose, view)
        elif kind == "opinion":
            whole, turns = _opinion(inputs, pose, view)
            shared, bones = [*shared, whole], [*bones, turns]
        elif maps is not None and normals is not None:
            bones += [_normals(rig, inputs, body, camera, view, maps, normals)]
    return Evidence(torch.cat([s.float() for s in shared], 1), torch.cat([b.float() for b in bones], -1), view)


def _turned(points: Tensor, view: Tensor) -> Tensor:
    return points @ view.transpose(1, 2)


def _beside(inputs: NetworkInputs, pose: GivenPose, camera: Tensor) -> Tensor:
    """How far (B, 33, 2) observed landmarks lie beside the body's, in decimetres at the pelvis' depth."""
    missed = (inputs.landmarks[..., :2] - project(pose.marks, camera, inputs.intrinsics)) / camera[:, None, :1]
    return 10 * missed.clamp(-_FARTHEST, _FARTHEST) * (inputs.landmarks[..., 2:] >= _KNOWN)


def _depths(inputs: NetworkInputs, pose: GivenPose, view: Tensor) -> list[Tensor]:
    """The detector's 3D landmarks (B, 99), and how far (B, 33) they are nearer than the body's.

    Of landmarks that are not seen a detector has no more than an opinion, which would be taken for a measurement: they
    are zero. All are counted from the hips, or from the shoulders where the hips are not both seen.
    """
    seen = (inputs.landmarks[..., 2] >= _SEEN)[..., None]
    hips = seen[:, _HIPS].all(1, keepdim=True)
    measured = torch.zeros_like(pose.marks) if inputs.depths is None else inputs.depths

    def counted(marks: Tensor) -> Tensor:
        middle, above = (marks[:, pair].mean(1, keepdim=True) for pair in (_HIPS, _SHOULDERS))
        return _turned(marks - torch.where(hips, middle, above), view) * seen

    found, has = counted(measured), counted(pose.marks)
    nearer = (found - has)[..., 2].clamp(-_FARTHEST, _FARTHEST)
    return [3 * nearer, found.flatten(1)]


def _opinion(inputs: NetworkInputs, pose: GivenPose, view: Tensor) -> tuple[Tensor, Tensor]:
    """A second opinion (B, 131), and its turns (B, 22, 6); zeros where there is none."""
    told = inputs.opinion
    if told is None:
        return pose.betas.new_zeros(len(view), SHARED["opinion"]), pose.betas.new_zeros(len(view), TURNED, 6)
    parts = [told.betas, _turned(told.joints, view).flatten(1), (told.spreads.log() + 3).flatten(1)]
    turns = (view[:, None] @ told.turns[:, :TURNED])[..., :2].flatten(2)
    return torch.cat([told.known, *(part * told.known for part in parts)], 1), turns * told.known[:, None]


def _normals(
    rig: GraphRig,
    inputs: NetworkInputs,
    body: Tensor,
    camera: Tensor,
    view: Tensor,
    maps: Tensor,
    normals: Tensor,
) -> Tensor:
    """Normals of the clothes against the body's own (B, 22, 24), of the front and of the back, over each bone.

    Their mean cross product is the turn that would lay the body's normals on the clothes'.
    """
    places = project(body, camera, inputs.intrinsics)
    read = read_map(torch.cat([maps, normals.to(maps.dtype), inputs.mask.to(maps.dtype)], 1), places)
    height, inside = body[..., 2], (read[..., 14] >= _INSIDE) & (places.abs() < 1).all(-1)
    sides = []
    for side in range(2):
        seen = inside & ((height - read[..., 6 + side]).abs() < _HIDDEN)
        own = _turned(torch.nn.functional.normalize(read[..., 3 * side : 3 * side + 3], dim=-1), view)
        clothes = _turned(read[..., 8 + 3 * side : 11 + 3 * side], view)
        weights = rig.weights[:, :TURNED] * seen[..., None]
        total = weights.sum(1)
        values = torch.cat(
            [
                own,
                clothes,
                torch.linalg.cross(own, clothes),
                (own * clothes).sum(-1, keepdim=True),
                clothes.norm(dim=-1, keepdim=True),
            ],
            -1,
        )
        mean = torch.einsum("bvj,bvc->bjc", weights, values) / total.clamp_min(1e-3)[..., None]
        sides.append(torch.cat([torch.log1p(total)[..., None] / 3, mean], -1))
    return torch.cat(sides, -1)
