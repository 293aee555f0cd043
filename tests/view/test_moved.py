"""Two schemes on one layout: how far items moved, where they flow, and what the figure shares between its halves."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Book, Catalog, IdTable, Names
from llmrec.ids.health.diff import diff
from llmrec.view.moved import FROM, OTHERS, TO, flow, how_far, moved
from llmrec.view.palette import LIGHT
from llmrec.view.project import Projection


def table(scheme: str, first: list[int], prefix: str = "c", users: list[int] | None = None) -> IdTable:
    books = (Book(prefix, 64), Book(f"{prefix}r", 200))

    def names(codes: list[int]) -> Names:
        return Names(np.stack([codes, np.arange(len(codes))], axis=1).astype(np.int32), books)

    return IdTable(scheme, names(first), None if users is None else names(users))


A = table("one", [0, 0, 0, 1, 1, 2], users=[0, 1])
B = table("two", [5, 5, 6, 6, 6, 7], "d")
CATALOG = Catalog(
    pd.DataFrame({"key": ["u0", "u1"]}), pd.DataFrame({"key": [f"i{n}" for n in range(6)], "title": ["<b>Zero</b>", *"abcde"]})
)
LAYOUT = Projection(
    "PCA", np.array([[5, 5], [6, 6]], np.float32), np.array([[0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [np.nan] * 2], np.float32), 0.9, 0.5, 7
)


def test_an_item_has_moved_as_far_as_its_companions_changed() -> None:
    # item 0: {1, 2} before, {1} after; item 2: {0, 1} and {3, 4}; item 3: {4} and {2, 4}; item 5: nobody, twice
    assert how_far(A.items, B.items).tolist() == [0.5, 0.5, 1.0, 0.5, 0.5, 0.0]
    assert not how_far(A.items, A.items).any()


def test_it_is_the_movement_that_the_comparison_of_tables_tells() -> None:
    rng = np.random.default_rng(1)
    one, two = (table("x", rng.integers(0, 9, 80).tolist()) for _ in range(2))
    found = diff(one, two, most=80)
    far = how_far(one.items, two.items)
    assert found.items.mean_moved == pytest.approx(far.mean(), abs=1e-6)
    assert all(far[m.index] == pytest.approx(m.moved) for m in found.items.moved) and found.items.moved


def test_both_halves_have_the_same_places_and_colours_of_their_own() -> None:
    figure = moved(LAYOUT, CATALOG, (A, B), ("one", "two"))
    left, left_users, right, right_users = figure.data
    assert left.x.tolist() == right.x.tolist() == [0, 1, 2, 3, 4] and (left.xaxis, right.xaxis) == ("x", "x2")
    assert figure.layout.xaxis2.matches == "x" and figure.layout.yaxis2.matches == "y" and figure.layout.uirevision == "keep"
    assert list(left.marker.color) == [0, 0, 0, 1, 1] and list(left_users.marker.color) == [0, 1]
    grey = len(LIGHT.categories)
    assert list(right_users.marker.color) == [grey, grey]  # the second scheme names no users
    assert [list(c) for c in right.customdata] == [["item", n] for n in range(5)]
    assert "<b>Zero" not in left.text[0] and "one: &lt;c0&gt;&lt;cr0&gt;" in left.text[0] and "two: &lt;d5&gt;" in right.text[0]
    assert [a.text for a in figure.layout.annotations] == ["<b>one</b>", "<b>two</b>"]


def test_the_menu_colours_both_halves_by_how_far_items_moved() -> None:
    buttons = moved(LAYOUT, CATALOG, (A, B), ("one", "two")).layout.updatemenus[0].buttons
    change = buttons[1].args[0]
    assert "moved" in buttons[1].label and change["marker.color"][0] == change["marker.color"][2] == [0.5, 0.5, 1.0, 0.5, 0.5]
    assert all(share < 0 for share in change["marker.color"][1])  # users lie in the grey band
    assert list(change["marker.showscale"]) == [True, False, False, False]


def test_the_ring_stands_in_both_halves() -> None:
    rings = [t for t in moved(LAYOUT, CATALOG, (A, B), ("one", "two"), ("item", 3)).data if t.name == "selected"]
    assert [(t.xaxis, t.x[0]) for t in rings] == [("x", 3), ("x2", 3)]
    assert not [t for t in moved(LAYOUT, CATALOG, (A, B), ("one", "two"), ("item", 5)).data if t.name == "selected"]


def test_the_flow_counts_every_item_once() -> None:
    made = flow((A, B), ("one", "two"))
    assert made is not None
    figure, rows = made
    counted = {(a, b): n for a, b, n in rows.itertuples(index=False)}
    assert counted == {("<c0>", "<d5>"): 2, ("<c0>", "<d6>"): 1, ("<c1>", "<d6>"): 2, ("<c2>", "<d7>"): 1}
    assert list(rows.columns) == ["in one", "in two", "items"]
    node, link = figure.data[0].node, figure.data[0].link
    drawn = {(node.label[s], node.label[t]): v for s, t, v in zip(link.source, link.target, link.value, strict=True)}
    assert drawn == {
        (a.replace("<", "&lt;").replace(">", "&gt;"), b.replace("<", "&lt;").replace(">", "&gt;")): n for (a, b), n in counted.items()
    }
    assert node.color[0] == LIGHT.categories[0]
    json.loads(figure.to_json())


def test_a_large_flow_starts_from_the_largest_and_takes_the_small_ends_together() -> None:
    first = [code for code in range(20) for _ in range(20 - code)]
    made = flow((table("one", first), table("two", [n % 40 for n in range(len(first))])), ("one", "two"))
    assert made is not None
    figure, rows = made
    labels = list(figure.data[0].node.label)
    assert len(labels) == FROM + TO + 1 and labels[0] == "&lt;c0&gt;" and labels[-1] == OTHERS
    assert sum(figure.data[0].link.value) == rows["items"].sum() == sum(20 - code for code in range(FROM))


def test_names_without_shared_tokens_have_no_flow() -> None:
    alone = table("each its own", list(range(6)))
    assert flow((A, alone), ("one", "own")) is None and flow((alone, A), ("own", "one")) is None
