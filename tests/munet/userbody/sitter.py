"""Somebody whose default body is known exactly, and what a photo shows of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from munet.body.model import BodyModel
from munet.body.skinning import landmarks_body, pose_body
from munet.fitting.hands import relaxed_fingers
from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.perception.observation import PersonObservation, Photo
from munet.surface.silhouette import draw

CAMERA = Camera(760.0, (250.0, 320.0), 500, 640)
TURNS = {0: (0.1, 0.5, 0.0), 16: (0.0, 0.0, -0.9), 17: (0.1, 0.0, 1.0), 18: (0.0, -0.7, 0.0), 19: (0.0, 0.9, 0.0),
         1: (-0.4, 0.0, 0.1), 2: (0.0, 0.0, -0.08), 4: (0.7, 0.0, 0.0)}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A person with the default body."""

    fit: BodyFit
    observation: PersonObservation
    photo: Photo


def make_person(model: BodyModel) -> Person:
    """Pose the default body and photograph it without error."""
    pose = np.zeros((54, 3), np.float32)
    pose[list(TURNS)] = list(TURNS.values())
    pose[24:] = relaxed_fingers(30)
    betas = np.array([0.8, -1.0, 0.5, 0.7, 0, 0, -0.6, 0, 0, 0], np.float32)
    with torch.no_grad():
        posed = pose_body(model, torch.from_numpy(betas)[None], torch.from_numpy(pose)[None])
        marks = landmarks_body(model, posed.vertices)[0].numpy()
    flip, translation = np.array([1, -1, -1], np.float32), np.array([0.0, -0.25, 2.6], np.float32)
    vertices, joints = posed.vertices[0].numpy() * flip + translation, posed.joints[0].numpy() * flip + translation
    fit = BodyFit(betas, pose, translation, CAMERA, vertices, joints, np.ones(24, bool), 0.0)
    mask = draw(CAMERA, vertices.astype(np.float64), model.faces.numpy()).astype(np.float32)
    world = (marks - marks[[23, 24]].mean(0)) * flip
    pixels = CAMERA.project(marks * flip + translation)
    box = np.concatenate([pixels.min(0), pixels.max(0)]).astype(np.float32)
    observation = PersonObservation(box, 1.0, pixels, world, np.ones(33, np.float32), mask)
    image = np.where(mask[..., None] > 0.5, np.uint8(90), np.uint8(200)).repeat(3, 2)
    return Person(fit, observation, Photo(image, (500, 640), 1.0, 760.0, "person.png", ""))
