"""The figure that textures are tried on."""

from __future__ import annotations

import numpy as np
import pytest
from texture_figure import Scene, checker, photograph, surface_of, tube


@pytest.fixture(scope="session")
def scene() -> Scene:
    """An ellipsoid with a checker."""
    vertices, faces, uv = tube(60, 80)
    return photograph(surface_of(vertices * np.array([0.3, 0.9, 0.25], np.float32), faces, uv), checker(512, 16))
