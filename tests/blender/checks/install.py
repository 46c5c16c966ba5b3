"""Install the zip as a user would, enable and disable it again and again, and leave Blender normally."""

from __future__ import annotations

import sys

import bpy  # isort: skip - makes the next one importable
import addon_utils
from common import MODULE, enable, say


def registered() -> list[str]:
    """Return the names of all registered classes of the extension."""
    return sorted(name for name in dir(bpy.types) if name.startswith("MUNET_"))


def check(path: str) -> None:
    """Install and toggle."""
    result = bpy.ops.extensions.package_install_files(repo="user_default", filepath=path, enable_on_install=True)
    assert result == {"FINISHED"}, result
    first = registered()
    assert "MUNET_PT_main" in first, first
    assert hasattr(bpy.types.WindowManager, "munet")
    for _ in range(2):
        addon_utils.disable(MODULE, default_set=True)
        assert registered() == []
        assert not hasattr(bpy.types.WindowManager, "munet")
        enable()
        assert registered() == first
    addon_utils.disable(MODULE, default_set=True)


bpy.ops.wm.read_factory_settings(use_empty=True)
check(sys.argv[1])
say("CHECK PASSED")
