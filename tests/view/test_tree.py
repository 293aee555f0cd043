"""The tree of names: every node's count against a count by hand, and what the cut leaves out is said."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from llmrec.contracts import Token
from llmrec.view import tree
from llmrec.view.tree import OTHER, ROOT, Paths


def _paths(rows: list[list[int]]) -> Paths:
    depth = max(map(len, rows))
    ids = np.asarray([row + [-1] * (depth - len(row)) for row in rows], dtype=np.int64)
    used = sorted({n for row in rows for n in row})
    return Paths(ids, {n: Token(f"<x{n}>") for n in used}, {n: n % 9 for n in used})


ROWS = [[1, 5], [1, 5], [1, 6], [2, 5], [2], [3, 7]]


def test_bearers_and_weights_of_every_node() -> None:
    found = tree.tree_table(_paths(ROWS), np.asarray([10, 0, 1, 2, 3, 4])).set_index("node")
    for node in ("1", "2", "3", "1/5", "1/6", "2/5", "3/7"):
        steps = [int(s) for s in node.split("/")]
        members = [n for n, row in enumerate(ROWS) if row[: len(steps)] == steps]
        assert found.loc[node, "bearers"] == len(members)
        assert found.loc[node, "weight"] == sum([10, 0, 1, 2, 3, 4][n] for n in members)
    assert len(found) == 8 and found.loc[ROOT, "weight"] == 20
    assert found.loc["1/5", "piece"] == "<x5>" and found.loc["1/5", "tone"] == 5


def test_children_never_outweigh_their_parent() -> None:
    rows = [list(p) for p in product(range(4), range(5), range(3))]
    found = tree.tree_table(_paths(rows), None, 3, (3, 2, 1))
    inside = found[found["level"] > 0].groupby("parent")["bearers"].sum()
    sizes = found.set_index("node")["bearers"]
    assert all(inside[parent] == sizes[parent] for parent in inside.index)  # nobody ends early here, so nobody is lost in the cut


def test_small_branches_are_one_node_that_says_how_many() -> None:
    rows = [[0]] * 5 + [[1]] * 3 + [[n] for n in range(2, 9)]
    found = tree.tree_table(_paths(rows), None, 1, (2,)).set_index("node")
    assert list(found.index) == [ROOT, "0", "1", OTHER]
    assert found.loc[OTHER, "hidden"] == 7 and found.loc[OTHER, "bearers"] == 7 and found.loc[OTHER, "piece"] == "7 others"


def test_the_cut_stays_within_its_limit() -> None:
    rows = [[a, 1000 + b] for a in range(60) for b in range(100)]
    paths = _paths(rows)
    assert len(tree.tree_table(paths, None, 2)) <= tree.LIMIT
    assert len(tree.tree_table(_paths(ROWS), None, 2)) == 8  # nothing is cut where there is room


def test_who_is_below_a_node() -> None:
    paths = _paths(ROWS)
    assert paths.under("1").tolist() == [0, 1, 2] and paths.under("2/5").tolist() == [3] and len(paths.under(ROOT)) == 6
    assert paths.spell("1/6") == ("<x1>", "<x6>")
    assert len(paths.under("9")) == 0
    for bad in ("1/~", "x", "1/2/3", "-1", ""):
        with pytest.raises(ValueError):
            paths.under(bad)


@pytest.mark.parametrize("shape", ["sunburst", "treemap"])
@pytest.mark.parametrize("dark", [False, True])
def test_a_figure_draws_every_row_and_escapes_titles(shape: tree.Shape, dark: bool) -> None:
    paths = _paths(ROWS)
    hostile = Paths(paths.ids, {**paths.pieces, 1: "<b>x</b>"}, {**paths.tones, 1: None})
    table = tree.tree_table(hostile)
    (trace,) = tree.tree(table, False, shape, "items", dark).data
    assert list(trace.ids) == list(table["node"]) and list(trace.parents) == list(table["parent"])
    assert trace.labels[0] == "items" and "&lt;b&gt;x&lt;/b&gt;" in trace.labels and "<b>" not in "".join(trace.labels)
    assert len(set(trace.marker.colors)) > 3
