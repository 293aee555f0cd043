"""Nothing that a test of faults started outlives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmrec.runs.queue import dispatch, keeper
from tests.faults.scene import kill_everybody


@pytest.fixture(autouse=True)
def tidy(hermetic: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One slot, no keeper unless a test wants one, and every process that works in the test's folder is killed in the end."""
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    monkeypatch.setenv("LLMREC_SLOTS", "1")
    yield
    kill_everybody()
    for child in [child for _, child in dispatch._children] + keeper._children:
        child.wait()
    dispatch._children.clear()
    keeper._children.clear()
