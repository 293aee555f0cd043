"""The map's figure: what a click returns, what the menu changes, what a hostile title can do."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from llmrec.contracts import Book, Catalog, IdTable, Interactions, Names
from llmrec.view.atlas import atlas, highlight
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
    item_codes = np.stack([np.arange(M) * 3 % 20, np.arange(M)], axis=1).astype(np.int32)
    user_codes = np.stack([np.arange(N) * 3 % 20, np.arange(N) + 2], axis=1).astype(np.int32)
    return IdTable("metaid", Names(item_codes, books), Names(user_codes, books))


@pytest.fixture
def train() -> Interactions:
    user = np.array([0, 0, 1, 2, 3, 4])
    return Interactions.from_unsorted(user, np.array([0, 1, 1, 2, 3, 1]), np.arange(6), N, M)


def menu(figure: go.Figure) -> dict[str, dict[str, object]]:
    return {button["label"]: button["args"][0] for button in figure.layout.updatemenus[0]["buttons"]}


def test_every_point_says_who_it_is(layout: Projection, catalog: Catalog, table: IdTable) -> None:
    figure = atlas(layout, catalog, table)
    items, users = figure.data
    assert [list(c) for c in items.customdata] == [["item", i] for i in range(6)]  # item 6 has no place
    assert [list(c) for c in users.customdata] == [["user", i] for i in range(N)]
    np.testing.assert_array_equal(items.x, layout.items[:6, 0])
    assert items.text[1] == "Film 1<br>&lt;c3&gt;&lt;r1&gt;" and users.text[0].startswith("user u0<br>")


def test_a_title_with_markup_stays_text(layout: Projection, catalog: Catalog) -> None:
    assert atlas(layout, catalog).data[0].text[0] == "&lt;img src=x onerror=alert(1)&gt;"


def test_the_menu_recolours_inside_the_figure(layout: Projection, catalog: Catalog, table: IdTable, train: Interactions) -> None:
    figure = atlas(layout, catalog, table, train)
    colourings = menu(figure)
    assert list(colourings) == ["coarse Token", "genre", "year", "popularity", "user or item"]
    for button in figure.layout.updatemenus[0]["buttons"]:
        assert button["method"] == "restyle" and list(button["args"][1]) == [0, 1]  # never the ring
        args = button["args"][0]
        low, high = args["marker.cmin"], args["marker.cmax"]
        for trace, colour in zip(figure.data, args["marker.color"], strict=True):
            assert len(colour) == len(trace.x) and all(low <= c <= high for c in colour)
    assert figure.layout.uirevision == "keep"
    json.loads(figure.to_json())


def test_colours_mean_what_they_say(layout: Projection, catalog: Catalog, table: IdTable, train: Interactions) -> None:
    colourings = menu(atlas(layout, catalog, table, train))
    n = len(LIGHT.categories)
    items, users = colourings["coarse Token"]["marker.color"]  # type: ignore[misc]
    assert items == [float(i * 3 % n) for i in range(6)] and users == items[:N]  # the same Token, the same colour on both sides
    genre = colourings["genre"]
    assert genre["marker.color"][0] == [0, 0, n, 1, 2, 0]  # type: ignore[index] # Drama, Drama, none, War, Comedy, Drama
    assert list(genre["marker.colorbar.ticktext"][0]) == ["Drama", "War", "Comedy", "none"]  # type: ignore[index]
    year = colourings["year"]["marker.color"][0]  # type: ignore[index]
    assert year[0] == 1990 and year[2] < 1990  # a missing year lies in the grey band below
    assert colourings["popularity"]["marker.color"][0][1] == pytest.approx(np.log10(4))  # type: ignore[index]


def test_names_of_text_are_not_coloured_as_if_they_shared(layout: Projection, catalog: Catalog) -> None:
    titles = Names(np.arange(M, dtype=np.int32)[:, None], (Book("title", M, token=False, texts=tuple(f"Film {i}" for i in range(M))),))
    labels = [button.label for button in atlas(layout, catalog, IdTable("title", titles)).layout.updatemenus[0].buttons]
    assert "coarse Token" not in labels and labels[0] == "genre"


def test_one_point_is_ringed_and_the_ring_moves(layout: Projection, catalog: Catalog) -> None:
    figure = atlas(layout, catalog, selected=("item", 2))
    assert figure.data[-1].name == "selected" and figure.data[-1].x[0] == layout.items[2, 0]
    highlight(figure, layout, "user", 1)
    rings = [trace for trace in figure.data if trace.name == "selected"]
    assert len(rings) == 1 and rings[0].x[0] == layout.users[1, 0]
    highlight(figure, layout, "item", 6)  # not on the map
    assert all(trace.name != "selected" for trace in figure.data)


def test_a_sample_is_stated_and_repeats(layout: Projection, catalog: Catalog) -> None:
    figure = atlas(layout, catalog, limit=6, seed=1)
    assert sum(len(trace.x) for trace in figure.data) == 6
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
