"""People beside and behind those who were found first.

In a whole photo the detector prefers one person of several, and the landmark network, shown two who overlap, sees
the one in front. So closer squares are searched for other heads, and everybody who is known is painted out before the
network looks at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from munet.perception.crop import paste_crop
from munet.perception.detector import Detection
from munet.perception.duplicates import landmark_similarity
from munet.perception.landmarks import Landmarks
from munet.perception.separation import BONES, distance_to_bones

# Detections of one head lie within 0.07 of each other, as a share of the person's crop.
_ANOTHER_HEAD = 0.08
# Landmarks are more exact than detections.
_NEW_HEAD = 0.05
_ON_BODY = 0.025
_SAME_PERSON = 0.5
# People in the distance are not meant when somebody is large: the photo is not of them.
_SMALLEST = 0.4
_FACE = slice(0, 11)
_HEAD_KEPT = 0.8
# How far below the hips the legs reach, in lengths from the hips to the rim above the head.
_LEGS = 0.85
_SEEN = 0.5
_RIM = np.ones((5, 5), np.uint8)
_FILL_PIXELS, _FILL_BLUR = 128, 6.0
_COVERED = 0.3


def is_another(detection: Detection, people: Sequence[Landmarks]) -> bool:
    """Tell whether a detection shows a head that nobody of ``people`` has, of somebody not much smaller."""
    head = (detection.box[:2] + detection.box[2:]) / 2
    size = 2.5 * float(np.linalg.norm(detection.keypoints[1] - detection.keypoints[0]))
    large = size >= _SMALLEST * max(person.next_crop.side for person in people)
    return large and all(
        _head_distance(head, person) > _ANOTHER_HEAD and _body_distance(head, person) > _ON_BODY for person in people
    )


def is_new(found: Landmarks, people: Sequence[Landmarks]) -> bool:
    """Tell whether ``found`` is none of ``people``, by all landmarks and by the head."""
    head = found.image[_FACE].mean(0)
    return all(
        landmark_similarity(found, person) < _SAME_PERSON and _head_distance(head, person) > _NEW_HEAD
        for person in people
    )


def distance_to_detection(found: Detection, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the distance (H, W) in pixels from a detected head and the line through trunk and legs below it."""
    canvas = np.full(shape, 255, np.uint8)
    head = (found.box[:2] + found.box[2:]) / 2
    hips, rim, shoulders = found.keypoints[:3]
    line = np.rint([head, shoulders, hips, hips - _LEGS * (rim - hips)]).clip(-(2**14), 2**14).astype(np.int32)
    cv2.polylines(canvas, [line], isClosed=False, color=0, thickness=2)
    radius = _HEAD_KEPT * float(np.linalg.norm(found.box[2:] - found.box[:2])) / 2
    cv2.circle(canvas, (int(line[0, 0]), int(line[0, 1])), max(1, round(radius)), 0, -1)
    return np.asarray(cv2.distanceTransform(canvas, cv2.DIST_L2, 3), np.float32)


def covered_by(people: Sequence[Landmarks], own: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that ``people`` cover, without those to which somebody else is nearer.

    The coarse mask of somebody in front holds much of who stands behind.

    Args:
        people: known.
        own: (H, W) distance from somebody else's bones.
    """
    height, width = own.shape
    masks = [paste_crop(person.mask, person.crop, width, height) > _SEEN for person in people]
    covered = cv2.dilate(np.any(masks, axis=0).astype(np.uint8), _RIM) > 0
    theirs = [distance_to_bones(person.image, person.visibility > _SEEN, own.shape) for person in people]
    return np.asarray(covered & (np.min(theirs, axis=0) <= own))


def overlap(person: Landmarks, others: Sequence[Landmarks], shape: tuple[int, int]) -> float:
    """Return the share of a person's coarse mask that is in the masks of ``others``, too."""
    height, width = shape
    own, *masks = (paste_crop(one.mask, one.crop, width, height) > _SEEN for one in (person, *others))
    return float((own & np.any(masks, axis=0)).sum() / max(int(own.sum()), 1))


def paint_out(image: NDArray[np.uint8], covered: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the image (H, W, 3) with the pixels ``covered`` (H, W) in the blurred colours of what is around them."""
    height, width = covered.shape
    scale = _FILL_PIXELS / max(height, width)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    free = cv2.resize((~covered).astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) * free[..., None].astype(np.float32)
    weight = cv2.GaussianBlur(free.astype(np.float32), (0, 0), _FILL_BLUR)
    colours = cv2.GaussianBlur(small, (0, 0), _FILL_BLUR) / np.maximum(weight, 1e-3)[..., None]
    fill = cv2.resize(np.clip(colours, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(covered[..., None], fill, image)


def without_covered(found: Landmarks, covered: NDArray[np.bool_]) -> Landmarks:
    """Return ``found`` with less trust in landmarks that lie behind others."""
    height, width = covered.shape
    cells = np.floor(found.image).astype(int)
    inside = ((cells >= 0) & (cells < (width, height))).all(axis=1)
    column, row = np.clip(cells, 0, (width - 1, height - 1)).T
    hidden = inside & covered[row, column]
    return replace(found, visibility=np.where(hidden, _COVERED * found.visibility, found.visibility))


def _body_distance(head: NDArray[np.floating], person: Landmarks) -> float:
    """Distance from a person's bones, as a share of the crop; a knee or a hand may pass for a head."""
    start, end = person.image[np.array(BONES)].transpose(1, 0, 2)
    along = end - start
    share = ((head - start) * along).sum(1) / np.maximum((along**2).sum(1), 1e-9)
    nearest = start + np.clip(share, 0, 1)[:, None] * along
    return float(np.linalg.norm(head - nearest, axis=1).min()) / person.next_crop.side


def _head_distance(head: NDArray[np.floating], person: Landmarks) -> float:
    return float(np.linalg.norm(head - person.image[_FACE].mean(0))) / person.next_crop.side
