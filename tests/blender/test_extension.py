"""The built extension, installed, in every supported Blender."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from _environment import ALIASES
from _gltf_validator import gltf_validator
from PIL import Image
from synthetic import IMAGE_SIZE, random_person

if TYPE_CHECKING:
    from conftest import Blender

pytestmark = pytest.mark.blender
ROOT = Path(__file__).resolve().parents[2]


def turned_photo(path: Path) -> Path:
    """A photo stored on its side with the EXIF rotation that makes its red half the upper one."""
    width, height = IMAGE_SIZE
    upright = Image.new("RGB", (width, height), (0, 0, 255))
    upright.paste((255, 0, 0), (0, 0, width, height // 2))
    tags = Image.Exif()
    tags[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=tags)
    return path


def test_importer_is_exact(blender: Blender, tmp_path: Path) -> None:
    output = blender.check("importer", str(turned_photo(tmp_path / "turned.jpg")))
    assert "ok check_speed" in output


def test_the_rig_in_use(blender: Blender) -> None:
    assert "ok check_correctives" in blender.check("rig")


def test_a_control_rig_by_rigify(blender: Blender) -> None:
    blender.check("control_rig")


def test_operators_against_the_fake_backend(blender: Blender) -> None:
    blender.check("operators", *([] if blender.name == ALIASES["blender"] else ["--brief"]))


def test_the_backend_manager_in_blender(blender: Blender) -> None:
    blender.check("manager")


def save_people(folder: Path, *seeds: int) -> None:
    for index, seed in enumerate(seeds):
        arrays, facts = random_person(seed)
        np.savez_compressed(folder / f"person_{index}.npz", **arrays, **{k: np.asarray(v) for k, v in facts.items()})


def validated(path: Path) -> dict[str, Any]:
    command = [*gltf_validator(), str(path)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout)


def test_scenes_are_written_and_the_glb_is_valid(blender: Blender, tmp_path: Path) -> None:
    save_people(tmp_path, 21, 22)
    photo = ROOT / "examples" / "astronaut.png"
    script = str(ROOT / "scripts" / "export_scene.py")
    answer = blender.run(script, str(tmp_path), "--photo", str(photo), "--formats", "blend,glb")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert sorted(path.name for path in tmp_path.glob("*scene*")) == ["scene.blend", "scene.glb"]
    report = validated(tmp_path / "scene.glb")
    assert report["issues"]["numErrors"] == 0, report["issues"]
    assert report["info"]["hasSkins"]
    assert report["info"]["hasTextures"]
    assert report["info"]["maxInfluences"] == 4
    assert not report["info"]["hasMorphTargets"]


def test_the_glb_with_bodies_is_valid(blender: Blender, tmp_path: Path) -> None:
    save_people(tmp_path, 24)
    script = str(ROOT / "scripts" / "export_scene.py")
    answer = blender.run(script, str(tmp_path), "--formats", "glb", "--body")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    report = validated(tmp_path / "scene.glb")
    assert report["issues"]["numErrors"] == 0, report["issues"]
    assert report["info"]["hasMorphTargets"]
    assert report["info"]["drawCallCount"] == 2


def test_export_says_what_is_wrong(blender: Blender, tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "export_scene.py")
    answer = blender.run(script, str(tmp_path), "--formats", "blend")
    assert answer.returncode == 1
    assert "person_" in answer.stderr
    assert "Traceback" not in answer.stderr
    save_people(tmp_path, 23)
    answer = blender.run(script, str(tmp_path), "--formats", "abc")
    assert answer.returncode == 1
    assert "abc" in answer.stderr
