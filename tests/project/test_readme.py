"""The README's promises: its links lead somewhere, its commands run, its recipes load."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmrec.__main__ import parser
from tests.project.tree import ROOT, tracked

README = (ROOT / "README.md").read_text(encoding="utf-8")
# `make app` and `make test` cannot run inside `make test`: the browser test does what the first ends with, this run is the second.
MAKE = {"make app", "make test"}

# The README's recipe file, small enough to run in seconds; data, scheme and head are those of the real one.
TINY = """
seed = 0
[data]
name = "ml-100k"
[embed]
name = "metapath"
walks_per_node = 2
epochs = 1
[scheme]
name = "metaid"
[lm]
name = "tiny"
[train]
epochs = 1
validations = 1
"""


def commands(text: str) -> list[str]:
    """Every command in a ```bash block, without its comment."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.S)
    lines = [shlex.join(shlex.split(line, comments=True)) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_local_links_lead_to_files() -> None:
    broken = []
    for page in [p for p in tracked() if p.endswith(".md")]:
        text = (ROOT / page).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
            if "://" not in link and not ((ROOT / page).parent / link).exists():
                broken.append(f"{page}: {link}")
    assert broken == []


def test_every_command_is_of_a_kind_that_a_test_runs() -> None:
    said = commands(README)
    assert {c for c in said if c.startswith("make ")} == MAKE
    assert [c for c in said if not c.startswith(("make ", "llmrec "))] == []


def test_make_targets_resolve() -> None:
    for target in sorted(MAKE):
        done = subprocess.run([*target.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_command_line_knows_every_line_of_the_readme() -> None:
    """As far as its parser goes, in this process; what the lines do is the slow test's."""
    said = [shlex.split(c) for c in commands(README) if c.startswith("llmrec ")]
    whole = parser()
    assert len(said) >= 6
    for words in said:
        assert whole.parse_args(words[1:]).command == words[1], shlex.join(words)


@pytest.mark.slow
@pytest.mark.timeout(900)  # more than twenty processes, two trainings and an estimate that measures
def test_the_command_line_of_the_readme_runs(tmp_path: Path) -> None:
    """Each `llmrec` line, word for word and in order, on a recipe that is small."""
    said = [shlex.split(c) for c in commands(README) if c.startswith("llmrec ")]
    assert len(said) >= 6
    for words in said:
        for word in words:
            if word.endswith(".toml"):
                assert (ROOT / word).is_file(), f"{word} does not ship"
                (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / word).write_text(TINY, encoding="utf-8")
    environment = os.environ | {"LLMREC_RUNS": str(tmp_path / "runs"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for words in said:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stderr[-2000:]}"
        assert done.stdout.strip(), f"{shlex.join(words)} prints nothing"


def test_wrong_use_ends_with_code_2_and_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llmrec", "evaluate", str(tmp_path / "no-such-run")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no-such-run" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_help_names_the_two_commands() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "app" in said and "test" in said
