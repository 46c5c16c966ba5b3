"""What of a character is exported, and how. No bpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CopyOptions:
    """What of a character is copied, and how.

    Attributes:
        part: SURFACE, BODY, BOTH or LIGHT.
        pose: POSED, REST (T-pose) or ANIMATION (the action it plays).
        keys: keep shape keys; otherwise the present shape becomes the mesh.
        centimetres: let one unit be a centimetre, which Unreal wants, and call the rig "root".
    """

    part: str = "SURFACE"
    pose: str = "POSED"
    keys: bool = False
    centimetres: bool = False


@dataclass(frozen=True)
class WriteOptions:
    """What a writer should do.

    Attributes:
        animation: write the action that the rig plays.
        keys: write shape keys.
        target: program an FBX is for: GENERAL, UNREAL or UNITY.
        cameras: write cameras too.
    """

    animation: bool = False
    keys: bool = True
    target: str = "GENERAL"
    cameras: bool = False
