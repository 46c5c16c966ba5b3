"""What the pose network of landmarks says about training people, as it would in the product."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from munet.body.model import BodyModel
from munet.body.tree import local_rotations
from munet.evaluation.datasets.synthetic import detected_visibility, observed_person
from munet.fitting.body_points import BodyPoints
from munet.fitting.camera_start import USUAL_FOCAL
from munet.fitting.evidence import SEEN
from munet.fitting.fit import prepare
from munet.fitting.prior import load_pose_prior
from munet.fitting.rig import JOINTS
from munet.fitting.so3 import log_rotation
from munet.lifting.inputs import HIPS, MARKS, box_of, doubt_of, look_at, turn_to
from munet.lifting.lift import FEWEST_MARKS, guess_poses
from munet.lifting.mirror import see_both_ways
from munet.lifting.network import LifterNet
from munet.network.opinion import Opinion, opinion_from
from munet.perception.observation import PersonObservation, Photo
from munet.training.data.generate import TrainingBatch
from munet.training.fitted import Fits, fits_of, row_of_nobody
from munet.training.network_batch import batch_depths


@torch.no_grad()
def opinions(batch: TrainingBatch, model: BodyModel, lifter: LifterNet) -> Opinion:
    """The surest guesses about the people of a batch, as :func:`munet.lifting.lift.guess_poses` has them, at once.

    Args:
        batch: of people; nobody is told where a picture was cut out, so its middle is taken for the optical axis.
        model: the body model, on the batch's device.
        lifter: the pose network, there too.
    """
    marks, size = list(MARKS), max(batch.image.shape[-2:])
    visibility = detected_visibility(batch.observed_visibility[:, marks])
    known = (visibility >= SEEN).float()
    rays = (batch.observed_landmarks[:, marks] - size / 2) / (USUAL_FOCAL * size)
    turn = turn_to(box_of(rays, known)[0])
    flip = rays.new_tensor([1.0, -1.0, -1.0])
    behind = batch_depths(batch) * flip
    depths = ((behind[:, marks] - behind[:, list(HIPS)].mean(1, keepdim=True)) * turn[:, None, 2]).sum(-1)
    view = look_at(rays, known, torch.zeros_like(rays[:, 0, 0]), doubt_of(visibility), depths)
    poses = see_both_ways(lifter, view.features)
    rows, best = torch.arange(len(rays), device=rays.device), poses.logits.argmax(1)
    axes = flip[:, None] * view.turn * flip
    local = local_rotations(axes.transpose(1, 2)[:, None] @ poses.turns[rows, best])
    told = (known.sum(1) >= FEWEST_MARKS).float()
    return opinion_from(model, local, poses.betas[rows, best], poses.spreads[rows, best].exp(), told)


def lifted_bodies(points: BodyPoints, lifter: LifterNet, batch: TrainingBatch, seed: int) -> Fits:
    """The bodies from which fits of the people of a batch would begin, as if they were fits."""
    rows, prior = [], load_pose_prior()
    for seen, photo in seen_people(batch, seed):
        found = guess_poses(lifter, seen, photo)
        if not found:
            rows.append(row_of_nobody())
            continue
        _, state = prepare(points, seen, photo, prior, found)
        rows.append(
            {
                "good": np.array(bool(state.translation[2] > 0)),
                "pose": log_rotation(state.rotations)[:JOINTS].astype(np.float32),
                "betas": found[0].betas.astype(np.float32),
                "translation": state.translation.astype(np.float32),
                "focal": np.array(state.focal, np.float32),
            }
        )
    return fits_of(rows).to(batch.image.device)


def seen_people(batch: TrainingBatch, seed: int) -> Iterator[tuple[PersonObservation, Photo]]:
    """What detectors say of the people of a batch, and their pictures."""
    for row, index in enumerate(batch.index.tolist()):
        one = TrainingBatch(**{name: value[row : row + 1] for name, value in batch.tensors().items()})
        image = np.ascontiguousarray((one.image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy())
        height, width = image.shape[:2]
        yield observed_person(one, seed, index), Photo(image, (width, height), 1.0, None, f"{index}", "")
