"""Agreement of normals at nearest neighbours."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity

from munet.losses.chamfer import Matches, pick


def normal_consistency(prediction_normals: Tensor, truth_normals: Tensor, matches: Matches) -> Tensor:
    """MuNet's L_n: two minus the mean cosines of both directions, with orientation; 0 where all normals agree.

    Args:
        prediction_normals: (B, P, 3).
        truth_normals: (B, Q, 3).
        matches: of :func:`munet.losses.chamfer.match` for their points.

    Returns:
        (B,) in [0, 4].
    """
    forward = cosine_similarity(prediction_normals, pick(truth_normals, matches.of_prediction), dim=-1).mean(1)
    backward = cosine_similarity(truth_normals, pick(prediction_normals, matches.of_truth), dim=-1).mean(1)
    return 2 - forward - backward
