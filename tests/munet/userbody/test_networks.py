"""The trained networks' say: what the pipeline takes over, and how it reaches the user's own body."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from official import smpl_arrays, write_npz
from sitter import Person

from munet.body.closed_form import fit_vertices
from munet.body.model import BodyModel
from munet.errors import ModelMissingError
from munet.fitting.body_points import make_body_points
from munet.learned.body_step import follow, moved_joints
from munet.learned.consult import SURFACE_SHARE, Learned, consult, displaced, prediction_of
from munet.learned.networks import Networks
from munet.network.infer import NetworkBody, load_munet_product
from munet.settings import Settings
from munet.surface.dress import dress
from munet.userbody.carry import carry_fit, carry_prediction
from munet.userbody.model import UserBodies


@pytest.fixture(scope="module")
def networks(model: BodyModel) -> Networks:
    return Networks(model)


@pytest.fixture(scope="module")
def learned(networks: Networks, person: Person) -> Learned:
    return consult(networks, person.fit, person.observation, person.photo, Settings("draft"))


def test_the_networks_dress_the_body_and_are_loaded_once(
    networks: Networks, learned: Learned, model: BodyModel, person: Person
) -> None:
    assert networks.load() is networks.load()
    prediction = prediction_of(learned)
    away = np.linalg.norm(prediction.vertices_cam - learned.fit.vertices_cam, axis=1)
    assert away.max() < 0.3
    assert np.allclose(displaced(learned, 0.0), learned.fit.vertices_cam)
    surface = dress(model, learned.fit, person.observation, Settings("draft"), prediction)
    assert surface.silhouette_iou > 0.95


def test_people_cut_at_the_waist_keep_their_fit(networks: Networks, learned: Learned, person: Person) -> None:
    seen = person.fit.seen.copy()
    seen[2] = False
    cut = replace(person.fit, seen=seen)
    assert consult(networks, cut, person.observation, person.photo, Settings("draft")).fit is cut
    assert learned.fit is not person.fit


def test_without_weights_the_fix_is_named(model: BodyModel, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="networks"):
        load_munet_product(model, path=tmp_path / "absent.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelMissingError, match="networks"):
        load_munet_product(model, path=tmp_path / "damaged.safetensors")


def test_a_body_that_the_networks_move_is_followed(model: BodyModel, person: Person) -> None:
    points, lean = make_body_points(model), np.zeros_like(person.fit.vertices_cam)
    forearm = model.weights[:, [18, 20, 22]].sum(1).numpy() + model.weights[:, 24:39].sum(1).numpy()
    lean[:, 2] = 0.12 * forearm
    vertices = person.fit.vertices_cam + lean
    laid = fit_vertices(model, torch.from_numpy(vertices) * torch.tensor([1.0, -1.0, -1.0]))
    moved = NetworkBody(vertices, laid.rotations.numpy(), laid.betas.numpy())
    followed = follow(model, points, person.fit, moved, person.observation, person.photo)
    wrist = followed.joints_cam[20, 2] - person.fit.joints_cam[20, 2]
    assert 0.03 < wrist < 0.14
    assert followed.landmark_error < 0.006
    assert np.abs(moved_joints(model, person.fit, vertices)[20, 2] - person.fit.joints_cam[20, 2] - 0.12) < 0.02


def test_the_surface_is_carried_to_the_users_body(
    learned: Learned, model: BodyModel, person: Person, tmp_path: Path
) -> None:
    settings = Settings("draft")
    own = UserBodies(model).load(str(write_npz(tmp_path / "SMPL.npz", smpl_arrays(model))))
    fit = carry_fit(own, model, learned.fit, person.observation, person.photo, settings)
    prediction = carry_prediction(own, learned.fit, fit, prediction_of(learned))
    moved = displaced(learned, SURFACE_SHARE) - learned.fit.vertices_cam
    expected = own.correspondence.carry(moved)
    assert np.allclose(prediction.vertices_cam - fit.vertices_cam, expected, atol=1e-5)
    if prediction.normals_cam is not None:
        length = np.linalg.norm(prediction.normals_cam, axis=1)
        assert np.allclose(length[length > 0], 1, atol=1e-5)
    assert dress(own.model, fit, person.observation, settings, prediction).silhouette_iou > 0.95
