"""Seconds to rasterise a person-sized mesh, forward and with a soft silhouette's gradient; pytorch3d's beside it.

On the CPU they are seconds of processor time, which other work on the machine changes least.

Usage: python benchmarks/rasteriser.py [--faces 27000] [--size 512] [--device cpu] [--threads 2]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import trimesh
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from munet.render import edge_faces, project, rasterise, soft_silhouette

# Measured once on two CPU cores with 27,000 faces at 512 pixels, for machines without pytorch3d.
PYTORCH3D_SECONDS = 16.0
SOFT_FACES = 50
SOFT_PIXELS = 7.0


def person_sized_mesh(faces: int, size: int, device: str) -> tuple[Tensor, Tensor]:
    """A closed mesh of about ``faces`` faces as tall as a standing person in the image, already projected."""
    rings = round((faces / 8) ** 0.5)
    ball = trimesh.creation.uv_sphere(radius=1, count=[2 * rings, rings])
    vertices = torch.tensor(ball.vertices * (0.3, 0.9, 0.2) + (0, 0, 3.0), dtype=torch.float32)
    matrix = torch.tensor([[1.4 * size, 0, size / 2], [0, 1.4 * size, size / 2], [0, 0, 1]])
    faces_tensor = torch.tensor(np.array(ball.faces), dtype=torch.int64)
    return project(matrix, vertices[None]).to(device), faces_tensor.to(device)


def best_seconds(work: Callable[[], object], device: str, repeats: int = 5) -> float:
    """Shortest of a few runs after one to warm up."""
    clock, seconds = time.perf_counter if device.startswith("cuda") else time.process_time, []
    for _ in range(repeats + 1):
        start = clock()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        seconds.append(clock() - start)
    return min(seconds[1:])


def pytorch3d_seconds(vertices_image: Tensor, faces: Tensor, size: int, device: str) -> tuple[float, float]:
    """The same mesh with pytorch3d: its nearest faces alone, and 50 faces a pixel with gradient for a soft silhouette.

    The blur is that of our soft silhouette: its sigmoid is all but 0 or 1 seven pixels from the outline.
    """
    from pytorch3d.renderer.blending import BlendParams, sigmoid_alpha_blend
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.renderer.mesh.rasterizer import Fragments
    from pytorch3d.structures import Meshes

    normalised = torch.cat([1 - vertices_image[..., :2] * 2 / size, vertices_image[..., 2:]], -1)
    radius = (2 * SOFT_PIXELS / size) ** 2

    def hard() -> None:
        rasterize_meshes(Meshes(verts=normalised, faces=faces[None]), size, blur_radius=0.0, faces_per_pixel=1)

    def soft() -> None:
        points = normalised.clone().requires_grad_()
        meshes = Meshes(verts=points, faces=faces[None])
        parts = Fragments(*rasterize_meshes(meshes, size, blur_radius=radius, faces_per_pixel=SOFT_FACES))
        blend = BlendParams(sigma=(2 / size) ** 2)
        sigmoid_alpha_blend(torch.ones(*parts.pix_to_face.shape, 3), parts, blend)[..., 3].sum().backward()

    return best_seconds(hard, device, repeats=1), best_seconds(soft, device, repeats=1)


def main() -> None:
    """Print the seconds, and the ratio where pytorch3d is installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=27_000)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    vertices_image, faces = person_sized_mesh(options.faces, options.size, options.device)
    adjacency = edge_faces(faces)

    def soft_step() -> None:
        points = vertices_image.clone().requires_grad_()
        soft_silhouette(points, faces, options.size, options.size, adjacency=adjacency).sum().backward()

    hard = best_seconds(lambda: rasterise(vertices_image, faces, options.size, options.size), options.device)
    soft = best_seconds(soft_step, options.device)
    print(f"{len(faces)} faces, {options.size} pixels, {options.device}, {options.threads} threads")
    print(f"rasterise                     {hard:8.4f} s")
    print(f"soft silhouette and gradient  {soft:8.4f} s")
    if importlib.util.find_spec("pytorch3d"):
        others = pytorch3d_seconds(vertices_image, faces, options.size, options.device)
        print(f"pytorch3d, nearest face       {others[0]:8.4f} s, ratio {others[0] / hard:.0f}")
        print(f"pytorch3d, soft and gradient  {others[1]:8.4f} s, ratio {others[1] / soft:.0f}")
    else:
        print(f"pytorch3d is not installed; {PYTORCH3D_SECONDS:.0f} s were measured: {PYTORCH3D_SECONDS / hard:.0f}")


if __name__ == "__main__":
    main()
