"""A clip through everything: an example photo that moves sideways, with a frame in which nobody is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from munet.errors import ModelMissingError
from munet.pipeline import Models
from munet.sequence.frames import clip_paths, open_frames
from munet.sequence.pipeline import CLIP_STAGES, reconstruct_clip
from munet.sequence.settings import ClipSettings
from munet.settings import Settings

PHOTO = Path(__file__).resolve().parents[3] / "examples" / "standing-jacket.jpg"
COUNT, DARK, PIXELS = 8, 4, 6

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the frames, 640 pixels high."""
    photo = cv2.imread(str(PHOTO))
    small = cv2.resize(photo, None, fx=640 / photo.shape[0], fy=640 / photo.shape[0], interpolation=cv2.INTER_AREA)
    for index in range(COUNT):
        frame = cv2.warpAffine(
            small,
            np.array([[1.0, 0, PIXELS * index], [0, 1.0, 0]]),
            small.shape[1::-1],
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.imwrite(str(tmp_path / f"{index}.png"), frame if index != DARK else np.full_like(frame, 90))
    return tmp_path


def test_a_clip_becomes_a_person_who_moves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, stages = Settings(preset="draft", texture_size=256, device="cpu"), []
    monkeypatch.setattr("munet.sequence.pipeline.KEY_FRAMES", 1)
    torch.set_num_threads(2)
    try:
        models = Models.load(settings)
    except ModelMissingError as error:
        pytest.skip(str(error))

    def progress(stage: str, fraction: float) -> None:
        assert 0 <= fraction <= 1
        stages.append(stage)

    frames = open_frames(clip_paths(folder))
    result = reconstruct_clip(models, frames, settings, ClipSettings(fps=10.0, smoothing=0.2), progress)
    motion, person = result.motion, result.person
    assert tuple(dict.fromkeys(stages)) == CLIP_STAGES
    assert (motion.confidence == 0).tolist() == [index == DARK for index in range(COUNT)]
    assert f"1 of {COUNT} frames ({DARK})" in result.warnings[0]
    pixels = motion.translation @ person.camera_matrix.T
    steps = np.diff(pixels[:, 0] / pixels[:, 2])
    assert np.allclose(steps, PIXELS, atol=2.5)
    turned = np.linalg.norm(np.diff(motion.pose[:, 1:22], axis=0), axis=-1)
    assert np.degrees(np.median(turned)) < 2.0
    assert person.silhouette_iou > 0.9
    assert person.texture.shape == (256, 256, 3)
    assert result.preview.dtype == np.uint8
