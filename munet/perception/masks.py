"""The mask of one person at full resolution."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from munet.perception.crop import Crop, paste_crop, sample_crop
from munet.perception.landmarks import Landmarks

_PIXELS = 320
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)


class PersonMasker:
    """The loaded saliency network (U2-Net; Qin et al., Pattern Recognition 2020)."""

    def __init__(self, model: Path, threads: int) -> None:
        """Load the network from the file ``model``."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def saliency(self, image: NDArray[np.uint8], crop: Crop) -> NDArray[np.float32]:
        """Return what stands out in ``crop`` of an image (H, W, 3), (320, 320) in [0, 1]."""
        pixels = sample_crop(image, crop, _PIXELS).astype(np.float32)
        planes = ((pixels / max(float(pixels.max()), 1.0) - _MEAN) / _STD).transpose(2, 0, 1)[None]
        output = np.asarray(self._session.run(None, {self._input: planes})[0], np.float32)[0, 0]
        low, high = float(output.min()), float(output.max())
        return (output - low) / max(high - low, 1e-6)

    def segment(self, image: NDArray[np.uint8], person: Landmarks) -> NDArray[np.float32]:
        """Return the mask (H, W) in [0, 1] of ``person`` in an image (H, W, 3)."""
        height, width = image.shape[:2]
        crop = Crop(person.crop.center, person.crop.side)
        salient = paste_crop(self.saliency(image, crop), crop, width, height)
        rough = paste_crop(person.mask, person.crop, width, height)
        radius = max(1, round(person.crop.side * 0.015))
        near = cv2.dilate(rough, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
        return np.asarray(np.minimum(np.maximum(salient, 0.0), near), np.float32)
