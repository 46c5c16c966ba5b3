"""The trained networks, loaded when somebody first asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from munet.body.model import BodyModel
from munet.fitting.body_points import BodyPoints, make_body_points
from munet.network.infer import MunetProduct, load_munet_product


@dataclass
class Networks:
    """Networks and what they need of the body.

    Attributes:
        body: the default body; networks and points live on its device.
    """

    body: BodyModel
    _loaded: list[tuple[MunetProduct, BodyPoints]] = field(default_factory=list)

    def load(self) -> tuple[MunetProduct, BodyPoints]:
        """Return the networks and the body's points for the fit, from memory after the first time.

        Raises:
            ModelMissingError: the weights are absent or damaged.
        """
        if not self._loaded:
            product = load_munet_product(self.body, self.body.device)
            self._loaded.append((product, make_body_points(self.body)))
        return self._loaded[0]
