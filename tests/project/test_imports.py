"""Every module imports alone, quietly, and `llmrec` without a user interface.

One interpreter loads the heavy libraries once and forgets all modules of ours before each, so that none leans on what another of ours
imported. The pages' modules come last, when the libraries of user interfaces are loaded as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)  # every module of the tree
ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("app/studio.py", "app/views/")  # pages: Streamlit runs them, nobody imports them

ALONE = """
import contextlib, importlib, io, json, sys, threading
HEAVY = ["numpy", "pandas", "scipy.sparse", "sklearn.cluster", "plotly.graph_objects", "torch", "transformers", "peft"]
UIS = ("streamlit", "gradio")
report = {}
of_pages = lambda name: name.startswith("app") and name != "app.backend"
for name in sorted(json.load(sys.stdin), key=of_pages):
    for heavy in [*HEAVY, *(UIS if of_pages(name) else ())]:
        importlib.import_module(heavy)
    for ours in [known for known in sys.modules if known.split(".")[0] in ("llmrec", "app")]:
        del sys.modules[ours]
    said, error, threads = io.StringIO(), "", threading.active_count()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            importlib.import_module(name)
    except BaseException as problem:
        error = f"{type(problem).__name__}: {problem}"
    uis = [ui for ui in UIS if ui in sys.modules]
    report[name] = {"error": error, "said": said.getvalue()[:300], "uis": uis, "threads": threading.active_count() - threads}
json.dump(report, sys.stdout)
"""


def modules() -> list[str]:
    """Dotted names of everything importable under llmrec and app."""
    paths = [p.relative_to(ROOT) for top in ("llmrec", "app") for p in sorted((ROOT / top).rglob("*.py"))]
    kept = [p for p in paths if not p.as_posix().startswith(SCRIPTS)]
    return [".".join(p.with_suffix("").parts).removesuffix(".__init__") for p in kept]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        input=json.dumps(modules()),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "LLMREC_HOME": str(home / "llmrec"), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert not (home / "llmrec").exists(), "a module writes to the cache at import"
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def test_every_module_imports_alone(report: dict[str, dict[str, object]]) -> None:
    assert len(report) > 10
    assert {name: r["error"] for name, r in report.items() if r["error"]} == {}


def test_nothing_happens_at_import(report: dict[str, dict[str, object]]) -> None:
    assert {name: r["said"] for name, r in report.items() if r["said"]} == {}
    assert {name: r["threads"] for name, r in report.items() if r["threads"] and name.startswith("llmrec")} == {}


def test_neither_llmrec_nor_the_backend_imports_a_user_interface(report: dict[str, dict[str, object]]) -> None:
    assert {name: r["uis"] for name, r in report.items() if r["uis"] and (name.startswith("llmrec") or name == "app.backend")} == {}


def test_help_does_not_wait_for_torch() -> None:
    """The command line answers `--help` before any heavy library is loaded."""
    check = "import sys, llmrec.__main__; print([m for m in ('torch', 'transformers', 'streamlit', 'gradio', 'umap') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
