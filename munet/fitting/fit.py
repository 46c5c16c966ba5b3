"""From what was seen of a person to the parameters of the body model and the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.errors import InvalidInputError, NoPersonError
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.fitting.camera_start import guess_focal, place_body
from munet.fitting.evidence import SEEN, Evidence, gather_evidence, landmark_trust, seen_joints
from munet.fitting.guess import PoseGuess, choose_guess
from munet.fitting.hands import relaxed_fingers
from munet.fitting.hypotheses import try_flips
from munet.fitting.objective import Objective, Weights
from munet.fitting.pockets import pocketed_hands
from munet.fitting.prior import PosePrior, load_pose_prior
from munet.fitting.result import BodyFit
from munet.fitting.rig import JOINTS, TO_CAMERA, State, pose_points
from munet.fitting.so3 import log_rotation
from munet.fitting.solver import minimise
from munet.fitting.start import closed_form_start, within_limits
from munet.geometry.camera import Camera
from munet.notes import Note
from munet.perception.observation import PersonObservation, Photo
from munet.settings import Settings

Array = NDArray[np.float64]

FEWEST_LANDMARKS = 5
LIMBS = {"legs": (1, 2, 4, 5), "left arm": (16, 18), "right arm": (17, 19)}
"""Joints of the limbs that a photo may not show, by their names in warnings."""
"""Below this many visible landmarks a pose is a guess."""

_STEPS = {"draft": 12, "standard": 20, "high": 40}


def fit_body(
    model: BodyModel,
    observation: PersonObservation,
    photo: Photo,
    settings: Settings,
    guesses: Sequence[PoseGuess] = (),
) -> BodyFit:
    """Fit the body model and the camera to one person.

    Closed-form rotations from the 3D landmarks, then a robust fit (Levenberg-Marquardt) of pose, shape, translation,
    focal length and tilt of the camera to the 2D landmarks, the mask and, weakly, the measured depths, under joint
    limits and a prior learnt from motion; limbs are tried flipped in depth. Joints without evidence rest, or follow
    the guesses halfway.

    Args:
        model: the body.
        observation: what was seen of the person.
        photo: the photo at working resolution.
        settings: the preset decides how many steps the fit takes.
        guesses: of the pose network; the one that agrees best with the measured depths pulls the joints towards it,
            as far as the network trusts it.

    Raises:
        InvalidInputError: arrays of the observation have the wrong shape or are not finite.
        NoPersonError: too few landmarks are visible to place a body.
    """
    _check(observation, photo)
    body = make_body_points(model)
    objective, start = prepare(body, observation, photo, load_pose_prior(), guesses)
    state = solve(objective, start, _STEPS[settings.preset])
    return finish(model, body, state, observation, objective)


def solve(objective: Objective, start: State, steps: int) -> State:
    """Fit from ``start``: first without the mask, then with limbs flipped in depth, then everything together."""
    quick = objective.without_mask()
    state, _ = minimise(start, quick.forgiving(), steps // 2)
    state, cost = minimise(state, quick, steps)
    state, _ = try_flips(quick, state, cost, objective.evidence)
    return minimise(state, objective, steps)[0]


def prepare(
    body: BodyPoints,
    observation: PersonObservation,
    photo: Photo,
    prior: PosePrior,
    guesses: Sequence[PoseGuess] = (),
    weights: Weights | None = None,
) -> tuple[Objective, State]:
    """Return the cost of one person and the start of the fit: the chosen guess, or else the closed form."""
    focal, focal_sigma = guess_focal(photo)
    height, width = photo.image.shape[:2]
    center = np.array([width / 2, height / 2])
    rig = body.rig.subset(BodyPoints.LANDMARKS)
    rotations = closed_form_start(
        rig.anchors.sum(1),
        observation.landmarks_world.astype(np.float64),
        rig.parents,
        np.logical_or(*seen_joints(observation)),
    )
    state = State(rotations, np.zeros(10), np.zeros(3), float(np.log(focal)), np.zeros(2))
    pixels, trust = observation.landmarks_image.astype(np.float64), landmark_trust(observation)
    translation = place_body(pose_points(rig, state), pixels, trust, focal, center)
    state = replace(state, translation=translation)
    middle = float(pose_points(rig, state)[:, 2].mean())
    pocketed = pocketed_hands(observation, photo)
    evidence = gather_evidence(observation, focal * body.height / middle, pocketed)
    weights = weights or Weights()
    guess = choose_guess(body, evidence, state, guesses, weights.guess)
    if guess is not None and guess.rotations is not None:
        state = replace(state, rotations=within_limits(guess.rotations), translation=np.zeros(3))
        state = replace(state, translation=place_body(pose_points(rig, state), pixels, trust, focal, center))
    if guess is not None and guess.straight is not None:
        evidence = replace(evidence, straight=guess.straight)
    return Objective(body, evidence, prior, state, center, focal_sigma, weights, guess), state


def _check(observation: PersonObservation, photo: Photo) -> None:
    shapes = {
        "landmarks_image": (33, 2),
        "landmarks_world": (33, 3),
        "visibility": (33,),
        "box": (4,),
        "mask": photo.image.shape[:2],
    }
    for name, shape in shapes.items():
        value = getattr(observation, name)
        if value.shape != shape or not np.isfinite(value).all():
            raise InvalidInputError(
                f"The observation's {name} can not be used.",
                detail=f"expected finite numbers of shape {shape}, found shape {value.shape}",
            )
    visible = int((observation.visibility >= SEEN).sum())
    if visible < FEWEST_LANDMARKS:
        raise NoPersonError(
            "Too little of the person is visible to place a body.",
            detail=f"{visible} of 33 landmarks are visible, at least {FEWEST_LANDMARKS} are needed.",
        )


def _warnings(evidence: Evidence, told: str, *, led: bool) -> tuple[str, ...]:
    """Return what is not seen, but for limbs that the observation's own warnings (``told``) already name.

    ``led`` says that a pose network's guess takes the place of rest.
    """
    unseen = [name for name, joints in LIMBS.items() if name not in told and not evidence.seen[list(joints)].any()]
    guessed = tuple(name for name in unseen if evidence.guessed[list(LIMBS[name])].any())
    resting = tuple(name for name in unseen if name not in guessed)
    rest = f"therefore {'guessed' if led else 'at rest'}: {', '.join(resting)}."
    notes = (
        Note(f"Not seen in the photo and {rest}", "PARTS_GUESSED" if led else "PARTS_AT_REST", parts=resting),
        Note(f"Hardly seen and therefore guessed: {', '.join(guessed)}.", "PARTS_HARDLY_SEEN", parts=guessed),
    )
    return tuple(note for note in notes if note.values["parts"])


def landmark_error(pixels: Array, observation: PersonObservation, height: float) -> float:
    """Return the mean distance of visible landmarks from ``pixels`` (33, 2) over the person's height in pixels."""
    visible = observation.visibility >= SEEN
    distance = np.linalg.norm(pixels[visible] - observation.landmarks_image[visible], axis=1)
    return float(distance.mean() / height)


def finish(
    model: BodyModel, body: BodyPoints, state: State, observation: PersonObservation, objective: Objective
) -> BodyFit:
    """Pose the whole model with a fitted state; fingers rest, and so does what a face has."""
    evidence = objective.evidence
    mask_height, mask_width = observation.mask.shape
    camera = Camera(state.focal, (float(objective.center[0]), float(objective.center[1])), mask_width, mask_height)
    joint_count = len(model.joint_names)
    pose = np.zeros((joint_count, 3))
    pose[:JOINTS] = log_rotation(state.rotations)
    pose[JOINTS:] = relaxed_fingers(joint_count - JOINTS)
    device = model.template.device
    with torch.no_grad():
        posed = pose_body(
            model,
            torch.tensor(state.betas[None], dtype=torch.float32, device=device),
            torch.tensor(pose[None], dtype=torch.float32, device=device),
            None,
        )
    translation = state.translation.astype(np.float32)
    turn = TO_CAMERA.astype(np.float32)
    vertices, joints = (part[0].cpu().numpy() * turn + translation for part in (posed.vertices, posed.joints))
    marks = camera.project(pose_points(body.rig.subset(BodyPoints.LANDMARKS), state))
    return BodyFit(
        betas=state.betas.astype(np.float32),
        pose=pose.astype(np.float32),
        translation=translation,
        camera=camera,
        vertices_cam=vertices,
        joints_cam=joints,
        seen=evidence.seen,
        landmark_error=landmark_error(marks.astype(np.float64), observation, evidence.height),
        warnings=_warnings(evidence, " ".join(observation.warnings), led=objective.guess is not None),
        up_cam=state.up_cam.astype(np.float32),
        pocketed=evidence.pocketed,
    )
