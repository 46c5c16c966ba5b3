"""Hands in pockets are told from hands that are seen, and lie inside the clothes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from people import Sitter, photograph
from scipy.sparse import csr_matrix

from munet.body.default import load_default_body
from munet.fitting.body_points import make_body_points, merge_fingers
from munet.fitting.evidence import INDEX
from munet.fitting.fit import fit_body
from munet.fitting.pockets import pocket_block, pocketed_hands
from munet.fitting.prior import resting_pose
from munet.fitting.rig import JOINTS, MOVED, SIZE
from munet.fitting.so3 import exp_rotation
from munet.fitting.spheres import collision_block, sphere_rows
from munet.settings import Settings

MODEL = load_default_body()
BODY = make_body_points(MODEL)
SKIN, TROUSERS, GRASS = (120, 80, 60), (210, 200, 180), (60, 120, 40)
HANDS = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("index", "pinky", "thumb")]


def in_pockets(hand: tuple[int, int, int] = TROUSERS, visibility: float = 0.85) -> Sitter:
    """Somebody with both hands before the hips, in a photo with a face and trousers and hands of a given colour."""
    rotations = np.tile(np.eye(3), (JOINTS, 1, 1))
    rotations[:MOVED] = exp_rotation(resting_pose())
    rotations[16:20] = exp_rotation(
        np.array([[0.6, -0.45, -1.35], [0.6, 0.45, 1.35], [-0.3, -0.7, -0.1], [-0.3, 0.7, 0.1]])
    )
    sitter = photograph(BODY, rotations, np.random.default_rng(0), noise=0.002)
    pixels, image = sitter.observation.landmarks_image, sitter.photo.image.copy()
    image[:] = GRASS
    hips, knees, face = pixels[[23, 24]], pixels[[25, 26]], pixels[INDEX["nose"]]
    left, right, waist = int(hips[:, 0].min()) - 60, int(hips[:, 0].max()) + 60, int(hips[:, 1].min()) - 30
    image[waist : int(knees[:, 1].max()), left:right] = TROUSERS
    image[int(face[1]) - 40 : int(face[1]) + 40, int(face[0]) - 40 : int(face[0]) + 40] = SKIN
    if hand != TROUSERS:
        for x, y in pixels[HANDS].astype(int):
            image[y - 12 : y + 12, x - 12 : x + 12] = hand
    seen = sitter.observation.visibility.copy()
    seen[HANDS] = visibility
    observation = replace(sitter.observation, visibility=seen)
    return replace(sitter, observation=observation, photo=replace(sitter.photo, image=image))


def test_hands_that_look_like_trousers_are_in_pockets() -> None:
    sitter = in_pockets()
    assert pocketed_hands(sitter.observation, sitter.photo).tolist() == [True, True]


@pytest.mark.parametrize("sitter", [in_pockets(SKIN), in_pockets(visibility=0.98), in_pockets((200, 30, 30))])
def test_hands_that_are_seen_are_not(sitter: Sitter) -> None:
    assert not pocketed_hands(sitter.observation, sitter.photo).any()


def test_trousers_of_the_colour_of_skin_tell_nothing() -> None:
    sitter = in_pockets()
    photo = replace(sitter.photo, image=np.full_like(sitter.photo.image, 150))
    assert not pocketed_hands(sitter.observation, photo).any()


def sphere_centres(vertices: np.ndarray) -> np.ndarray:
    """Centres of the fit's spheres in a posed body."""
    template, weights, joints = (
        t.numpy().astype(np.float64) for t in (MODEL.template, MODEL.weights, MODEL.joint_template)
    )
    merged = merge_fingers(weights, MODEL.parents.numpy())
    rows, _ = sphere_rows(template, merged, joints, csr_matrix(MODEL.landmarks.to_dense().numpy()))
    return np.asarray(rows @ vertices)


def test_pocketed_hands_lie_inside_and_the_others_outside() -> None:
    both, neither = np.ones(2, bool), np.zeros(2, bool)
    nothing = np.zeros((BODY.trunk_radii.size + 16, 3, SIZE))
    depths = []
    for sitter in (in_pockets(), in_pockets(SKIN)):
        fit = fit_body(MODEL, sitter.observation, sitter.photo, Settings(preset="draft"))
        assert fit.landmark_error < 0.02
        depths.append(fit.pocketed.all())
        spheres = sphere_centres(fit.vertices_cam)
        if fit.pocketed.all():
            assert np.abs(pocket_block(spheres, nothing, BODY.trunk_radii, both, 0.01).residual).max() < 2
            assert (fit.joints_cam[[22, 23], 2] < fit.joints_cam[[1, 2], 2]).all()
        else:
            assert collision_block(spheres, nothing, BODY.trunk_radii, 0.01, neither).cost < 2
    assert depths == [True, False]
