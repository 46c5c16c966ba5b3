"""The command from its options to its files, on people made beforehand."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from munet.network import Topology, load_munet
from munet.training import loop
from munet.training.people import People
from munet.training.stages import PLANS, Plan

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "train.py"


@pytest.fixture
def train(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, people: People, topology: Topology, tmp_path: Path
) -> Callable[..., int]:
    spec = importlib.util.spec_from_file_location("munet_train_command", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(PLANS, "tiny", plan)
    monkeypatch.setattr(loop, "network_topology", lambda *_: topology)
    monkeypatch.setattr(module, "people_of", lambda *_: people)

    def run(*options: str) -> int:
        usual = ["--config", "tiny", "--device", "cpu", "--folder", str(tmp_path), "--validate-people", "2"]
        monkeypatch.setattr(sys, "argv", ["train.py", *usual, *options])
        return int(module.main())

    return run


def test_the_command_goes_on_and_finishes(
    train: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--minutes", "0") == 0
    assert "Step 0 of 6" in capsys.readouterr().out
    assert train("--log-every", "3", "--samples", "5") == 1
    assert "another plan" in capsys.readouterr().err
    assert train("--log-every", "3") == 0
    assert "Step 6 of 6" in capsys.readouterr().out
    card = json.loads((tmp_path / "munet-tiny.json").read_text())
    assert card["complete"]
    assert card["metrics_val"]["fitted.joints_mm"] > 0
    assert load_munet(tmp_path / "munet-tiny.safetensors").config.name == "tiny"


def test_tensorboard_is_optional(
    train: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert train("--minutes", "0", "--tensorboard") == 1
    assert "pip install tensorboard" in capsys.readouterr().err
