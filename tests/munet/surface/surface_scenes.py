"""Synthetic people: the default body in a pose, its clothes a known smooth inflation."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation
from munet.surface.anatomy import Anatomy, describe
from munet.surface.clearance import clearance
from munet.surface.operators import smoother, unit, vertex_normals
from munet.surface.result import ClothedSurface
from munet.surface.solve import prepare_mesh

CAMERA = Camera(760.0, (250.0, 320.0), 500, 640)


@dataclass(frozen=True)
class Scene:
    """A body, the clothed truth, what was seen of it and what was made of that."""

    fit: BodyFit
    anatomy: Anatomy
    offset: NDArray[np.float64]
    mask: NDArray[np.float32]
    surface: ClothedSurface


def make_fit(model: BodyModel, camera: Camera = CAMERA, **turns: tuple[float, float, float]) -> BodyFit:
    """Pose the body; keyword arguments are axis-angles of joints by name."""
    pose = np.zeros((model.joint_count, 3), np.float32)
    for name, turn in turns.items():
        pose[model.joint_names.index(name)] = turn
    betas = np.zeros(10, np.float32)
    posed = pose_body(model, torch.from_numpy(betas)[None], torch.from_numpy(pose)[None])
    flip, translation = np.diag([1, -1, -1]).astype(np.float32), np.array([0.0, -0.25, 2.6], np.float32)
    vertices = posed.vertices[0].numpy() @ flip + translation
    joints = posed.joints[0].numpy() @ flip + translation
    seen = np.ones(24, np.bool_)
    return BodyFit(betas, pose, translation, camera, vertices, joints, seen, 0.0)


def observe(mask: NDArray[np.floating]) -> PersonObservation:
    """An observation that knows nothing but a mask."""
    nothing = np.zeros((33, 3), np.float32)
    box = np.zeros(4, np.float32)
    return PersonObservation(box, 1.0, nothing[:, :2], nothing, nothing[:, 0] + 1, mask.astype(np.float32))


def body_anatomy(model: BodyModel) -> Anatomy:
    landmarks = torch.sparse.mm(model.landmarks, model.template).numpy().astype(np.float64)
    weights, template, joints = (
        t.numpy().astype(np.float64) for t in (model.weights, model.template, model.joint_template)
    )
    normals = vertex_normals(template, model.faces.numpy())
    return describe(weights, template, normals, joints, landmarks, model.parts.numpy())


def inflation(model: BodyModel, anatomy: Anatomy, vertices: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """A smooth field of offsets (trousers, sleeves, hair) and the vertices moved by it."""
    faces = model.faces.numpy()
    mesh = prepare_mesh(vertices, faces)
    normals = unit(smoother(mesh.laplace, mesh.areas, 0.02)(vertex_normals(vertices, faces)))
    legs = anatomy.folded[:, [1, 2, 4, 5]].sum(1)
    hair = anatomy.folded[:, 15]
    wanted = (0.02 + 0.025 * legs + 0.03 * hair) * (1 - anatomy.locked) * (1 - 0.6 * anatomy.feet)
    field = smoother(mesh.laplace, mesh.areas, 0.02)(wanted) * (1 - anatomy.locked)
    field = np.minimum(field, clearance(vertices, normals, anatomy.limb))
    return field, vertices + field[:, None] * normals
