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
from munet.learned.consult import FOLLOW_BODY, Learned, prediction_of, shows_thighs, trusted
from munet.network.crop import Crop
from munet.network.infer import MunetProduct, NetworkBody, move_person, refine_person
from munet.surface.dress import dress


@dataclass(frozen=True)
class Trained:
    """The methods of one training.

    Attributes:
        product: its networks.
        rounds: of G_v.
        whole: also let G_v begin with the pose network's body, let the fit follow it, and dress the fit as the
            product does, with what the networks expect of clothes.
    """

    product: MunetProduct
    rounds: int = 1
    whole: bool = True

    def bodies(self, tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
        """Errors of bodies, by the method's name."""
        result: dict[str, Errors] = {}
        starts = {"G_v": bodies.lifted} if self.whole else {}
        for name, start in (starts | {"G_v over fit": bodies.fit}).items():
            moved = self._moved(tools, person, start)
            vertices = moved.vertices_cam.astype(np.float64)
            result[name] = body_errors(moved_joints(tools.body, start, vertices), vertices, person)
            if self.whole and start is bodies.fit:
                followed = self._followed(tools, person, start, moved)
                result["G_v + fit"] = fit_errors(followed, person)
                result["product"] = fit_errors(followed if shows_thighs(start) else start, person)
        return result

    def surfaces(self, tools: Tools, person: Observed, bodies: Bodies) -> dict[str, Errors]:
        """Errors of surfaces, by the method's name; the product's stand on its body."""
        fit = bodies.fit
        if self.whole and FOLLOW_BODY and shows_thighs(fit):
            fit = self._followed(tools, person, fit, self._moved(tools, person, fit))
        answer = refine_person(self.product, tools.body, person.person, person.photo, fit, 0)
        height, width = person.photo.image.shape[:2]
        front, back = (in_photo(answer.crop, m, height, width) for m in (answer.normals_front, answer.normals_back))
        result = {
            "normals": {"normal_maps": map_error(front, back, person)},
            "surface": surface_errors_of(tools, person, bodies, answer.surface_vertices_cam, fit),
        }
        if self.whole:
            prediction = prediction_of(Learned(fit, answer))
            dressed = dress(tools.body, fit, person.person, tools.settings, prediction)
            result["surface + mask"] = surface_errors_of(tools, person, bodies, dressed.vertices_cam, fit)
        return result

    def _moved(self, tools: Tools, person: Observed, fit: BodyFit) -> NetworkBody:
        return move_person(self.product, tools.body, person.person, person.photo, fit, self.rounds)

    def _followed(self, tools: Tools, person: Observed, fit: BodyFit, moved: NetworkBody) -> BodyFit:
        return trusted(fit, follow(tools.body, tools.points, fit, moved, person.person, person.photo))


def in_photo(crop: Crop, image: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """A map (R, R, 3) of a crop in the pixels of its photo, (H, W, 3), zero outside."""
    scale = crop.edge / crop.size
    matrix = np.array([[scale, 0, crop.left + 0.5 * scale - 0.5], [0, scale, crop.top + 0.5 * scale - 0.5]])
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)
