"""The beam as a tree and the followed item's way through it, each with its table.

Where it stands: under `choosing`, for runs with the trie head. What it does not know: Streamlit.

A name of two pieces and one of thirty are drawn by one rule: all that the beam kept while names are short; where they are long, what led
to the items found, and the best of the rest.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from app import exhibits
from app.seam.values import Exhibit
from app.xray.asking import Asked
from llmrec.recommend.trace.beam import Beam, Depth
from llmrec.recommend.trace.looking import Trace
from llmrec.view import beam as drawing

FOUND, CUT, SHORT = 10, 5, 5  # items and cut ways drawn; names up to this long are drawn in full


def tree(given: Asked, trace: Trace, beam: Beam, dark: bool) -> Exhibit:
    """The search as it went."""
    exact = beam.exact
    ends = {int(exact.tree.last[int(i)]): int(i) for i in trace.items[:FOUND]}
    mine = set(exact.path(int(exact.tree.last[trace.target]))) if trace.target is not None and not trace.barred else set()
    led = {node for end in ends for node in exact.path(end)}
    twigs, rows = [], []
    for number, depth in enumerate(beam.depths, 1):
        for at in _drawn(depth, number, led | mine, exact.tree.depth <= SHORT):
            node, total = int(depth.nodes[at]), float(depth.totals[at])
            end = int(depth.ends[at])
            if end >= 0 and end not in ends.values() and end != trace.target:
                continue
            state = "found" if end >= 0 else "kept" if depth.kept[at] else "cut"
            bit, below = given.bit(int(exact.row(np.asarray([node]))[0])), int(exact.tree.below[node])
            rank = int((depth.ends[:at] < 0).sum()) + 1
            title, about = _about(given, trace, end, rank, depth, below)
            parent = int(exact.parent[node])
            twigs.append(drawing.Twig(node, parent, number, bit.text, bit.tone, total, state, node in mine, title, about))  # type: ignore[arg-type]
            rows.append(_row(given, trace, beam, node, number, total, state, rank if end < 0 else None, node in mine))
    twigs += _missed(given, beam, mine, {t.node for t in twigs})
    figure = drawing.beam(twigs, dark)
    caption = (
        f"The beam keeps the {beam.width} best beginnings at each piece (dots); crosses were cut, diamonds are whole names. "
        f"Drawn are the first {min(FOUND, len(trace.items))} of {len(trace.items):,} items found"
        + (", and the followed item's way, thick." if mine else ".")
    )
    return Exhibit(
        "beam", "The beam as a tree of names", caption, pd.DataFrame(rows), exhibits.dressed(figure, max(320, drawing.height(figure)))
    )


def way(given: Asked, beam: Beam) -> Exhibit:
    """The followed name piece by piece, with what the beam asked of it."""
    rows = []
    for number, pace in enumerate(beam.path, 1):
        depth = beam.depths[number - 1] if number <= len(beam.depths) else None
        rows.append(
            {
                "piece": number,
                "written": given.written(pace.row),
                "probability": float(np.exp(pace.step)),
                "log p so far": pace.total,
                "place in the beam's step": pace.rank,
                "candidates": depth.n_open if depth is not None and pace.rank is not None else None,
                "the beam's cut": depth.cut if depth is not None and pace.rank is not None and np.isfinite(depth.cut) else None,
                "kept": "yes" if pace.kept else "no",
            }
        )
    table = pd.DataFrame(rows).astype({"place in the beam's step": "Int64", "candidates": "Int64"})
    total = beam.path[-1].total
    caption = f"Exact, by reading the name itself: its pieces sum to log p {total:.2f}, a probability of {np.exp(total):.2g}."
    return Exhibit("way", "The followed name, piece by piece", caption, table)


def _drawn(depth: Depth, number: int, wanted: set[int], short: bool) -> list[int]:
    """Which candidates of a step are drawn, best first."""
    led = np.isin(depth.nodes, list(wanted))
    open_cut = np.flatnonzero((depth.ends < 0) & ~depth.kept)[: CUT if short or number <= 2 else 0]
    kept = np.flatnonzero(depth.kept)
    kept = kept if short else kept[: FOUND if number <= 2 else 0]
    return sorted({*np.flatnonzero(led).tolist(), *open_cut.tolist(), *kept.tolist()})


def _about(given: Asked, trace: Trace, end: int, rank: int, depth: Depth, below: int) -> tuple[str, tuple[str, ...]]:
    if end >= 0:
        place = np.flatnonzero(trace.items == end)
        return given.title(end), (f"place {int(place[0]) + 1:,}",) if len(place) else ()
    return "", (f"{rank:,} of {depth.n_open:,} at this piece", f"{below:,} item{'s' if below > 1 else ''} below")


def _row(
    given: Asked, trace: Trace, beam: Beam, node: int, number: int, total: float, state: str, rank: int | None, mine: bool
) -> dict[str, object]:
    rows = beam.exact.row(np.asarray(beam.exact.path(node)))
    end = int(beam.exact.tree.leaf[node])
    return {
        "piece": number,
        "name so far": " ".join(given.written(int(row)) for row in rows),
        "log p": total,
        "rank": rank,
        "state": state,
        "items below": int(beam.exact.tree.below[node]),
        "item": given.title(end) if end >= 0 else "",
        "followed": mine,
    }


def _missed(given: Asked, beam: Beam, mine: set[int], drawn: set[int]) -> list[drawing.Twig]:
    """What of the followed way the beam never looked at: after it was lost."""
    out = []
    for number, (node, pace) in enumerate(zip(sorted(mine), beam.path, strict=False), 1):
        if node not in drawn:
            bit = given.bit(pace.row)
            about = ("never looked at: the way there was cut",)
            parent, end = int(beam.exact.parent[node]), int(beam.exact.tree.leaf[node])
            title = given.title(end) if end >= 0 else ""
            out.append(drawing.Twig(node, parent, number, bit.text, bit.tone, pace.total, "cut", True, title, about))
    return out
