"""Schemes and heads: this machine's runs as a matrix with its gaps, and beside it the one out of the results book where that is here.

Where it stands: under `scores`. What it does not know: Streamlit. The book (`benchmarks`) is part of the repository and not of the
installed package: where it lacks, there is no second matrix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.exhibits import dressed
from app.seam.scores import Gap, Matrix
from app.seam.values import Exhibit
from llmrec import registry
from llmrec.report.standings import short
from llmrec.view.matrix import LABELS, Cell, figure, table

REFUSED = Path(__file__).resolve().parents[2] / "benchmarks" / "measured" / "refusals.json"


def matrix(runs: Sequence[Any], metric: str, dark: bool = False) -> Matrix:
    """Both matrices. runs: of one ground, newest first; the newest of a pair stands for it."""
    heads = registry.names("head")
    known = [name for name in registry.names("scheme") if name != "imported"]
    schemes = sorted(known, key=[*LABELS, *known].index)  # as the book has them
    schemes += sorted({str(run.info.get("scheme")) for run in runs} - set(schemes))
    refused = refusals()
    cells: dict[tuple[str, str], Cell] = {}
    for run in runs:
        pair = (str(run.info.get("scheme")), str(run.info.get("head")))
        if pair not in cells and (cell := _cell(run, metric)) is not None:
            cells[pair] = cell
    gaps = [_gap(scheme, head, runs, refused) for scheme in schemes for head in heads if (scheme, head) not in cells]
    filled = len(cells)
    for gap in gaps:
        cells[gap.scheme, gap.head] = Cell(None, note=gap.refused or gap.words)
    caption = (
        f"{short(metric)} on test, seen items masked, of the newest run of each pair on this machine: "
        f"{filled} of {len(schemes) * len(heads)}. Point at a cell for its interval, or for what would fill it."
    )
    own = drawn("matrix", "Names and heads, on this machine", caption, cells, schemes, heads, metric, dark)
    return Matrix(own, tuple(gaps), *shipped(metric, dark))


def shipped(metric: str, dark: bool = False) -> tuple[Exhibit | None, str]:
    """The matrix of the results book with what it was measured by; (None, "") where the book is not here."""
    try:
        from benchmarks.report import chapters, means
        from benchmarks.report.tables import HEADS, SCHEMES
    except ImportError:
        return None, ""
    found = {(scheme, head): chapters.pair(scheme, head) for scheme in SCHEMES for head in HEADS}
    try:
        kept = {key: None if row is None else means.sample(row.name, metric) for key, row in found.items()}
    except (ValueError, OSError):  # the protocol of the page measures what the book's rows do not
        return None, ""
    if not any(kept.values()):
        return None, ""
    refused = refusals()
    cells: dict[tuple[str, str], Cell] = {}
    for (key, one), span in zip(kept.items(), means.spans([*kept.values()]), strict=True):
        row = found[key]
        if one is None or span is None:
            cells[key] = Cell(None, note=f"refused: {refused[key]}" if key in refused else "not measured")
        else:
            cells[key] = Cell(one.mean, span.low, span.high, f"{'' if row is None else row.name}, {_seeds(one.seeds)}")
    most = max(len(one.seeds) for one in kept.values() if one is not None)
    about = (
        f"Shipped measurements, not of this machine: MovieLens-100K, leave-one-out, test, seen items masked, 943 users, the sketch budget, "
        f"means over up to {most} seeds, intervals by bootstrap over users (benchmarks/results, docs/results.md)."
    )
    return drawn("matrix_shipped", "The same out of the results book", about, cells, [*SCHEMES], [*HEADS], metric, dark), about


def refusals() -> dict[tuple[str, str], str]:
    """Pairs that make no sense, with the reason; none known where the repository's files are not here."""
    try:
        said: Mapping[str, str] = json.loads(REFUSED.read_text(encoding="utf-8"))["said"]
    except (OSError, ValueError, KeyError):
        return {}
    return {(pair.partition(" ")[0], pair.partition(" ")[2]): str(why) for pair, why in said.items()}


def _cell(run: Any, metric: str) -> Cell | None:
    report = (run.metrics or {}).get("test", {}).get("masked", {})
    value = report.get("metrics", {}).get(metric)
    if value is None:
        return None
    low, high = report.get("intervals", {}).get(metric, (None, None))
    return Cell(float(value), low, high, f"{run.name}, seed {run.info.get('seed')}")


def _gap(scheme: str, head: str, runs: Sequence[Any], refused: Mapping[tuple[str, str], str]) -> Gap:
    if (scheme, head) in refused:
        return Gap(scheme, head, None, "", f"refused: {refused[scheme, head]}")
    near = next((run.name for run in runs if str(run.info.get("scheme")) == scheme), None)
    if near is not None:
        return Gap(scheme, head, near, f"no run yet: llmrec runs again {near} --set head.name={head}")
    data = str(runs[0].info.get("data"))
    return Gap(
        scheme, head, None, f"no run yet: llmrec train --scheme {scheme} --preset sketch --set data.name={data} --set head.name={head}"
    )


def drawn(
    name: str,
    title: str,
    caption: str,
    cells: Mapping[tuple[str, str], Cell],
    schemes: list[str],
    heads: list[str],
    metric: str,
    dark: bool,
) -> Exhibit:
    """A matrix as a chart with its table."""
    shown = dressed(figure(cells, schemes, heads, short(metric), dark), 60 + 44 * len(schemes))
    return Exhibit(name, title, caption, table(cells, schemes, heads, short(metric)), shown)


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
