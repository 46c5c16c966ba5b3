"""The camera that sees the people as the photo does, with the photo behind them."""

from __future__ import annotations

import logging
import math

import bpy
import numpy as np
from mathutils import Matrix

from ..elsewhere import blender_program
from ..errors import AddonError
from ..steps import Beside, Steps
from .character import Character
from .exif import exif_orientation, jpeg_size
from .lens import lens_from_matrix
from .material import pack_image
from .photo import Photo, stored_pixels, turn_of, upright_png
from .photo_aside import turning_elsewhere
from .placement import SceneFrame

_log = logging.getLogger(__package__)
_SENSOR_MM = 36.0
_ON_ITS_SIDE = 5
LARGE = 13_000_000
"""Pixels above which Blender takes more than a fifth of a second to hand them out."""
_CLIP_START = 0.01
_OVER = 0.5


def _adding_background(camera: bpy.types.Camera, photo: Photo, size: tuple[int, int]) -> Steps[None]:
    image = yield from _building_image(photo, size)
    background = camera.background_images.new()
    background.image = image
    background.frame_method = "FIT"
    background.display_depth = "BACK"
    background.alpha = 1.0
    camera.show_background_images = True


def _building_image(photo: Photo, size: tuple[int, int]) -> Steps[bpy.types.Image]:
    """Pack the photo, upright; what is large is turned in another Blender, if there is one, so that this one lives."""
    orientation, program = exif_orientation(photo.data), blender_program()
    if orientation >= _ON_ITS_SIDE and program and math.prod(jpeg_size(photo.data)) > LARGE:
        try:
            turned = yield from turning_elsewhere(photo.data, orientation, program)
            return pack_image(photo.name, turned)
        except AddonError:
            _log.warning("the photo is turned in this Blender", exc_info=True)
    image = pack_image(photo.name, photo.data)
    if orientation == 1 or (orientation := turn_of(photo.data, image, size)) == 1:
        return image
    yield
    pixels = stored_pixels(image)
    bpy.data.images.remove(image)
    turned = yield Beside(lambda: upright_png(pixels, orientation))
    return pack_image(photo.name, turned)


def building_camera(character: Character, frame: SceneFrame, photo: Photo, name: str) -> Steps[bpy.types.Object]:
    """Build the photo's camera in steps: a photo that has to be turned takes seconds."""
    camera = bpy.data.cameras.new(name)
    lens = lens_from_matrix(character.arrays["camera_matrix"], character.image_size, _SENSOR_MM)
    camera.sensor_fit, camera.sensor_width = "HORIZONTAL", _SENSOR_MM
    camera.lens, camera.shift_x, camera.shift_y = lens.focal_mm, lens.shift_x, lens.shift_y
    camera.clip_start = _CLIP_START
    camera.display_size = 0.3
    if photo.data:
        yield from _adding_background(camera, photo, character.image_size)
    obj = bpy.data.objects.new(name, camera)
    obj.matrix_world = Matrix.Translation(frame.offset.tolist()) @ Matrix(frame.camera_rotation.tolist()).to_4x4()
    return obj


def show_photo(camera: bpy.types.Object, mode: str) -> None:
    """Show the photo of ``camera`` BEHIND what it sees, half transparent OVER it, or not (OFF)."""
    data = camera.data
    data.show_background_images = mode != "OFF"
    for background in data.background_images if mode != "OFF" else ():
        background.display_depth = "FRONT" if mode == "OVER" else "BACK"
        background.alpha = _OVER if mode == "OVER" else 1.0


def look_through(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Render ``scene`` through ``camera`` at the size of its photo."""
    width, height = (int(size) for size in camera["munet_image_size"])
    matrix = np.array(camera["munet_camera_matrix"]).reshape(3, 3)
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    aspect = lens_from_matrix(matrix, (width, height), camera.data.sensor_width).pixel_aspect_y
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = 1.0 / min(aspect, 1.0), max(aspect, 1.0)
