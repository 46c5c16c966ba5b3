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
        scale: (B,) by which the truth was scaled about the camera, so that its pelvis is as far away as that of the
            body the networks start from; ones without such a body.
    """

    inputs: NetworkInputs
    targets: Targets
    truth: TrueBody
    pelvis_body: Tensor
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
    """
    size = batch.image.shape[-1]
    flip = batch.translation.new_tensor([1.0, -1.0, -1.0])
    posed = pose_body(model, batch.betas, batch.pose, None)
    pelvis = posed.joints[:, 0]
    true_place = batch.translation + pelvis * flip
    translation = true_place if given is None else given.translation
    scale = translation[:, 2] / true_place[:, 2]

    def seen_from(points_cam: Tensor) -> Tensor:
        return (points_cam * scale[:, None, None] - translation[:, None]) * flip

    intrinsics = crop_intrinsics(batch.camera, size)
    camera = weak_camera(translation, intrinsics)
    body = seen_from(graph_values(model, topology, posed.vertices) * flip + batch.translation[:, None])
    points, point_normals = seen_from(batch.surface_points), batch.surface_normals * flip
    clothed, sure = dressed_graph(body, topology, points, point_normals) if dressed else (None, None)
    seen = 2 * torch.cat([batch.observed_landmarks, batch.joints_image[:, :_BODY_JOINTS]], 1) / size - 1
    landmarks, joints_image = seen[:, : batch.observed_landmarks.shape[1]], seen[:, batch.observed_landmarks.shape[1] :]
    normals = torch.cat([batch.normals_front, batch.normals_back], 1) * flip.repeat(2)[:, None, None]
    inputs = NetworkInputs(
        rgb=batch.image,
        mask=batch.observed_mask[:, None],
        landmarks=torch.cat([landmarks, batch.observed_visibility[..., None]], -1),
        depth=_relative_depth(batch.depth, translation)[:, None] if with_depth else None,
        intrinsics=intrinsics,
        body=None if given is None else given.vertices,
        camera=None if given is None else given.camera,
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
    return NetworkBatch(inputs, targets, TrueBody(body, camera), pelvis, scale)


def _relative_depth(depth: Tensor, translation: Tensor) -> Tensor:
    towards = translation[:, 2, None, None] - depth
    return torch.where(depth > 0, towards, torch.zeros_like(depth))
