"""SMPL files that the user has licensed: the bodies behind the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from munet.body.model import BodyModel
from munet.body.skinning import pose_body
from munet.body.smpl_files import load_smpl_file
from munet.errors import BodyFileError
from munet.evaluation.alignment import AnyArray, Array
from munet.evaluation.files import DatasetError, read_mesh
from munet.evaluation.sample import Gender, Sample, TrueSmpl

_ENDINGS = (".npz", ".pkl")
_REGRESSOR = "J_regressor_h36m.npy"


@dataclass(frozen=True)
class Reference:
    """SMPL bodies and the joints that published numbers are computed on.

    Attributes:
        bodies: by gender; "neutral" is always there.
        regressor: (17, V) from vertices to ``munet.evaluation.joints.H36M_JOINTS``.
    """

    bodies: dict[Gender, BodyModel]
    regressor: Array

    def joints(self, vertices: Array) -> Array:
        """Regress the 17 joints (17, 3) from vertices (V, 3)."""
        found: Array = self.regressor @ vertices
        return found

    def body(self, gender: Gender) -> BodyModel:
        """Return the body of a gender.

        Raises:
            BodyFileError: its file is not in the folder.
        """
        if gender not in self.bodies:
            raise BodyFileError(f"The ground truth needs SMPL_{gender.upper()}.pkl or .npz in the folder of --smpl.")
        return self.bodies[gender]

    def true_vertices(self, sample: Sample) -> Array | None:
        """Vertices (V, 3) of the true body in the camera frame, or None where the sample has none of this topology.

        Raises:
            BodyFileError: the file of the person's gender is missing.
        """
        if sample.smpl is not None:
            return sample.smpl.to_camera.apply(self._posed(sample.smpl))
        if sample.body is None:
            return None
        mesh = read_mesh(sample.body.path)
        same = len(mesh.vertices) == self.regressor.shape[1]
        return sample.body.to_camera.apply(mesh.vertices) if same else None

    def _posed(self, truth: TrueSmpl) -> Array:
        betas, pose = (torch.as_tensor(value, dtype=torch.float32)[None] for value in (truth.betas, truth.pose))
        with torch.no_grad():
            posed: Array = pose_body(self.body(truth.gender), betas, pose).vertices[0].double().numpy()
        return posed


def rest_vertices(model: BodyModel, betas: AnyArray) -> Array:
    """Vertices (V, 3) of a shape (10,) in the T-pose, body frame."""
    with torch.no_grad():
        rest = model.template + model.shape_dirs @ torch.from_numpy(np.asarray(betas)).to(model.template)
    vertices: Array = rest.double().cpu().numpy()
    return vertices


def load_reference(folder: Path, default: BodyModel) -> Reference:
    """Read SMPL_NEUTRAL, and where they are SMPL_MALE and SMPL_FEMALE (.npz or .pkl), and J_regressor_h36m.npy.

    Args:
        folder: of the files, in the official format.
        default: the default body, from which photo landmarks are transferred.

    Raises:
        BodyFileError: the neutral file is missing or a file is damaged.
        DatasetError: the regressor is missing or does not fit the bodies.
    """
    genders: tuple[Gender, ...] = ("neutral", "male", "female")
    files = {
        gender: path
        for gender in genders
        for path in (folder / f"SMPL_{gender.upper()}{ending}" for ending in _ENDINGS)
        if path.is_file()
    }
    if "neutral" not in files:
        raise BodyFileError("The neutral SMPL file is missing.", detail=f"no SMPL_NEUTRAL.npz or .pkl in {folder}")
    bodies = {gender: load_smpl_file(path, default) for gender, path in files.items()}
    try:
        regressor = np.asarray(np.load(folder / _REGRESSOR, allow_pickle=False), np.float64)
    except (OSError, ValueError) as error:
        raise DatasetError("The joint regressor can not be read.", detail=f"{folder / _REGRESSOR}: {error}") from error
    count = bodies["neutral"].vertex_count
    if regressor.shape != (17, count):
        raise DatasetError(
            "The joint regressor does not fit.", detail=f"expected (17, {count}), found {regressor.shape}", hint=""
        )
    return Reference(bodies, regressor)
