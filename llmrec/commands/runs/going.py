"""How far a run is, as plain values and as one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmrec.runs.store import Run


def going(found: Run, ahead: Mapping[str, int]) -> dict[str, Any]:
    """stub"""
    return {"ahead": ahead.get(found.name), "stage": None, "progress": None, "seconds_left": None}
