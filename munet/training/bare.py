"""People without clothes and pictures: landmarks, visibility and a rough mask of posed bodies, for what needs no more.

The same people, cameras and mistakes of a detector as in :mod:`munet.training.data`, at a tenth of the cost. Limbs are
exchanged between poses, and people cut at the waist are mostly upright, as they are in portraits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.skinning import pose_body
from munet.geometry.rotation import matrix_from_axis_angle, rotation_between
from munet.render import project, rasterise
from munet.training.data.camera import place_camera
from munet.training.data.draw import Drawn, draw_sample, stack
from munet.training.data.generate import Generator, TrainingBatch, body_labels
from munet.training.data.observing import observe
from munet.training.data.poses import draw_pose, shared_poses
from munet.training.data.shading import paint_shapes
from munet.training.data.splits import SPLITS, Split

SIZE = 128
"""Pixels of the mask's edge: enough to place a body."""
_SLOTS = 6
_CLOTHES = (0.3, 3.6)
"""Pixels by which clothes make the mask wider."""
_LEGS, _ARM = 0.35, 0.18
_LIMBS = ((1, 2, 4, 5, 7, 8, 10, 11), (13, 16, 18, 20, 22), (14, 17, 19, 21, 23))
_SPINE = (3, 6, 9)
_WAIST = 0.65
_PORTRAITS, _UPRIGHT = 0.75, 0.09
"""Share of people cut at the waist who are upright, and radians by which their trunk leans all the same."""
_MORE_PORTRAITS = 0.12
"""Share of all people who are cut at the waist beside those whom the framing cuts."""


class BareGenerator(Generator):
    """Makes people of a split; what only a picture would tell is zero."""

    def _made(self, split: Split, indices: Sequence[int]) -> TrainingBatch:
        model, size, count = self._stage.model, self.size, len(indices)
        drawn = stack([draw_bare(self.seed, split, index) for index in indices])
        posed = pose_body(model, drawn.betas, drawn.pose)
        view = place_camera(drawn, posed.vertices, size)
        labels = body_labels(model, drawn, posed, view)
        seen = rasterise(project(view.matrix, view.to_camera(posed.vertices)), model.faces, size, size)
        empty = torch.zeros(count, size, size)
        covered = paint_shapes(empty[..., None].expand(-1, -1, -1, 3), drawn.looks.occluders)[1]
        mask = _dressed(seen.mask, drawn.looks.seed) & ~covered
        found = observe(drawn.looks, labels["landmarks_image"], labels["landmarks"][..., 2], seen.depth, mask)
        maps = torch.zeros(count, 3, size, size)
        return TrainingBatch(
            index=torch.tensor(list(indices)),
            image=maps, normals_front=maps, normals_back=maps, body_normals_front=maps, body_normals_back=maps,
            mask=mask.float(), surface_mask=empty, body_mask=seen.mask.float(), depth=empty, body_depth=seen.depth,
            observed_landmarks=found.landmarks,
            observed_visibility=found.visibility,
            observed_mask=found.mask,
            surface_points=labels["joints"][:, :1], surface_normals=torch.zeros(count, 1, 3),
            kind=torch.full((count, _SLOTS), -1),
            clip=drawn.clip,
            **labels,
        )  # fmt: skip


def draw_bare(seed: int, split: Split, index: int) -> Drawn:
    """Draw a person as :func:`munet.training.data.draw.draw_sample` does, with limbs of others and more portraits."""
    drawn = draw_sample(seed, split, index)
    random = np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split), index, 1]))
    pose = drawn.pose.clone()
    for joints, chance in zip(_LIMBS, (_LEGS, _ARM, _ARM), strict=True):
        if random.random() < chance:
            other, _ = draw_pose(random, split, *shared_poses())
            pose[list(joints)] = torch.from_numpy(other[list(joints)]).to(pose)
    first, last, *rest = drawn.frame.tolist()
    if random.random() < _MORE_PORTRAITS:
        first, last = 0.0, random.uniform(0.35, _WAIST)
    tilt = drawn.tilt
    if first == 0 and last < _WAIST and random.random() < _PORTRAITS:
        pose[0] = _raised(pose, random)
        tilt = tilt / 2
    return replace(drawn, pose=pose, tilt=tilt, frame=drawn.frame.new_tensor([first, last, *rest]))


def _raised(pose: Tensor, random: np.random.Generator) -> Tensor:
    """The root (3, 3) of a pose (24, 3, 3) turned until the trunk is nearly upright."""
    turn, trunk = pose[0], pose[0][:, 1]
    for joint in _SPINE:
        turn = turn @ pose[joint]
        trunk = trunk + turn[:, 1]
    lean = torch.from_numpy(random.normal(0, _UPRIGHT, 3)).to(pose)
    target = matrix_from_axis_angle(lean)[:, 1]
    raised: Tensor = rotation_between(trunk[None] / trunk.norm(), target[None])[0] @ pose[0]
    return raised


def _dressed(masks: Tensor, seeds: Tensor) -> Tensor:
    """Masks (B, H, W) wider by clothes."""
    wider = [_wider(one, int(seed)) for one, seed in zip(masks.numpy(), seeds, strict=True)]
    return torch.from_numpy(np.stack(wider))


def _wider(mask: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    radius = np.random.default_rng(seed).uniform(*_CLOTHES)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(outside <= radius, np.bool_)
