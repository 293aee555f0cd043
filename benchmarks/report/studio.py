"""The tables of docs/studio.md: the budgets of the pages, and what was measured in a real browser.

Where it stands: beside the book's chapters, over benchmarks/measured/studio.json. What it does not know: how a sample was taken.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import means
from benchmarks.studio.acts import ACTS, BARE, FIRST, PAGES, Act
from benchmarks.studio.grounds import GROUNDS

MEASURED = Path(__file__).resolve().parents[1] / "measured" / "studio.json"
SHOWN: dict[str, Act] = {"first": FIRST, "first visits": ACTS["first visits"], "switch": ACTS["switch"], "bare": BARE, **ACTS}
Kept = dict[str, Any]


def kept() -> Kept:
    """The file, or an empty one where nothing was measured yet."""
    return dict(json.loads(MEASURED.read_text(encoding="utf-8"))) if MEASURED.exists() else {"data": {}}


def budgets(file: Kept | None = None) -> str:
    """Every act with its budget, and on each data set the median, the worst and how many samples; bold where the median keeps it."""
    file = kept() if file is None else file
    there = [ground for ground in GROUNDS if ground.name in file["data"]]
    lines = []
    for key, act in SHOWN.items():
        cells = [_cell(_seconds(file, ground.name, key), act.budget) for ground in there]
        if any(cells):
            lines.append([act.title, "" if act.budget is None else f"{act.budget:g} s", *(cell or "" for cell in cells)])
    return means.markdown(("", "budget", *(ground.title for ground in there)), lines)


def switches(file: Kept | None = None) -> str:
    """Page switches and first visits by the page that was opened."""
    file = kept() if file is None else file
    columns = [(ground, key) for ground in GROUNDS for key in ("switch", "first visits") if file["data"].get(ground.name, {}).get(key)]
    lines = [[page, *(_cell(_seconds(file, ground.name, key, page), ACTS[key].budget) or "" for ground, key in columns)] for page in PAGES]
    head = [f"{ground.title}, {'again' if key == 'switch' else 'first visit'}" for ground, key in columns]
    return means.markdown(("to", *head), lines)


def machine(file: Kept | None = None) -> str:
    """What it was measured on, in one line."""
    file = kept() if file is None else file
    if "machine" not in file:
        return "Nothing was measured yet."
    where, versions = file["machine"], file["versions"]
    days = sorted({act["when"] for acts in file["data"].values() for act in acts.values()})
    size = file["settings"]["window"]
    return (
        f"{where['cpu']}, {where['cores']} cores, {where['memory_gib']} GiB; Python {versions['python']}, torch {versions['torch']}; "
        f"window {size['width']} × {size['height']}; {' and '.join(dict.fromkeys((days[0], days[-1])))}."
    )


def _seconds(file: Kept, data: str, key: str, what: str | None = None) -> list[float]:
    act = file["data"].get(data, {}).get(key)
    return [] if act is None else [float(took) for about, took in act["samples"] if what is None or about == what]


def _cell(took: Sequence[float], budget: float | None) -> str:
    if not took:
        return ""
    median = statistics.median(took)
    said = f"{median:.2f}" if budget is None or median > budget else f"**{median:.2f}**"
    return f"{said} ({max(took):.2f}; {len(took)})"
