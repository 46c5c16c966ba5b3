"""From generated people to what the pose step sees where no picture is looked at, and what it should answer."""

from __future__ import annotations

import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.body.tree import TURNED, global_rotations, with_hands
from munet.evaluation.datasets.synthetic import detected_visibility
from munet.network import NetworkInputs
from munet.network.camera import crop_intrinsics, weak_camera
from munet.network.opinion import Opinion
from munet.network.rig import GivenPose
from munet.training.data.generate import TrainingBatch
from munet.training.fitted import Fits
from munet.training.network_batch import batch_depths, frame_of, true_pose

_BODY_JOINTS = 24
_FLIP = (1.0, -1.0, -1.0)


@torch.no_grad()
def pose_batch(
    batch: TrainingBatch, model: BodyModel, bodies: Fits, opinion: Opinion | None
) -> tuple[NetworkInputs, GivenPose]:
    """Inputs with the given poses, and the poses of the truth in their frame.

    As :func:`munet.training.network_batch.network_batch`, but without pictures, graphs and surfaces.

    Args:
        batch: of people.
        model: their body model.
        bodies: that they start from.
        opinion: of a network of landmarks.
    """
    size, flip = batch.image.shape[-1], batch.translation.new_tensor(_FLIP)
    given, pelvis = given_pose(model, bodies)
    intrinsics = torch.zeros(len(pelvis), 3)
    intrinsics[:, 0] = bodies.focal / (size / 2)
    translation = bodies.translation + pelvis * flip
    true_place = batch.joints[:, 0]
    seen_from, turn, _ = frame_of(true_place, crop_intrinsics(batch.camera, size), translation, intrinsics)
    marks = 2 * batch.observed_landmarks / size - 1
    inputs = NetworkInputs(
        rgb=batch.image,
        mask=batch.observed_mask[:, None],
        landmarks=torch.cat([marks, detected_visibility(batch.observed_visibility)[..., None]], -1),
        intrinsics=intrinsics,
        camera=weak_camera(translation, intrinsics),
        pose=given,
        depths=batch_depths(batch),
        opinion=opinion,
    )
    return inputs, true_pose(batch, seen_from, turn)


def given_pose(model: BodyModel, bodies: Fits) -> tuple[GivenPose, Tensor]:
    """Poses of bodies, pelvis at the origin, and the pelvis (B, 3) in the model's own frame."""
    chosen, regressor = model.landmark_support()
    local = bodies.rotations()
    posed = pose_body(model, bodies.betas, local, None, vertices=chosen)
    pelvis = posed.joints[:, 0]
    pose = GivenPose(
        turns=with_hands(global_rotations(local, TURNED)),
        joints=posed.joints[:, :_BODY_JOINTS] - pelvis[:, None],
        marks=regressor @ posed.vertices - pelvis[:, None],
        betas=bodies.betas,
    )
    return pose, pelvis
