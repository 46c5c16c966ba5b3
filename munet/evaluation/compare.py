"""Measure one estimate against the ground truth of its sample."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from munet.body.model import SMPL_JOINT_NAMES, BodyModel
from munet.evaluation.alignment import Array
from munet.evaluation.body_metrics import mpjpe, pa_mpjpe, pck, pve, pve_t_sc
from munet.evaluation.estimate import Estimate
from munet.evaluation.files import read_mesh
from munet.evaluation.joints import ALL_H36M_JOINTS, H36M_JOINTS, LIMB_JOINTS, LSP_JOINTS, SMPL_JOINTS, JointSet, pick
from munet.evaluation.normal_views import view_errors
from munet.evaluation.reference import Reference, rest_vertices
from munet.evaluation.sample import OwnBody, Sample, TrueJoints
from munet.evaluation.surface_metrics import Mesh, SurfaceAlignment, align_surface, surface_errors

_ROOT = "pelvis"
_HIPS = ("left_hip", "right_hip")


@dataclass(frozen=True)
class Comparison:
    """How to compare.

    Attributes:
        joints: which joints count.
        body: the model that is fitted.
        reference: SMPL files, or None.
        surface_alignment: applied to the predicted surface before it is measured.
        samples: points on each surface.
        pixels: edge of the rendered views.
        seed: of the sampled points.
    """

    joints: JointSet
    body: BodyModel
    reference: Reference | None
    surface_alignment: SurfaceAlignment
    samples: int
    pixels: int
    seed: int = 0


@dataclass(frozen=True)
class TrueBody:
    """The true body in the camera frame: joints, and vertices where SMPL files are at hand."""

    joints: TrueJoints | None
    vertices: Array | None


def joint_set(dataset: str, reference: Reference | None) -> JointSet:
    """Return the joints that count on a data set, with or without SMPL files."""
    if reference is not None:
        if dataset == "mpi_inf_3dhp":
            return JointSet("17 joints of MPI-INF-3DHP", ALL_H36M_JOINTS, "regressed from SMPL vertices, as published")
        return JointSet("14 joints of LSP", LSP_JOINTS, "regressed from SMPL vertices, as published")
    if dataset in {"human36m", "mpi_inf_3dhp"}:
        note = "kinematic joints of the default body against markers: definitions differ, most at the hips"
        return JointSet("12 limb joints", LIMB_JOINTS, note)
    if dataset == "synthetic":
        return JointSet("24 joints", SMPL_JOINTS, "kinematic joints of the same body; unseen ones count too")
    note = "kinematic joints of the default body against SMPL's; published numbers use regressed joints"
    return JointSet("24 joints of SMPL", SMPL_JOINTS, note)


def compare(estimate: Estimate, sample: Sample, how: Comparison) -> dict[str, float]:
    """Return every metric that the sample's ground truth and the SMPL files at hand allow, by name.

    Millimetres for ``mpjpe``, ``mpjpe_mid_hip``, ``pa_mpjpe``, ``pve``, ``pve_t_sc``; centimetres for ``chamfer``,
    ``prediction_to_truth``, ``truth_to_prediction``; shares for ``pck_05`` and ``silhouette_iou``. What begins with
    ``body_`` is the naked body measured as if it were the clothed surface.

    Raises:
        MunetError: the ground truth can not be read or does not fit.
    """
    truth = true_body(sample, how.reference)
    result: dict[str, float] = {}
    if truth.joints is not None:
        result |= compare_joints(estimate, truth.joints, sample, how)
    if truth.vertices is not None and how.reference is not None:
        result |= compare_vertices(estimate, truth.vertices, sample, how.reference)
    if sample.own is not None and truth.joints is not None and how.reference is None:
        result |= compare_own(estimate, sample.own, truth.joints, how.body)
    if sample.scan is not None and estimate.surface is not None:
        result |= compare_surface(estimate, sample, how)
    return result


def true_body(sample: Sample, reference: Reference | None) -> TrueBody:
    """Return the true body: with SMPL files joints are regressed from its vertices wherever there are vertices."""
    vertices = None if reference is None else reference.true_vertices(sample)
    if vertices is None or reference is None or _has_markers(sample):
        return TrueBody(sample.joints, vertices)
    return TrueBody(TrueJoints(H36M_JOINTS, reference.joints(vertices)), vertices)


def _has_markers(sample: Sample) -> bool:
    return sample.joints is not None and sample.joints.names == H36M_JOINTS


def predicted_joints(estimate: Estimate, reference: Reference | None) -> TrueJoints:
    """Return the predicted joints: regressed with SMPL files, else the kinematic ones."""
    if reference is not None:
        return TrueJoints(H36M_JOINTS, reference.joints(estimate.fit.vertices_cam.astype(np.float64)))
    return TrueJoints(SMPL_JOINT_NAMES, estimate.fit.joints_cam[:24].astype(np.float64))


def compare_joints(estimate: Estimate, truth: TrueJoints, sample: Sample, how: Comparison) -> dict[str, float]:
    """Errors of joints: root-aligned at the pelvis and at the middle of the hips, Procrustes, and in the picture."""
    found = predicted_joints(estimate, how.reference)
    names = tuple(dict.fromkeys((*how.joints.counted, _ROOT, *_HIPS)))
    counted = [names.index(name) for name in how.joints.counted]
    mine, theirs = (pick(joints.names, joints.positions_cam, names) for joints in (found, truth))
    result = {
        "mpjpe": mpjpe(mine, theirs, (names.index(_ROOT),), counted),
        "mpjpe_mid_hip": mpjpe(mine, theirs, [names.index(name) for name in _HIPS], counted),
        "pa_mpjpe": pa_mpjpe(mine[counted], theirs[counted]),
    }
    if truth.pixels is not None and sample.box is not None:
        pixels = estimate.fit.camera.project(pick(found.names, found.positions_cam, how.joints.counted))
        result["pck_05"] = pck(pixels, pick(truth.names, truth.pixels, how.joints.counted), sample.box)
    return result


def compare_vertices(estimate: Estimate, truth: Array, sample: Sample, reference: Reference) -> dict[str, float]:
    """Errors of vertices: root-aligned at the regressed pelvis, and of the shape alone."""
    vertices = estimate.fit.vertices_cam.astype(np.float64)
    pelvis = H36M_JOINTS.index(_ROOT)
    result = {"pve": pve(vertices, truth, reference.joints(vertices)[pelvis], reference.joints(truth)[pelvis])}
    if sample.smpl is not None:
        mine = rest_vertices(reference.body("neutral"), estimate.fit.betas)
        result["pve_t_sc"] = pve_t_sc(mine, rest_vertices(reference.body(sample.smpl.gender), sample.smpl.betas))
    return result


def compare_own(estimate: Estimate, truth: OwnBody, joints: TrueJoints, model: BodyModel) -> dict[str, float]:
    """Errors of vertices where the truth has the fitted model's own topology: as ``compare_vertices``."""
    vertices = estimate.fit.vertices_cam.astype(np.float64)
    roots = estimate.fit.joints_cam[0].astype(np.float64), pick(joints.names, joints.positions_cam, (_ROOT,))[0]
    mine, theirs = (rest_vertices(model, betas) for betas in (estimate.fit.betas, truth.betas))
    return {"pve": pve(vertices, truth.vertices_cam, *roots), "pve_t_sc": pve_t_sc(mine, theirs)}


def compare_surface(estimate: Estimate, sample: Sample, how: Comparison) -> dict[str, float]:
    """Errors of the clothed surface, and of the naked body, after the alignment that was asked for."""
    if estimate.surface is None or sample.scan is None:
        return {}
    scan = sample.scan
    truth = scan if isinstance(scan, Mesh) else read_mesh(scan.path).moved(scan.to_camera)
    clothed = Mesh.checked(estimate.surface.vertices_cam, estimate.surface.faces, "the predicted surface")
    body = Mesh.checked(estimate.fit.vertices_cam, how.body.faces.cpu().numpy(), "the predicted body")
    roots = _roots(estimate, sample.joints, how)
    result = _surface_numbers(clothed, truth, roots, how)
    naked = _surface_numbers(body, truth, roots, how)
    return result | {f"body_{name}": naked[name] for name in ("chamfer", "normal_cosine")}


def _roots(estimate: Estimate, joints: TrueJoints | None, how: Comparison) -> tuple[Array, Array] | None:
    if joints is None:
        return None
    found = predicted_joints(estimate, how.reference)
    mine, theirs = (pick(each.names, each.positions_cam, (_ROOT,))[0] for each in (found, joints))
    return mine, theirs


def _surface_numbers(
    prediction: Mesh, truth: Mesh, roots: tuple[Array, Array] | None, how: Comparison
) -> dict[str, float]:
    prediction = prediction.moved(align_surface(prediction, truth, how.surface_alignment, roots, how.seed))
    errors = asdict(surface_errors(prediction, truth, how.samples, how.seed))
    views = view_errors(prediction, truth, how.pixels)
    return errors | {
        "normal_cosine": views.cosine,
        "normal_l2": views.l2,
        "normal_l2_econ": views.l2_econ,
        "silhouette_iou": views.silhouette_iou,
    }
