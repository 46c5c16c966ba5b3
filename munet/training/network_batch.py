"""From a batch of generated people to what the networks see and what the losses compare with.

The networks' body frame has its origin at the pelvis: the body's place in the room is the camera's business.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.losses import Targets, Views, point_silhouettes
from munet.network import NetworkInputs, Topology, TrueBody
from munet.network.camera import crop_intrinsics, weak_camera
from munet.network.joints import graph_values
from munet.training.data.generate import TrainingBatch

_BODY_JOINTS = 24


@dataclass(frozen=True)
class NetworkBatch:
    """A batch as the networks and the losses take it.

    Attributes:
        inputs: with the noise of a detector and a segmentation.
        targets: the truth.
        truth: the true body, for the feedback of the surface.
        pelvis_body: (B, 3) metres, pelvis in the body model's own frame, which the networks' frame leaves out.
    """

    inputs: NetworkInputs
    targets: Targets
    truth: TrueBody
    pelvis_body: Tensor


@torch.no_grad()
def network_batch(
    batch: TrainingBatch, model: BodyModel, topology: Topology, views: Views, *, with_depth: bool = False
) -> NetworkBatch:
    """Convert a generated batch.

    Args:
        batch: of :class:`munet.training.data.generate.Generator`, on the device of model and topology.
        model: the body model the batch was made with.
        topology: of the networks' graph.
        views: of the four silhouettes.
        with_depth: give the networks the true front depth.
    """
    size = batch.image.shape[-1]
    flip = batch.translation.new_tensor([1.0, -1.0, -1.0])
    posed = pose_body(model, batch.betas, batch.pose, None)
    pelvis = posed.joints[:, 0]
    translation = batch.translation + pelvis * flip
    intrinsics = crop_intrinsics(batch.camera, size)
    camera = weak_camera(translation, intrinsics)
    body = graph_values(model, topology, posed.vertices - pelvis[:, None])
    points = (batch.surface_points - translation[:, None]) * flip
    seen = 2 * torch.cat([batch.observed_landmarks, batch.joints_image[:, :_BODY_JOINTS]], 1) / size - 1
    landmarks, joints_image = seen[:, : batch.observed_landmarks.shape[1]], seen[:, batch.observed_landmarks.shape[1] :]
    normals = torch.cat([batch.normals_front, batch.normals_back], 1) * flip.repeat(2)[:, None, None]
    inputs = NetworkInputs(
        rgb=batch.image,
        mask=batch.observed_mask[:, None],
        landmarks=torch.cat([landmarks, batch.observed_visibility[..., None]], -1),
        depth=_relative_depth(batch.depth, translation)[:, None] if with_depth else None,
        intrinsics=intrinsics,
    )
    targets = Targets(
        body=body,
        joints_image=joints_image,
        joints_confidence=torch.ones_like(joints_image[..., 0]),
        surface_points=points,
        surface_normals=batch.surface_normals * flip,
        surface_silhouettes=point_silhouettes(points, views),
        normals=normals,
        intrinsics=intrinsics,
    )
    return NetworkBatch(inputs, targets, TrueBody(body, camera), pelvis)


def _relative_depth(depth: Tensor, translation: Tensor) -> Tensor:
    towards = translation[:, 2, None, None] - depth
    return torch.where(depth > 0, towards, torch.zeros_like(depth))
