"""Differences of two recipes: complete settings, both directions, and nothing where nothing differs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from llmrec import recipe
from llmrec.recipe import ABSENT, differences

BOARD: dict[str, Any] = {"data": {"name": "checkerboard"}, "scheme": {"name": "metaid", "n_clusters": 4}, "lm": {"name": "tiny"}}
CHANGES: list[dict[str, Any]] = [
    {"seed": 1},
    {"train.epochs": 9},
    {"train.tasks.direct": 0.5},
    {"scheme": {"name": "rid"}},
    {"scheme": {"name": "cid", "n_clusters": 4}},
    {"head.name": "items"},
    {"embed": {"name": "lightgcn"}},
    {"split.name": "unseen-users"},
    {"train": {"name": "mutual"}, "scheme": {"name": "cllm4rec"}},
    {"lm.rank": 4, "lm.layers": 2},
]


@st.composite
def recipes(draw: st.DrawFn) -> recipe.Recipe:
    """The board with up to two changes that go together."""
    chosen = draw(st.lists(st.sampled_from(CHANGES), max_size=2))
    try:
        return recipe.with_settings(recipe.read(BOARD), {key: value for change in chosen for key, value in change.items()})
    except recipe.BadRecipe:
        reject()


def test_one_setting_and_the_seed_by_their_keys() -> None:
    base = recipe.read(BOARD)
    other = recipe.with_settings(base, {"seed": 7, "scheme.n_clusters": 9})
    assert differences(base, other) == [("seed", 0, 7), ("scheme.n_clusters", 4, 9)]


def test_a_default_that_is_spelled_out_is_no_difference() -> None:
    base = recipe.read(BOARD)
    assert differences(base, recipe.read({**BOARD, "train": {"epochs": base.train.epochs}})) == []


def test_a_default_stands_beside_what_differs_from_it() -> None:
    base = recipe.read(BOARD)
    told = differences(base, recipe.with_settings(base, {"train.lr": 0.5, "lm.layers": 2}))
    assert told == [("lm.layers", None, 2), ("train.lr", base.train.lr, 0.5)]


def test_the_entries_of_a_table_stand_each_for_itself() -> None:
    base = recipe.read(BOARD)
    told = differences(base, recipe.with_settings(base, {"train.tasks.direct": 0.5}))
    assert told == [("train.tasks.direct", ABSENT, 0.5)]


def test_a_stage_of_another_name_tells_the_name_first_and_then_both_sides() -> None:
    left = recipe.read(BOARD)
    right = recipe.with_settings(left, {"head.name": "retrieve"})
    told = differences(left, right)
    assert told[0] == ("head.name", "trie", "retrieve")
    assert ("head.beams", left.head.beams, ABSENT) in told
    assert ("head.hidden", ABSENT, right.head.hidden) in told
    assert {key.split(".")[0] for key, _, _ in told} == {"head"}


def test_a_stage_that_one_side_lacks_is_absent() -> None:
    left = recipe.read(BOARD)
    right = recipe.with_settings(left, {"scheme": {"name": "rid"}})
    gone = [row for row in differences(left, right) if row[0].startswith("embed.")]
    assert gone[0] == ("embed.name", "metapath", ABSENT)
    assert ("embed.d", left.embed.d, ABSENT) in gone
    assert all(new == ABSENT for _, _, new in gone)


@settings(deadline=None, max_examples=60)
@given(recipes(), recipes())
def test_nothing_exactly_where_they_are_equal_and_the_same_from_both_sides(a: recipe.Recipe, b: recipe.Recipe) -> None:
    told = differences(a, b)
    assert (told == []) == (a == b)
    assert all(old != new for _, old, new in told)
    assert len({key for key, _, _ in told}) == len(told)
    assert sorted(map(repr, told)) == sorted(repr((key, old, new)) for key, new, old in differences(b, a))


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_every_change_is_told(change: dict[str, Any]) -> None:
    base = recipe.read(BOARD)
    told = {key for key, _, _ in differences(base, recipe.with_settings(base, change))}
    assert {key.split(".")[0] for key in change} <= {key.split(".")[0] for key in told}
