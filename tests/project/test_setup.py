"""Set-up: what is pinned, what is declared, what starts, and what CI runs agree with each other."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(path: Path) -> dict[str, str]:
    """Name -> version of a requirements file; anything but an exact pin is an error."""
    out = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        said = line.split("#")[0].strip()
        if said:
            name, equals, version = said.partition("==")
            assert equals and re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{path.name}: {said!r} is no exact pin (or carries a build label)"
            assert canonicalize_name(name) not in out, f"{path.name} pins {name} twice"
            out[canonicalize_name(name)] = version
    return out


def test_requirements_pin_exactly_and_satisfy_the_package() -> None:
    pinned = pins(ROOT / "requirements.txt")
    for line in PROJECT["dependencies"]:
        need = Requirement(line)
        assert need.specifier.contains(pinned[canonicalize_name(need.name)]), line


def test_test_requirements_pin_exactly_and_satisfy_the_extra() -> None:
    pinned = pins(ROOT / "tests/requirements.txt")
    for line in PROJECT["optional-dependencies"]["dev"]:
        need = Requirement(line)
        if need.name != "pre-commit":  # for developers' machines; no test needs it
            assert need.specifier.contains(pinned[canonicalize_name(need.name)]), line


def test_no_package_is_pinned_in_both_files() -> None:
    assert set(pins(ROOT / "requirements.txt")) & set(pins(ROOT / "tests/requirements.txt")) == set()


def imported(path: Path) -> set[str]:
    """Top-level names of what a file imports, lazily or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").split(".")[0])
    return names


def test_what_the_package_imports_is_declared() -> None:
    distribution = {"sklearn": "scikit-learn", "umap": "umap-learn", "faiss": "faiss-cpu"}
    declared = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    files = [path for top in ("llmrec", "app") for path in (ROOT / top).rglob("*.py")]
    used = set().union(*map(imported, files)) - {"llmrec", "app", "benchmarks"} - set(sys.stdlib_module_names)
    assert {"torch", "numpy"} <= used
    assert {name for name in used if canonicalize_name(distribution.get(name, name)) not in declared} == set()


def test_the_version_is_said_once_more_only_where_it_must() -> None:
    from llmrec import __version__

    assert PROJECT["dynamic"] == ["version"]
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_ci_runs_make_test_and_nothing_else() -> None:
    lines = [x for x in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines() if x and not x.startswith("#")]
    assert lines == ['cd "$(dirname "$0")/.." && exec make test']
    assert (ROOT / ".ci/run").stat().st_mode & 0o100


def test_procfile_and_make_start_the_same_server() -> None:
    assert "python -m llmrec app" in (ROOT / "Procfile").read_text(encoding="utf-8")
    said = subprocess.run(["make", "--dry-run", "app", "PORT=8777"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(r"-m llmrec app .*--port 8777", said)


def test_a_missing_python_is_explained(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "make", "cat", "cut", "sha256sum", "shasum", "id"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    done = subprocess.run(
        ["make", "venv", f"VENV={tmp_path / 'venv'}"], cwd=ROOT, capture_output=True, text=True, check=False, env={"PATH": str(tools)}
    )
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
