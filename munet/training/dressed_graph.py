"""Where every vertex of a body belongs on the clothed surface: a direct lesson for G_e.

The paper's surface losses look for nearest points, which pair a sleeve with the hip beside it and say little about
where to go. Generated people have a body and clothed points in one frame, so a vertex can be told: straight out along
the body's smooth normal, as far as the clothes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from munet.network.topology import Topology, sparse_apply
from munet.render import vertex_normals

_POINTS = 1280
# Metres: how far clothes may lie inside (noise of points) and outside the skin.
_INSIDE, _OUTSIDE = 0.02, 0.3
# Share of the way along the normal that counts as much as the way beside it: the nearer of two surfaces wins.
_ALONG = 0.2
# Cosine that normals of skin and cloth must reach.
_LEAST_COSINE = 0.3
# Metres beside the normal at which a point counts little.
_BESIDE = 0.025
_SMOOTHINGS = 2
_NEVER = 1e3


@torch.no_grad()
def dressed_graph(body: Tensor, topology: Topology, points: Tensor, normals: Tensor) -> tuple[Tensor, Tensor]:
    """Vertices of a body moved out to the clothes.

    Args:
        body: (B, V, 3) true body.
        topology: of its graph.
        points: (B, P, 3) of the true clothed surface, drawn evenly, of which the first 1280 are used.
        normals: (B, P, 3) there.

    Returns:
        Vertices (B, V, 3) and how sure each is (B, V), in [0, 1].
    """
    points, normals = points[:, :_POINTS], normals[:, :_POINTS]
    outward = vertex_normals(body, topology.faces)
    for _ in range(_SMOOTHINGS):
        outward = normalize(sparse_apply(topology.average, outward), dim=-1)
    along, beside = _first_along(body, outward, points, normals)
    sure = torch.exp(-(beside / _BESIDE).square())
    for _ in range(_SMOOTHINGS):
        # Means weighed by certainty: points are 4 cm apart, so single distances are rough.
        both = sparse_apply(topology.average, torch.stack([along * sure, sure], -1))
        along = both[..., 0] / both[..., 1].clamp_min(1e-6)
        sure = torch.minimum(sure, both[..., 1])
    return body + along[..., None] * outward, sure


def _first_along(body: Tensor, outward: Tensor, points: Tensor, normals: Tensor) -> tuple[Tensor, Tensor]:
    """Distance along the normal to the chosen point and distance beside it (B, V), metres."""
    ones = torch.ones_like(points[..., :1])
    offsets = torch.cat([outward, -(outward * body).sum(-1, keepdim=True)], -1)
    along = offsets @ torch.cat([points, ones], -1).transpose(1, 2)
    lengths = points.square().sum(-1, keepdim=True)
    squares = torch.cat([-2 * body, torch.ones_like(body[..., :1]), body.square().sum(-1, keepdim=True)], -1)
    cost = squares @ torch.cat([points, lengths, ones], -1).transpose(1, 2)
    cost.addcmul_(along, along, value=_ALONG**2 - 1)
    wrong = (outward @ normals.transpose(1, 2)) < _LEAST_COSINE
    wrong |= (along < -_INSIDE) | (along > _OUTSIDE)
    cost.masked_fill_(wrong, _NEVER)
    best = cost.argmin(-1, keepdim=True)
    found = along.gather(-1, best)[..., 0].clamp(-_INSIDE, _OUTSIDE)
    squared = cost.gather(-1, best)[..., 0] - (_ALONG * found).square()
    return found, squared.clamp_min(0).sqrt()
