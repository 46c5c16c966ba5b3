"""BlazePose's person detector (SSD): anchors, decoding and weighted non-maximum suppression.

Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020; the constants are those of the
published graph ``pose_detection``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from munet.perception.crop import Crop, sample_crop
from munet.perception.lite import LiteNetwork

INPUT_PIXELS = 224
_STRIDES = (8, 16, 32, 32, 32)
_ANCHORS_PER_CELL = 2


@dataclass(frozen=True)
class Detection:
    """One person found by the detector, in pixels of the image.

    Attributes:
        box: (4,) float64 left, top, right, bottom of the head region.
        keypoints: (4, 2) float64 hip middle, rim of the whole body, shoulder middle, rim of the upper body.
        score: in [0, 1].
    """

    box: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    score: float


def make_anchors() -> NDArray[np.float64]:
    """Return the anchor centres (2254, 2) in [0, 1], in the order of the network's output."""
    layers = []
    for stride in _STRIDES:
        cells = INPUT_PIXELS // stride
        ticks = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(ticks, ticks, indexing="xy"), -1).reshape(-1, 2)
        layers.append(np.repeat(grid, _ANCHORS_PER_CELL, axis=0))
    return np.concatenate(layers)


def decode(
    raw: NDArray[np.float32], logits: NDArray[np.float32], anchors: NDArray[np.float64], threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decode the network's output to candidates above ``threshold``.

    Args:
        raw: (A, 12) centre, size and four keypoints in input pixels relative to the anchors.
        logits: (A,) scores before the sigmoid.
        anchors: (A, 2) centres in [0, 1].
        threshold: smallest score that is kept.

    Returns:
        Points (K, 6, 2) in [0, 1] (two box corners, four keypoints) and scores (K,).
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100)))
    kept = scores >= threshold
    pairs = raw[kept].reshape(-1, 6, 2).astype(np.float64) / INPUT_PIXELS
    centers = pairs[:, 0] + anchors[kept]
    keypoints = pairs[:, 2:] + anchors[kept][:, None]
    corners = np.stack([centers - pairs[:, 1] / 2, centers + pairs[:, 1] / 2], 1)
    return np.concatenate([corners, keypoints], 1), scores[kept]


def box_overlap(box: NDArray[np.floating], boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the intersection over union of ``box`` (4,) with ``boxes`` (K, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    union = area + np.prod(np.clip(box[2:] - box[:2], 0, None)) - shared
    return np.asarray(shared / np.maximum(union, 1e-12), np.float64)


def weighted_nms(
    points: NDArray[np.float64], scores: NDArray[np.float64], overlap: float = 0.3
) -> list[tuple[NDArray[np.float64], float]]:
    """Merge overlapping candidates into their score-weighted mean, best first (BlazeFace, section 3.4)."""
    remaining = np.argsort(-scores, kind="stable")
    merged = []
    while remaining.size:
        boxes = points[remaining, :2].reshape(-1, 4)
        same = box_overlap(boxes[0], boxes) > overlap
        same[0] = True
        group = remaining[same]
        merged.append((np.average(points[group], axis=0, weights=scores[group]), float(scores[group[0]])))
        remaining = remaining[~same]
    return merged


class PersonDetector:
    """The loaded detector."""

    def __init__(self, model: Path, threads: int) -> None:
        """Load the network from the file ``model``."""
        self._network = LiteNetwork(model, threads)
        self._anchors = make_anchors()

    def detect(self, image: NDArray[np.uint8], crop: Crop, threshold: float = 0.5) -> list[Detection]:
        """Find the people in a square ``crop`` of an image (H, W, 3), best first."""
        pixels = sample_crop(image, crop, INPUT_PIXELS)
        raw, logits = self._network.run(pixels.astype(np.float32) / 127.5 - 1)
        points, scores = decode(raw[0], logits[0, :, 0], self._anchors, threshold)
        return [self._detection(crop.to_image(p), score) for p, score in weighted_nms(points, scores)]

    @staticmethod
    def _detection(points: NDArray[np.float64], score: float) -> Detection:
        return Detection(points[:2].reshape(4), points[2:], score)
