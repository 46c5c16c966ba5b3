"""The result on disk: round trip, no pickle, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from munet.reconstruction import Reconstruction, load_reconstruction, save_reconstruction

GENERATOR = np.random.default_rng(1)


def _floats(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


@pytest.fixture
def person() -> Reconstruction:
    body, bones, surface = 8, 54, 6
    return Reconstruction(
        joints=_floats(24, 3), pose=_floats(24, 3), betas=_floats(10), translation=_floats(3),
        camera_matrix=_floats(3, 3), image_size=np.array([640, 480], np.int32),
        body_vertices=_floats(body, 3), body_faces=np.zeros((4, 3), np.int32), body_rest_vertices=_floats(body, 3),
        body_corrective=_floats(body, 3), body_weights=_floats(body, bones),
        body_shape_dirs=_floats(body, 3, 10).astype(np.float16), body_quads=np.zeros((2, 4), np.int32),
        body_uv=_floats(4, 3, 2), surface_vertices=_floats(surface, 3), surface_faces=np.zeros((4, 3), np.int32),
        surface_rest_vertices=_floats(surface, 3), surface_weights=_floats(surface, bones),
        surface_quads=np.zeros((0, 4), np.int32), surface_uv=_floats(4, 3, 2),
        texture=np.full((4, 4, 3), 7, np.uint8), bone_names=np.array([f"bone_{i}" for i in range(bones)]),
        bone_parents=np.arange(-1, bones - 1, dtype=np.int32), bone_heads=_floats(bones, 3),
        bone_tails=_floats(bones, 3), bone_rotations=_floats(bones, 3),
        joint_shape_dirs=_floats(bones, 3, 10).astype(np.float16), box=_floats(4), body_model="default 0123",
        silhouette_iou=0.95, landmark_error=0.01, warnings=("the legs rest", "ünïcode"),
    )  # fmt: skip


def test_round_trip(person: Reconstruction, tmp_path: Path) -> None:
    save_reconstruction(person, tmp_path / "person_0.npz")
    back = load_reconstruction(tmp_path / "person_0.npz")
    assert back.facts() == person.facts()
    for key, array in person.arrays().items():
        assert back.arrays()[key].dtype == array.dtype, key
        np.testing.assert_array_equal(back.arrays()[key], array)


def test_parts_round_trip(person: Reconstruction) -> None:
    again = Reconstruction.from_parts(person.arrays(), person.facts())
    assert again.facts() == person.facts()


def test_files_from_before_the_correctives_are_read(person: Reconstruction, tmp_path: Path) -> None:
    save_reconstruction(person, tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz", allow_pickle=False) as data:
        stored = {key: data[key] for key in data.files if not key.startswith("pose_dirs")}
    np.savez(tmp_path / "old.npz", **stored)
    assert load_reconstruction(tmp_path / "old.npz").pose_dirs.shape == (0, 3, 9)


def test_no_pickle_in_the_file(person: Reconstruction, tmp_path: Path) -> None:
    save_reconstruction(person, tmp_path / "person_0.npz")
    with np.load(tmp_path / "person_0.npz", allow_pickle=False) as data:
        assert all(data[key].dtype != object for key in data.files)


def test_nothing_half_written_remains(person: Reconstruction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space"):
        save_reconstruction(person, tmp_path / "person_0.npz")
    assert list(tmp_path.iterdir()) == []
