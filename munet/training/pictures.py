"""Pictures of what the networks make of some people, to look at while they learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from munet.network.normal_network import body_normal_maps
from munet.training.given import Mix
from munet.training.loop import Training
from munet.training.people import People
from munet.training.validation import run_people


def sample_picture(training: Training, people: People, count: int) -> Tensor:
    """Rows of people of the split "val".

    Each row shows the picture, the body's normals, the surface's, the estimated normal maps of front and back and the
    true ones. Networks that start from a given body start from one with the errors of a fit, and dress it as it is.

    Returns:
        (3, count R, 7 R) in [0, 1], on the CPU.
    """
    rows = []
    given = training.config.body.given
    for batch, output in run_people(training, people, count, 1, rounds=0 if given else None, mix=Mix(0, 1)):
        size, faces = batch.inputs.rgb.shape[-1], training.topology.faces
        camera, place = output.camera.float(), batch.inputs.intrinsics
        meshes = [body_normal_maps(mesh, faces, camera, size, place) for mesh in (output.body, output.surface)]
        maps = [output.normals.float(), batch.targets.normals]
        seen = [*(normals[0, :3] for normals in meshes), *(part for normals in maps for part in normals[0].chunk(2))]
        rows.append(torch.cat([batch.inputs.rgb[0], *(normals * 0.5 + 0.5 for normals in seen)], -1))
    return torch.cat(rows, -2).clamp(0, 1).cpu()


def write_picture(picture: Tensor, path: Path) -> None:
    """Write (3, H, W) in [0, 1] as an image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((picture * 255).byte().permute(1, 2, 0).numpy().astype(np.uint8)).save(path)
