"""Why a worker died: told from the kernel's counts, the machine's start and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmrec.runs.queue import deaths


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "boot").write_text("one\n")
    (tmp_path / "vmstat").write_text("nr_free 5\noom_kill 3\noom_kill_other 9\n")
    monkeypatch.setattr(deaths, "BOOT", tmp_path / "boot")
    monkeypatch.setattr(deaths, "COUNTS", ((tmp_path / "vmstat", "oom_kill"), (tmp_path / "absent", "oom_kill")))
    return tmp_path


def remedy() -> str:
    return "set train.batch = 16"


def test_a_count_that_rose_is_want_of_memory_and_names_the_setting(machine: Path) -> None:
    began = deaths.snapshot()
    (machine / "vmstat").write_text("oom_kill 4\n")
    for code in (-9, None):
        death = deaths.explain(began, code, remedy)
        assert death.for_memory
        assert "out of memory" in death.sentence
        assert "train.batch = 16" in death.sentence


def test_another_way_to_die_is_not_taken_for_it(machine: Path) -> None:
    began = deaths.snapshot()
    (machine / "vmstat").write_text("oom_kill 4\n")
    assert not deaths.explain(began, -11, remedy).for_memory
    assert "SIGSEGV" in deaths.explain(began, -11, remedy).sentence
    assert "code 3" in deaths.explain(began, 3, remedy).sentence


def test_a_kill_without_a_count_is_a_kill(machine: Path) -> None:
    began = deaths.snapshot()
    assert deaths.explain(began, -9, remedy) == deaths.Death(False, "its process was killed by SIGKILL")
    assert deaths.explain(began, None, remedy) == deaths.Death(False, "its process was killed")


def test_after_a_restart_counts_say_nothing(machine: Path) -> None:
    began = deaths.snapshot()
    (machine / "boot").write_text("two\n")
    (machine / "vmstat").write_text("oom_kill 400\n")
    death = deaths.explain(began, None, remedy)
    assert not death.for_memory
    assert "restarted" in death.sentence


@pytest.mark.parametrize("began", ["", "{", "[]", "null"])
def test_a_note_that_cannot_be_read_is_a_plain_kill(machine: Path, began: str) -> None:
    assert deaths.explain(began, None, remedy).sentence == "its process was killed"
