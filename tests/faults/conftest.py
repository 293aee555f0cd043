"""Nothing that a test of faults started outlives it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmrec.runs.queue import dispatch, keeper


@pytest.fixture(autouse=True)
def tidy(hermetic: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No keeper unless a test wants one, and every process that works in the test's folder is killed in the end."""
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    monkeypatch.setenv("LLMREC_SLOTS", "1")
    yield
    mark = f"LLMREC_RUNS={tmp_path / 'runs'}".encode()
    for _ in range(3):  # one that is killed may have started another an instant before
        for process in Path("/proc").iterdir():
            if not process.name.isdecimal() or int(process.name) == os.getpid():
                continue
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue
    for child in [child for _, child in dispatch._children] + keeper._children:
        child.kill()
        child.wait()
    dispatch._children.clear()
    keeper._children.clear()
