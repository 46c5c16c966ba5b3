"""Several possible poses of one person from the 2D landmarks alone."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from importlib.resources.abc import Traversable

import numpy as np
import torch
from numpy.typing import NDArray

from munet.body.tree import local_rotations
from munet.errors import NoPersonError
from munet.fitting.camera_start import guess_focal
from munet.fitting.evidence import SEEN
from munet.fitting.guess import PoseGuess, Spread
from munet.fitting.rig import TO_CAMERA
from munet.lifting.inputs import HIPS, MARKS, View, box_of, doubt_of, look_at, turn_to
from munet.lifting.mirror import see_both_ways
from munet.lifting.network import LifterNet
from munet.lifting.upright import roll_upright
from munet.models.weights import read_weights
from munet.perception.observation import PersonObservation, Photo

Array = NDArray[np.float64]

FEWEST_MARKS = 5
"""Below this many known landmarks the network was not trained."""
_FILE = "lifter.safetensors"


def load_lifter() -> LifterNet:
    """Load the network that comes with the package (made by scripts/train_lifter.py).

    Raises:
        ModelMissingError: the file is absent or damaged.
    """
    return read_lifter(resources.files("munet.assets").joinpath(_FILE))


def read_lifter(file: Traversable) -> LifterNet:
    """Read the network's weights from a file.

    Raises:
        ModelMissingError: the file is absent or damaged.
    """
    return read_weights(_network_of, file, "pose network")


def _network_of(weights: dict[str, torch.Tensor]) -> LifterNet:
    return LifterNet(blocks=len({name.split(".")[1] for name in weights if name.startswith("blocks.")}))


def guess_poses(net: LifterNet, observation: PersonObservation, photo: Photo) -> tuple[PoseGuess, ...]:
    """Guess a person's pose, surest first; empty where fewer landmarks are visible than the network was trained on."""
    if int((observation.visibility[list(MARKS)] >= SEEN).sum()) < FEWEST_MARKS:
        return ()
    return lift_pose(net, observation, photo)


def view_of(observation: PersonObservation, photo: Photo) -> View:
    """What the network sees of a person: rays by the focal length from EXIF, or by a usual one, rolled upright.

    Raises:
        NoPersonError: too few landmarks are visible.
    """
    visible = observation.visibility[list(MARKS)] >= SEEN
    if int(visible.sum()) < FEWEST_MARKS:
        raise NoPersonError(
            "Too little of the person is visible to guess a pose.",
            detail=f"{int(visible.sum())} of {len(MARKS)} landmarks are visible, at least {FEWEST_MARKS} are needed.",
        )
    height, width = photo.image.shape[:2]
    focal, _ = guess_focal(photo)
    roll = roll_upright(observation.landmarks_image, observation.visibility >= SEEN)
    rays = (observation.landmarks_image[list(MARKS)] - [width / 2, height / 2]) / focal @ roll[:2, :2].T
    rays, known = torch.tensor(rays[None], dtype=torch.float32), torch.tensor(visible[None], dtype=torch.float32)
    measured = torch.tensor([float(photo.focal is not None)])
    doubt = doubt_of(torch.tensor(observation.visibility[list(MARKS)][None], dtype=torch.float32))
    turn = turn_to(box_of(rays, known)[0])[0]
    hips = observation.landmarks_world[list(HIPS)].mean(0)
    rolled = (observation.landmarks_world[list(MARKS)] - hips) @ roll.T
    view = look_at(rays, known, measured, doubt, (torch.tensor(rolled, dtype=torch.float32) @ turn[2])[None])
    return replace(view, turn=view.turn @ torch.tensor(roll, dtype=torch.float32))


def lift_pose(net: LifterNet, observation: PersonObservation, photo: Photo) -> tuple[PoseGuess, ...]:
    """Guess a person's pose and shape from the 2D landmarks, surest first.

    Raises:
        NoPersonError: too few landmarks are visible.
    """
    view = view_of(observation, photo)
    with torch.no_grad():
        poses = see_both_ways(net, view.features)
    axes = np.diag(TO_CAMERA) @ view.turn[0].double().numpy() @ np.diag(TO_CAMERA)
    confidence = torch.softmax(poses.logits[0], 0).tolist()
    local = local_rotations(torch.from_numpy(axes.T) @ poses.turns[0].double()).numpy()
    betas, spreads = (part[0].double().numpy() for part in (poses.betas, poses.spreads.exp()))
    guesses = [
        PoseGuess(local[k], betas[k], sure, Spread(spreads[k], view.turn[0, 2].double().numpy()))
        for k, sure in enumerate(confidence)
    ]
    return tuple(sorted(guesses, key=lambda guess: -guess.confidence))
