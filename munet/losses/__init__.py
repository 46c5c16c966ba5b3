"""Losses of MuNet, each a pure function of tensors that gives one value per sample (B,)."""

from munet.losses.chamfer import Chamfer, Matches, chamfer, match
from munet.losses.cloth import cloth_loss
from munet.losses.dressed import dressed_loss
from munet.losses.edge_length import edge_length
from munet.losses.joints import joint_loss
from munet.losses.laplacian import laplacian_loss
from munet.losses.nearest import nearest
from munet.losses.normal_consistency import normal_consistency
from munet.losses.normal_map import normal_map_loss
from munet.losses.reprojection import reprojection_loss
from munet.losses.sampling import sample_surface
from munet.losses.silhouettes import Views, four_silhouettes, point_silhouettes, silhouette_loss
from munet.losses.surface_error import SurfaceErrorSettings, surface_error
from munet.losses.total import LossSettings, LossTerms, LossWeights, Targets, total_loss
from munet.losses.trace import TraceVariant, trace_loss
from munet.losses.vertices import vertex_loss

__all__ = [
    "Chamfer",
    "LossSettings",
    "LossTerms",
    "LossWeights",
    "Matches",
    "SurfaceErrorSettings",
    "Targets",
    "TraceVariant",
    "Views",
    "chamfer",
    "cloth_loss",
    "dressed_loss",
    "edge_length",
    "four_silhouettes",
    "joint_loss",
    "laplacian_loss",
    "match",
    "nearest",
    "normal_consistency",
    "normal_map_loss",
    "point_silhouettes",
    "reprojection_loss",
    "sample_surface",
    "silhouette_loss",
    "surface_error",
    "total_loss",
    "trace_loss",
    "vertex_loss",
]
