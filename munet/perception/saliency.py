"""What stands out from the background (U2-Net; Qin et al., Pattern Recognition 2020)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

_PIXELS = 320
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)


class SaliencyNetwork:
    """The loaded network."""

    def __init__(self, model: Path, threads: int) -> None:
        """Load the network from the file ``model``."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # The arena would keep the largest activations (about 250 MB) for the life of the process.
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def find(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the saliency (H, W) in [0, 1] of an image (H, W, 3)."""
        height, width = image.shape[:2]
        pixels = cv2.resize(image, (_PIXELS, _PIXELS), interpolation=cv2.INTER_AREA).astype(np.float32)
        planes = ((pixels / max(float(pixels.max()), 1.0) - _MEAN) / _STD).transpose(2, 0, 1)[None]
        output = np.asarray(self._session.run(None, {self._input: planes})[0], np.float32)[0, 0]
        low, high = float(output.min()), float(output.max())
        scaled = (output - low) / max(high - low, 1e-6)
        return np.asarray(cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
