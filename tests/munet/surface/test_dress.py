"""The whole stage, from a posed body and a mask to a skinned clothed surface."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from crossings import crossing_faces
from scipy.spatial import cKDTree
from surface_scenes import CAMERA, Scene, inflation, make_fit, observe

from munet.body.model import BodyModel
from munet.body.skinning import blend, pose_body
from munet.errors import InvalidInputError
from munet.settings import Settings
from munet.surface.anatomy import Anatomy
from munet.surface.dress import Prediction, dress
from munet.surface.operators import vertex_normals
from munet.surface.silhouette import draw, overlap


def moved(scene: Scene) -> np.ndarray:
    return scene.surface.vertices_cam.astype(np.float64) - scene.fit.vertices_cam


def test_the_outline_meets_the_mask(model: BodyModel, scene: Scene) -> None:
    faces = model.faces.numpy()
    body = overlap(draw(CAMERA, scene.fit.vertices_cam.astype(np.float64), faces), scene.mask > 0.5)
    clothed = overlap(draw(CAMERA, scene.surface.vertices_cam.astype(np.float64), faces), scene.mask > 0.5)
    assert body < 0.85
    assert clothed >= 0.97
    assert scene.surface.silhouette_iou >= 0.97


def test_offsets_have_the_sign_and_size_of_the_truth(model: BodyModel, scene: Scene) -> None:
    normals = vertex_normals(scene.fit.vertices_cam.astype(np.float64), model.faces.numpy())
    along = np.einsum("vi,vi->v", moved(scene), normals)
    worn = (scene.offset > 0.02) & (scene.anatomy.feet < 0.1)
    assert np.mean(along[worn] > 0) > 0.95
    assert np.median(np.abs(along - scene.offset)[worn]) < 0.012


def test_the_whole_ring_of_a_leg_inflates(scene: Scene) -> None:
    """The mask says nothing about depth; a trouser leg must stand off in front and behind as well."""
    fit = scene.fit
    knee, ankle = fit.joints_cam[5], fit.joints_cam[8]
    bone = (ankle - knee) / np.linalg.norm(ankle - knee)
    along = (fit.vertices_cam - knee) @ bone / np.linalg.norm(ankle - knee)
    ring = (np.abs(along - 0.4) < 0.08) & (scene.anatomy.folded[:, 5] > 0.8)
    radius = [np.linalg.norm(np.cross(p - knee, bone), axis=1) for p in (fit.vertices_cam, scene.surface.vertices_cam)]
    depth = np.abs((fit.vertices_cam - knee)[:, 2]) > np.abs((fit.vertices_cam - knee)[:, 0])
    grown = (radius[1] - radius[0])[ring & depth]
    assert len(grown) > 10
    assert np.median(grown) > 0.6 * np.median(scene.offset[ring])


def test_hair_has_volume_and_the_face_stays(scene: Scene) -> None:
    head = scene.anatomy.folded[:, 15] > 0.9
    back = head & (scene.anatomy.locked < 0.01)
    assert np.median(np.linalg.norm(moved(scene)[back], axis=1)) > 0.02
    face = head & (scene.anatomy.locked > 0.99)
    rigid = moved(scene)[face] - moved(scene)[face].mean(0)
    assert np.linalg.norm(rigid, axis=1).max() < 0.003


def test_hands_keep_their_shape(scene: Scene) -> None:
    for wrist in (20, 21):
        hand = scene.anatomy.folded[:, wrist] > 0.99
        shift = moved(scene)[hand]
        assert np.linalg.norm(shift.mean(0)) < 0.03
        assert np.linalg.norm(shift - shift.mean(0), axis=1).max() < 0.004


def test_never_deep_inside_the_body(model: BodyModel, scene: Scene) -> None:
    """Feet are shod and creases closed, elsewhere the surface stays outside the skin or just below it."""
    body = scene.fit.vertices_cam.astype(np.float64)
    normals = vertex_normals(body, model.faces.numpy())
    _, nearest = cKDTree(body).query(scene.surface.vertices_cam)
    depth = np.einsum("vi,vi->v", body[nearest] - scene.surface.vertices_cam, normals[nearest])
    plain = (scene.anatomy.feet < 0.1) & (scene.anatomy.locked < 0.1)
    assert np.quantile(depth[plain], 0.995) < 0.012


def test_skinning_the_rest_surface_gives_the_posed_one(model: BodyModel, scene: Scene) -> None:
    fit, surface = scene.fit, scene.surface
    posed = pose_body(model, torch.from_numpy(fit.betas)[None], torch.from_numpy(fit.pose)[None])
    body = blend(torch.from_numpy(surface.weights), posed.transforms, torch.from_numpy(surface.rest_vertices))
    cam = body[0].numpy() * [1, -1, -1] + fit.translation
    assert np.abs(cam - surface.vertices_cam).max() < 1e-5


def test_weights(scene: Scene) -> None:
    weights = scene.surface.weights
    assert weights.dtype == np.float32
    assert weights.min() >= 0
    assert np.count_nonzero(weights, axis=1).max() <= 4
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)


def test_few_self_intersections(model: BodyModel, scene: Scene) -> None:
    """Not more than the body's own outside head and hands, which are the body's; none to speak of in the T-pose."""
    faces = model.faces.numpy()
    own = np.isin(scene.anatomy.folded.argmax(1), [12, 15, 20, 21])
    faces = faces[~own[faces].any(1)]
    body, clothed = (len(crossing_faces(v, faces)) for v in (scene.fit.vertices_cam, scene.surface.vertices_cam))
    assert clothed <= body + 20
    assert len(crossing_faces(scene.surface.rest_vertices, faces)) <= 20


def test_the_rest_surface_is_a_clean_t_pose(model: BodyModel, scene: Scene) -> None:
    """No edge is stretched wildly against the body's T-pose, armpits and crotch included."""
    rest = pose_body(model, torch.from_numpy(scene.fit.betas)[None], torch.zeros(1, 24, 3)).rest_vertices[0].numpy()
    soft = (scene.anatomy.feet < 0.1) & (scene.anatomy.locked < 0.1)
    edges = model.quads.numpy()[:, [0, 1]]
    edges = edges[soft[edges].all(1)]
    before, after = (
        np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (rest, scene.surface.rest_vertices)
    )
    assert np.abs(scene.surface.rest_vertices - rest).max() < 0.2
    assert np.quantile((after + 0.004) / (before + 0.004), 0.999) < 3


def test_shapes_and_topology(model: BodyModel, scene: Scene) -> None:
    surface = scene.surface
    np.testing.assert_array_equal(surface.faces, model.faces.numpy())
    np.testing.assert_array_equal(surface.quads.reshape(-1, 4)[:, :3], surface.faces[0::2])
    assert surface.uv.shape == (len(surface.faces), 3, 2)
    assert surface.vertices_cam.dtype == surface.rest_vertices.dtype == np.float32


def test_the_same_input_gives_the_same_output(model: BodyModel, scene: Scene) -> None:
    again = dress(model, scene.fit, observe(scene.mask), Settings())
    np.testing.assert_array_equal(again.vertices_cam, scene.surface.vertices_cam)
    np.testing.assert_array_equal(again.weights, scene.surface.weights)


def test_the_photos_border_pulls_nothing(model: BodyModel, anatomy: Anatomy) -> None:
    """Cut at the thighs, with a pole in the mask: unseen legs are near the body, unseen feet shod, nothing spikes."""
    camera = replace(CAMERA, height=390)
    fit = make_fit(model, camera, left_shoulder=(0, 0, -0.9), right_shoulder=(0, 0, 0.9))
    _, clothed = inflation(model, anatomy, fit.vertices_cam.astype(np.float64))
    mask = draw(camera, clothed, model.faces.numpy()).astype(np.float32)
    mask[140:390, 395:400] = 1
    mask[140:145, 330:400] = 1
    surface = dress(model, fit, observe(mask), Settings("draft"))
    distance = np.linalg.norm(surface.vertices_cam - fit.vertices_cam, axis=1)
    assert 0.02 < distance[anatomy.feet > 0.9].max() < 0.07
    assert distance[anatomy.folded[:, [4, 5]].sum(1) > 0.9].max() < 0.05
    assert distance.max() < 0.09


def test_starts_from_a_given_surface(model: BodyModel, scene: Scene) -> None:
    start = scene.surface.vertices_cam
    again = dress(model, scene.fit, observe(scene.mask), Settings("draft"), Prediction(start))
    assert again.silhouette_iou >= 0.97
    assert np.median(np.linalg.norm(again.vertices_cam - start, axis=1)) < 0.008


def test_the_outline_corrects_what_is_expected(model: BodyModel, scene: Scene) -> None:
    """Clothes expected to be much too wide meet the outline all the same; head, hands and feet stay as without."""
    body = scene.fit.vertices_cam.astype(np.float64)
    wide = body + 0.04 * vertex_normals(body, model.faces.numpy())
    settings, observation = Settings("draft"), observe(scene.mask)
    alone, expected = (dress(model, scene.fit, observation, settings, p) for p in (None, Prediction(wide)))
    assert expected.silhouette_iou >= 0.97
    bare = scene.anatomy.folded[:, [15, 20, 21, 10, 11]].sum(1) > 0.99
    away = np.linalg.norm(expected.vertices_cam - alone.vertices_cam, axis=1)
    assert np.median(away[bare]) < 0.002
    assert away.max() < 0.05


def test_follows_predicted_normals(model: BodyModel, scene: Scene) -> None:
    """Folds across the legs, known only from their normals, appear in the surface."""
    faces, start = model.faces.numpy(), scene.surface.vertices_cam.astype(np.float64)
    legs = scene.anatomy.folded[:, [1, 2, 4, 5]].sum(1) > 0.9
    fold = np.where(legs, 0.004 * np.sin(start[:, 1] * 2 * np.pi / 0.1), 0)[:, None]
    wanted = vertex_normals(start + fold * vertex_normals(start, faces), faces)
    normals = np.where(legs[:, None], wanted, 0)
    folded = dress(model, scene.fit, observe(scene.mask), Settings("draft"), Prediction(start, normals))
    before = np.einsum("vi,vi->v", vertex_normals(start, faces), wanted)[legs]
    after = np.einsum("vi,vi->v", vertex_normals(folded.vertices_cam.astype(np.float64), faces), wanted)[legs]
    assert np.mean(1 - after) < 0.6 * np.mean(1 - before)
    assert folded.silhouette_iou >= 0.97


def test_bad_input_is_refused(model: BodyModel, scene: Scene) -> None:
    with pytest.raises(InvalidInputError, match="empty"):
        dress(model, scene.fit, observe(np.zeros_like(scene.mask)), Settings())
    with pytest.raises(InvalidInputError, match="size"):
        dress(model, scene.fit, observe(scene.mask[:-3]), Settings())
    with pytest.raises(InvalidInputError, match="predicted"):
        dress(model, scene.fit, observe(scene.mask), Settings(), Prediction(np.zeros((3, 3))))
