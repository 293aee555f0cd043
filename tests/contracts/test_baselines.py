"""What every registered baseline promises, whatever it is."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

from llmrec import registry
from llmrec.contracts import Baseline, Interactions, Queries, Recommender
from llmrec.embed.bpr import Bpr
from llmrec.embed.lightgcn import LightGcn

N_ITEMS = 40
KINDS = registry.names("baseline")
SMALL: dict[str, dict[str, Any]] = {  # settings of those that learn step by step, to be quick and still to learn tiny worlds
    "bprmf": {"embedder": Bpr(d=16, epochs=150, lr=0.02)},
    "lightgcn": {"embedder": LightGcn(d=16)},
    "sasrec": {"d": 16, "layers": 1, "heads": 1, "window": 10, "dropout": 0.1, "lr": 0.01, "epochs": 25},
    "multvae": {"hidden": 32, "latent": 8, "epochs": 40, "lr": 0.01},
}


def world(seed: int = 0) -> Interactions:
    """60 users, 40 items, of which 38 and 39 are in nobody's train; item 0 the most popular."""
    rng = np.random.default_rng(seed)
    rows = [(u, i) for u in range(60) for i in rng.choice(38, size=8, replace=False, p=np.arange(38, 0, -1) / 741)]
    user, item = np.array(rows, dtype=np.int32).T
    return Interactions.from_unsorted(user, item, np.arange(len(rows)), 60, N_ITEMS)


def checkerboard() -> Interactions:
    """Even users take all even items and odd users all odd ones, but each one item of theirs is withheld: user u lacks item u.

    In an order that is drawn: ascending, item 18 would come last for everybody, and nobody could know what follows it.
    """
    pairs = [(u, i) for u in range(20) for i in range(20) if u % 2 == i % 2 and u != i]
    user, item = np.random.default_rng(7).permutation(np.array(pairs, dtype=np.int32)).T
    return Interactions.from_unsorted(user, item, np.arange(len(pairs)), 20, 20)


def stage(kind: str) -> Baseline:
    settings: Baseline = registry.load("baseline", kind)(**SMALL.get(kind, {}))
    return settings


@functools.cache
def fitted_once(kind: str) -> Recommender:
    return stage(kind).fit(world(), np.random.default_rng(1))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def baseline(kind: str) -> Baseline:
    return stage(kind)


@pytest.fixture
def fitted(kind: str) -> Recommender:
    return fitted_once(kind)


def queries(masked: bool = True) -> Queries:
    train = world()
    histories = tuple(train.history(u) for u in range(train.n_users))
    return Queries(np.arange(train.n_users, dtype=np.int32), histories, histories if masked else None)


def test_settings_are_frozen_and_speak_the_protocol(baseline: Baseline, fitted: Recommender) -> None:
    assert isinstance(baseline, Baseline)
    assert isinstance(fitted, Recommender)
    for value in (baseline, fitted):
        assert dataclasses.is_dataclass(value)
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.anything = 1  # type: ignore[attr-defined]


def test_excluded_items_never_come_back(fitted: Recommender) -> None:
    asked = queries()
    ranked = fitted.recommend(asked, 40)
    for row, history in zip(ranked.items, asked.histories, strict=True):
        assert not set(row.tolist()) & set(history.tolist())


def test_without_exclusion_items_of_the_history_may_come_back(fitted: Recommender) -> None:
    asked = queries(masked=False)
    ranked = fitted.recommend(asked, 20)
    assert any(set(row.tolist()) & set(h.tolist()) for row, h in zip(ranked.items, asked.histories, strict=True))


def test_a_ranking_is_ordered_distinct_and_padded_at_its_end(fitted: Recommender) -> None:
    ranked = fitted.recommend(queries(), 100)
    assert ranked.items.shape == ranked.scores.shape == (60, 100)
    assert ranked.items.dtype == np.int32
    assert ranked.scores.dtype == np.float32
    assert np.array_equal(ranked.items == -1, np.isneginf(ranked.scores))
    for items, scores in zip(ranked.items, ranked.scores, strict=True):
        n = int((items >= 0).sum())
        assert 0 < n <= N_ITEMS - 8
        assert (items[:n] >= 0).all()
        assert (items[n:] == -1).all()
        assert len(set(items[:n].tolist())) == n
        assert (np.diff(scores[:n]) <= 0).all()


def test_items_that_train_lacks_are_not_recommended(fitted: Recommender) -> None:
    assert not np.isin(fitted.recommend(queries(), 100).items, [38, 39]).any()


def test_a_small_k_is_the_head_of_a_large_one(fitted: Recommender) -> None:
    small, large = fitted.recommend(queries(), 3), fitted.recommend(queries(), 17)
    assert np.array_equal(small.items, large.items[:, :3])
    assert np.array_equal(small.scores, large.scores[:, :3])


def test_everything_excluded_gives_an_empty_ranking(fitted: Recommender) -> None:
    ranked = fitted.recommend(Queries.of_history([1, 2], exclude=list(range(N_ITEMS))), 5)
    assert (ranked.items == -1).all()


def test_an_empty_history_is_answered_without_invention(fitted: Recommender) -> None:
    """Popularity still knows what to say; who knows people by history alone says nothing. Nobody fails."""
    ranked = fitted.recommend(Queries.of_history([]), 5)
    assert ranked.items.shape == (1, 5)
    assert (ranked.items == -1).all() or (ranked.items >= 0).all()


def test_a_history_of_items_that_train_lacks_is_as_an_empty_one(fitted: Recommender) -> None:
    cold = fitted.recommend(Queries.of_history([38, 39], exclude=[]), 5)
    assert np.array_equal(cold.items, fitted.recommend(Queries.of_history([]), 5).items)


@pytest.mark.parametrize("item", [-1, N_ITEMS, 10**6])
def test_an_item_outside_the_catalogue_is_named_in_the_error(fitted: Recommender, item: int) -> None:
    with pytest.raises(ValueError, match=f"history of query 0 holds item {item}, .* 0..39"):
        fitted.recommend(Queries.of_history([1, item], exclude=[]), 5)
    with pytest.raises(ValueError, match=f"excluded items of query 0 holds item {item}"):
        fitted.recommend(Queries.of_history([1], exclude=[item]), 5)


def test_k_below_one_is_refused(fitted: Recommender) -> None:
    with pytest.raises(ValueError, match="k is 0"):
        fitted.recommend(queries(), 0)


def test_duplicates_in_a_history_do_no_harm(fitted: Recommender) -> None:
    ranked = fitted.recommend(Queries.of_history([3, 3, 5, 3, 3, 3]), 10)
    assert not np.isin(ranked.items, [3, 5]).any()
    assert (ranked.items[0] >= 0).all()


def test_no_queries_give_no_rows(fitted: Recommender) -> None:
    assert fitted.recommend(Queries(np.zeros(0, dtype=np.int32), (), ()), 7).items.shape == (0, 7)


def test_one_at_a_time_equals_all_at_once(fitted: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = queries()
    together = fitted.recommend(asked, 10)
    for row in range(len(asked)):
        alone = fitted.recommend(asked[row : row + 1], 10)
        assert np.array_equal(alone.items[0], together.items[row])
        assert np.array_equal(alone.scores[0], together.scores[row])
    monkeypatch.setattr("llmrec.recommend.topk.BLOCK", 7 * N_ITEMS)  # blocks of seven
    assert np.array_equal(fitted.recommend(asked, 10).items, together.items)


def test_the_number_of_the_user_matters_only_to_those_who_say_so(kind: str, fitted: Recommender) -> None:
    """A new person, user -1, is known by history alone; so is everybody, save where a baseline is `personal`."""
    asked = queries()
    strangers = Queries(np.full(len(asked), -1, dtype=np.int32), asked.histories, asked.exclude)
    same = np.array_equal(fitted.recommend(asked, 10).items, fitted.recommend(strangers, 10).items)
    assert same != getattr(stage(kind), "personal", False)


def test_inputs_are_not_changed(baseline: Baseline) -> None:
    train, asked = world(), queries()
    before = copy.deepcopy((train.user, train.item, train.time, asked.users, asked.histories, asked.exclude))
    fitted = baseline.fit(train, np.random.default_rng(1))
    first = fitted.recommend(asked, 10)
    after = (train.user, train.item, train.time, asked.users, asked.histories, asked.exclude)
    for old, new in zip(before, after, strict=True):
        assert old is not None
        assert new is not None
        assert all(np.array_equal(a, b) for a, b in zip(old, new, strict=True))
    assert np.array_equal(first.items, fitted.recommend(asked, 10).items)


def test_the_same_generator_gives_the_same_ranking(baseline: Baseline) -> None:
    a, b = (baseline.fit(world(), np.random.default_rng(5)).recommend(queries(), 10) for _ in range(2))
    assert np.array_equal(a.items, b.items)
    assert np.array_equal(a.scores, b.scores)


def test_ties_do_not_follow_the_item_number(baseline: Baseline) -> None:
    """Items 1..30 are all taken by the same people: their order must be drawn, not counted."""
    pairs = [(u, i) for u in range(4) for i in range(31)]
    user, item = np.array(pairs, dtype=np.int32).T
    train = Interactions.from_unsorted(user, item, np.arange(len(pairs)), 4, 31)
    orders = [tuple(baseline.fit(train, np.random.default_rng(s)).recommend(Queries.of_history([0]), 30).items[0]) for s in range(6)]
    assert all(sorted(o) == list(range(1, 31)) for o in orders)
    assert len(set(orders)) > 1
    assert tuple(range(1, 31)) not in orders


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "popularity"])
def test_the_checkerboard_is_answered_right(kind: str) -> None:
    """Each history lacks one item of its colour: that one comes first. Who counts never names the other colour; who learns may, later."""
    train = checkerboard()
    histories = tuple(train.history(u) for u in range(20))
    asked = Queries(np.full(20, -1, dtype=np.int32), histories, histories)
    ranked = stage(kind).fit(train, np.random.default_rng(0)).recommend(asked, 5)
    assert ranked.items[:, 0].tolist() == list(range(20))
    if kind not in SMALL:
        assert (ranked.items[:, 1:] == -1).all()
