"""Turn a scene so that up is up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def level_rotation(up_cam: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the smallest rotation (3, 3) of the camera frame after which up is (0, -1, 0): ``points @ rotation.T``.

    Args:
        up_cam: (3,) unit vector against gravity, camera frame; not (0, 1, 0), a camera on its head.
    """
    x, y, z = (float(value) for value in up_cam)
    factor = 1 / (1 - y)
    rows = [[1 - x * x * factor, x, -x * z * factor], [-x, -y, -z], [-x * z * factor, z, 1 - z * z * factor]]
    return np.array(rows, np.float32)
