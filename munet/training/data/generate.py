"""Batches of labelled pictures, generated on any device from (seed, split, index)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from munet.body.default import load_default_body
from munet.body.model import BodyModel
from munet.body.skinning import PosedBody
from munet.errors import InvalidInputError
from munet.render import project, vertex_normals
from munet.training.data.camera import View, place_camera
from munet.training.data.draw import Drawn, draw_sample, stack, to_device
from munet.training.data.hanging import COLUMNS, LOCK_COLUMNS, LOCK_ROWS, ROWS
from munet.training.data.looks import Looks
from munet.training.data.observing import observe
from munet.training.data.points import surface_points
from munet.training.data.rendering import Side, back_side, front_side, hidden_where_unworn
from munet.training.data.scene import People, dress_people, make_stage
from munet.training.data.shading import paint_background, paint_shapes, shade
from munet.training.data.splits import Split


@dataclass(frozen=True)
class TrainingBatch:
    """B labelled pictures; images are square, points and normals are in the camera frame, metres.

    Attributes:
        index: (B,) int64 number of the sample in its split.
        image: (B, 3, H, W) sRGB in [0, 1].
        mask: (B, H, W) the person's pixels that nothing covers, 0 or 1.
        surface_mask: (B, H, W) all pixels of the clothed person.
        body_mask: (B, H, W) all pixels of the naked body.
        normals_front: (B, 3, H, W) unit normals of the clothed surface, towards the camera; zero outside.
        normals_back: (B, 3, H, W) of its far side, away from the camera.
        body_normals_front: (B, 3, H, W) of the naked body.
        body_normals_back: (B, 3, H, W).
        depth: (B, H, W) metres of the clothed surface, 0 outside.
        body_depth: (B, H, W).
        betas: (B, 10).
        pose: (B, 24, 3, 3) local rotations; the root turns into the picture's body frame, as in ``BodyFit``.
        translation: (B, 3): ``vertices_cam = vertices_body * (1, -1, -1) + translation``.
        camera: (B, 3, 3) intrinsics in pixels.
        joints: (B, J, 3).
        joints_image: (B, J, 2) pixels.
        landmarks: (B, 33, 3) true photo landmarks.
        landmarks_image: (B, 33, 2) true pixels.
        observed_landmarks: (B, 33, 2) pixels with a detector's errors.
        observed_visibility: (B, 33) in [0, 1].
        observed_mask: (B, H, W) in [0, 1], with a segmentation's errors.
        surface_points: (B, P, 3) on the outer clothed surface.
        surface_normals: (B, P, 3) unit.
        kind: (B, S) kind of garment in each slot, -1 for none (``munet.training.data.kinds``).
        clip: (B,) clip of the pose, -1 for a free pose.
    """

    index: Tensor
    image: Tensor
    mask: Tensor
    surface_mask: Tensor
    body_mask: Tensor
    normals_front: Tensor
    normals_back: Tensor
    body_normals_front: Tensor
    body_normals_back: Tensor
    depth: Tensor
    body_depth: Tensor
    betas: Tensor
    pose: Tensor
    translation: Tensor
    camera: Tensor
    joints: Tensor
    joints_image: Tensor
    landmarks: Tensor
    landmarks_image: Tensor
    observed_landmarks: Tensor
    observed_visibility: Tensor
    observed_mask: Tensor
    surface_points: Tensor
    surface_normals: Tensor
    kind: Tensor
    clip: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to(self, device: torch.device | str) -> TrainingBatch:
        """The same batch on another device."""
        return TrainingBatch(**{name: value.to(device) for name, value in self.tensors().items()})


class Generator:
    """Makes training data; sample i of a split depends on seed, split and i only, whatever batch it is part of."""

    def __init__(
        self,
        seed: int = 0,
        *,
        size: int = 256,
        points: int = 4096,
        device: torch.device | str = "cpu",
        model: BodyModel | None = None,
    ) -> None:
        """Prepare the shared meshes.

        Args:
            seed: of everything random.
            size: edge of the pictures in pixels.
            points: surface points of each person.
            device: where the data are generated.
            model: the default body in another state, or None; clothes are cut for the default body's topology.

        Raises:
            InvalidInputError: size or number of points is not usable.
        """
        if size < 32 or points < 1 or seed < 0:
            raise InvalidInputError(
                "The generator's settings are out of range.",
                detail=f"expected size >= 32, points >= 1, seed >= 0; found {size}, {points}, {seed}",
            )
        self.seed, self.size, self.points = seed, size, points
        self.device = torch.device(device)
        self._stage = make_stage((model or load_default_body()).to(self.device))

    @torch.no_grad()
    def batch(self, split: Split, indices: Sequence[int]) -> TrainingBatch:
        """Generate the samples ``indices`` of a split.

        Raises:
            InvalidInputError: no index, an unknown split or a negative index.
        """
        if not indices:
            raise InvalidInputError("A batch needs at least one sample.", detail="found no index")
        return self._made(split, indices)

    def _made(self, split: Split, indices: Sequence[int]) -> TrainingBatch:
        """The samples ``indices``, at least one, of a split."""
        drawn: Drawn = to_device(stack([draw_sample(self.seed, split, i) for i in indices]), self.device)
        people = dress_people(self._stage, drawn)
        view = place_camera(drawn, people.posed.vertices, self.size)
        front, back = self._clothed(people, view)
        labels = self._labels(drawn, people, view)
        labels |= self._naked(people, view)
        labels |= self._pictures(drawn, people, front)
        seen = observe(
            drawn.looks,
            labels["landmarks_image"],
            labels["landmarks"][..., 2],
            front.fragments.depth,
            labels["mask"] > 0,
        )
        return TrainingBatch(
            index=torch.tensor(list(indices), device=self.device),
            surface_mask=front.fragments.mask.float(),
            normals_front=_channels_first(front.normals),
            normals_back=_channels_first(back.normals),
            depth=front.fragments.depth,
            observed_landmarks=seen.landmarks,
            observed_visibility=seen.visibility,
            observed_mask=seen.mask,
            kind=drawn.kind,
            clip=drawn.clip,
            **labels,
        )

    def batches(self, split: Split, batch_size: int, start: int = 0) -> Iterator[TrainingBatch]:
        """Endless batches of a split from sample ``start`` on: for a device that generates what it trains on."""
        while True:
            yield self.batch(split, range(start, start + batch_size))
            start += batch_size

    def _clothed(self, people: People, view: View) -> tuple[Side, Side]:
        sizes = (len(self._stage.skin.rest), ROWS * COLUMNS, LOCK_ROWS * LOCK_COLUMNS)
        vertices = hidden_where_unworn(view.to_camera(people.vertices), people.worn, sizes)
        normals, faces = view.turn(people.normals), self._stage.faces
        front = front_side(vertices, normals, faces, view.matrix, self.size)
        return front, back_side(vertices, normals, faces, view.matrix, self.size)

    def _naked(self, people: People, view: View) -> dict[str, Tensor]:
        faces = self._stage.model.faces
        vertices = view.to_camera(people.posed.vertices)
        normals = vertex_normals(vertices, faces)
        front = front_side(vertices, normals, faces, view.matrix, self.size)
        back = back_side(vertices, normals, faces, view.matrix, self.size)
        return {
            "body_mask": front.fragments.mask.float(),
            "body_depth": front.fragments.depth,
            "body_normals_front": _channels_first(front.normals),
            "body_normals_back": _channels_first(back.normals),
        }

    def _labels(self, drawn: Drawn, people: People, view: View) -> dict[str, Tensor]:
        points, normals = surface_points(self._stage, people, drawn.looks.seed, self.points)
        return body_labels(self._stage.model, drawn, people.posed, view) | {
            "surface_points": view.to_camera(points),
            "surface_normals": view.turn(normals),
        }

    def _pictures(self, drawn: Drawn, people: People, front: Side) -> dict[str, Tensor]:
        looks, mask = drawn.looks, front.fragments.mask
        person = shade(self._stage, drawn, people, front)
        picture = torch.where(mask[..., None], person, paint_background(looks, self.size))
        picture, covered = paint_shapes(picture, looks.occluders)
        return {"image": _developed(looks, _channels_first(picture)), "mask": (mask & ~covered).float()}


def body_labels(model: BodyModel, drawn: Drawn, posed: PosedBody, view: View) -> dict[str, Tensor]:
    """What ``TrainingBatch`` says of bodies, whatever they wear."""
    joints = view.to_camera(posed.joints)
    landmarks = view.to_camera(torch.stack([model.landmarks @ v for v in posed.vertices]))
    pose = torch.cat([view.rotation[:, None] @ drawn.pose[:, :1], drawn.pose[:, 1:]], 1)
    # The root turns about its joint, the camera about the origin: the difference goes into the translation.
    root = posed.rest_joints[:, 0]
    moved = (view.rotation @ root[..., None])[..., 0] - root
    return {
        "betas": drawn.betas,
        "pose": pose,
        "translation": view.translation + moved * moved.new_tensor([1.0, -1.0, -1.0]),
        "camera": view.matrix,
        "joints": joints,
        "joints_image": project(view.matrix, joints)[..., :2],
        "landmarks": landmarks,
        "landmarks_image": project(view.matrix, landmarks)[..., :2],
    }


def _channels_first(picture: Tensor) -> Tensor:
    return picture.permute(0, 3, 1, 2).contiguous()


def _developed(looks: Looks, picture: Tensor) -> Tensor:
    """Soften, expose and add the sensor's noise to pictures (B, 3, H, W)."""
    picture = torch.lerp(
        picture, avg_pool2d(picture, 3, 1, 1, count_include_pad=False), looks.blur[:, None, None, None]
    )
    gain, gamma = looks.exposure[:, :3, None, None], looks.exposure[:, 3, None, None, None]
    exposed = (picture * gain).clamp(1e-4, 1) ** gamma
    shape = picture.shape[1:]
    noise = [torch.randn(shape, generator=torch.Generator().manual_seed(int(s))) for s in looks.seed.tolist()]
    return (exposed + torch.stack(noise).to(picture) * looks.grain[:, None, None, None]).clamp(0, 1)
