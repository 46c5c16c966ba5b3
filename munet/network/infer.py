"""The trained networks on one person of a photo: clothed normals and surface over a fitted body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from munet.body.closed_form import fit_vertices
from munet.body.model import BodyModel
from munet.body.skinning import landmarks_body
from munet.body.tree import JOINTS, global_rotations, local_rotations
from munet.errors import InvalidInputError, ModelMissingError
from munet.fitting.result import BodyFit
from munet.geometry.camera import Camera
from munet.geometry.rotation import matrix_from_axis_angle
from munet.lifting.lift import guess_poses, load_lifter
from munet.lifting.network import LifterNet
from munet.network.camera import pinhole_translation, weak_camera
from munet.network.crop import Crop, crop_of, picture_of
from munet.network.graph_of import network_topology
from munet.network.inputs import NetworkInputs
from munet.network.joints import graph_values
from munet.network.munet import MuNet, MuNetOutput
from munet.network.opinion import opinion_of
from munet.network.rig import GivenPose
from munet.network.topology import Topology, sparse_apply
from munet.network.weights import load_munet
from munet.perception.observation import PersonObservation, Photo
from munet.render import rasterise

WEIGHTS = "munet-small.safetensors"
_HINT = f"Install MuNet again; the file munet/assets/{WEIGHTS} belongs to it."
_INSIDE = 0.5
_FLIP = np.array([1.0, -1.0, -1.0], np.float32)


@dataclass(frozen=True)
class MunetProduct:
    """What is loaded once: networks in evaluation mode, the graph of the body they work on, and a second opinion.

    Attributes:
        net: the networks.
        topology: of the graph.
        device: of both.
        lifter: the pose network of landmarks, on the CPU, where the networks listen to it.
    """

    net: MuNet
    topology: Topology
    device: torch.device
    lifter: LifterNet | None = None


@dataclass(frozen=True)
class NetworkResult:
    """What the networks say about one person; positions in the camera frame of the fit, metres.

    Attributes:
        crop: where the maps lie in the photo.
        normals_front: (R, R, 3) float32 unit normals of the clothed surface, camera frame (x right, y down, z away from
            the camera), shorter towards the mask's outline, zero outside it.
        normals_back: (R, R, 3) of the surface behind the same pixels.
        surface_vertices_cam: (V, 3) float32 clothed surface in the body model's vertex order.
        vertex_normals_cam: (V, 3) float32 the clothed normal that is seen at each vertex, from the front map where it
            faces the camera and from the back map where it faces away; zero where neither map shows it.
        body_vertices_cam: (V, 3) float32 the body that the surface stands on: the fit's, or the networks' with rounds.
    """

    crop: Crop
    normals_front: NDArray[np.float32]
    normals_back: NDArray[np.float32]
    surface_vertices_cam: NDArray[np.float32]
    vertex_normals_cam: NDArray[np.float32]
    body_vertices_cam: NDArray[np.float32]


@dataclass(frozen=True)
class NetworkBody:
    """Where the networks move a fitted body.

    Attributes:
        vertices_cam: (V, 3) float32 metres, camera frame of the fit.
        rotations: (24, 3, 3) local rotations, root first, as in the fit's state: of the pose step, or those that lay
            the body model on the vertices where the networks have none.
        betas: (10,) identity.
    """

    vertices_cam: NDArray[np.float32]
    rotations: NDArray[np.float32]
    betas: NDArray[np.float32]


def load_munet_product(model: BodyModel, device: torch.device | str = "cpu", path: Path | None = None) -> MunetProduct:
    """Load the weights that come with the package, or those of a file, and prepare the graph (about 3 s).

    Args:
        model: body model of the fits.
        device: for networks and graph.
        path: of other weights, for instance of a training.

    Raises:
        ModelMissingError: the weights are absent or damaged.
        InvalidInputError: the body model has no graph level.
    """
    if path is None:
        with resources.as_file(resources.files("munet.assets").joinpath(WEIGHTS)) as shipped:
            if not shipped.is_file():
                raise ModelMissingError("The networks' weights are missing.", detail=str(shipped), hint=_HINT)
            net = load_munet(shipped, device)
    else:
        net = load_munet(path, device)
    topology = network_topology(model.to("cpu"), net.config).to(device)
    lifter = load_lifter() if "opinion" in net.config.body.evidence else None
    return MunetProduct(net.requires_grad_(requires_grad=False), topology, torch.device(device), lifter)


@torch.no_grad()
def refine_person(
    product: MunetProduct,
    model: BodyModel,
    observation: PersonObservation,
    photo: Photo,
    fit: BodyFit,
    rounds: int = 0,
) -> NetworkResult:
    """Estimate clothed normals and surface of a person around a fitted body.

    Args:
        product: of :func:`load_munet_product`.
        model: body model of the fit.
        observation: landmarks and mask of the person.
        photo: the picture.
        fit: the body to start from.
        rounds: how often G_v moves the body first; 0 dresses the fit as it is.

    Raises:
        InvalidInputError: mask, photo and camera differ in size, the mask is empty, or the body is behind the camera.
    """
    crop = crop_of(observation.mask, fit, product.net.config.image_size)
    inputs = network_inputs(product, model, observation, photo, fit, crop)
    output: MuNetOutput = product.net(product.topology, inputs, rounds)
    body = fit.vertices_cam.astype(np.float32)
    if rounds:
        body = _moved(product, model, fit, inputs, output.body, output.camera)
    surface = body + _full(model, product.topology, output.surface - output.body)
    front, back = (_map_cam(side) for side in output.normals[0].chunk(2))
    return NetworkResult(
        crop=crop,
        normals_front=front,
        normals_back=back,
        surface_vertices_cam=surface.astype(np.float32),
        vertex_normals_cam=_read_normals(crop.camera(fit.camera), model, surface, front, back),
        body_vertices_cam=body.astype(np.float32),
    )


@torch.no_grad()
def move_person(
    product: MunetProduct,
    model: BodyModel,
    observation: PersonObservation,
    photo: Photo,
    fit: BodyFit,
    rounds: int = 1,
) -> NetworkBody:
    """Let G_v move a fitted body; clothes are not looked at, but between two rounds. Arguments as above.

    Raises:
        InvalidInputError: mask, photo and camera differ in size, the mask is empty, or the body is behind the camera.
    """
    crop = crop_of(observation.mask, fit, product.net.config.image_size)
    inputs = network_inputs(product, model, observation, photo, fit, crop)
    body, camera, pose = product.net.locate(product.topology, inputs, rounds)
    vertices = _moved(product, model, fit, inputs, body, camera)
    if pose is None or product.net.pose_network is None:
        found = fit_vertices(model, torch.from_numpy(vertices * _FLIP))
        return NetworkBody(vertices, found.rotations.cpu().numpy(), found.betas.cpu().numpy())
    return NetworkBody(vertices, local_rotations(pose.turns[0]).cpu().numpy(), pose.betas[0].cpu().numpy())


def _moved(
    product: MunetProduct, model: BodyModel, fit: BodyFit, inputs: NetworkInputs, body: Tensor, camera: Tensor
) -> NDArray[np.float32]:
    """The fit's vertices (V, 3) moved as the networks moved the graph; their own camera says where the pelvis is."""
    pelvis = torch.from_numpy(np.asarray(fit.joints_cam[:1], np.float32)).to(product.device)
    place = pinhole_translation(camera, _known(inputs.intrinsics))
    moved = _full(model, product.topology, body - _known(inputs.body)) + (place - pelvis).cpu().numpy()
    return np.asarray(fit.vertices_cam + moved, np.float32)


def network_inputs(
    product: MunetProduct,
    model: BodyModel,
    observation: PersonObservation,
    photo: Photo,
    fit: BodyFit,
    crop: Crop,
) -> NetworkInputs:
    """A fitted person as the networks take it.

    Raises:
        InvalidInputError: photo and camera differ in size, or the pelvis is behind the camera.
    """
    camera = fit.camera
    if photo.image.shape[:2] != (camera.height, camera.width):
        raise InvalidInputError(
            "The photo has not the size of the camera's picture.",
            detail=f"expected {(camera.height, camera.width)}, found {photo.image.shape[:2]}",
        )
    pelvis = np.asarray(fit.joints_cam[0], np.float32)
    if not pelvis[2] > 0:
        raise InvalidInputError("The body lies behind the camera.", detail=f"found a depth of {pelvis[2]:.3f} m")
    half, cut = crop.size / 2, crop.camera(camera)
    intrinsics = torch.tensor([[cut.focal / half, cut.center[0] / half - 1, cut.center[1] / half - 1]])
    marks = crop.to_crop(observation.landmarks_image) / half - 1
    landmarks = np.concatenate([marks, np.asarray(observation.visibility, np.float32)[:, None]], 1)
    vertices = torch.from_numpy((fit.vertices_cam - pelvis).astype(np.float32) * _FLIP)[None].to(product.device)
    inputs = NetworkInputs(
        rgb=picture_of(photo.image, crop) / 255,
        mask=picture_of(np.asarray(observation.mask, np.float32), crop),
        landmarks=torch.from_numpy(landmarks)[None].float(),
        intrinsics=intrinsics,
        camera=weak_camera(torch.from_numpy(pelvis)[None], intrinsics),
    )
    moved = {name: value.to(product.device) for name, value in vars(inputs).items() if value is not None}
    pose = _pose_of(model, fit).to(product.device)
    depths = torch.from_numpy(np.asarray(observation.landmarks_world, np.float32) * _FLIP)[None].to(product.device)
    body = graph_values(model, product.topology, vertices)
    opinion = None
    if product.lifter is not None:
        found = guess_poses(product.lifter, observation, photo)
        opinion = opinion_of(model, found[0] if found else None).to(product.device)
    return replace(inputs, **moved, body=body, pose=pose, depths=depths, opinion=opinion)


def _pose_of(model: BodyModel, fit: BodyFit) -> GivenPose:
    """The fit's pose in the body frame, pelvis at the origin."""
    local = matrix_from_axis_angle(torch.from_numpy(np.asarray(fit.pose[:JOINTS], np.float32)))
    pelvis = fit.joints_cam[0]
    marks = landmarks_body(model, torch.from_numpy(fit.vertices_cam - pelvis).to(model.template)[None]).cpu()
    return GivenPose(
        turns=global_rotations(local)[None],
        joints=torch.from_numpy((fit.joints_cam[:JOINTS] - pelvis).astype(np.float32) * _FLIP)[None],
        marks=marks.float() * torch.from_numpy(_FLIP),
        betas=torch.from_numpy(np.asarray(fit.betas, np.float32))[None],
    )


def _full(model: BodyModel, topology: Topology, moved: Tensor) -> NDArray[np.float32]:
    """Displacements (1, G, 3) of the graph, body frame, as those of all vertices (V, 3) in the camera frame."""
    if model.graph is None:
        raise InvalidInputError("The body model has no graph level.", detail=f"found {model.name}")
    fine = sparse_apply(model.graph.up, topology.upsample(moved))[0]
    return np.asarray(fine.cpu().numpy() * _FLIP, np.float32)


def _map_cam(normals: Tensor) -> NDArray[np.float32]:
    """Normals (3, R, R) of the body frame as (R, R, 3) in the camera frame."""
    return np.asarray(normals.permute(1, 2, 0).float().cpu().numpy() * _FLIP, np.float32)


def _read_normals(
    camera: Camera,
    model: BodyModel,
    surface: NDArray[np.float32],
    front: NDArray[np.float32],
    back: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The normal (V, 3) that the maps show at each vertex of a surface that is the nearest or the farthest there."""
    depth_front, depth_back = _depths(camera, model, surface)
    pixels = camera.project(surface)
    across, down = (np.clip(pixels[:, axis], 0, camera.width - 1).astype(int) for axis in range(2))
    outside = ((pixels < 0) | (pixels >= camera.width)).any(1)
    depth = surface[:, 2]
    result = np.zeros_like(surface)
    for normals, other, sign in ((front, depth_front, 1.0), (back, depth_back, -1.0)):
        near = np.abs(other[down, across] - depth) < _SAME_SURFACE
        value = normals[down, across]
        length = np.linalg.norm(value, axis=1, keepdims=True)
        known = near & ~outside & (length[:, 0] > _INSIDE) & (sign * value[:, 2] < -_LEAST_FACING)
        result[known] = (value / np.maximum(length, 1e-6))[known]
    return result


# Metres between a vertex and the surface of its pixel below which they are the same.
_SAME_SURFACE = 0.015
# Cosine to the direction of view below which a map shows a surface too obliquely.
_LEAST_FACING = 0.25


def _depths(
    camera: Camera, model: BodyModel, surface: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Depth (R, R) of the nearest and of the farthest surface, zero where there is none."""
    pixels = torch.from_numpy(np.concatenate([camera.project(surface), surface[:, 2:]], 1))[None].float()
    faces = model.faces.cpu()
    near = rasterise(pixels, faces, camera.height, camera.width).depth[0]
    far = pixels.clone()
    turn = float(surface[:, 2].min() + surface[:, 2].max())
    far[..., 2] = turn - far[..., 2]
    found = rasterise(far, faces, camera.height, camera.width).depth[0]
    return near.numpy(), torch.where(found > 0, turn - found, found).numpy()


def _known(value: Tensor | None) -> Tensor:
    if value is None:
        raise InvalidInputError("The networks' inputs lack the body to start from.")
    return value
