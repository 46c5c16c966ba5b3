"""What scripts may rely on: ``from bl_ext.user_default.munet import api``; docs/scripting.md shows it at work.

``user_default`` is the extension repository that *Install from Disk* offers; in another one its module name takes that
place. The extension has to be enabled. Everything works in the window and without one. Failures are :class:`AddonError`
with a ``code``, a sentence, the specifics and the fix. Names that are not listed here may change with any release.
"""

from ..errors import AddonError
from .library import save_library
from .loading import load_people, load_person, people
from .person import Motion, Person
from .reconstruction import Reconstruction, Result, Settings
from .work import reconstruct, reconstruct_again, reconstruct_clip, start, stop_backend

__all__ = [
    "AddonError",
    "Motion",
    "Person",
    "Reconstruction",
    "Result",
    "Settings",
    "load_people",
    "load_person",
    "people",
    "reconstruct",
    "reconstruct_again",
    "reconstruct_clip",
    "save_library",
    "start",
    "stop_backend",
]
