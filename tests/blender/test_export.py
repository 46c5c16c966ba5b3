"""Export of one character in every Blender."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Blender


@pytest.mark.blender
def test_copies_come_back_as_they_were(blender: Blender, tmp_path: Path) -> None:
    blender.check("exports", str(tmp_path))
