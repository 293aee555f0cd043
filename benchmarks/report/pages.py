"""The pages that show measurements, and where in them each table stands: between two marks, written anew from the files.

Where it stands: last; `python -m benchmarks.report` writes the pages, a test compares them. What it does not know: how a number is made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from benchmarks.report import chapters, claims, schemes, studio, tables

ROOT = Path(__file__).resolve().parents[2]
README, SCHEMES, BOOK, STUDIO = (ROOT / name for name in ("README.md", "docs/schemes.md", "docs/results.md", "docs/studio.md"))
PAGES: dict[Path, dict[str, Callable[[], str]]] = {
    README: {"results": chapters.brief},
    SCHEMES: {"example": schemes.example, "naming": schemes.naming},
    BOOK: {
        "machines": tables.machines,
        "claims": claims.table,
        "proposed": chapters.proposed,
        "levels": functools.partial(chapters.levels, ("ml-100k",)),
        "names": chapters.names,
        "matrix": chapters.matrix,
        "codes": chapters.codes,
        "mutual": chapters.mutual,
        "unseen": chapters.unseen,
        "unseen items": chapters.unseen_items,
        "tasks": chapters.tasks,
        **{data: functools.partial(chapters.of_data, data) for data in ("lastfm", "beauty", "ml-1m")},
        "levels of larger data": functools.partial(chapters.levels, ("lastfm", "beauty", "ml-1m")),
        "ranking": chapters.ranking,
        "speed": chapters.speed,
    },
    STUDIO: {"budgets": studio.budgets, "switches": studio.switches, "machine": studio.machine},
}


def rewritten(page: Path) -> str:
    """A page's text with its tables in their places."""
    text = page.read_text(encoding="utf-8")
    for mark, make in PAGES[page].items():
        begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{page.name} lacks the marks {begin} and {end}")
        text = f"{before}{begin}\n\n{make()}\n\n{end}{after}"
    return text
