"""A home with one small run, trained for real, and the real backend over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.backend import Backend
from tests.browser import small_run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_HOME", str(folder))
        small_run.train(folder / "runs")
    return folder


@pytest.fixture
def backend(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setenv("LLMREC_HOME", str(home))
    monkeypatch.setenv("LLMREC_RUNS", str(home / "runs"))
    made = Backend()
    yield made
    made.close()
