"""Files in the official format: the smplx package as the oracle, and files that mean harm."""

from __future__ import annotations

import io
import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csc_matrix

from munet.body.model import BodyModel
from munet.body.safe_pickle import read_pickle
from munet.body.skinning import landmarks_body, pose_body
from munet.body.smpl_files import load_smpl_file
from munet.errors import BodyFileError


def write_npz(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(
        path, **{key: value.astype(np.float32) if value.dtype.kind == "f" else value for key, value in arrays.items()}
    )
    return path


def write_chumpy_pickle(path: Path, arrays: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The official pickle: chumpy arrays, a Select, a sparse regressor, text beside it."""
    names = ("chumpy", "chumpy.ch", "chumpy.reordering")
    modules = {name: types.ModuleType(name) for name in names}
    ch = type("Ch", (), {"__module__": "chumpy.ch"})
    select = type("Select", (), {"__module__": "chumpy.reordering"})
    modules["chumpy.ch"].Ch = ch  # type: ignore[attr-defined]
    modules["chumpy.reordering"].Select = select  # type: ignore[attr-defined]
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)

    def wrapped(value: np.ndarray) -> object:
        box = ch()
        box.__dict__ |= {"x": value, "_dirty_vars": set(), "_itr": None}
        return box

    chosen = select()
    shape = arrays["shapedirs"].shape
    order = np.arange(arrays["shapedirs"].size)
    chosen.__dict__ |= {"a": wrapped(arrays["shapedirs"]), "idxs": order, "preferred_shape": shape}
    content = dict(arrays) | {
        "v_template": wrapped(arrays["v_template"]),
        "weights": wrapped(arrays["weights"]),
        "posedirs": wrapped(arrays["posedirs"]),
        "shapedirs": chosen,
        "J_regressor": csc_matrix(arrays["J_regressor"]),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }
    path.write_bytes(pickle.dumps(content, protocol=2))
    return path


def few_vertices(official: dict[str, Any]) -> dict[str, Any]:
    cut = {key: official[key][:300] for key in ("v_template", "shapedirs", "posedirs", "weights")}
    return official | cut | {"J_regressor": official["J_regressor"][:, :300], "f": official["f"][:100] % 300}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, model: BodyModel, official: dict[str, Any]) -> BodyModel:
    return load_smpl_file(write_npz(tmp_path_factory.mktemp("smpl") / "SMPL_NEUTRAL.npz", official), model)


def oracle(arrays: dict[str, Any], betas: torch.Tensor, pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    smplx = pytest.importorskip("smplx")
    struct = smplx.utils.Struct(**arrays)
    body = smplx.SMPL("", data_struct=struct, batch_size=len(betas), dtype=torch.float64)
    flat = pose.double().reshape(len(betas), -1)
    result = body(betas=betas.double(), global_orient=flat[:, :3], body_pose=flat[:, 3:])
    return result.vertices.detach(), result.joints[:, :24].detach()


@pytest.fixture(scope="module")
def case() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(3, 10, generator=generator), 0.6 * torch.randn(3, 24, 3, generator=generator)


def test_npz_equals_smplx(loaded: BodyModel, official: dict[str, Any], case: tuple[torch.Tensor, torch.Tensor]) -> None:
    body = pose_body(loaded, *case)
    vertices, joints = oracle(official, *case)
    assert float((body.vertices - vertices).abs().max()) < 1e-5
    assert float((body.joints - joints).abs().max()) < 1e-5


def test_chumpy_pickle_equals_smplx(
    tmp_path: Path,
    model: BodyModel,
    official: dict[str, Any],
    case: tuple[torch.Tensor, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_chumpy_pickle(tmp_path / "SMPL_NEUTRAL.pkl", official, monkeypatch)
    monkeypatch.undo()
    loaded = load_smpl_file(path, model)
    assert "chumpy.ch" not in sys.modules
    vertices, _ = oracle(official, *case)
    assert float((pose_body(loaded, *case).vertices - vertices).abs().max()) < 1e-5


def test_default_body_equals_smplx(
    model: BodyModel, official: dict[str, Any], case: tuple[torch.Tensor, torch.Tensor]
) -> None:
    vertices, joints = oracle(official, *case)
    body = pose_body(model, *case)
    assert float((body.vertices - vertices).abs().max()) < 1e-5
    assert float((body.joints[:, :24] - joints).abs().max()) < 1e-5


def test_landmarks_and_bone_ends_are_transferred(loaded: BodyModel, model: BodyModel) -> None:
    found = landmarks_body(loaded, loaded.template[None])
    assert torch.allclose(found, landmarks_body(model, model.template[None]), atol=2e-3)
    assert loaded.joint_names[:24] == model.joint_names[:24]
    assert torch.allclose(loaded.tail_template[[1, 4, 16, 18]], loaded.joint_template[[4, 7, 18, 20]])
    assert loaded.tail_template[22, 0] > loaded.joint_template[22, 0] + 0.05


def test_texture_coordinates_are_transferred(loaded: BodyModel, model: BodyModel) -> None:
    step = (loaded.uv - model.uv).norm(dim=-1).amax(1)
    assert float((step < 2e-3).float().mean()) > 0.98


def test_smplh_file_gets_hands_and_fingers(tmp_path: Path, model: BodyModel, official: dict[str, Any]) -> None:
    joints = [*range(22), *range(24, 54)]
    weights = model.weights.double().numpy()
    merged = weights[:, joints]
    merged[:, 20] += weights[:, 22]
    merged[:, 21] += weights[:, 23]
    wanted = np.concatenate([model.joint_template[joints][:, :, None], model.joint_shape_dirs[joints]], 2)
    known = np.concatenate([official["v_template"][:, :, None], official["shapedirs"]], 2)
    arrays = official | {
        "weights": merged,
        "J_regressor": wanted.reshape(52, -1) @ np.linalg.pinv(known.reshape(len(known), -1)),
        "posedirs": np.concatenate([official["posedirs"][..., :189], np.zeros((len(known), 3, 270))], 2),
        "kintree_table": np.zeros((2, 52), np.uint32),
    }
    loaded = load_smpl_file(write_npz(tmp_path / "smplh.npz", arrays), model)
    assert loaded.joint_count == 54
    assert torch.equal(loaded.parents, model.parents)
    assert torch.allclose(loaded.joint_template[24:], model.joint_template[24:], atol=1e-5)
    pose = torch.zeros(1, 54, 3)
    pose[0, 26] = torch.tensor([0.0, 0, -0.5])
    moved = (pose_body(loaded, torch.zeros(1, 10), pose).vertices[0] - loaded.template).norm(dim=1)
    assert 50 < int((moved > 1e-4).sum()) < 400


class Harmful:
    """Runs a command where it is unpickled carelessly."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch harmed",))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_harmful_pickle_is_refused_before_anything_runs(
    tmp_path: Path, model: BodyModel, protocol: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "SMPL.pkl"
    path.write_bytes(pickle.dumps({"v_template": Harmful()}, protocol=protocol))
    with pytest.raises(BodyFileError, match=r"names .*system"):
        load_smpl_file(path, model)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("builtins", "eval"), ("builtins", "getattr"), ("numpy", "load"), ("numpy.core.multiarray", "fromstring"),
     ("chumpy.ch", "Ch.__class__"), ("os", "system"), ("munet.body.safe_pickle", "read_pickle")],
)  # fmt: skip
def test_only_the_known_names_are_admitted(module: str, name: str) -> None:
    program = b"\x80\x04\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)]) + name.encode()
    with pytest.raises(BodyFileError, match="names"):
        read_pickle(io.BytesIO(program + b"\x93."))


def test_object_arrays_in_npz_go_through_the_same_reader(
    tmp_path: Path, model: BodyModel, official: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    official = few_vertices(official)
    sparse = np.empty((), object)
    sparse[()] = csc_matrix(official["J_regressor"])
    loaded = load_smpl_file(write_npz(tmp_path / "body.npz", official | {"J_regressor": sparse}), model)
    expected = official["J_regressor"] @ official["v_template"]
    assert np.allclose(loaded.joint_template.numpy(), expected, atol=1e-5)
    harmful = np.empty((), object)
    harmful[()] = Harmful()
    with pytest.raises(BodyFileError, match="system"):
        load_smpl_file(write_npz(tmp_path / "harmful.npz", official | {"J_regressor": harmful}), model)
    assert not (tmp_path / "harmed").exists()


def test_incomplete_and_unknown_files_are_refused(tmp_path: Path, model: BodyModel, official: dict[str, Any]) -> None:
    official = few_vertices(official)
    lacking = {key: value for key, value in official.items() if key != "posedirs"}
    with pytest.raises(BodyFileError, match="posedirs"):
        load_smpl_file(write_npz(tmp_path / "a.npz", lacking), model)
    odd = official | {"kintree_table": np.zeros((2, 30), np.uint32)}
    with pytest.raises(BodyFileError, match="skeleton"):
        load_smpl_file(write_npz(tmp_path / "b.npz", odd), model)
    short = official | {"weights": official["weights"][:100]}
    with pytest.raises(BodyFileError, match="weights"):
        load_smpl_file(write_npz(tmp_path / "c.npz", short), model)
    with pytest.raises(BodyFileError, match="ending"):
        load_smpl_file(write_npz(tmp_path / "d.npz", lacking).rename(tmp_path / "d.bin"), model)
    with pytest.raises(BodyFileError, match="read"):
        load_smpl_file(tmp_path / "absent.npz", model)
    (tmp_path / "e.npz").write_bytes(b"PK rubbish")
    with pytest.raises(BodyFileError, match="damaged"):
        load_smpl_file(tmp_path / "e.npz", model)
    (tmp_path / "f.pkl").write_bytes(b"\x80\x02rubbish")
    with pytest.raises(BodyFileError, match="damaged"):
        load_smpl_file(tmp_path / "f.pkl", model)
