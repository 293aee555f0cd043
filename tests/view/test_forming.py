"""The space at several moments: the same points in every frame, pulled together by what people took, coloured by known kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Catalog, Interactions
from llmrec.data.synthetic import Checkerboard
from llmrec.embed.metapath import MetaPath
from llmrec.view import forming, kinds, moments
from llmrec.view.moments import Moments
from llmrec.view.palette import DARK, LIGHT

SHARES = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def data() -> tuple[Interactions, Catalog]:
    read = Checkerboard(n_users=30, n_items=20).load()
    return read.interactions, read.catalog


@pytest.fixture(scope="module")
def seen(data: tuple[Interactions, Catalog]) -> Moments:
    return moments.watch(MetaPath(d=16), data[0], np.random.default_rng(0), SHARES)


def test_training_pulls_people_to_what_they_took(seen: Moments) -> None:
    assert tuple(seen.shares.tolist()) == SHARES and seen.walks == 50 * 20
    assert abs(seen.taken[0] - seen.chance[0]) < 0.15  # random vectors know nothing
    assert seen.taken[-1] > seen.chance[-1] + 0.3  # of an even user every second item is one they never take


def test_even_and_odd_come_apart(seen: Moments) -> None:
    last = seen.items[-1]
    apart = np.linalg.norm(last[0::2].mean(0) - last[1::2].mean(0))
    assert apart > 2 * max(last[0::2].std(), last[1::2].std())


def test_the_same_seed_gives_the_same_moments(seen: Moments, data: tuple[Interactions, Catalog]) -> None:
    again = moments.watch(MetaPath(d=16), data[0], np.random.default_rng(0), SHARES)
    np.testing.assert_array_equal(seen.items, again.items)


def test_the_plane_is_that_of_the_last_moment(seen: Moments) -> None:
    both = np.concatenate([seen.users[-1], seen.items[-1]])
    spread = np.cov(both.T)
    assert abs(spread[0, 1]) < 1e-3 * spread[0, 0] and spread[0, 0] >= spread[1, 1]


def test_who_took_nothing_is_not_drawn() -> None:
    train = Interactions.from_unsorted(np.array([0, 0, 1]), np.array([0, 1, 1]), np.arange(3), 3, 3)
    found = moments.watch(MetaPath(d=4), train, np.random.default_rng(0), SHARES)
    assert np.isnan(found.items[:, 2]).all() and np.isnan(found.users[:, 2]).all() and np.isfinite(found.items[:, :2]).all()
    items, users = forming.drawn(found, focus=2)
    assert items.tolist() == [0, 1] and users.tolist() == [0, 1]


def test_frames_move_the_same_points(seen: Moments, data: tuple[Interactions, Catalog]) -> None:
    train, catalog = data
    figure = forming.forming(seen, catalog, train, focus=4)
    assert [frame.name for frame in figure.frames] == ["0", "1", "2"]
    for at, frame in enumerate(figure.frames):
        users, items, ring = frame.data
        np.testing.assert_allclose(items.x, seen.items[at, :, 0], atol=1e-4)
        np.testing.assert_allclose(users.y, seen.users[at, :, 1], atol=1e-4)
        np.testing.assert_allclose([ring.x[0], ring.y[0]], seen.items[at, 4], atol=1e-4)
    assert [step.args[0] for step in figure.layout.sliders[0].steps] == [("0",), ("1",), ("2",)] or [
        list(step.args[0]) for step in figure.layout.sliders[0].steps
    ] == [["0"], ["1"], ["2"]]
    assert f"cosine with what one took {seen.taken[2]:.2f}" in figure.layout.sliders[0].steps[2].label


def test_the_menu_paints_items_and_swaps_the_legend(seen: Moments, data: tuple[Interactions, Catalog]) -> None:
    train, catalog = data
    figure = forming.forming(seen, catalog, train, dark=True)
    for button in figure.layout.updatemenus[1].buttons:
        sort = next(s for s in kinds.kinds(catalog, train, DARK) if s.label == button.label)
        painted = button.args[0]["marker.color"]
        assert list(painted[1]) == [sort.colours[kind] for kind in sort.of]
        legend = [t for t, shown in zip(figure.data[3:], button.args[0]["visible"][3:], strict=True) if shown]
        assert {t.name for t in legend} == {sort.names[kind] for kind in sort.of}


def test_the_table_has_every_item_at_every_moment(seen: Moments, data: tuple[Interactions, Catalog]) -> None:
    table = forming.forming_table(seen, data[1], data[0])
    assert len(table) == 3 * 20 and sorted(table["walks read"].unique()) == [0, 500, 1000]
    row = table[(table["walks read"] == 500) & (table["key"] == data[1].item_keys[7])].iloc[0]
    assert [row["x"], row["y"]] == seen.items[1, 7].tolist()


def test_kinds_by_hand() -> None:
    genres = [["Drama"], ["Comedy", "Drama"], ["Drama"], []]
    items = pd.DataFrame(
        {"key": list("abcd"), "title": list("ABCD"), "genres": genres, "year": pd.array([1990, 1995, None, 2000], "Int64")}
    )
    catalog = Catalog(pd.DataFrame({"key": ["u"]}), items)
    train = Interactions.from_unsorted(np.zeros(3, dtype=int), np.array([0, 0, 1]), np.arange(3), 1, 4)
    genre, year, taken = kinds.kinds(catalog, train, LIGHT)
    assert list(kinds.table(genre)) == ["Drama", "Comedy", "Drama", "other"]
    assert list(kinds.table(year)) == ["1990", "1995", "unknown", "2000"] or kinds.table(year)[2] == "unknown"
    assert taken.of[0] > taken.of[1] > taken.of[2] == taken.of[3]
    assert list(kinds.table(taken)) == ["2", "1", "0", "0"]


def test_kinds_without_anything_known() -> None:
    catalog = Catalog(pd.DataFrame({"key": ["u"]}), pd.DataFrame({"key": ["a", "b"], "title": ["A", "B"]}))
    train = Interactions.from_unsorted(np.zeros(2, dtype=int), np.array([0, 1]), np.arange(2), 1, 2)
    (only,) = kinds.kinds(catalog, train, LIGHT)
    assert only.names == ("items",) and only.of.tolist() == [0, 0]
