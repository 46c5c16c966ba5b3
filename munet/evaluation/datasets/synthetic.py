"""The generated test split: unseen people, garments and poses, from the shipped seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from munet.body.default import load_default_body
from munet.evaluation.alignment import Array
from munet.evaluation.joints import SMPL_JOINTS
from munet.evaluation.outer import outer_faces
from munet.evaluation.sample import OwnBody, Sample, TrueJoints
from munet.evaluation.surface_metrics import Mesh
from munet.training.data.camera import View, place_camera
from munet.training.data.draw import draw_sample, stack, to_device
from munet.training.data.generate import Generator, TrainingBatch
from munet.training.data.scene import People, dress_people, make_stage
from munet.training.data.splits import TEST_PEOPLE

SEED = 0
SIZE = 512


class Synthetic:
    """Pictures of the test split with body, joints and clothed surface; nothing is read from disk.

    The true surface is the outer one, what can be seen from around and above: skin and inner clothes under a skirt, a
    coat or long hair are left out. The box is that of the person's visible pixels. A picture shows part of a photo, so
    that its middle is not on the optical axis.

    Args:
        seed: of the split.
        size: edge of the pictures.
        device: where pictures are generated.
    """

    name = "synthetic"

    def __init__(self, seed: int = SEED, size: int = SIZE, device: torch.device | str = "cpu") -> None:
        self._generator = Generator(seed, size=size, points=1, device=device)
        self._stage = make_stage(load_default_body(device))

    def __len__(self) -> int:
        """Number of people."""
        return TEST_PEOPLE

    def samples(self, step: int = 1) -> Iterator[Sample]:
        """Generate every ``step``-th person."""
        for index in range(0, TEST_PEOPLE, step):
            yield self.sample(index)

    @torch.no_grad()
    def sample(self, index: int) -> Sample:
        """Generate one person of the split."""
        generator = self._generator
        batch = generator.batch("test", [index])
        drawn = to_device(stack([draw_sample(generator.seed, "test", index)]), generator.device)
        people = dress_people(self._stage, drawn)
        view = place_camera(drawn, people.posed.vertices, generator.size)
        body_cam = _numpy(view.to_camera(people.posed.vertices))
        image = (batch.image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
        return Sample(
            name=f"test/{index:03d}",
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


def _numpy(values: Tensor) -> Array:
    first: Array = values[0].double().cpu().numpy()
    return first


def _box(batch: TrainingBatch) -> Array | None:
    """Left, top, right, bottom of the visible pixels, or None where nothing is left of the person."""
    rows, columns = torch.nonzero(batch.mask[0], as_tuple=True)
    if not len(rows):
        return None
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return np.array([float(edge) for edge in edges])
