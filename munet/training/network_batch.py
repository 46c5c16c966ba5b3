"""From a batch of generated people to what the networks see and what the losses compare with.

The networks' body frame has its origin at the pelvis: the body's place in the room is the camera's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.body.tree import TURNED, global_rotations, with_hands
from munet.evaluation.datasets.synthetic import detected_visibility, measured_depths
from munet.geometry.rotation import rotation_between
from munet.losses import Targets, Views, point_silhouettes
from munet.network import NetworkInputs, Topology, TrueBody
from munet.network.camera import crop_intrinsics, weak_camera
from munet.network.joints import graph_values
from munet.network.opinion import Opinion
from munet.network.rig import GivenPose
from munet.training.data.generate import TrainingBatch
from munet.training.dressed_graph import dressed_graph
from munet.training.given import Given

_BODY_JOINTS = 24


@dataclass(frozen=True)
class NetworkBatch:
    """A batch as the networks and the losses take it.

    Attributes:
        inputs: with the noise of a detector and a segmentation.
        targets: the truth.
        truth: the true body, for the feedback of the surface.
        pelvis_body: (B, 3) metres, pelvis in the body model's own frame, which the networks' frame leaves out.
        pose: of the true body as the targets have it; its betas are the true ones, which know nothing of ``scale``.
        scale: (B,) by which the truth was scaled about the camera, so that its pelvis is as far away as that of the
            body the networks start from; ones without such a body.
    """

    inputs: NetworkInputs
    targets: Targets
    truth: TrueBody
    pelvis_body: Tensor
    pose: GivenPose
    scale: Tensor


@torch.no_grad()
def network_batch(
    batch: TrainingBatch,
    model: BodyModel,
    topology: Topology,
    views: Views,
    *,
    with_depth: bool = False,
    given: Given | None = None,
    dressed: bool = False,
    opinion: Opinion | None = None,
) -> NetworkBatch:
    """Convert a generated batch.

    A picture does not tell how far away somebody is. So the truth is scaled about the camera until its pelvis has the
    depth of the given body's, and its frame becomes that body's: it looks the same in the picture, and how a body
    stands wrong beside the picture stays visible.

    Args:
        batch: of :class:`munet.training.data.generate.Generator`, on the device of model and topology.
        model: the body model the batch was made with.
        topology: of the networks' graph.
        views: of the four silhouettes.
        with_depth: give the networks the true front depth.
        given: bodies that the networks start from.
        dressed: also say where every vertex belongs on the clothes.
        opinion: of a network of landmarks.
    """
    size = batch.image.shape[-1]
    flip = batch.translation.new_tensor([1.0, -1.0, -1.0])
    posed = pose_body(model, batch.betas, batch.pose, None)
    pelvis = posed.joints[:, 0]
    true_place = batch.translation + pelvis * flip
    translation = true_place if given is None else given.translation
    intrinsics = crop_intrinsics(batch.camera, size) if given is None else given.intrinsics
    seen_from, turn, scale = frame_of(true_place, crop_intrinsics(batch.camera, size), translation, intrinsics)
    camera = weak_camera(translation, intrinsics)
    body = seen_from(graph_values(model, topology, posed.vertices) * flip + batch.translation[:, None])
    points, point_normals = seen_from(batch.surface_points), batch.surface_normals @ turn.transpose(1, 2) * flip
    clothed, sure = dressed_graph(body, topology, points, point_normals) if dressed else (None, None)
    seen = 2 * torch.cat([batch.observed_landmarks, batch.joints_image[:, :_BODY_JOINTS]], 1) / size - 1
    landmarks, joints_image = seen[:, : batch.observed_landmarks.shape[1]], seen[:, batch.observed_landmarks.shape[1] :]
    normals = torch.cat([_turned_map(m, turn) for m in (batch.normals_front, batch.normals_back)], 1)
    inputs = NetworkInputs(
        rgb=batch.image,
        mask=batch.observed_mask[:, None],
        landmarks=torch.cat([landmarks, detected_visibility(batch.observed_visibility)[..., None]], -1),
        depth=_relative_depth(batch.depth, translation)[:, None] if with_depth else None,
        intrinsics=intrinsics,
        body=None if given is None else given.vertices,
        camera=None if given is None else given.camera,
        pose=None if given is None else given.pose,
        depths=None if given is None else batch_depths(batch),
        opinion=opinion,
    )
    targets = Targets(
        body=body,
        joints_image=joints_image,
        joints_confidence=torch.ones_like(joints_image[..., 0]),
        surface_points=points,
        surface_normals=point_normals,
        surface_silhouettes=point_silhouettes(points, views),
        normals=normals,
        intrinsics=intrinsics,
        dressed=clothed,
        dressed_sure=sure,
    )
    pose = true_pose(batch, seen_from, turn)
    return NetworkBatch(inputs, targets, TrueBody(body, camera), pelvis, pose, scale)


def true_pose(batch: TrainingBatch, seen_from: Callable[[Tensor], Tensor], turn: Tensor) -> GivenPose:
    """Poses of the truth in the frame of :func:`frame_of`."""
    flip = turn.new_tensor([1.0, -1.0, -1.0])
    turns = (flip[:, None] * turn * flip)[:, None] @ with_hands(global_rotations(batch.pose, TURNED))
    joints, marks = seen_from(batch.joints[:, :_BODY_JOINTS]), seen_from(batch.landmarks)
    return GivenPose(turns, joints - joints[:, :1], marks - joints[:, :1], batch.betas)


def frame_of(
    true_place: Tensor, lens: Tensor, translation: Tensor, intrinsics: Tensor
) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
    """How the truth looks to somebody who takes lens and distance to be those of the given body.

    The true pelvis is seen in the same pixel, as far away as the given one; the truth is turned with the ray to it and
    scaled so that it looks as large as it does.

    Returns:
        The map from points (B, P, 3) of the true camera frame to the body frame, the rotation (B, 3, 3) in the axes of
        the camera, and the scale (B,).
    """
    seen = lens[:, 1:] + lens[:, :1] * true_place[:, :2] / true_place[:, 2:]
    ray = torch.cat([(seen - intrinsics[:, 1:]) / intrinsics[:, :1], torch.ones_like(seen[:, :1])], 1)
    place = ray * translation[:, 2:]
    far, near = true_place.norm(dim=1), place.norm(dim=1)
    turn = rotation_between(true_place / far[:, None], place / near[:, None])
    same = (lens == intrinsics).all(1)
    turn = torch.where(same[:, None, None], torch.eye(3, dtype=turn.dtype, device=turn.device), turn)
    scale = torch.where(same, translation[:, 2] / true_place[:, 2], near / far * lens[:, 0] / intrinsics[:, 0])
    flip = translation.new_tensor([1.0, -1.0, -1.0])

    def seen_from(points_cam: Tensor) -> Tensor:
        turned = (points_cam - true_place[:, None]) @ turn.transpose(1, 2) * scale[:, None, None]
        return (turned + (place - translation)[:, None]) * flip

    return seen_from, turn, scale


def _turned_map(normals: Tensor, turn: Tensor) -> Tensor:
    """Normals (B, 3, H, W) of the camera frame, turned and in the axes of the body frame."""
    return torch.einsum("bij,bjhw->bihw", turn, normals) * normals.new_tensor([1.0, -1.0, -1.0])[:, None, None]


def batch_depths(batch: TrainingBatch) -> Tensor:
    """3D landmarks (B, 33, 3) with a detector's errors, those that the fits of the same people were made with."""
    found = [
        measured_depths(marks, np.random.default_rng([0, number]))
        for marks, number in zip(batch.landmarks.double().cpu().numpy(), batch.index.tolist(), strict=True)
    ]
    flip = batch.landmarks.new_tensor([1.0, -1.0, -1.0])
    return torch.from_numpy(np.stack(found)).to(flip) * flip


def _relative_depth(depth: Tensor, translation: Tensor) -> Tensor:
    towards = translation[:, 2, None, None] - depth
    return torch.where(depth > 0, towards, torch.zeros_like(depth))
