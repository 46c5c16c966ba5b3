"""Install the zip as a user would, enable and disable it again and again, and leave Blender normally."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy  # isort: skip - makes the next one importable
import addon_utils
from common import MODULE, enable, part, say


def registered() -> list[str]:
    """Return the names of all registered classes of the extension."""
    return sorted(name for name in dir(bpy.types) if name.startswith("MUNET_"))


def check_platform_edition(path: str) -> None:
    """The edition for the public platform registers without the installer and says where a backend comes from."""
    result = bpy.ops.extensions.package_install_files(repo="user_default", filepath=path, enable_on_install=True)
    assert result == {"FINISHED"}, result
    names = registered()
    assert "MUNET_PT_main" in names, names
    assert "MUNET_OT_install_backend" not in names
    assert part("edition").NAME == "platform"
    check_zmq("26.4.0")
    assert part("preferences").backend_place(bpy.context).install_folder == ""
    addon_utils.disable(MODULE, default_set=True)
    for name in [name for name in sys.modules if name.startswith(MODULE)]:
        del sys.modules[name]


NOT_YET = {"insert", "importer.scene", "rigging.poses", "motion.keys", "exporting.aside", "installer.install"}
TALK = """import sys; sys.path.insert(0, sys.argv[1]); import zmq
assert zmq.__file__.startswith(sys.argv[1]), zmq.__file__
with zmq.Context() as context, context.socket(zmq.ROUTER) as one, context.socket(zmq.DEALER) as other:
    other.connect(f"tcp://127.0.0.1:{one.bind_to_random_port('tcp://127.0.0.1')}")
    other.send(b"hello")
    assert one.poll(5000) and one.recv_multipart()[1] == b"hello"
print(zmq.__version__, zmq.has("curve"))"""


def check_zmq(expected: str) -> None:
    """Blender has unpacked the wheel that fits this Python: it talks."""
    (package,) = Path(bpy.utils.user_resource("EXTENSIONS")).glob(".local/lib/python3.*/site-packages/zmq")
    command = [sys.executable, "-I", "-c", TALK, str(package.parent)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.stdout.split() == [expected, "True"], answer.stdout + answer.stderr


def check(path: str) -> None:
    """Install and toggle."""
    result = bpy.ops.extensions.package_install_files(repo="user_default", filepath=path, enable_on_install=True)
    assert result == {"FINISHED"}, result
    check_zmq("27.3.0")
    loaded = {name.removeprefix(f"{MODULE}.") for name in sys.modules}
    assert not loaded & NOT_YET, "imported before a button needs it, while Blender stands still"
    first = registered()
    assert {"MUNET_PT_main", "MUNET_OT_install_backend"} <= set(first), first
    assert hasattr(bpy.types.WindowManager, "munet")
    for _ in range(2):
        addon_utils.disable(MODULE, default_set=True)
        assert registered() == []
        assert not hasattr(bpy.types.WindowManager, "munet")
        enable()
        assert registered() == first
    addon_utils.disable(MODULE, default_set=True)


bpy.ops.wm.read_factory_settings(use_empty=True)
check_platform_edition(sys.argv[2])
check(sys.argv[1])
say("CHECK PASSED")
