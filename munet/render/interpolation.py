"""Values of vertices or corners carried to pixels."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from munet.errors import InvalidInputError
from munet.render.rasteriser import Fragments, perspective_weights


def barycentric_coordinates(fragments: Fragments, vertices_image: Tensor, faces: Tensor) -> Fragments:
    """Recompute barycentrics and depth from the vertices so that gradients reach them.

    The choice of face stays fixed; within it weights and depth are smooth functions of the corners.

    Args:
        fragments: of :func:`munet.render.rasteriser.rasterise` for these vertices.
        vertices_image: (B, V, 3) as given to the rasteriser.
        faces: (F, 3) int64.

    Returns:
        Fragments with differentiable ``barycentric`` and ``depth``.
    """
    image, row, column = fragments.mask.nonzero(as_tuple=True)
    face = fragments.face_index[image, row, column]
    corners = vertices_image[image[:, None], faces[face]]
    centers = torch.stack([column, row], -1).to(corners.dtype) + 0.5
    weights, depth = perspective_weights(corners, centers)
    where = (image, row, column)
    return replace(
        fragments,
        barycentric=torch.zeros_like(fragments.barycentric, dtype=weights.dtype).index_put(where, weights),
        depth=torch.zeros_like(fragments.depth, dtype=depth.dtype).index_put(where, depth),
    )


def interpolate(fragments: Fragments, faces: Tensor, attributes: Tensor) -> Tensor:
    """Interpolate vertex attributes at every pixel, differentiable in attributes and barycentrics.

    Args:
        fragments: what each pixel sees.
        faces: (F, 3) int64.
        attributes: (B, V, C) or (V, C) shared by the batch.

    Returns:
        (B, H, W, C), zero where no face is seen.

    Raises:
        InvalidInputError: the batch of the attributes is not that of the fragments.
    """
    batch = fragments.face_index.shape[0]
    values = attributes.expand(batch, *attributes.shape) if attributes.dim() == 2 else attributes
    if values.shape[0] != batch:
        raise InvalidInputError(
            "Attributes and fragments differ in batch.", detail=f"expected {batch}, found {values.shape[0]}"
        )
    image, row, column = fragments.mask.nonzero(as_tuple=True)
    corners = values[image[:, None], faces[fragments.face_index[image, row, column]]]
    return _blend(fragments, (image, row, column), corners)


def interpolate_corners(fragments: Fragments, corner_attributes: Tensor) -> Tensor:
    """Interpolate attributes that belong to the corners of faces, for instance UV coordinates.

    Args:
        fragments: what each pixel sees.
        corner_attributes: (F, 3, C), shared by the batch.

    Returns:
        (B, H, W, C), zero where no face is seen.
    """
    where = fragments.mask.nonzero(as_tuple=True)
    return _blend(fragments, where, corner_attributes[fragments.face_index[where]])


def _blend(fragments: Fragments, where: tuple[Tensor, ...], corners: Tensor) -> Tensor:
    blended = (fragments.barycentric[where][..., None] * corners).sum(1)
    result = blended.new_zeros(*fragments.face_index.shape, corners.shape[-1])
    return result.index_put(where, blended)
