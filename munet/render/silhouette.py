"""Silhouettes: the hard mask, and a soft one whose gradient reaches the vertices from both sides of the outline.

The soft silhouette is ``sigmoid(signed distance to the outline / sigma)`` as in SoftRas (Liu et al., ICCV 2019,
section 4.1), but the distance is taken to the outline of the whole mesh instead of to every triangle: the outline is
made of the contour edges (one adjacent face seen from the front, the other from the back, or no other face) that have
empty image on one side. That is exact for closed meshes, and needs a few thousand edges instead of all faces.
"""

from __future__ import annotations

import torch
from torch import Tensor

from munet.render.rasteriser import NEAR_METRES, Fragments, rasterise

_SAMPLES_ALONG_EDGE = (0.1, 0.3, 0.5, 0.7, 0.9)
_PROBE_PIXELS = 0.75
# Distances beyond this many sigmas change the sigmoid by less than 1e-3.
_REACH_SIGMAS = 7.0
_MAX_EDGE_PIXELS = 4096.0


def silhouette(fragments: Fragments) -> Tensor:
    """Return the hard mask (B, H, W) as 0 and 1, without gradient."""
    return fragments.mask.to(fragments.depth.dtype)


def edge_faces(faces: Tensor) -> tuple[Tensor, Tensor]:
    """Edges of a mesh and the faces at their sides.

    Args:
        faces: (F, 3) int64.

    Returns:
        Edges (E, 2), lower vertex first, and their first and last adjacent face (E, 2), the same one twice at an
        open border. Compute once per topology.
    """
    count = len(faces)
    halves = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(1).values
    owner = torch.arange(count, device=faces.device).repeat(3)
    edges, index = torch.unique(halves, dim=0, return_inverse=True)
    first = torch.full((len(edges),), count, device=faces.device).scatter_reduce_(0, index, owner, "amin")
    last = torch.full((len(edges),), -1, device=faces.device).scatter_reduce_(0, index, owner, "amax")
    return edges, torch.stack([first, last], 1)


def soft_silhouette(
    vertices_image: Tensor,
    faces: Tensor,
    height: int,
    width: int,
    sigma: float = 1.0,
    adjacency: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Soft mask: 0.5 on the outline, differentiable in the vertices on both sides of it.

    Args:
        vertices_image: (B, V, 3) x and y in pixels, depth in metres.
        faces: (F, 3) int64 of a mesh with consistent winding.
        height: rows of the image.
        width: columns of the image.
        sigma: softness in pixels; pixels farther than 7 sigma from the outline are 0 or 1 without gradient.
        adjacency: of :func:`edge_faces`, to compute it only once.

    Returns:
        (B, H, W) in [0, 1].
    """
    mask = rasterise(vertices_image, faces, height, width).mask
    edges, sides = edge_faces(faces) if adjacency is None else adjacency
    with torch.no_grad():
        image, edge = _outline_edges(vertices_image, faces, mask, edges, sides)
        ends = vertices_image[image[:, None], edges[edge], :2]
        pixel, nearest = _nearest_edge(ends, image, mask, _REACH_SIGMAS * sigma)
    ends = vertices_image[image[nearest][:, None], edges[edge[nearest]], :2]
    distance = _segment_distance(_centers(pixel, height, width, ends.dtype), ends)
    signed = torch.where(mask.flatten()[pixel], distance, -distance)
    hard = mask.flatten().to(vertices_image.dtype)
    return hard.index_put((pixel,), torch.sigmoid(signed / sigma)).reshape(mask.shape)


def _outline_edges(
    vertices_image: Tensor, faces: Tensor, mask: Tensor, edges: Tensor, sides: Tensor
) -> tuple[Tensor, Tensor]:
    """Batch index and edge index of the edges that separate the mask from the empty image."""
    x, y = vertices_image[:, faces, :2].unbind(-1)
    area = (x[..., 1] - x[..., 0]) * (y[..., 2] - y[..., 0]) - (y[..., 1] - y[..., 0]) * (x[..., 2] - x[..., 0])
    facing = (area > 0)[:, sides]
    contour = (facing[..., 0] != facing[..., 1]) | (sides[:, 0] == sides[:, 1])
    contour &= (vertices_image[:, edges, 2] > NEAR_METRES).all(-1)
    image, edge = contour.nonzero(as_tuple=True)
    ends = vertices_image[image[:, None], edges[edge], :2]
    length = (ends[:, 1] - ends[:, 0]).norm(dim=-1)
    kept = ((length < _MAX_EDGE_PIXELS) & _has_empty_side(ends, image, mask)).nonzero()[:, 0]
    return image[kept], edge[kept]


def _has_empty_side(ends: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Whether the image is empty next to any of a few points of each edge; outside the image counts as empty."""
    along = ends[:, 1] - ends[:, 0]
    across = torch.stack([-along[:, 1], along[:, 0]], -1)
    across = torch.nn.functional.normalize(across, dim=-1) * _PROBE_PIXELS
    shares = torch.tensor(_SAMPLES_ALONG_EDGE, dtype=ends.dtype, device=ends.device)
    points = ends[:, None, 0] + shares[:, None] * along[:, None]
    probes = torch.stack([points + across[:, None], points - across[:, None]], 1).nan_to_num(-1.0)
    column, row = probes.clamp(-1, 1e6).floor().long().unbind(-1)
    _, height, width = mask.shape
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    covered = mask[image[:, None, None], row.clamp(0, height - 1), column.clamp(0, width - 1)] & inside
    return ~covered.flatten(1).all(1)


def _centers(pixel: Tensor, height: int, width: int, dtype: torch.dtype) -> Tensor:
    row = torch.div(pixel, width, rounding_mode="floor") % height
    return torch.stack([pixel % width, row], -1).to(dtype) + 0.5


def _nearest_edge(ends: Tensor, image: Tensor, mask: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Pixels (P,) within ``reach`` of an edge and the index (P,) of the nearest one."""
    batch, height, width = mask.shape
    pixel, owner = _pixels_around(ends, image, height, width, reach)
    distance = _segment_distance(_centers(pixel, height, width, ends.dtype), ends[owner])
    close = (distance < reach).nonzero()[:, 0]
    pixel, owner, distance = pixel[close], owner[close], distance[close]
    total = batch * height * width
    best = torch.full((total,), torch.inf, dtype=ends.dtype, device=ends.device)
    best.scatter_reduce_(0, pixel, distance, "amin")
    wins = (distance <= best[pixel]).nonzero()[:, 0]
    none = len(ends)
    winner = torch.full((total,), none, dtype=torch.int64, device=ends.device)
    winner.scatter_reduce_(0, pixel[wins], owner[wins], "amin")
    found = (winner < none).nonzero()[:, 0]
    return found, winner[found]


def _pixels_around(ends: Tensor, image: Tensor, height: int, width: int, reach: float) -> tuple[Tensor, Tensor]:
    """Every pixel of the boxes around the edges, and the edge each belongs to."""
    limit = torch.tensor([width, height], dtype=ends.dtype, device=ends.device)
    low = torch.minimum((ends.amin(1) - reach).clamp_min(0), limit).floor().long()
    high = torch.minimum((ends.amax(1) + reach).clamp_min(0), limit).ceil().long()
    columns, rows = (high - low).unbind(-1)
    count = columns * rows
    owner = torch.repeat_interleave(torch.arange(len(ends), device=ends.device), count)
    local = torch.arange(len(owner), device=ends.device) - (count.cumsum(0) - count)[owner]
    row = low[owner, 1] + torch.div(local, columns[owner], rounding_mode="floor")
    column = low[owner, 0] + local % columns[owner]
    return (image[owner] * height + row) * width + column, owner


def _segment_distance(points: Tensor, ends: Tensor) -> Tensor:
    """Distance (N,) of points (N, 2) to segments (N, 2, 2), differentiable, its gradient finite everywhere."""
    along = ends[:, 1] - ends[:, 0]
    offset = points - ends[:, 0]
    squared = (along * along).sum(-1).clamp_min(1e-12)
    share = ((offset * along).sum(-1) / squared).clamp(0, 1)
    return ((offset - share[:, None] * along).square().sum(-1) + 1e-12).sqrt()
