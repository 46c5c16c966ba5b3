"""Put the stages' results together as plain arrays in pixels of the original photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from munet.body.skinning import pose_body
from munet.reconstruction import Reconstruction

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from munet.body.model import BodyModel
    from munet.fitting.result import BodyFit
    from munet.perception.observation import PersonObservation, Photo
    from munet.surface.result import ClothedSurface

SMALLEST_CORRECTIVE = 2e-5


def _numpy(tensor: Tensor, dtype: type = np.float32) -> NDArray[Any]:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=dtype)


def original_camera(fit: BodyFit, photo: Photo) -> NDArray[np.float32]:
    """Return the camera matrix (3, 3) in pixels of the original photo."""
    width, height = photo.original_size
    return fit.camera.scaled(1 / photo.scale, width, height).matrix


def body_arrays(model: BodyModel, fit: BodyFit) -> dict[str, NDArray[Any]]:
    """Return the body's and the rig's arrays of :class:`Reconstruction` for a fitted person."""
    betas, pose = torch.from_numpy(fit.betas)[None], torch.from_numpy(fit.pose)[None]
    betas, pose = betas.to(model.template), pose.to(model.template)
    posed = pose_body(model, betas, pose)
    heads = model.joint_template + (model.joint_shape_dirs @ betas[0])
    tails = model.tail_template + (model.tail_shape_dirs @ betas[0])
    moved, movers, offsets = model.pose_dirs.entries(SMALLEST_CORRECTIVE)
    return {
        "body_vertices": fit.vertices_cam,
        "body_faces": _numpy(model.faces, np.int32),
        "body_rest_vertices": _numpy(posed.rest_vertices[0]),
        "body_corrective": _numpy(posed.rest_corrected[0] - posed.rest_vertices[0]),
        "body_weights": _numpy(model.weights),
        "body_shape_dirs": _numpy(model.shape_dirs, np.float16),
        "body_quads": _numpy(model.quads, np.int32),
        "body_uv": _numpy(model.uv),
        "bone_names": np.asarray(model.joint_names),
        "bone_parents": _numpy(model.parents, np.int32),
        "bone_heads": _numpy(heads),
        "bone_tails": _numpy(tails),
        "joint_shape_dirs": _numpy(model.joint_shape_dirs, np.float16),
        "pose_dirs_vertices": _numpy(moved, np.int32),
        "pose_dirs_bones": _numpy(movers, np.int32),
        "pose_dirs": _numpy(offsets, np.float16),
    }


def surface_arrays(surface: ClothedSurface) -> dict[str, NDArray[Any]]:
    """Return the clothed surface's arrays of :class:`Reconstruction`."""
    return {
        "surface_vertices": surface.vertices_cam,
        "surface_faces": surface.faces,
        "surface_rest_vertices": surface.rest_vertices,
        "surface_weights": surface.weights,
        "surface_quads": surface.quads,
        "surface_uv": surface.uv,
    }


def assemble(
    model: BodyModel,
    fit: BodyFit,
    surface: ClothedSurface,
    texture: NDArray[np.uint8],
    person: PersonObservation,
    photo: Photo,
) -> Reconstruction:
    """Assemble one person; warnings are those of the fit."""
    arrays: dict[str, Any] = {**body_arrays(model, fit), **surface_arrays(surface)}
    return Reconstruction(
        joints=fit.joints_cam[:24],
        pose=fit.pose[:24],
        betas=fit.betas,
        translation=fit.translation,
        camera_matrix=original_camera(fit, photo),
        image_size=np.asarray(photo.original_size, np.int32),
        texture=texture,
        bone_rotations=fit.pose,
        box=(person.box / photo.scale).astype(np.float32),
        body_model=f"{model.name} {model.sha256}",
        silhouette_iou=float(surface.silhouette_iou),
        landmark_error=float(fit.landmark_error),
        warnings=fit.warnings,
        up_cam=fit.up_cam,
        **arrays,
    )
