"""The rules of the house that no other check knows: direction of imports, size of files, what may not be committed."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("munet", "backend", "blender_addon")
FORBIDDEN = {
    "munet": {"zmq", "bpy", "mathutils", "backend", "blender_addon"},
    "backend": {"bpy", "mathutils", "blender_addon"},
    "blender_addon": {"torch", "scipy", "cv2", "munet"},
}
CLIENT_HALF = ("backend/__init__.py", "backend/protocol", "backend/client")
CLIENT_MAY_IMPORT = sys.stdlib_module_names | {"numpy", "zmq", "backend"}
MOST_LINES = 400
MACHINE_PATHS = re.compile(r"""(?<![\w.~}])(/root|/home/\w+|/work/|/opt/(?!homebrew)|/Users/\w+|[A-Z]:\\Users)""")
PACKAGE_HOSTS = re.compile(r"pypi\.org|pythonhosted|npmjs\.(com|org)|download\.pytorch|index-url", re.IGNORECASE)


def tracked_files() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("this is not a git working tree")
    files = (ROOT / name for name in listed.stdout.splitlines())
    return [path for path in files if path.is_file()]


def python_files(*places: str) -> list[Path]:
    found = [ROOT / place for place in places]
    return sorted(file for path in found for file in (path.rglob("*.py") if path.is_dir() else [path]))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> set[str]:
    """Top-level names of every absolute import of a file, those inside functions too."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_in_one_direction(package: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): bad
        for path in python_files(package)
        if (bad := imported(path) & FORBIDDEN[package])
    }
    assert not wrong


def test_client_half_needs_only_what_blender_has() -> None:
    wrong = {
        str(path.relative_to(ROOT)): bad
        for path in python_files(*CLIENT_HALF)
        if (bad := imported(path) - CLIENT_MAY_IMPORT)
    }
    assert not wrong


def test_client_half_does_not_import_the_other_half() -> None:
    others = re.compile(r"\bbackend\.(?!protocol\b|client\b)\w+")
    wrong = []
    for path in python_files(*CLIENT_HALF):
        for node in ast.walk(tree(path)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [f"{path.name}: {name}" for name in modules if others.match(name)]
    assert not wrong


def test_files_are_short_enough_to_read() -> None:
    places = [*PACKAGES, "scripts", "tests", "benchmarks", "build_addon.py"]
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files(*places)
    }
    assert not {name: lines for name, lines in lengths.items() if lines >= MOST_LINES}


def test_no_two_test_files_share_a_name() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT)) for path in python_files(*PACKAGES, "scripts") if not ast.get_docstring(tree(path))
    ]
    assert not silent


def unsafe_calls(path: Path) -> list[str]:
    """Calls that can run code out of a data file."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return [f"{path.relative_to(ROOT)}:{call.lineno} {problem}" for call in calls if (problem := unsafe(call))]


def unsafe(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name in {"pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "eval", "exec"}:
        return name
    if name == "torch.load" and keywords.get("weights_only") != "True":
        return "torch.load without weights_only=True"
    return "allow_pickle" if keywords.get("allow_pickle", "False") != "False" else ""


def test_data_files_can_not_run_code() -> None:
    assert not [problem for path in python_files(*PACKAGES, "scripts") for problem in unsafe_calls(path)]


def test_unpicklers_are_restricted() -> None:
    for path in python_files(*PACKAGES):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef) and any("Unpickler" in ast.unparse(base) for base in node.bases):
                assert "find_class" in {item.name for item in node.body if isinstance(item, ast.FunctionDef)}, path


def test_nothing_names_one_machine_or_one_package_host() -> None:
    wrong = []
    for path in tracked_files():
        if path == Path(__file__) or path.name == "LICENSE":
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        hits = [*MACHINE_PATHS.finditer(text), *PACKAGE_HOSTS.finditer(text)]
        wrong += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in hits]
    assert not wrong


def test_requirements_are_exact() -> None:
    exact = re.compile(r"[\w.-]+==[\w.]+(; .+)?")
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        if path.name == "gltf-validator.txt":
            continue
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        assert [line for line in lines if not exact.fullmatch(line)] == [], path.name


def test_requirements_meet_the_declared_dependencies() -> None:
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements" / "backend.txt").read_text(encoding="utf-8").splitlines()
    locked = dict(line.split(";")[0].strip().lower().split("==") for line in lines if "==" in line)
    for requirement in map(Requirement, project["dependencies"]):
        assert requirement.specifier.contains(locked[requirement.name.lower()]), requirement


def test_licence_is_there() -> None:
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_every_example_photo_has_its_source_and_licence() -> None:
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    rows = {cells[0].strip(): cells for line in table.splitlines() if len(cells := line.strip("| ").split("|")) == 3}
    photos = {path.name for path in (ROOT / "examples").iterdir() if path.suffix in {".jpg", ".jpeg", ".png", ".webp"}}
    assert photos <= rows.keys()
    assert all(rows[photo][2].strip() for photo in photos)


def test_ci_runs_the_command_of_the_readme() -> None:
    assert "python scripts/test.py" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "scripts/test.py" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_links_between_documents_lead_somewhere() -> None:
    documents = [path for path in tracked_files() if path.suffix == ".md"]
    wrong = []
    for path in documents:
        for link, _, anchor in re.findall(r"\]\(([^)#:\s]*)(#([^)]+))?\)", path.read_text(encoding="utf-8")):
            target = path.parent / link if link else path
            if not target.exists() or (anchor and anchor not in anchors(target)):
                wrong.append(f"{path.name}: {link}#{anchor}")
    assert wrong == []


def anchors(document: Path) -> set[str]:
    """What headings of a document are called in links to them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def test_every_key_of_the_result_is_documented() -> None:
    source = tree(ROOT / "munet" / "reconstruction.py")
    (result,) = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == "Reconstruction"]
    keys = {
        item.target.id for item in result.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    documented = set(
        re.findall(r"^\| `([a-z]\w*)`", (ROOT / "docs" / "result-format.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    motion = (ROOT / "munet" / "sequence" / "motion.py").read_text(encoding="utf-8")
    of_clips = set(re.findall(r'^            "(\w+)": self', motion, re.MULTILINE)) | {"fps", "still"}
    assert {"pose_sequence", "translation_sequence"} <= of_clips
    assert keys | of_clips == documented & (keys | of_clips)
    assert documented - keys - of_clips <= {"scene", "preview", "report", "warning_codes"}


def test_every_data_file_model_file_and_locked_package_is_in_the_licences() -> None:
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    files = json.loads((ROOT / "munet" / "assets" / "models.json").read_text(encoding="utf-8"))["files"]
    wanted = {f"`{file['member'].rsplit('/', 1)[-1]}` | {file['package']} {file['version']}" for file in files}
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        names = [line.split("==")[0] for line in path.read_text(encoding="utf-8").splitlines() if "==" in line]
        wanted |= {re.sub(r"-\d.*", "", name) for name in names}
    data = {path for folder in ("munet/assets", "munet/training/assets") for path in (ROOT / folder).iterdir()}
    wanted |= {f"`{path.relative_to(ROOT).as_posix()}`" for path in data if path.suffix in {".npz", ".safetensors"}}
    assert [name for name in sorted(wanted) if name not in text] == []
