"""What tests of commands share: a home of their own; and for `llmrec runs` and `llmrec train` one place, slow workers, somebody at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmrec import home
from llmrec.runs import events, status, store
from llmrec.runs.store import Run
from tests.runs.queue.line import slow_workers
from tests.runs.worlds import board


@pytest.fixture(scope="module", name="home")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for all tests of a module."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cache and runs lie there."""
    monkeypatch.setenv("LLMREC_HOME", str(home))
    monkeypatch.setenv("LLMREC_RUNS", str(home / "runs"))


@pytest.fixture(autouse=True)
def quiet(tidy: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One place, slow workers, an empty cache."""
    monkeypatch.setenv("LLMREC_SLOTS", "1")
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    slow_workers(tmp_path, monkeypatch, steps=3)


@pytest.fixture
def busy() -> Iterator[Run]:
    """Somebody works in the only place there is, at step 5 of 10."""
    home.runs().mkdir(parents=True, exist_ok=True)
    first = store.create(board(), executor="local")
    status.write(first.path, "running")
    for event in (
        {"event": "start", "resumed": False},
        {"event": "stage", "stage": "training", "state": "begin"},
        {"event": "step", "phase": "fine-tuning", "step": 5, "steps": 10, "loss": 2.5, "seconds_left": 40.0, "progress": 0.5},
    ):
        events.append(first.path / "events.jsonl", event)
    with status.held(first.path):
        yield first
        status.write(first.path, "done")
