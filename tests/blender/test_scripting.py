"""The Python interface of the extension, and the sample scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _environment import ALIASES

if TYPE_CHECKING:
    from conftest import Blender


@pytest.mark.blender
def test_scripts_reach_everything(blender: Blender) -> None:
    blender.check("scripting", *([] if blender.name == ALIASES["blender"] else ["--brief"]))
