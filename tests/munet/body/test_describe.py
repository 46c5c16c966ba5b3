from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from munet.body.describe import describe, gender_of, main
from munet.errors import BodyFileError


def smpl_like(path: Path, joints: int, directions: int) -> Path:
    count = 12
    rows = np.random.default_rng(0)
    np.savez(
        path,
        v_template=rows.normal(size=(count, 3)),
        shapedirs=rows.normal(size=(count, 3, directions)),
        posedirs=np.zeros((count, 3, 9 * (joints - 1))),
        J_regressor=np.full((joints, count), 1 / count),
        weights=np.full((count, joints), 1 / joints),
        kintree_table=np.zeros((2, joints), np.int64),
        f=np.array([[0, 1, 2]]),
    )
    return path


@pytest.mark.parametrize(
    ("name", "joints", "directions", "expected"),
    [
        ("SMPL_FEMALE.npz", 24, 10, ("SMPL", "female", 10)),
        ("basicmodel_m_lbs_10_207_0_v1.1.0.npz", 24, 300, ("SMPL", "male", 300)),
        ("neutral/model.npz", 52, 16, ("SMPL-H", "neutral", 16)),
        ("SMPLX_NEUTRAL.npz", 55, 400, ("SMPL-X", "neutral", 300)),
        ("mine.npz", 55, 20, ("SMPL-X", "gender unknown", 10)),
    ],
)
def test_a_file_is_described(tmp_path: Path, name: str, joints: int, directions: int, expected: tuple) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    facts = describe(smpl_like(path, joints, directions))
    assert (facts["kind"], facts["gender"], facts["betas"]) == expected
    assert facts["vertices"] == 12


def test_why_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "MANO_LEFT.npz"
    smpl_like(wrong, 16, 10)
    assert main([str(wrong)]) == 0
    assert "skeleton" in json.loads(capsys.readouterr().out)["refused"]
    with pytest.raises(BodyFileError, match="can not be read"):
        describe(tmp_path / "gone.npz")
    assert main([]) == 2
    assert gender_of(tmp_path / "basicModel_f_lbs.pkl") == "female"


def test_torch_is_not_needed(tmp_path: Path) -> None:
    code = "import sys, munet.body.describe as d; d.main(sys.argv[1:]); assert 'torch' not in sys.modules"
    path = smpl_like(tmp_path / "SMPL_MALE.npz", 24, 10)
    answer = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(answer.stdout)["gender"] == "male"
