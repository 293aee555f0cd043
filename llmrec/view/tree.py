"""The names as a tree: a sunburst or a treemap, a ring or a nesting for each piece, cut where it would drown.

Where it stands: after the names; whoever draws gives paths of pieces, so that Tokens and subwords are drawn alike.
What it does not know: how names are read, user interfaces.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from llmrec.contracts import Piece
from llmrec.ids.health.grouping import labels
from llmrec.view.palette import frame, pale, palette

Shape = Literal["sunburst", "treemap"]
ROOT, OTHER = "all", "~"
LIMIT = 2500  # nodes that a browser draws at once
FIRST = 80  # children of the root that are drawn in any case
BREADTHS = (LIMIT, 1000, 300, 120, 60, 30, 14, 8, 5, 3, 1)  # children of any other node: the widest that stays within the limit


@dataclass(frozen=True)
class Paths:
    """Names as paths from the left. ids: (n, depth) int64, one number per piece, -1 after a name's end; pieces: what each number spells;
    tones: its place in the palette, None for text."""

    ids: NDArray[np.int64]
    pieces: dict[int, Piece]
    tones: dict[int, int | None]

    def under(self, node: str) -> NDArray[np.int64]:
        """Rows below a node of the tree, the ones that end at it included; ValueError where the node is none."""
        steps = _steps(node)
        rows = np.ones(len(self.ids), dtype=bool)
        if len(steps) > self.ids.shape[1]:
            raise ValueError(f"{node!r:.80} is deeper than any name: choose a node of the tree")
        for place, step in enumerate(steps):
            rows &= self.ids[:, place] == step
        return np.flatnonzero(rows)

    def spell(self, node: str) -> tuple[Piece, ...]:
        """The pieces from the root to a node."""
        return tuple(self.pieces.get(step, "?") for step in _steps(node))


def breadth(paths: Paths, depth: int, limit: int = LIMIT) -> tuple[int, ...]:
    """How many children are drawn under the root and under any other node, so that there are about `limit` nodes at most."""
    counts = []
    for level in range(min(depth, paths.ids.shape[1])):
        going = paths.ids[paths.ids[:, level] >= 0, : level + 1]
        label, n = labels(going)
        if not n:
            break
        first = np.unique(label, return_index=True)[1]
        parent, n_parents = labels(going[first][:, :level]) if level else (np.zeros(n, dtype=np.int64), 1)
        counts.append(np.bincount(parent, minlength=n_parents))
    for most in BREADTHS:
        if sum(int(np.minimum(c, most + 1).sum()) for c in counts) <= limit:
            return (max(FIRST, most), most)
    return (FIRST, 1)


def tree_table(paths: Paths, weights: NDArray[np.int64] | None = None, depth: int = 2, most: tuple[int, ...] | None = None) -> pd.DataFrame:
    """One row per drawn node, parents before children: columns node, parent, piece, level, tone, bearers, weight, hidden.

    weights: (n,) what sizes a bearer, or None to count each once. Under a node only the largest `most[level]` children are drawn, by
    default as many as `breadth` says; the others are one node whose id ends in OTHER and whose `hidden` says how many branches it is.
    """
    n, most = len(paths.ids), breadth(paths, depth) if most is None else most
    weight = np.ones(n, dtype=np.int64) if weights is None else weights
    rows: list[tuple[str, str, str, int, float, int, int, int]] = [(ROOT, "", "", 0, np.nan, n, int(weight.sum()), 0)]
    open_nodes: dict[str, NDArray[np.int64]] = {ROOT: np.arange(n)}
    for level in range(min(depth, paths.ids.shape[1])):
        below: dict[str, NDArray[np.int64]] = {}
        for parent, members in open_nodes.items():
            for node, step, inside, hidden in _children(paths.ids[:, level], parent, members, weight, _most(most, level)):
                tone = None if step is None else paths.tones.get(step)
                spelled = f"{hidden:,} others" if step is None else str(paths.pieces.get(step, "?"))
                sizes = (len(inside), int(weight[inside].sum()))
                rows.append((node, parent, spelled, level + 1, np.nan if tone is None else float(tone), *sizes, hidden))
                if step is not None:
                    below[node] = inside
        open_nodes = below
    return pd.DataFrame(rows, columns=["node", "parent", "piece", "level", "tone", "bearers", "weight", "hidden"])


def tree(table: pd.DataFrame, pieces_are_tokens: bool, shape: Shape = "sunburst", root: str = "all", dark: bool = False) -> go.Figure:
    """The figure of `tree_table`. A click zooms in the browser; its event carries the node as `id`."""
    colours = palette(dark)
    fills = [_fill(tone, level, hidden, dark) for tone, level, hidden in zip(table["tone"], table["level"], table["hidden"], strict=True)]
    spelled = [root if level == 0 else piece for piece, level in zip(table["piece"], table["level"], strict=True)]
    written = [html.escape(str(piece).strip()[:40] or "(blank)") for piece in spelled]
    given = {
        "ids": table["node"],
        "parents": table["parent"],
        "labels": written,
        "values": table["weight"],
        "customdata": table[["bearers"]].to_numpy(),
        "branchvalues": "total",
        "marker": {"colors": fills, "line": {"color": colours.ground, "width": 1 if len(table) < 400 else 0 if pieces_are_tokens else 0.5}},
        "hovertemplate": "%{label}<br>%{customdata[0]:,} bearers · size %{value:,} · %{percentRoot:.1%} of all<extra></extra>",
        "sort": True,
    }
    # no colour of its own: the figure takes whichever of black and white is read better on each fill
    font = {"family": "Source Code Pro, ui-monospace, monospace" if pieces_are_tokens else "Source Sans, sans-serif"}
    if shape == "sunburst":
        trace: go.Sunburst | go.Treemap = go.Sunburst(**given, insidetextorientation="radial", insidetextfont=font, leaf={"opacity": 1})
    else:
        trace = go.Treemap(**given, textfont=font, tiling={"pad": 2}, pathbar={"thickness": 22}, root={"color": "rgba(0,0,0,0)"})
    figure = go.Figure(trace, layout=frame(dark))
    return figure.update_layout(
        title="Names as a tree", margin={"l": 0, "r": 0, "t": 28, "b": 4}, uniformtext={"minsize": 9, "mode": "hide"}
    )


def _steps(node: str) -> list[int]:
    if node == ROOT:
        return []
    parts = node.split("/")
    if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        raise ValueError(f"{node!r:.80} is no node of the tree: choose one that is drawn")
    return [int(part) for part in parts]


def _children(
    column: NDArray[np.int64], parent: str, members: NDArray[np.int64], weight: NDArray[np.int64], most: int
) -> list[tuple[str, int | None, NDArray[np.int64], int]]:
    """(node, its number or None for the others, who is below, how many branches it hides), the largest first."""
    going = members[column[members] >= 0]
    steps, which = np.unique(column[going], return_inverse=True)
    sizes = np.bincount(which, weights=weight[going], minlength=len(steps))
    order = np.argsort(-sizes, kind="stable")
    stem = "" if parent == ROOT else f"{parent}/"
    if len(order) <= most + 1:  # one hidden branch alone is as well drawn
        kept, rest = order, order[:0]
    else:
        kept, rest = order[:most], order[most:]
    found: list[tuple[str, int | None, NDArray[np.int64], int]] = [
        (f"{stem}{int(steps[s])}", int(steps[s]), going[which == s], 0) for s in kept
    ]
    if len(rest):
        found.append((f"{stem}{OTHER}", None, going[np.isin(which, rest)], len(rest)))
    return found


def _most(most: tuple[int, ...], level: int) -> int:
    return most[min(level, len(most) - 1)]


def _fill(tone: float, level: int, hidden: int, dark: bool) -> str:
    colours = palette(dark)
    if level == 0:
        return "rgba(0,0,0,0)"
    if hidden or np.isnan(tone):
        return pale(colours.missing, 0.45 if hidden else max(0.35, 1.0 - 0.25 * (level - 1)), dark)
    return pale(colours.categories[int(tone)], max(0.3, 0.85 - 0.28 * (level - 1)), dark)
