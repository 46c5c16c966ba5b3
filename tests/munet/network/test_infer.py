"""A person of a photo before the networks: where the crop lies, and what comes back in whose frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch.nn.functional import max_pool2d

from munet.body.model import BodyModel
from munet.body.skinning import landmarks_body, pose_body
from munet.errors import InvalidInputError, ModelMissingError
from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.network import SMALL, MuNet, Topology, create_munet
from munet.network.crop import crop_of
from munet.network.infer import MunetProduct, load_munet_product, move_person, network_inputs, refine_person
from munet.network.normal_network import body_normal_maps
from munet.perception.observation import PersonObservation, Photo

CAMERA = Camera(500.0, (160.0, 200.0), 320, 400)


@pytest.fixture(scope="module")
def product(fitted: Topology) -> MunetProduct:
    return MunetProduct(create_munet(SMALL).eval(), fitted, torch.device("cpu"))


@pytest.fixture(scope="module")
def fit(model: BodyModel) -> BodyFit:
    pose = torch.zeros(1, 24, 3)
    pose[0, 16, 2], pose[0, 17, 2] = -1.0, 1.0
    posed = pose_body(model, torch.zeros(1, 10), pose)
    flip, place = np.array([1, -1, -1], np.float32), np.array([0.1, 0.0, 3.2], np.float32)
    return BodyFit(
        betas=np.zeros(10, np.float32),
        pose=pose[0].numpy(),
        translation=place,
        camera=CAMERA,
        vertices_cam=posed.vertices[0].numpy() * flip + place,
        joints_cam=posed.joints[0].numpy() * flip + place,
        seen=np.ones(24, np.bool_),
        landmark_error=0.0,
    )


@pytest.fixture(scope="module")
def observation(model: BodyModel, fit: BodyFit) -> PersonObservation:
    marks = landmarks_body(model, torch.from_numpy(fit.vertices_cam)[None])[0].numpy()
    mask = np.zeros((400, 320), np.float32)
    pixels = CAMERA.project(fit.vertices_cam).astype(int)
    mask[pixels[:, 1], pixels[:, 0]] = 1
    visible = np.ones(33, np.float32)
    return PersonObservation(
        np.array([0, 0, 320, 400], np.float32), 1.0, CAMERA.project(marks), marks.astype(np.float32), visible, mask
    )


@pytest.fixture(scope="module")
def photo() -> Photo:
    image = np.random.default_rng(0).integers(0, 255, (400, 320, 3)).astype(np.uint8)
    return Photo(image, (320, 400), 1.0, None, "noise.png", "0")


def test_untrained_networks_give_the_fit_back(
    product: MunetProduct, model: BodyModel, observation: PersonObservation, photo: Photo, fit: BodyFit
) -> None:
    still = refine_person(product, model, observation, photo, fit)
    moved = refine_person(product, model, observation, photo, fit, rounds=1)
    np.testing.assert_allclose(still.surface_vertices_cam, fit.vertices_cam, atol=1e-5)
    np.testing.assert_allclose(still.body_vertices_cam, fit.vertices_cam, atol=1e-6)
    np.testing.assert_allclose(moved.body_vertices_cam, fit.vertices_cam, atol=0.02)
    seen = still.normals_front[np.linalg.norm(still.normals_front, axis=2) > 0.9]
    assert (seen[:, 2] < 0.1).mean() > 0.98
    known = np.linalg.norm(still.vertex_normals_cam, axis=1) > 0.5
    assert 0.05 < known.mean() < 0.95
    assert still.vertex_normals_cam.shape == fit.vertices_cam.shape


def test_untrained_joints_stay_where_they_are(
    product: MunetProduct, model: BodyModel, observation: PersonObservation, photo: Photo, fit: BodyFit
) -> None:
    moved = move_person(product, model, observation, photo, fit)
    np.testing.assert_allclose(moved.vertices_cam, fit.vertices_cam, atol=0.02)
    np.testing.assert_allclose(moved.rotations, Rotation.from_rotvec(fit.pose).as_matrix(), atol=1e-5)
    np.testing.assert_allclose(moved.betas, fit.betas, atol=1e-6)


def test_without_a_pose_step_the_rig_is_laid_on_the_vertices(
    fitted: Topology, model: BodyModel, observation: PersonObservation, photo: Photo, fit: BodyFit
) -> None:
    config = replace(SMALL, body=replace(SMALL.body, evidence=()))
    product = MunetProduct(create_munet(config).eval(), fitted, torch.device("cpu"))
    moved = move_person(product, model, observation, photo, fit)
    rotations, betas = torch.from_numpy(moved.rotations)[None], torch.from_numpy(moved.betas)[None]
    laid = pose_body(model, betas, rotations).vertices[0].numpy() * [1, -1, -1] + fit.translation
    np.testing.assert_allclose(laid - laid.mean(0), moved.vertices_cam - moved.vertices_cam.mean(0), atol=0.03)


def test_the_given_body_is_seen_where_the_fit_is(
    product: MunetProduct, model: BodyModel, observation: PersonObservation, photo: Photo, fit: BodyFit
) -> None:
    crop = crop_of(observation.mask, fit, SMALL.image_size)
    inputs = network_inputs(product, model, observation, photo, fit, crop)
    assert inputs.body is not None
    assert inputs.camera is not None
    maps = body_normal_maps(inputs.body, product.topology.faces, inputs.camera, 256, inputs.intrinsics)
    # Fingers are thinner than pixels.
    inside = max_pool2d(maps[:, :3].norm(dim=1), 5, 1, 2)[0].numpy() > 0.5
    pixels = crop.to_crop(CAMERA.project(fit.vertices_cam)).astype(int)
    assert inside[pixels[:, 1], pixels[:, 0]].mean() > 0.99
    marks = (inputs.landmarks[0, :, :2].numpy() + 1) * 128
    np.testing.assert_allclose(crop.camera(CAMERA).project(observation.landmarks_world), marks, atol=0.01)


def test_the_crop_ends_where_the_photo_cuts_the_person(fit: BodyFit) -> None:
    whole, cut = np.zeros((400, 320), np.float32), np.zeros((400, 320), np.float32)
    whole[100:300, 100:200] = 1
    cut[100:, 100:200] = 1
    near = BodyFit(**{**vars(fit), "vertices_cam": fit.vertices_cam[:1]})
    inner, lower = crop_of(whole, near, 256), crop_of(cut, near, 256)
    assert inner.top + inner.edge < 400
    assert lower.top + lower.edge == pytest.approx(400)


def test_wrong_sizes_are_refused(
    product: MunetProduct, model: BodyModel, observation: PersonObservation, photo: Photo, fit: BodyFit
) -> None:
    with pytest.raises(InvalidInputError, match="empty"):
        crop_of(np.zeros((400, 320), np.float32), fit, 256)
    with pytest.raises(InvalidInputError, match="mask"):
        crop_of(np.ones((10, 10), np.float32), fit, 256)
    small = Photo(photo.image[:100], (320, 100), 1.0, None, "small.png", "0")
    with pytest.raises(InvalidInputError, match="photo"):
        refine_person(product, model, observation, small, fit)


def test_absent_weights_are_named(model: BodyModel, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"none\.safetensors"):
        load_munet_product(model, "cpu", tmp_path / "none.safetensors")


def test_small_is_what_ships() -> None:
    assert MuNet(SMALL).config.body.given
