"""All networks together: picture -> body graph and camera -> normals -> surface graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from munet.errors import InvalidInputError
from munet.network.body_network import BodyNetwork
from munet.network.camera import project, to_ndc
from munet.network.config import NetworkConfig
from munet.network.encoder import PersonEncoder
from munet.network.evidence import Evidence, gather
from munet.network.inputs import NetworkInputs, check_inputs, encoder_planes
from munet.network.local import LocalEncoder, LocalMaps, informed_values, read_map, sample_maps
from munet.network.normal_network import NormalNetwork, body_maps, body_normal_maps
from munet.network.pose_network import PoseNetwork
from munet.network.residual_surface import ResidualSurface
from munet.network.rig import GivenPose, GraphRig, turn_further
from munet.network.surface_network import SurfaceNetwork
from munet.network.topology import Topology


@dataclass(frozen=True)
class TrueBody:
    """The true body of a training sample, for the feedback of the surface.

    Attributes:
        vertices_body: (B, V, 3) metres, body frame.
        camera: (B, 3) weak perspective.
        body_only: also dress the predicted body with parameters that take no gradient.
    """

    vertices_body: Tensor
    camera: Tensor
    body_only: bool = True


@dataclass(frozen=True)
class MuNetOutput:
    """What the networks say about a batch of people.

    Attributes:
        body: (B, V, 3) metres, body frame: the body graph.
        camera: (B, 3) scale, tx, ty of :mod:`munet.network.camera`.
        normals: (B, 6, R, R) clothed normals of front and back, body frame.
        surface: (B, V, 3) metres, body frame: the clothed surface over the same graph.
        surface_of_true_body: (B, V, 3) the same network over the true body, in training.
        surface_for_body: (B, V, 3) equal to ``surface``, but its gradient reaches only what made the body.
        pose: of the body where the given one had one, before its vertices moved freely.
    """

    body: Tensor
    camera: Tensor
    normals: Tensor
    surface: Tensor
    surface_of_true_body: Tensor | None = None
    surface_for_body: Tensor | None = None
    pose: GivenPose | None = None


class MuNet(nn.Module):
    """The mutualistic network (MuNet, section 3; the order of the steps is that of its figure 2)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.body_encoder = PersonEncoder(config.encoder)
        self.body_network = BodyNetwork(self.body_encoder.features, config.body, config.encoder.vertex_features)
        self.pose_network = None
        if config.body.evidence:
            self.pose_network = PoseNetwork(config.body.evidence, config.body.pose_width, config.body.pose_hidden)
        self.normal_network = NormalNetwork(config.normal_widths)
        self.local_encoder = LocalEncoder(config.coarse, config.fine, config.local_planes)
        kind = ResidualSurface if config.surface.kind == "residual" else SurfaceNetwork
        self.surface_network: SurfaceNetwork | ResidualSurface = kind(config.vertex_values, config.surface)

    def forward(
        self,
        topology: Topology,
        inputs: NetworkInputs,
        rounds: int = 1,
        truth: TrueBody | None = None,
        *,
        apart: bool = False,
    ) -> MuNetOutput:
        """Reconstruct a batch of people.

        Args:
            topology: of the graph; any closed manifold, the parameters do not depend on it.
            inputs: of the people.
            rounds: how often the body is predicted; every round after the first starts from the body of the one before
                (where the configuration starts from a given body) and sees its clothed normals. Without the plane
                "normals" in the encoder one round is all there is. With 0 rounds the given body is dressed as it is.
            truth: in training, to dress the true body as well.
            apart: whether the surface stands on the body without passing a gradient to it, for ablations.

        Returns:
            Bodies, cameras, normals and surfaces.

        Raises:
            InvalidInputError: shapes are wrong, the rounds are not between 1 and 8, or 0 without a given body.
        """
        body, camera, pose = self.locate(topology, inputs, rounds)
        of_body = self.maps_of_body(topology, inputs, body, camera)
        normals = self.clothed_normals(inputs, of_body)
        maps = self.local_maps(inputs, normals, of_body)
        under = (body.detach(), camera.detach()) if apart else (body, camera)
        surface = self.dress(topology, maps, *under, inputs.intrinsics)
        if truth is None:
            return MuNetOutput(body, camera, normals, surface, pose=pose)
        baseline = self.dress(topology, maps, truth.vertices_body, truth.camera, inputs.intrinsics)
        frozen = self._dress_frozen(topology, maps, *under, inputs.intrinsics) if truth.body_only else None
        return MuNetOutput(body, camera, normals, surface, baseline, frozen, pose)

    def locate(self, topology: Topology, inputs: NetworkInputs, rounds: int) -> tuple[Tensor, Tensor, GivenPose | None]:
        """Bodies (B, V, 3), cameras (B, 3) and poses alone, as :meth:`forward` has them.

        Raises:
            InvalidInputError: as there.
        """
        check_inputs(inputs, self.config.image_size)
        given = inputs.body is not None and inputs.camera is not None
        if not (0 if given else 1) <= rounds <= 8:
            raise InvalidInputError("The number of rounds must lie between 1 and 8.", detail=f"found {rounds}")
        start, seen = inputs, inputs.normals
        if inputs.body is not None and inputs.camera is not None:
            body, camera = inputs.body, inputs.camera
        for number in range(rounds):
            start = self.turn_body(topology, start)
            body, camera = self.estimate_body(topology, start, seen)
            if inputs.normals is None and number + 1 < rounds:
                seen = self.estimate_normals(topology, inputs, body, camera)
            if self.config.body.given:
                pose = None if start.pose is None else start.pose.detach()
                start = replace(inputs, body=body.detach(), camera=camera.detach(), pose=pose)
        return body, camera, start.pose

    def turn_body(self, topology: Topology, inputs: NetworkInputs) -> NetworkInputs:
        """The given body turned at its joints by the pose network; as it is where there is none, or no pose."""
        evidence = self.evidence_of(topology, inputs)
        if evidence is None or self.pose_network is None or inputs.pose is None or inputs.body is None:
            return inputs
        with torch.autocast(inputs.rgb.device.type, enabled=False):
            turns, betas = self.pose_network.both_ways(evidence)
            body, pose = turn_further(_rig(topology), inputs.body.float(), inputs.pose, turns, betas)
        return replace(inputs, body=body, pose=pose)

    @torch.no_grad()
    def evidence_of(self, topology: Topology, inputs: NetworkInputs) -> Evidence | None:
        """What the picture says about the bones of the given body; None without a pose network or a pose."""
        kinds, pose, body, camera = self.config.body.evidence, inputs.pose, inputs.body, inputs.camera
        if not kinds or pose is None or body is None or camera is None:
            return None
        maps = normals = None
        if "normals" in kinds:
            maps = self.maps_of_body(topology, inputs, body, camera)
            normals = self.clothed_normals(inputs, maps)
        with torch.autocast(inputs.rgb.device.type, enabled=False):
            return gather(kinds, _rig(topology), inputs, pose, body, camera, maps, normals)

    def estimate_body(self, topology: Topology, inputs: NetworkInputs, normals: Tensor | None) -> tuple[Tensor, Tensor]:
        """Body graph (B, V, 3) and camera (B, 3); ``normals`` (B, 6, R, R) of the round before, or None."""
        config = self.config.encoder
        start = topology.template_body.expand(len(inputs.rgb), -1, -1) if inputs.body is None else inputs.body
        middle = start.new_tensor([[1.0, 0, 0]]).expand(len(start), -1) if inputs.camera is None else inputs.camera
        of_body = None
        if "body" in config.channels and inputs.body is not None:
            of_body = body_normal_maps(start, topology.faces, middle, config.size, inputs.intrinsics)
        planes = encoder_planes(inputs, config.channels, config.size, normals, of_body)
        feature, places = self.body_encoder(planes, inputs.landmarks)
        local = None if places is None else read_map(places, project(start, middle, inputs.intrinsics))
        body, camera = self.body_network(topology, feature, start, middle, local)
        return body, camera

    def estimate_normals(self, topology: Topology, inputs: NetworkInputs, body: Tensor, camera: Tensor) -> Tensor:
        """Clothed normals (B, 6, R, R) around a body; no gradient reaches the body through its rendered normals."""
        normals: Tensor = self.clothed_normals(inputs, self.maps_of_body(topology, inputs, body, camera))
        return normals

    def maps_of_body(self, topology: Topology, inputs: NetworkInputs, body: Tensor, camera: Tensor) -> Tensor:
        """Normals and heights (B, 8, R, R) of a body, without gradient."""
        maps = body_maps(body, topology.faces, camera, self.config.image_size, inputs.intrinsics)
        return maps.to(inputs.rgb.dtype)

    def clothed_normals(self, inputs: NetworkInputs, of_body: Tensor) -> Tensor:
        """Those that are given, or estimated ones (B, 6, R, R) from the body's maps."""
        if inputs.normals is not None:
            return inputs.normals
        normals: Tensor = self.normal_network(inputs.rgb, inputs.mask, of_body[:, :6])
        return normals

    def local_maps(self, inputs: NetworkInputs, normals: Tensor, of_body: Tensor) -> LocalMaps:
        """The features of E_l, from normals (B, 6, R, R) and the body's own maps (B, 8, R, R)."""
        maps: LocalMaps = self.local_encoder(
            inputs.rgb, inputs.mask, normals, of_body if self.config.informed else None
        )
        return maps

    def dress(
        self, topology: Topology, maps: LocalMaps, body: Tensor, camera: Tensor, intrinsics: Tensor | None
    ) -> Tensor:
        """Surface (B, V, 3) over a body, in metres, body frame; gradients reach maps, body and camera."""
        return _dress(self.surface_network, {}, topology, maps, body, camera, intrinsics)

    def _dress_frozen(
        self, topology: Topology, maps: LocalMaps, body: Tensor, camera: Tensor, intrinsics: Tensor | None
    ) -> Tensor:
        constants = {name: value.detach() for name, value in self.surface_network.named_parameters()}
        still = LocalMaps(maps.coarse.detach(), maps.fine.detach(), maps.scene)
        return _dress(self.surface_network, constants, topology, still, body, camera, intrinsics)


def _rig(topology: Topology) -> GraphRig:
    if topology.rig is None:
        raise InvalidInputError("The graph has no rig.", detail="expected one made by network_topology")
    return topology.rig


def _dress(
    network: SurfaceNetwork | ResidualSurface,
    constants: dict[str, Tensor],
    topology: Topology,
    maps: LocalMaps,
    body: Tensor,
    camera: Tensor,
    intrinsics: Tensor | None,
) -> Tensor:
    seen = project(body, camera, intrinsics)
    features = sample_maps(maps, seen)
    if maps.scene is not None:
        features = torch.cat([features, informed_values(maps.scene, seen, body, topology.template_unit)], -1)
    vertices_ndc = to_ndc(body, camera)
    moved: Tensor = functional_call(network, constants, (topology, vertices_ndc, features))
    # A displacement has no place, so metres are NDC over the scale.
    return body + (moved if isinstance(network, ResidualSurface) else moved / camera[:, None, :1])


def create_munet(config: NetworkConfig, seed: int = 0) -> MuNet:
    """Build the networks; the same seed gives the same parameters and leaves the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MuNet(config)
