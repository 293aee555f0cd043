"""The house rules that a machine can check: sizes, names, what is never written, what is never called."""

from __future__ import annotations

import ast
import functools
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.tree import ROOT, tracked

SOURCES = [p for p in tracked() if p.endswith(".py")]
PRODUCT = [p for p in SOURCES if p.startswith(("llmrec/", "app/", "benchmarks/"))]
TEXTS = [p for p in tracked() if not p.endswith((".png", ".svg", ".safetensors", ".parquet", ".npz", ".woff2", ".zip"))]
# Spelled in two halves, so that this file may be searched too.
MACHINE_PATH = re.compile(
    "(?<![\\w.~$}/-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]", "Us" + "ers/[A-Za-z]", "tm" + "p/[a-z]"]) + ")[/\\w]"
)
# Values that are one record by nature, beyond the eight that a constructor may take.
WIDE = {
    "llmrec/recipe.py": {"Recipe": 10},  # one per stage of the flow, a seed, a name
    "llmrec/data/tabular.py": {"TableFile": 10},  # one per column that a file may have
    "llmrec/report/evaluate.py": {"Evaluation": 9},  # a number never travels without its protocol
    "llmrec/lm/names.py": {"NameTree": 9},  # parallel arrays of one tree
    "llmrec/ids/tokenrec.py": {"TokenRec": 9},  # the settings of its quantizer, and which quantizer
    "app/seam/values.py": {"Card": 9},  # what a card shows
}
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {"eval", "exec", "compile"}


def parsed(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), path)


def unsafe(tree: ast.AST) -> Iterator[str]:
    """Each use of a door through which a file becomes code."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            yield from (f"{line}: imports {n}" for n in named if n.split(".")[0] in FORBIDDEN_IMPORTS)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {k.arg: ast.unparse(k.value) for k in node.keywords if k.arg}
            if called in FORBIDDEN_CALLS or called == "os.system":
                yield f"{line}: calls {called}"
            if "trust_remote_code" in given or given.get("allow_pickle", "False") != "False" or given.get("shell") == "True":
                yield f"{line}: {called} with {given}"
            if called == "torch.load" and given.get("weights_only") != "True":
                yield f"{line}: torch.load without weights_only=True"


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


Fields = dict[str, tuple[list[str], set[str]]]  # of a class by name: its bases, and what it is built from besides theirs


def fields(tree: ast.AST) -> Fields:
    """Of every dataclass in a module."""
    found: Fields = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list):
            said = [f for f in node.body if isinstance(f, ast.AnnAssign) and "ClassVar" not in ast.unparse(f.annotation)]
            own = {ast.unparse(f.target) for f in said if "init=False" not in ast.unparse(f)}
            found[node.name] = [ast.unparse(base).split(".")[-1] for base in node.bases], own
    return found


def built_from(name: str, known: Fields) -> set[str]:
    """What a dataclass is built from, inherited fields included."""
    bases, own = known.get(name, ([], set()))
    return own.union(*(built_from(base, known) for base in bases))


def constructors(tree: ast.AST, elsewhere: Fields | None = None) -> Iterator[tuple[str, int]]:
    """How many values each class is built from: the arguments of `__init__`, or the fields of a dataclass and of those it inherits from.

    elsewhere: dataclasses of other modules; where two modules have one of the same name, the module's own counts.
    """
    own = fields(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        init = next((f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None)
        if init is not None:
            yield node.name, len(init.args.args) - 1 + len(init.args.kwonlyargs)
        elif node.name in own:
            yield node.name, len(built_from(node.name, (elsewhere or {}) | own))


@functools.cache
def everywhere() -> Fields:
    return {name: found for path in PRODUCT for name, found in fields(parsed(path)).items()}


@pytest.mark.parametrize("path", SOURCES)
def test_files_and_functions_stay_small(path: str) -> None:
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= 400, "split the file"
    assert [(name, n) for name, n in functions(parsed(path)) if n > 60] == []


def test_half_of_the_files_fit_on_three_screens() -> None:
    assert statistics.median(len((ROOT / p).read_text(encoding="utf-8").splitlines()) for p in PRODUCT) <= 150


@pytest.mark.parametrize("path", PRODUCT)
def test_modules_say_what_they_are_and_build_from_few_values(path: str) -> None:
    tree = parsed(path)
    if tree.body:
        assert ast.get_docstring(tree), f"{path} opens without a docstring"
    wide = {name: n for name, n in constructors(tree, everywhere()) if n > 8}
    assert wide == WIDE.get(path, {}), "group some of these values in a dataclass of their own (or strike the exception that is none)"


@pytest.mark.parametrize("path", PRODUCT)
def test_names_mean_something(path: str) -> None:
    name = Path(path).stem
    assert name not in {"utils", "util", "helpers", "helper", "common", "misc"}, "name the module after what it does"
    assert name in {"__init__", "__main__"} or name not in sys.stdlib_module_names, "the standard library has a module of that name"


@pytest.mark.parametrize("path", PRODUCT)
def test_no_file_becomes_code(path: str) -> None:
    assert list(unsafe(parsed(path))) == []


def test_no_machine_paths_in_what_is_committed() -> None:
    found = []
    for path in TEXTS:
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            if MACHINE_PATH.search(line):
                found.append(f"{path}:{number}: {line.strip()[:100]}")
    assert found == []


def test_the_checks_can_fail() -> None:
    bad = [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "torch.load(f)",
        "np.load(f, allow_pickle=True)",
        "m(n, trust_remote_code=True)",
    ]
    assert [len(list(unsafe(ast.parse(line)))) for line in bad] == [1] * 6
    good = ["import json", "model.eval()", "re.compile('x')", "torch.load(f, weights_only=True)", "np.load(f, allow_pickle=False)"]
    assert list(unsafe(ast.parse("\n".join(good)))) == []
    assert MACHINE_PATH.search("see /ho" + "me/ann/x") and MACHINE_PATH.search('"/ro' + 'ot/x"')
    assert not MACHINE_PATH.search("~/.cache/llmrec and docs/work/x and $HOME/x")
    wide = (
        "class A:\n    def __init__(self, a, b, *, c): ...\n@dataclass(frozen=True)\nclass B:\n    a: int\n    b: int = field(init=False)\n"
    )
    assert list(constructors(ast.parse(wide))) == [("A", 3), ("B", 1)]
    heir = "@dataclass\nclass C(B):\n    a: int\n    c: int\n    d: ClassVar[int] = 1\nclass D(C):\n    ...\n"
    assert list(constructors(ast.parse(wide + heir))) == [("A", 3), ("B", 1), ("C", 2)]
    assert list(constructors(ast.parse(heir), {"B": ([], {"a", "b"})})) == [("C", 3)]  # of a base in another module
