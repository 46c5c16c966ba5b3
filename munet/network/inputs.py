"""What the networks see of one person, and the planes made from it that look alike in renders and photos."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

from munet.errors import InvalidInputError
from munet.network.config import LANDMARK_COUNT
from munet.network.opinion import Opinion
from munet.network.rig import GivenPose

_IMAGE_MEAN = (0.485, 0.456, 0.406)
_IMAGE_DEVIATION = (0.229, 0.224, 0.225)
_HEAT_SIGMA = 2 / 64
_INSIDE = 0.5


@dataclass(frozen=True)
class NetworkInputs:
    """A batch of square crops; [-1, 1] spans the crop, x right and y down.

    Attributes:
        rgb: (B, 3, R, R) sRGB in [0, 1].
        mask: (B, 1, R, R) in [0, 1] of the person.
        landmarks: (B, 33, 3) x, y in [-1, 1] and visibility in [0, 1].
        depth: (B, 1, R, R) estimated front depth in metres from the pelvis towards the viewer, 0 on the background;
            zeros everywhere where it is None.
        normals: (B, 6, R, R) front and back unit normals, body frame, zero on the background; None has them
            estimated. Back normals belong to the surface behind the same pixel.
        intrinsics: (B, 3) of :func:`munet.network.camera.pinhole_translation`; None means weak perspective.
        body: (B, V, 3) metres, body frame: a body on the networks' graph to start from, lifted from the landmarks or
            fitted; None starts from the template.
        camera: (B, 3) weak perspective of that body; None starts from a crop of two metres.
        pose: of that body; without it the pose network has nothing to turn.
        depths: (B, 33, 3) a detector's 3D landmarks in metres, axes of the body frame, from wherever; None for none.
        opinion: what a network of landmarks alone would say about the pose; None for none.
    """

    rgb: Tensor
    mask: Tensor
    landmarks: Tensor
    depth: Tensor | None = None
    normals: Tensor | None = None
    intrinsics: Tensor | None = None
    body: Tensor | None = None
    camera: Tensor | None = None
    pose: GivenPose | None = None
    depths: Tensor | None = None
    opinion: Opinion | None = None


def check_inputs(inputs: NetworkInputs, image_size: int) -> None:
    """Validate shapes.

    Raises:
        InvalidInputError: one is wrong.
    """
    batch = inputs.rgb.shape[0]
    plane = (image_size, image_size)
    expected = {
        "rgb": (batch, 3, *plane),
        "mask": (batch, 1, *plane),
        "landmarks": (batch, LANDMARK_COUNT, 3),
        "depth": (batch, 1, *plane),
        "normals": (batch, 6, *plane),
        "intrinsics": (batch, 3),
        "camera": (batch, 3),
        "depths": (batch, LANDMARK_COUNT, 3),
    }
    for name, shape in expected.items():
        value = getattr(inputs, name)
        if value is not None and tuple(value.shape) != shape:
            raise InvalidInputError(
                f"The network's {name} have the wrong shape.", detail=f"expected {shape}, found {tuple(value.shape)}"
            )


def encoder_planes(
    inputs: NetworkInputs,
    channels: tuple[str, ...],
    size: int,
    normals: Tensor | None,
    body_normals: Tensor | None = None,
) -> Tensor:
    """Stack the planes the body encoder sees, (B, C, size, size).

    Args:
        inputs: of the person.
        channels: keys of ``INPUT_CHANNELS``.
        size: edge in pixels.
        normals: (B, 6, R, R) of the round before, of which the front is seen; zeros in the first round.
        body_normals: (B, 6, R, R) of the body at the start, of which the front is seen; zeros without.
    """
    empty = inputs.mask.new_zeros(inputs.mask.shape)
    planes = {
        "rgb": lambda: resize(_standardised(inputs.rgb * inputs.mask), size),
        "landmarks": lambda: heat_maps(inputs.landmarks, size),
        "mask": lambda: resize(inputs.mask, size),
        "edges": lambda: resize(edge_map(inputs.rgb, inputs.mask), size),
        "depth": lambda: resize(empty if inputs.depth is None else inputs.depth, size),
        "normals": lambda: resize(empty.expand(-1, 3, -1, -1) if normals is None else normals[:, :3], size),
        "outline": lambda: outline_distance(resize(inputs.mask, size)),
        "body": lambda: resize(empty.expand(-1, 3, -1, -1) if body_normals is None else body_normals[:, :3], size),
    }
    return torch.cat([planes[name]() for name in channels], 1)


def resize(image: Tensor, size: int) -> Tensor:
    """Resize square images (B, C, R, R) to ``size``, smoothly in both directions."""
    if image.shape[-1] == size:
        return image
    shrinks = size < image.shape[-1]
    return interpolate(image, (size, size), mode="bilinear", align_corners=False, antialias=shrinks)


def heat_maps(landmarks: Tensor, size: int) -> Tensor:
    """Gaussians (B, 33, size, size) at landmarks (B, 33, 3), as high as each is visible.

    Args:
        landmarks: x, y in [-1, 1] and visibility.
        size: edge in pixels.
    """
    centers = (torch.arange(size, device=landmarks.device, dtype=landmarks.dtype) + 0.5) * (2 / size) - 1
    x, y, visibility = landmarks.unbind(-1)
    across = torch.exp(-0.5 * ((centers - x[..., None]) / _HEAT_SIGMA).square())
    down = torch.exp(-0.5 * ((centers - y[..., None]) / _HEAT_SIGMA).square())
    return visibility[..., None, None] * down[..., None] * across[..., None, :]


def edge_map(rgb: Tensor, mask: Tensor) -> Tensor:
    """Strength (B, 1, R, R) of the brightness edges inside the person and of the outline, in [0, 1)."""
    grey = rgb.mean(1, keepdim=True)
    planes = torch.cat([grey, mask])
    kernel = planes.new_tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
    kernels = torch.stack([kernel, kernel.T])[:, None]
    padded = torch.nn.functional.pad(planes, (1, 1, 1, 1), mode="replicate")
    strength = conv2d(padded, kernels).square().sum(1, keepdim=True).add(1e-12).sqrt()
    inner, outline = strength.chunk(2)
    return torch.tanh(3 * inner * mask + outline)


@torch.no_grad()
def outline_distance(mask: Tensor) -> Tensor:
    """Signed distance (B, 1, R, R) to the outline of masks, positive inside, [-1, 1] reaching a quarter of the crop."""
    hard = (mask >= _INSIDE).to(torch.uint8).cpu().numpy()[:, 0]
    reach = mask.shape[-1] / 4
    signed = [_distance(one) - _distance(1 - one) for one in hard]
    distance = torch.from_numpy(np.stack(signed))[:, None].to(mask)
    return (distance / reach).clamp(-1, 1)


def _distance(inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance of the pixels of 1 to the nearest pixel of 0; the picture's size where there is none."""
    if inside.all():
        return np.full(inside.shape, inside.shape[0], np.float32)
    rough = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    # Its last digits differ from call to call; squared distances of pixels are whole numbers.
    exact: NDArray[np.float32] = np.sqrt(np.rint(rough * rough))
    return exact


def _standardised(rgb: Tensor) -> Tensor:
    mean, deviation = rgb.new_tensor(_IMAGE_MEAN), rgb.new_tensor(_IMAGE_DEVIATION)
    return (rgb - mean[:, None, None]) / deviation[:, None, None]
