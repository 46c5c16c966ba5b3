"""One picture by which to judge a clip: frames in order, and the person over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from munet.fitting.rig import TO_CAMERA
from munet.preview import labelled
from munet.render.picture import PictureMesh, camera_picture, over

if TYPE_CHECKING:
    from munet.reconstruction import Reconstruction
    from munet.sequence.frames import Frames
    from munet.sequence.motion import Motion
    from munet.sequence.settings import ClipSettings

Floats = NDArray[np.float32]

_PANELS = 8
_WIDTH = 2400
_HIGHEST = 600
_MARGIN = 0.06


@dataclass(frozen=True)
class _Window:
    """The part of all frames that is shown: left, top, width and height in pixels of the original frames."""

    left: float
    top: float
    width: float
    height: float


def clip_preview(frames: Frames, clip: ClipSettings, person: Reconstruction, motion: Motion) -> NDArray[np.uint8]:
    """Draw up to eight frames, evenly spread, above the same frames with the person over them.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    chosen = np.unique(np.linspace(0, len(motion.pose) - 1, _PANELS).round().astype(int)).tolist()
    meshes = {index: posed_surface(person, motion, index) for index in chosen}
    window = _window([mesh.vertices_cam for mesh in meshes.values()], person.camera_matrix, person.image_size)
    upper, lower = [], []
    for index, (number, photo) in enumerate(frames.read(clip)):
        if index not in meshes:
            continue
        image, matrix = _panel(photo.image, photo.scale, person.camera_matrix, window)
        height, width = image.shape[:2]
        upper.append(labelled(image, str(number)))
        lower.append(over(camera_picture(meshes[index], matrix, height, width), image))
    picture = np.concatenate([np.concatenate(row, 1) for row in (upper, lower)])
    return np.asarray(np.clip(picture * 255, 0, 255), np.uint8)


def _window(people: Sequence[Floats], matrix: Floats, size: NDArray[np.int32]) -> _Window:
    """Return what shows the person in all frames, with a margin."""
    points = np.concatenate(people) @ matrix.T
    pixels = points[:, :2] / np.maximum(points[:, 2:], 1e-3)
    low, high = pixels.min(0), pixels.max(0)
    margin = _MARGIN * float((high - low).max())
    low, high = np.clip(low - margin, 0, size - 2), np.clip(high + margin, 2, size)
    return _Window(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def _panel(image: NDArray[np.uint8], scale: float, matrix: Floats, window: _Window) -> tuple[Floats, Floats]:
    """Return the window of a frame, reduced, in [0, 1], and the camera matrix that belongs to it."""
    factor = min(_WIDTH / _PANELS / window.width, _HIGHEST / window.height)
    size = (max(1, round(window.width * factor)), max(1, round(window.height * factor)))
    place = np.array([[factor, 0, -window.left * factor], [0, factor, -window.top * factor], [0, 0, 1]])
    whole = cv2.resize(image, None, fx=factor / scale, fy=factor / scale, interpolation=cv2.INTER_AREA)
    small = cv2.warpAffine(whole, np.array([[1.0, 0, place[0, 2]], [0, 1.0, place[1, 2]]]), size)
    return small.astype(np.float32) / np.float32(255), np.asarray(place @ matrix, np.float32)


def posed_surface(person: Reconstruction, motion: Motion, index: int) -> PictureMesh:
    """Return the clothed surface of ``person`` in frame ``index`` of ``motion``; fingers as in the still frame."""
    turns = person.bone_rotations.astype(np.float64)
    turns[:24] = motion.pose[index]
    transforms = _transforms(person, Rotation.from_rotvec(turns).as_matrix())
    rest = np.concatenate([person.surface_rest_vertices, np.ones((len(person.surface_rest_vertices), 1))], 1)
    blended = (person.surface_weights.astype(np.float64) @ transforms.reshape(len(transforms), -1)).reshape(-1, 3, 4)
    posed = np.einsum("vab,vb->va", blended, rest) * TO_CAMERA + motion.translation[index]
    return PictureMesh(posed.astype(np.float32), person.surface_faces, uv=person.surface_uv, texture=person.texture)


def _transforms(person: Reconstruction, local: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (J, 3, 4) from rest to posed, body frame."""
    heads, world = person.bone_heads.astype(np.float64), np.tile(np.eye(4), (len(local), 1, 1))
    for bone, parent in enumerate(person.bone_parents.tolist()):
        step = np.eye(4)
        step[:3, :3] = local[bone]
        step[:3, 3] = heads[bone] - (heads[parent] if parent >= 0 else 0.0)
        world[bone] = world[parent] @ step if parent >= 0 else step
    world[:, :3, 3] -= np.einsum("jab,jb->ja", world[:, :3, :3], heads)
    result: NDArray[np.float64] = world[:, :3]
    return result
