"""Ways to use a training's networks on one generated person."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.evaluation.datasets.synthetic import Observed
from munet.evaluation.methods import Bodies, Errors, Tools, fit_errors, surface_errors_of
from munet.evaluation.person_errors import body_errors, map_error
from munet.fitting.result import BodyFit
from munet.learned.body_step import follow, moved_joints
from munet.learned.consult import Learned, prediction_of, turned_of
from munet.network.infer import Crop, MunetProduct, NetworkResult, refine_person
from munet.surface.dress import dress


@dataclass(frozen=True)
class Trained:
    """The methods of one training.

    Attributes:
        product: its networks.
        rounds: of G_v.
        body: whether its G_v is trained; without, it is not asked.
        start: also let G_v begin with the pose network's body.
        product_path: also dress the fit as the product does, with what the networks expect of clothes.
    """

    product: MunetProduct
    rounds: int = 1
    body: bool = True
    product_path: bool = True
    start: bool = True

    def __call__(self, tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
        """Errors of every method, by its name."""
        result: dict[str, Errors] = {}
        if self.body:
            result |= self._bodies(tools, person, bodies)
        return result | (self._surfaces(tools, person, bodies) if tools.surfaces else {})

    def _ask(self, tools: Tools, person: Observed, fit: BodyFit, rounds: int) -> NetworkResult:
        return refine_person(self.product, tools.body, person.person, person.photo, fit, rounds)

    def _bodies(self, tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
        result: dict[str, Errors] = {}
        starts = {"G_v": bodies.lifted} if self.start else {}
        for name, start in (starts | {"G_v over fit": bodies.fit}).items():
            answer = self._ask(tools, person, start, self.rounds)
            vertices = answer.body_vertices_cam.astype(np.float64)
            result[name] = body_errors(moved_joints(tools.body, start, vertices), vertices, person)
            if start is bodies.fit:
                followed = follow(
                    tools.body, tools.points, start, vertices, person.person, person.photo, turned=turned_of(answer)
                )
                result["G_v + fit"] = fit_errors(followed, person)
        return result

    def _surfaces(self, tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
        fit = bodies.fit
        answer = self._ask(tools, person, fit, 0)
        height, width = person.photo.image.shape[:2]
        front, back = (in_photo(answer.crop, m, height, width) for m in (answer.normals_front, answer.normals_back))
        result = {
            "normals": {"normal_maps": map_error(front, back, person)},
            "surface": surface_errors_of(tools, person, bodies, answer.surface_vertices_cam),
        }
        if self.product_path:
            prediction = prediction_of(Learned(fit, answer))
            dressed = dress(tools.body, fit, person.person, tools.settings, prediction)
            result["surface + mask"] = surface_errors_of(tools, person, bodies, dressed.vertices_cam)
        return result


def in_photo(crop: Crop, image: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """A map (R, R, 3) of a crop in the pixels of its photo, (H, W, 3), zero outside."""
    scale = crop.edge / crop.size
    matrix = np.array([[scale, 0, crop.left + 0.5 * scale - 0.5], [0, scale, crop.top + 0.5 * scale - 0.5]])
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)
