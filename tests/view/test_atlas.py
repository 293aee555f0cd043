"""The map's figure: what a click returns, what the menu changes, what a hostile title can do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from llmrec.contracts import Book, Catalog, IdTable, Interactions, Names, Split
from llmrec.view.atlas import MENU, atlas, highlight, places_of_tokens, sample
from llmrec.view.palette import DARK, LIGHT, smooth, stepped
from llmrec.view.project import Projection

N, M = 5, 7
RNG = np.random.default_rng(0)


@pytest.fixture
def layout() -> Projection:
    items = RNG.standard_normal((M, 2)).astype(np.float32)
    items[6] = np.nan  # not on the map
    return Projection("PCA", RNG.standard_normal((N, 2)).astype(np.float32), items, 0.9, 0.5, 11)


@pytest.fixture
def catalog() -> Catalog:
    items = pd.DataFrame(
        {"key": [f"i{i}" for i in range(M)], "title": ["<img src=x onerror=alert(1)>", *(f"Film {i}" for i in range(1, M))]}
    )
    items["year"] = pd.array([1990, 1991, None, 1993, 1994, 1995, 1996], dtype="Int64")
    items["genres"] = pd.Series([["Drama"], ["Drama", "War"], [], ["War"], ["Comedy"], ["Drama"], ["War"]], dtype=object)
    return Catalog(pd.DataFrame({"key": [f"u{i}" for i in range(N)]}), items)


@pytest.fixture
def table() -> IdTable:
    books = (Book("c", 20), Book("r", 9))
    item_codes = np.array([[0, 0], [0, 1], [3, 2], [3, 3], [6, 4], [6, 5], [9, 6]], dtype=np.int32)
    user_codes = np.array([[9, 2], [3, 3], [6, 3], [0, 4], [3, 5]], dtype=np.int32)
    user_codes[1] = [0, 1]
    return IdTable("metaid", Names(item_codes, books), Names(user_codes, books))


@pytest.fixture
def split() -> Split:
    """Item 4 is held out for the test, item 5 for validation, item 6 is in no part; user 4 is in no training."""

    def some(user: list[int], item: list[int]) -> Interactions:
        return Interactions.from_unsorted(np.array(user), np.array(item), np.arange(len(user)), N, M)

    return Split("loo", some([0, 0, 1, 2, 3, 3], [0, 1, 1, 2, 3, 1]), some([1, 1], [5, 4]), some([0], [4]))


def menu(figure: go.Figure) -> dict[str, dict[str, Any]]:
    """What each button of the menu changes on the traces."""
    return {button["label"].removeprefix(MENU): button["args"][0] for button in figure.layout.updatemenus[0]["buttons"]}


def legend(figure: go.Figure, label: str) -> dict[str, str]:
    """The legend as the menu leaves it: meaning -> colour."""
    visible = menu(figure)[label]["visible"]
    return {t.name: t.marker.color for t, shown in zip(figure.data, visible, strict=True) if shown and t.showlegend}


def test_every_point_says_who_it_is(layout: Projection, catalog: Catalog, table: IdTable) -> None:
    figure = atlas(layout, catalog, table)
    items, users = figure.data[:2]
    assert [list(c) for c in items.customdata] == [["item", i] for i in range(6)]  # item 6 has no place
    assert [list(c) for c in users.customdata] == [["user", i] for i in range(N)]
    np.testing.assert_array_equal(items.x, layout.items[:6, 0])
    assert items.text[1] == "Film 1<br>&lt;c0&gt;&lt;r1&gt;" and users.text[0].startswith("user u0<br>")


def test_a_title_with_markup_stays_text(layout: Projection, catalog: Catalog) -> None:
    assert atlas(layout, catalog).data[0].text[0] == "&lt;img src=x onerror=alert(1)&gt;"


def test_the_menu_recolours_inside_the_figure(layout: Projection, catalog: Catalog, table: IdTable, split: Split) -> None:
    figure = atlas(layout, catalog, table, split, selected=("item", 1))
    ways = ["first Token", "genre", "year", "popularity", "part of the split", "shared names", "user or item"]
    assert list(menu(figure)) == ways  # nobody shares a second Token: one colour for two would say that they do
    for button in figure.layout.updatemenus[0]["buttons"]:
        args, layout_args, touched = button["args"]
        assert button["method"] == "update" and set(layout_args) == {"annotations"}  # nothing of the axes: the zoom stays
        assert list(touched) == list(range(len(figure.data) - 1)) and figure.data[-1].name == "selected"  # never the ring
        for trace, colour, low, high in zip(figure.data[:2], args["marker.color"], args["marker.cmin"], args["marker.cmax"], strict=False):
            assert len(colour) == len(trace.x) and all(low <= c <= high for c in colour)
        assert all(len(values) == len(touched) for values in args.values())
    assert figure.layout.uirevision == "keep"
    json.loads(figure.to_json())


def test_the_figure_opens_as_the_first_button_leaves_it(layout: Projection, catalog: Catalog, table: IdTable, split: Split) -> None:
    figure = atlas(layout, catalog, table, split)
    first = menu(figure)["first Token"]
    assert [t.visible for t in figure.data] == first["visible"]
    assert [list(t.marker.color) for t in figure.data[:2]] == first["marker.color"][:2]
    assert figure.data[0].marker.cmax == first["marker.cmax"][0] and not figure.data[0].marker.showscale


def test_colours_mean_what_they_say(layout: Projection, catalog: Catalog, table: IdTable, split: Split) -> None:
    colourings = menu(atlas(layout, catalog, table, split))
    n = len(LIGHT.categories)
    items, users = colourings["first Token"]["marker.color"][:2]
    assert items == [(i // 2) * 3 % n for i in range(6)] and users == [0, 0, 6, 0, 3]  # the same Token, the same colour on both sides
    assert colourings["genre"]["marker.color"][0] == [0, 0, n, 1, 2, 0]  # Drama, Drama, none, War, Comedy, Drama
    year = colourings["year"]["marker.color"][0]
    assert year[0] == 1990 and year[2] < 1990  # a missing year lies in the grey band below
    assert colourings["popularity"]["marker.color"][0][1] == pytest.approx(np.log10(4), abs=1e-3)
    assert colourings["part of the split"]["marker.color"][:2] == [[0, 0, 0, 0, 3, 3], [2, 1, 0, 0, 3]]
    assert colourings["shared names"]["marker.color"][:2] == [[0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0]]  # item 1 and user 1 bear one name


def test_the_legend_is_right_for_every_colouring(layout: Projection, catalog: Catalog, table: IdTable, split: Split) -> None:
    figure = atlas(layout, catalog, table, split)
    colours = LIGHT.categories
    assert legend(figure, "genre") == {"Drama": colours[0], "War": colours[1], "Comedy": colours[2], "none": LIGHT.missing}
    tokens = legend(figure, "first Token")
    assert tokens == {"&lt;c0&gt; &lt;c9&gt;": colours[0], "&lt;c3&gt;": colours[3], "&lt;c6&gt;": colours[6]}
    assert list(legend(figure, "part of the split").values()) == [colours[0], colours[1], colours[2], colours[3]]
    assert legend(figure, "year") == {} and menu(figure)["year"]["marker.showscale"][:2] == [True, False]
    assert [label for label, change in menu(figure).items() if change["marker.showscale"][0]] == ["year", "popularity"]
    assert figure.layout.legend.itemclick is False  # or an entry would go and its points would stay


def test_a_genre_with_markup_stays_text_in_the_legend(layout: Projection, catalog: Catalog) -> None:
    items = catalog.items.assign(genres=[["<a href='http://x.example'>War</a>"]] * M)
    names = [t.name for t in atlas(layout, Catalog(catalog.users, items)).data]
    assert any("&lt;a href" in name for name in names) and not any("<a" in name for name in names)


def test_names_of_text_are_not_coloured_as_if_they_shared(layout: Projection, catalog: Catalog) -> None:
    titles = Names(np.arange(M, dtype=np.int32)[:, None], (Book("title", M, token=False, texts=tuple(f"Film {i}" for i in range(M))),))
    figure = atlas(layout, catalog, IdTable("title", titles))
    assert list(menu(figure)) == ["genre", "year", "shared names", "user or item"] and not figure.layout.annotations


def test_tokens_are_written_where_their_carriers_lie_together() -> None:
    together, apart = np.array([[0.0, 0], [0.1, 0], [0, 0.1], [0.1, 0.1]]), np.array([[9.0, 9], [0, 9], [9, 0], [5, 5]])
    layout = Projection("PCA", np.zeros((0, 2), np.float32), np.concatenate([together, apart]).astype(np.float32), 1.0, 1.0, 8)
    codes = np.repeat(np.array([[2], [7]], dtype=np.int32), 4, axis=0)
    assert places_of_tokens(layout, IdTable("x", Names(codes, (Book("c", 9),)))) == [("<c2>", pytest.approx(0.05), pytest.approx(0.05))]


def test_written_tokens_go_when_something_else_is_coloured(layout: Projection, catalog: Catalog, split: Split) -> None:
    codes = np.array([[0, i] for i in range(M)], dtype=np.int32)
    plane = np.full((M, 2), 0.5, dtype=np.float32) + np.arange(M, dtype=np.float32)[:, None] / 1000
    plane[0] = 9
    near = Projection("UMAP", layout.users, plane, 0.9, 0.5, 12)
    figure = atlas(near, catalog, IdTable("x", Names(codes, (Book("c", 3), Book("r", M)))), split)
    written = [[a["text"] for a in button["args"][1]["annotations"]] for button in figure.layout.updatemenus[0]["buttons"]]
    assert written[0] == ["&lt;c0&gt;"] == [a.text for a in figure.layout.annotations] and not any(written[1:])


def test_one_point_is_ringed_and_the_ring_moves(layout: Projection, catalog: Catalog) -> None:
    figure = atlas(layout, catalog, selected=("item", 2))
    assert figure.data[-1].name == "selected" and figure.data[-1].x[0] == layout.items[2, 0]
    highlight(figure, layout, "user", 1)
    rings = [trace for trace in figure.data if trace.name == "selected"]
    assert len(rings) == 1 and rings[0].x[0] == layout.users[1, 0]
    highlight(figure, layout, "item", 6)  # not on the map
    assert all(trace.name != "selected" for trace in figure.data)


def test_what_is_searched_for_is_drawn_even_where_the_sample_left_it_out(layout: Projection, catalog: Catalog) -> None:
    rows, total = sample(layout, 3, 0)
    left_out = next(i for i in range(6) if i not in rows["item"])
    kept, _ = sample(layout, 3, 0, ("item", left_out))
    assert total == 11 and set(kept["item"]) == {*rows["item"], left_out} and list(kept["item"]) == sorted(kept["item"])
    assert list(sample(layout, 3, 0, ("item", 6))[0]["item"]) == list(rows["item"])  # it has no place on the map
    figure = atlas(layout, catalog, selected=("item", left_out), limit=3)
    assert ["item", left_out] in [list(c) for c in figure.data[0].customdata] and figure.data[-1].name == "selected"


def test_a_sample_is_stated_and_repeats(layout: Projection, catalog: Catalog) -> None:
    figure = atlas(layout, catalog, limit=6, seed=1)
    assert sum(len(trace.x) for trace in figure.data[:2]) == 6
    assert "6 of 11 users and items, drawn at random" in figure.layout.title.text
    assert figure.to_json() == atlas(layout, catalog, limit=6, seed=1).to_json()
    assert "drawn at random" not in atlas(layout, catalog).layout.title.text


def test_scales_are_ones_that_plotly_takes() -> None:
    for p in (LIGHT, DARK):
        for scale in (stepped(p.categories), smooth(p.sequence, p.missing, 0.05)):
            assert scale[0][0] == 0 and scale[-1][0] == 1
            go.Scattergl(marker={"colorscale": scale})
            stops = [stop for stop, _ in scale]
            assert stops == sorted(stops)
    assert len(set(LIGHT.categories)) == len(LIGHT.categories) == len(DARK.categories) == len(set(DARK.categories))
