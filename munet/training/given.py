"""Bodies to start from, wrong in the ways that lifted and fitted bodies are wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from munet.body.model import BodyModel
from munet.body.skinning import landmarks_body, pose_body
from munet.body.tree import JOINTS, TURNED, global_rotations, local_rotations, with_hands
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.inputs import MARKS, look_at
from munet.lifting.network import LifterNet
from munet.network.camera import crop_intrinsics, weak_camera
from munet.network.joints import graph_values
from munet.network.rig import GivenPose
from munet.network.topology import Topology
from munet.training.data.generate import TrainingBatch
from munet.training.fitted import Fits

# Generated people lose landmarks altogether or see them badly; detectors are surer of hidden ones.
_SEEN = 0.1
# Radians by which fitted limbs are off: towards or away from the camera, and in the picture.
_DEEP, _FLAT = 0.15, 0.05
# Of that, what joints of the trunk get; they carry everything else.
_TRUNK_SHARE = 0.5
_TRUNK = (0, 3, 6, 9, 12)
_BETAS = 0.5
_BETA_COUNT = 10
# Metres that all landmarks may be off together before the depth of the crop's middle is believed instead.
_STIFF = 1e-3
_NEAREST = 0.5


@dataclass(frozen=True)
class Mix:
    """Which bodies a training starts from; what is left of 1 is lifted from the landmarks.

    Attributes:
        true: share of true bodies.
        fitted: share of true bodies with the errors of a fit.
        real: share of all people who start from their real fit instead, where it is kept.
    """

    true: float = 0.3
    fitted: float = 0.5
    real: float = 0.0


@dataclass(frozen=True)
class Given:
    """Bodies to start from; metres, body frame, pelvis at the origin.

    Attributes:
        vertices: (B, V, 3) on the networks' graph.
        camera: (B, 3) weak perspective.
        translation: (B, 3) metres, camera frame, of the pelvis.
        pose: of the same bodies.
        intrinsics: (B, 3) of :func:`munet.network.camera.crop_intrinsics`: the true ones, or those that a fit guessed.
    """

    vertices: Tensor
    camera: Tensor
    translation: Tensor
    pose: GivenPose
    intrinsics: Tensor


@torch.no_grad()
def given_bodies(
    batch: TrainingBatch,
    model: BodyModel,
    topology: Topology,
    lifter: LifterNet,
    mix: Mix,
    seed: tuple[int, ...],
    fits: Fits | None = None,
) -> Given:
    """Bodies as the product has them before its networks see the picture.

    Args:
        batch: of people.
        model: their body model.
        topology: of the networks' graph.
        lifter: lifts landmarks.
        mix: shares of true, fitted and lifted bodies.
        seed: of all that is random, for instance that of the training and the step; a person's errors follow from it
            and the person's number, whatever batch it is part of.
        fits: real fits of the people, which ``mix.real`` of them start from, those who have one.
    """
    pick, off, turned = _drawn(batch, seed)
    lifted, betas = lift(batch, lifter)
    poses = [batch.pose, _fitted_pose(batch.pose, turned), lifted]
    shapes = [batch.betas, batch.betas + _BETAS * off, betas]
    kind = (pick >= mix.true).long() + (pick >= mix.true + mix.fitted).long()
    rows = torch.arange(len(kind), device=kind.device)
    pose, shape = torch.stack(poses)[kind, rows], torch.stack(shapes)[kind, rows]
    real = kind < 0
    if fits is not None:
        real = (pick >= 1 - mix.real) & fits.good
        pose = torch.where(real[:, None, None, None], fits.rotations(), pose)
        shape = torch.where(real[:, None], fits.betas, shape)
    posed = pose_body(model, shape, pose, None)
    pelvis = posed.joints[:, 0]
    flip = pelvis.new_tensor([1.0, -1.0, -1.0])
    marks = landmarks_body(model, posed.vertices) - pelvis[:, None]
    exact = batch.translation + pelvis * flip
    translation = torch.where((kind == 0)[:, None], exact, place(batch, marks))
    intrinsics = crop_intrinsics(batch.camera, batch.image.shape[-1])
    if fits is not None:
        translation = torch.where(real[:, None], fits.translation + pelvis * flip, translation)
        guessed = torch.zeros_like(intrinsics)
        guessed[:, 0] = fits.focal / (batch.image.shape[-1] / 2)
        intrinsics = torch.where(real[:, None], guessed, intrinsics)
    given = GivenPose(
        with_hands(global_rotations(pose, TURNED)), posed.joints[:, :JOINTS] - pelvis[:, None], marks, shape
    )
    vertices = graph_values(model, topology, posed.vertices - pelvis[:, None])
    return Given(vertices, weak_camera(translation, intrinsics), translation, given, intrinsics)


def lift(batch: TrainingBatch, lifter: LifterNet) -> tuple[Tensor, Tensor]:
    """Local rotations (B, 24, 3, 3) and betas (B, 10) of the best hypotheses, from the observed landmarks.

    In the product the detector's depths choose among the hypotheses. There is no detector here, so the truth does.
    """
    marks = list(MARKS)
    center, focal = batch.camera[:, None, :2, 2], batch.camera[:, 0, 0, None, None]
    rays = (batch.observed_landmarks[:, marks] - center) / focal
    known = (batch.observed_visibility[:, marks] >= _SEEN).float()
    view = look_at(rays, known, torch.ones_like(focal[:, 0, 0]))
    poses = lifter(view.features)
    flip = rays.new_tensor([1.0, -1.0, -1.0])
    axes = flip[:, None] * view.turn * flip
    turns = axes.transpose(-1, -2)[:, None, None] @ poses.turns
    wrong = (turns - global_rotations(batch.pose, TURNED)[:, None]).square().sum((-1, -2, -3))
    rows, best = torch.arange(len(rays), device=rays.device), wrong.argmin(1)
    return local_rotations(turns[rows, best]), poses.betas[rows, best]


def _drawn(batch: TrainingBatch, seed: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """A uniform number (B,) and normal ones for betas (B, 10) and bones (B, 22, 3), drawn on the CPU."""
    parts = []
    for index in batch.index.tolist():
        mixed = np.random.SeedSequence([*seed, index]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
        pick = torch.rand(1, generator=generator)
        parts.append(torch.cat([pick, torch.randn(_BETA_COUNT + 3 * TURNED, generator=generator)]))
    drawn = torch.stack(parts).to(batch.image.device)
    return drawn[:, 0], drawn[:, 1 : 1 + _BETA_COUNT], drawn[:, 1 + _BETA_COUNT :].reshape(-1, TURNED, 3)


def _fitted_pose(pose: Tensor, drawn: Tensor) -> Tensor:
    """Local rotations (B, 24, 3, 3) with every bone turned on its own, mostly towards or away from the camera."""
    size = pose.new_tensor([_DEEP, _DEEP, _FLAT]) * drawn
    size[:, list(_TRUNK)] *= _TRUNK_SHARE
    turned = local_rotations(matrix_from_axis_angle(size) @ global_rotations(pose, TURNED))
    return torch.cat([turned[:, :TURNED], pose[:, TURNED:]], 1)


def place(batch: TrainingBatch, landmarks: Tensor) -> Tensor:
    """Translations (B, 3) that project landmarks (B, 33, 3), body frame, onto the observed ones (least squares)."""
    points = landmarks * landmarks.new_tensor([1.0, -1.0, -1.0])
    rays = (batch.observed_landmarks - batch.camera[:, None, :2, 2]) / batch.camera[:, 0, 0, None, None]
    trust = (batch.observed_visibility >= _SEEN).to(rays)
    system = rays.new_zeros(*rays.shape, 3)
    system[..., 0, 0] = system[..., 1, 1] = 1
    system[..., 2] = -rays
    target = rays * points[..., 2:] - points[..., :2]
    # In double precision, so that what comes out does not depend on the arrays' places in memory.
    left = (system * trust[..., None, None]).flatten(1, 2).double()
    right = (target * trust[..., None]).flatten(1, 2).double()
    gram = left.transpose(1, 2) @ left + _STIFF * torch.diag(left.new_tensor([1.0, 1.0, 0.01]))
    solution: Tensor = torch.linalg.solve(gram, left.transpose(1, 2) @ right[..., None])[..., 0].to(rays)
    return torch.cat([solution[:, :2], solution[:, 2:].clamp_min(_NEAREST)], 1)
