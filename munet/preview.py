"""One picture by which to judge a reconstruction: photo, overlays, and everybody from all sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from munet.geometry.level import level_rotation
from munet.perception.observation import Photo
from munet.reconstruction import Reconstruction
from munet.render.picture import PictureMesh, camera_picture, over, parallel_picture

Floats = NDArray[np.float32]

_BODY_COLOUR = (0.62, 0.74, 0.86)
_MARGIN = 10
_VIEWS = (("front", 0.0), ("side", np.pi / 2), ("back", np.pi))
_MAX_WIDTH = 3200
_HEAD_JOINT = 15


def render_preview(photo: Photo, results: Sequence[Reconstruction]) -> NDArray[np.uint8]:
    """Draw the preview of a photo.

    The first two columns show the photo, the surfaces over it, the largest person's face and the bodies over the
    photo; then follow three columns a person with the textured surface (above) and the body (below) level
    with the ground, from the front, the side and from behind.

    Args:
        photo: the photo at working resolution.
        results: the people, largest first; may be empty.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    height = _panel_height(photo, len(results))
    rows = [_photo_panels(photo, results, height)]
    rows += [_person_panels(result, height) for result in results]
    gap = np.ones((2 * height + 3 * _MARGIN, _MARGIN, 3), np.float32) * 0.16
    blocks = [gap]
    for block in rows:
        blocks += [block, gap]
    picture = np.concatenate(blocks, 1)
    return np.asarray(np.clip(picture * 255, 0, 255), np.uint8)


def _panel_height(photo: Photo, persons: int) -> int:
    """Height of the two rows of panels: smaller for many people, so that the picture stays below ``_MAX_WIDTH``."""
    widths = 2 * _photo_aspect(photo) + 3 * persons * _person_aspect()
    return int(min(560, _MAX_WIDTH / widths))


def _photo_aspect(photo: Photo) -> float:
    height, width = photo.image.shape[:2]
    return float(np.clip(width / height, 0.5, 1.4))


def _person_aspect() -> float:
    return 0.72


def backdrop(height: int, width: int) -> Floats:
    """A grey studio backdrop (H, W, 3), lighter above."""
    shade = np.linspace(0.80, 0.62, height, dtype=np.float32)
    return np.asarray(np.broadcast_to(shade[:, None, None], (height, width, 3)), np.float32)


def labelled(panel: Floats, text: str) -> Floats:
    """Write ``text`` into the upper left corner of a panel (H, W, 3) in [0, 1]."""
    image = Image.fromarray(np.asarray(np.clip(panel * 255, 0, 255), np.uint8))
    draw = ImageDraw.Draw(image)
    draw.text(
        (9, 7), text, font=ImageFont.load_default(14), fill=(255, 255, 255), stroke_width=2, stroke_fill=(40,) * 3
    )
    return np.asarray(image, np.float32) / np.float32(255)


def grid(upper: Sequence[Floats], lower: Sequence[Floats]) -> Floats:
    """Two rows of panels of equal size with dark gaps between and around the rows."""

    def row(panels: Sequence[Floats]) -> Floats:
        gap = np.full((panels[0].shape[0], _MARGIN, 3), 0.16, np.float32)
        parts = [panels[0]]
        for panel in panels[1:]:
            parts += [gap, panel]
        return np.concatenate(parts, 1)

    top, bottom = row(upper), row(lower)
    gap = np.full((_MARGIN, top.shape[1], 3), 0.16, np.float32)
    return np.concatenate([gap, top, gap, bottom, gap], 0)


def surface_mesh(result: Reconstruction) -> PictureMesh:
    """The clothed surface with its texture, reduced to what a preview can show."""
    texture = result.texture
    if texture.shape[0] > 1024:
        texture = np.asarray(cv2.resize(texture, (1024, 1024), interpolation=cv2.INTER_AREA), np.uint8)
    return PictureMesh(result.surface_vertices, result.surface_faces, uv=result.surface_uv, texture=texture)


def body_mesh(result: Reconstruction) -> PictureMesh:
    """The body in clay."""
    return PictureMesh(result.body_vertices, result.body_faces, colour=_BODY_COLOUR)


def _photo_panels(photo: Photo, results: Sequence[Reconstruction], height: int) -> Floats:
    width = round(height * _photo_aspect(photo))
    image, offset, scale = _fitted(photo.image, height, width)
    surfaces = [PictureMesh(result.surface_vertices, result.surface_faces) for result in sorted(results, key=_distance)]
    bodies = [body_mesh(result) for result in sorted(results, key=_distance)]
    matrices = [_panel_camera(result, photo, offset, scale) for result in sorted(results, key=_distance)]
    upper = [labelled(image, "photo"), labelled(_overlay(image, surfaces, matrices), "surface on photo")]
    lower = [_face_panel(results, height, width), labelled(_overlay(image, bodies, matrices), "body on photo")]
    return grid(upper, lower)


def _distance(result: Reconstruction) -> float:
    """Sort key: the farthest first, so that nearer people cover them."""
    return -float(result.surface_vertices[:, 2].mean())


def _fitted(image: NDArray[np.uint8], height: int, width: int) -> tuple[Floats, tuple[float, float], float]:
    """Fit a photo into a panel: the panel, where the photo's corner lies in it, panel pixels per photo pixel."""
    scale = min(height / image.shape[0], width / image.shape[1])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32) / 255
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    panel = np.full((height, width, 3), 0.16, np.float32)
    panel[top : top + size[1], left : left + size[0]] = small
    return panel, (left, top), scale


def _panel_camera(result: Reconstruction, photo: Photo, offset: tuple[float, float], scale: float) -> Floats:
    """Camera matrix of the panel from that of the original photo."""
    total = scale * photo.scale
    matrix = np.array([[total, 0, offset[0]], [0, total, offset[1]], [0, 0, 1]]) @ result.camera_matrix
    return matrix.astype(np.float32)


def _overlay(image: Floats, meshes: Sequence[PictureMesh], matrices: Sequence[Floats]) -> Floats:
    for mesh, matrix in zip(meshes, matrices, strict=True):
        image = over(camera_picture(mesh, matrix, image.shape[0], image.shape[1]), image, 0.8)
    return image


def _face_panel(results: Sequence[Reconstruction], height: int, width: int) -> Floats:
    panel = backdrop(height, width)
    if not results:
        return panel
    result = results[0]
    on_head = result.surface_vertices[result.surface_weights[:, _HEAD_JOINT] > 0.5]
    low, high = (on_head.min(0), on_head.max(0)) if len(on_head) else (result.joints[15] - 0.2, result.joints[15] + 0.2)
    scale = 0.62 * height / max(float((high - low)[1]), 0.05)
    picture = parallel_picture(surface_mesh(result), 0.0, (low + high) / 2, scale, height, width)
    return labelled(over(picture, panel), "face")


def levelled(result: Reconstruction) -> Reconstruction:
    """The person as they stand in the world: turned about the hips so that up is up."""
    rotation, pivot = level_rotation(result.up_cam).T, result.joints[0]
    return replace(
        result,
        surface_vertices=(result.surface_vertices - pivot) @ rotation + pivot,
        body_vertices=(result.body_vertices - pivot) @ rotation + pivot,
        joints=(result.joints - pivot) @ rotation + pivot,
    )


def _person_panels(result: Reconstruction, height: int) -> Floats:
    width = round(height * _person_aspect())
    result = levelled(result)
    surface, body = surface_mesh(result), body_mesh(result)
    center, scale = framing(result.surface_vertices, height, width)
    background = backdrop(height, width)
    rows = [
        [
            labelled(over(parallel_picture(mesh, yaw, center, scale, height, width), background), f"{name} {view}")
            for view, yaw in _VIEWS
        ]
        for name, mesh in (("surface", surface), ("body", body))
    ]
    return grid(rows[0], rows[1])


def framing(vertices_cam: Floats, height: int, width: int) -> tuple[Floats, float]:
    """Middle of the box around points (V, 3), and the scale in pixels per metre that shows them from all sides."""
    low, high = vertices_cam.min(0), vertices_cam.max(0)
    center = (low + high) / 2
    reach = 2 * float(np.linalg.norm((vertices_cam - center)[:, [0, 2]], axis=1).max())
    tall = max(float((high - low)[1]), 1e-3)
    scale = min(0.92 * height / tall, 0.94 * width / max(reach, 1e-3))
    return center.astype(np.float32), scale
