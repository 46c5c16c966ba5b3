"""The generated splits: people, garments and poses that training never sees, from the shipped seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.default import load_default_body
from munet.evaluation.alignment import Array
from munet.evaluation.joints import SMPL_JOINTS
from munet.evaluation.outer import outer_faces
from munet.evaluation.sample import OwnBody, Sample, TrueJoints
from munet.evaluation.surface_metrics import Mesh
from munet.perception.observation import PersonObservation, Photo
from munet.training.data.camera import View, place_camera
from munet.training.data.draw import draw_sample, stack, to_device
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.data.scene import People, dress_people, make_stage
from munet.training.data.splits import TEST_PEOPLE, Split

SEED = 0
SIZE = 512
_HIDDEN = 0.55
# Metres, and share of the height.
_POINT, _LIMB, _LEAN = np.array([0.024, 0.024, 0.05]), np.array([0.04, 0.04, 0.11]), 0.16
_LIMBS = ((13, 15, 17, 19, 21), (14, 16, 18, 20, 22), (25, 27, 29, 31), (26, 28, 30, 32))


@dataclass(frozen=True)
class Observed:
    """A generated person as detectors with modest errors would have found them, beside the truth.

    Attributes:
        sample: the truth.
        photo: the picture.
        person: landmarks, their depths and the mask, all with noise.
        normals_front: (H, W, 3) true unit normals of the clothed surface, camera frame, zero outside.
        normals_back: (H, W, 3) of its far side.
    """

    sample: Sample
    photo: Photo
    person: PersonObservation
    normals_front: NDArray[np.float32]
    normals_back: NDArray[np.float32]


class Synthetic:
    """Pictures of a split with body, joints and clothed surface; nothing is read from disk.

    The true surface is the outer one, what can be seen from around and above: skin and inner clothes under a skirt, a
    coat or long hair are left out. The box is that of the person's visible pixels. A picture shows part of a photo, so
    that its middle is not on the optical axis.

    Args:
        seed: of the split.
        size: edge of the pictures.
        device: where pictures are generated.
        split: "test", or "val" for decisions.
    """

    name = "synthetic"

    def __init__(
        self, seed: int = SEED, size: int = SIZE, device: torch.device | str = "cpu", split: Split = "test"
    ) -> None:
        self.seed, self.size = seed, size
        self._generator = Generator(seed, size=size, points=1, device=device)
        self._stage = make_stage(load_default_body(device))
        self.split: Split = split

    def __len__(self) -> int:
        """Number of people."""
        return TEST_PEOPLE

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Generate every ``step``-th person."""
        for index in range(0, TEST_PEOPLE, step):
            yield self.sample(index)

    def sample(self, index: int) -> Sample:
        """Generate one person of the split."""
        return self._sample(index, self._generator.batch(self.split, [index]))

    def observed(self, index: int) -> Observed:
        """Generate one person of the split with what noisy detectors say."""
        batch = self._generator.batch(self.split, [index])
        sample = self._sample(index, batch)
        height, width = sample.image.shape[:2]
        photo = Photo(sample.image, (width, height), 1.0, None, sample.name, "")
        front, back = (_image(side) for side in (batch.normals_front, batch.normals_back))
        return Observed(sample, photo, observed_person(batch, self._generator.seed, index), front, back)

    @torch.no_grad()
    def _sample(self, index: int, batch: TrainingBatch) -> Sample:
        generator = self._generator
        drawn = to_device(stack([draw_sample(generator.seed, self.split, index)]), generator.device)
        people = dress_people(self._stage, drawn)
        view = place_camera(drawn, people.posed.vertices, generator.size)
        body_cam = _numpy(view.to_camera(people.posed.vertices))
        image = (batch.image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
        return Sample(
            name=f"{self.split}/{index:03d}",
            image=np.ascontiguousarray(image),
            box=_box(batch),
            focal=float(batch.camera[0, 0, 0]),
            joints=TrueJoints(SMPL_JOINTS, _numpy(batch.joints)[:24], _numpy(batch.joints_image)[:24]),
            scan=self._outer_surface(people, view),
            own=OwnBody(body_cam, _numpy(batch.betas)),
        )

    def _outer_surface(self, people: People, view: View) -> Mesh:
        worn = people.worn[0][self._stage.group]
        whole = Mesh(_numpy(view.to_camera(people.vertices)), self._stage.faces[worn].cpu().numpy())
        return Mesh(whole.vertices, whole.faces[outer_faces(whole)])


def observed_person(batch: TrainingBatch, seed: int, index: int) -> PersonObservation:
    """What detectors would say of a batch's first person; nobody measured depths, so those get errors here."""
    marks = _numpy(batch.observed_landmarks)
    mask = batch.observed_mask[0].cpu().numpy().astype(np.float32)
    box = _box(batch)
    return PersonObservation(
        box=np.asarray([*marks.min(0), *marks.max(0)] if box is None else box, np.float32),
        score=1.0,
        landmarks_image=marks.astype(np.float32),
        landmarks_world=measured_depths(_numpy(batch.landmarks), np.random.default_rng([seed, index])),
        visibility=detected_visibility(batch.observed_visibility[0]).float().cpu().numpy(),
        mask=mask,
    )


def detected_visibility(observed: Tensor) -> Tensor:
    """Detectors are just sure of landmarks that the body itself hides; generated ones say that nobody sees them."""
    return torch.where(observed > 0, observed.clamp_min(_HIDDEN), 0.0)


def measured_depths(landmarks: Array, random: np.random.Generator) -> NDArray[np.float32]:
    """3D landmarks (33, 3) with the errors of a detector: of single points, of whole limbs, and of the lean.

    Limb joints are then 89 mm off after Procrustes alignment; BlazePose heavy is 88 mm off on photos.
    """
    world = landmarks - landmarks[[23, 24]].mean(0) + random.normal(size=(33, 3)) * _POINT
    for limb in _LIMBS:
        for start in range(2):
            world[list(limb[start:])] += random.normal(size=3) * _LIMB
    lean = world[:, 1:2] * random.normal() * _LEAN * np.array([0.0, 0.0, 1.0])
    result: NDArray[np.float32] = (world + lean).astype(np.float32)
    return result


def _numpy(values: Tensor) -> Array:
    first: Array = values[0].double().cpu().numpy()
    return first


def _image(planes: Tensor) -> NDArray[np.float32]:
    result: NDArray[np.float32] = planes[0].permute(1, 2, 0).cpu().numpy()
    return result


def _box(batch: TrainingBatch) -> Array | None:
    """Left, top, right, bottom of the visible pixels, or None where nothing is left of the person."""
    rows, columns = torch.nonzero(batch.mask[0], as_tuple=True)
    if not len(rows):
        return None
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return np.array([float(edge) for edge in edges])
