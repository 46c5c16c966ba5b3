"""The whole training loss with its named weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import NamedTuple

import torch
from torch import Tensor

from munet.errors import InvalidInputError
from munet.losses.chamfer import chamfer
from munet.losses.cloth import cloth_loss
from munet.losses.dressed import dressed_loss
from munet.losses.edge_length import edge_length
from munet.losses.joints import joint_loss
from munet.losses.laplacian import laplacian_loss
from munet.losses.normal_map import normal_map_loss
from munet.losses.reprojection import reprojection_loss
from munet.losses.silhouettes import Views, four_silhouettes, silhouette_loss
from munet.losses.surface_error import SurfaceErrorSettings, surface_error
from munet.losses.trace import TraceVariant, trace_loss
from munet.losses.vertices import vertex_loss
from munet.network.munet import MuNetOutput
from munet.network.topology import Topology
from munet.render import edge_faces


@dataclass(frozen=True)
class LossWeights:
    """Weight of every term; 0 leaves a term out and does not compute it.

    The paper gives no weights. Ones are those of the authors' trainer, as is that of the edges, which are here compared
    with the body's because plain edge length shrinks the surface; those of trace, normal maps, Laplacian and of the
    surface over the true body are starting values.
    """

    vertices: float = 1.0
    joints: float = 1.0
    reprojection: float = 1.0
    body_chamfer: float = 1.0
    normal_maps: float = 1.0
    surface: float = 1.0
    surface_of_true_body: float = 1.0
    dressed: float = 1.0
    edges: float = 10.0
    laplacian: float = 10.0
    trace: float = 1.0
    cloth: float = 1.0
    body_silhouette: float = 1.0
    surface_silhouette: float = 1.0


@dataclass(frozen=True)
class LossSettings:
    """Weights and the settings of single terms.

    Attributes:
        weights: of the terms.
        trace_variant: of :func:`munet.losses.trace.trace_loss`.
        error: of the surface.
        views: of the four silhouettes.
    """

    weights: LossWeights = field(default_factory=LossWeights)
    trace_variant: TraceVariant = "body_only"
    error: SurfaceErrorSettings = field(default_factory=SurfaceErrorSettings)
    views: Views = field(default_factory=Views)


@dataclass(frozen=True)
class Targets:
    """Truth of a batch; metres, body frame, pelvis at the origin.

    Attributes:
        body: (B, V, 3) true body on the networks' graph.
        joints_image: (B, J, 2) true joints in [-1, 1] of the crop.
        joints_confidence: (B, J) of those.
        surface_points: (B, N, 3) drawn evenly from the true clothed surface.
        surface_normals: (B, N, 3) there.
        surface_silhouettes: (B, 4, S, S) of the true surface in the settings' views.
        normals: (B, 6, R, R) of the true surface.
        intrinsics: (B, 3) of the crop for a pinhole camera, or None.
        dressed: (B, V, 3) where every vertex of the body belongs on the clothes, or None where it is not known.
        dressed_sure: (B, V) how sure that is, in [0, 1].
    """

    body: Tensor
    joints_image: Tensor
    joints_confidence: Tensor
    surface_points: Tensor
    surface_normals: Tensor
    surface_silhouettes: Tensor
    normals: Tensor
    intrinsics: Tensor | None = None
    dressed: Tensor | None = None
    dressed_sure: Tensor | None = None


class LossTerms(NamedTuple):
    """The weighted sum, a scalar, and the mean of every computed term before its weight, without gradient."""

    total: Tensor
    terms: dict[str, Tensor]


def total_loss(
    output: MuNetOutput,
    targets: Targets,
    topology: Topology,
    joint_regressor: Tensor,
    settings: LossSettings,
    generator: torch.Generator | None = None,
) -> LossTerms:
    """MuNet's loss, eq. 13 to 17.

    Args:
        output: of :class:`munet.network.munet.MuNet`; L_trace needs it made with the true body.
        targets: the truth.
        topology: of the graph.
        joint_regressor: (J, V) joints from vertices of the graph.
        settings: weights and variants.
        generator: of random numbers for points on surfaces.

    Raises:
        InvalidInputError: a term with a weight lacks what it works on.
    """
    makers = _body_terms(output, targets, joint_regressor)
    makers |= _surface_terms(output, targets, topology, settings, generator)
    makers |= _outline_terms(output, targets, topology, settings)
    weights = {entry.name: float(getattr(settings.weights, entry.name)) for entry in fields(LossWeights)}
    terms = {name: makers[name]().mean() for name, weight in weights.items() if weight}
    total = sum((weights[name] * term for name, term in terms.items()), output.body.new_zeros(()))
    return LossTerms(total, {name: term.detach() for name, term in terms.items()})


_Makers = dict[str, Callable[[], Tensor]]


def _body_terms(output: MuNetOutput, targets: Targets, joint_regressor: Tensor) -> _Makers:
    joints = joint_regressor @ output.body
    return {
        "vertices": lambda: vertex_loss(output.body, targets.body),
        "joints": lambda: joint_loss(joints, joint_regressor @ targets.body),
        "reprojection": lambda: reprojection_loss(
            joints, output.camera, targets.joints_image, targets.joints_confidence, targets.intrinsics
        ),
        "body_chamfer": lambda: chamfer(output.body, targets.body).total,
        "normal_maps": lambda: normal_map_loss(output.normals, targets.normals),
    }


def _surface_terms(
    output: MuNetOutput,
    targets: Targets,
    topology: Topology,
    settings: LossSettings,
    generator: torch.Generator | None,
) -> _Makers:
    errors: dict[str, Tensor] = {}

    def error(name: str) -> Tensor:
        if name not in errors:
            surface = getattr(output, name)
            if surface is None:
                raise InvalidInputError(
                    "This loss needs the networks run with the true body.", detail=f"missing {name}"
                )
            truth = targets.surface_points, targets.surface_normals
            errors[name] = surface_error(surface, topology.faces, *truth, settings.error, generator)
        return errors[name]

    def trace() -> Tensor:
        for_body = None if settings.trace_variant == "full" else error("surface_for_body")
        return trace_loss(error("surface"), error("surface_of_true_body"), settings.trace_variant, for_body)

    def dressed() -> Tensor:
        if targets.dressed is None or targets.dressed_sure is None:
            raise InvalidInputError("This loss needs to know where vertices belong.", detail="missing dressed")
        made = [value for value in (output.surface, output.surface_of_true_body) if value is not None]
        return sum(
            (dressed_loss(surface, targets.dressed, targets.dressed_sure) for surface in made),
            output.surface.new_zeros(()),
        )

    return {
        "dressed": dressed,
        "surface": lambda: error("surface"),
        "surface_of_true_body": lambda: error("surface_of_true_body"),
        "trace": trace,
        "edges": lambda: edge_length(output.surface, topology.edges, output.body),
        "laplacian": lambda: laplacian_loss(output.surface, topology.average, output.body),
    }


def _outline_terms(output: MuNetOutput, targets: Targets, topology: Topology, settings: LossSettings) -> _Makers:
    weights = settings.weights
    if not (weights.cloth or weights.body_silhouette or weights.surface_silhouette):
        return {}
    adjacency = edge_faces(topology.faces)
    body = four_silhouettes(output.body, topology.faces, settings.views, adjacency)
    surface = four_silhouettes(output.surface, topology.faces, settings.views, adjacency)
    with torch.no_grad():
        true_body = four_silhouettes(targets.body, topology.faces, settings.views, adjacency)
    true_surface = targets.surface_silhouettes
    return {
        "cloth": lambda: cloth_loss(surface, body, true_surface, true_body),
        "body_silhouette": lambda: silhouette_loss(body, true_body),
        "surface_silhouette": lambda: silhouette_loss(surface, true_surface),
    }
