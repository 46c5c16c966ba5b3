"""Networks in LiteRT's format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray


class LiteNetwork:
    """A network with one image as input."""

    def __init__(self, model: Path, threads: int) -> None:
        """Load ``model`` and reserve its memory."""
        self._interpreter = Interpreter(model_path=str(model), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Evaluate an image (H, W, 3) in the network's own range; outputs in the file's order."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]
