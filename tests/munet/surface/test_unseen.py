"""What the photo does not show: hidden limbs and plain trousers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from munet.body.model import BodyModel
from munet.surface.anatomy import Anatomy, with_hidden_limbs
from munet.surface.operators import vertex_normals
from munet.surface.unseen import SHINS, lost_bones, plain_trousers
from tests.munet.surface.surface_scenes import CAMERA, Scene, make_fit


def test_trousers_hang_straight_from_calf_to_ankle(model: BodyModel, anatomy: Anatomy) -> None:
    rest, faces, joints = (t.numpy() for t in (model.template, model.faces, model.joint_template))
    rest, joints = rest.astype(np.float64), joints.astype(np.float64)
    lost = np.zeros(24)
    lost[4] = 1.0
    normals = vertex_normals(rest, faces)
    reach = plain_trousers(anatomy, rest, normals, joints, lost)
    left = anatomy.folded[:, 4] > 0.5
    assert reach[~left].max() == 0
    assert reach.min() >= 0
    height = (rest[:, 1] - joints[SHINS[4], 1]) / (joints[4, 1] - joints[SHINS[4], 1])
    at_ankle, at_calf = (left & (np.abs(height - level) < 0.05) for level in (0.12, 0.75))
    assert 0.01 < np.median(reach[at_ankle]) < 0.035
    assert np.median(reach[at_calf]) < 0.5 * np.median(reach[at_ankle])


def test_limbs_are_lost_where_neither_landmarks_nor_mask_show_them(
    model: BodyModel, scene: Scene, anatomy: Anatomy
) -> None:
    fit = make_fit(model, CAMERA)
    assert lost_bones(fit, scene.mask, anatomy).max() == 0
    seen = fit.seen.copy()
    seen[[18, 20, 4, 7]] = False
    nobody = np.zeros_like(scene.mask)
    lost = lost_bones(replace(fit, seen=seen), nobody, anatomy)
    assert set(np.nonzero(lost)[0]) <= {1, 4, 7, 16, 18, 20}
    assert lost[[4, 18]].min() == 1.0
    hidden = with_hidden_limbs(anatomy, lost).hidden
    assert hidden[anatomy.folded[:, 18] > 0.9].all()
    assert not hidden[anatomy.folded[:, 19] > 0.5].any()
    assert not anatomy.hidden.any()
