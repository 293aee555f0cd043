"""Newcomers: the map is the ridge regression it claims to be, and a known person folded in lies where they lay."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec import registry
from llmrec.contracts import Dataset, FoldsIn, Interactions, Side, Vectors
from llmrec.data.split import LeaveOneOut
from llmrec.embed.fold import RIDGE, fold_in
from llmrec.embed.lightgcn import LightGcn

NAMES = [name for name in registry.names("embed") if hasattr(registry.load("embed", name), "fold_in")]


def world(n_users: int = 120, n_items: int = 60) -> Interactions:
    """Three tastes, each with a third of the items; ten items a user; the last user and the last item have nothing."""
    rng = np.random.default_rng(1)
    pairs = [(u, int(i)) for u in range(n_users - 1) for i in rng.choice(np.arange(u % 3, n_items - 1, 3), 10, replace=False)]
    user, item = np.array(pairs).T
    return Interactions.from_unsorted(user, item, np.arange(len(user), dtype=np.int64), n_users, n_items)


def neighbours(train: Interactions, side: Side) -> list[np.ndarray]:
    who, other, n = (train.user, train.item, train.n_users) if side == "user" else (train.item, train.user, train.n_items)
    return [other[who == one] for one in range(n)]


def some(train: Interactions, d: int = 5) -> Vectors:
    rng = np.random.default_rng(0)
    users, items = (rng.standard_normal((n, d)).astype(np.float32) for n in (train.n_users, train.n_items))
    users[-1], items[-1] = 0, 0
    return Vectors(users, items)


@pytest.mark.parametrize("side", ["user", "item"])
def test_the_map_is_the_ridge_regression_of_all_who_are_known(side: Side) -> None:
    """scikit-learn's ridge, on what is left after the best multiple of the sums of neighbours."""
    from sklearn.linear_model import Ridge

    train = world()
    vectors = some(train)
    own, near = (vectors.users, vectors.items) if side == "user" else (vectors.items, vectors.users)
    took = neighbours(train, side)
    sums = np.array([near[t].sum(axis=0) / np.sqrt(max(len(t), 1)) for t in took], dtype=np.float64)
    x, y = sums[:-1], own[:-1].astype(np.float64)  # the last has nothing
    centred = x - x.mean(axis=0)
    multiple = (centred * (y - y.mean(axis=0))).sum() / (centred**2).sum()
    ridge = Ridge(alpha=RIDGE * (x**2).sum() / 5).fit(x, y - multiple * x)
    expected = multiple * sums + ridge.predict(sums)
    expected[-1] = 0
    np.testing.assert_allclose(fold_in(vectors, train, took, side), expected, atol=1e-4)


@pytest.mark.parametrize("side", ["user", "item"])
@pytest.mark.parametrize("name", NAMES)
def test_a_known_one_folded_in_lies_where_they_lay(name: str, side: Side) -> None:
    train = world()
    embedder = registry.load("embed", name)(d=16)
    assert isinstance(embedder, FoldsIn)
    vectors = embedder.fit(train, None, np.random.default_rng(0))
    own = vectors.users if side == "user" else vectors.items
    found = embedder.fold_in(vectors, train, neighbours(train, side), side)
    assert found.dtype == np.float32 and found.shape == own.shape
    assert not found[-1].any()  # nothing taken, nothing known
    unit = [rows[:-1] / np.linalg.norm(rows[:-1], axis=1, keepdims=True) for rows in (own, found)]
    assert np.median((unit[0] * unit[1]).sum(axis=1)) > 0.9
    nearest = (unit[1] @ unit[0].T).argmax(axis=1)
    assert (nearest % 3 == np.arange(len(nearest)) % 3).all()


def test_a_newcomer_lies_with_those_of_like_taste() -> None:
    train = world()
    embedder = LightGcn(d=16)
    vectors = embedder.fit(train, None, np.random.default_rng(0))
    found = embedder.fold_in(vectors, train, [np.array([1, 4, 7, 10])], "user")[0]
    scores = vectors.items[:-1] @ found
    assert (np.argsort(-scores)[:15] % 3 == 1).all()


def test_rows_are_pure() -> None:
    """Alone or among others, in whatever order, with neighbours named twice: the same bits. Inputs stay as they were."""
    train = world()
    vectors, took = some(train), neighbours(train, "user")[:9]
    before = [v.copy() for v in (vectors.users, vectors.items, *took)]
    together = fold_in(vectors, train, took, "user")
    for row, one in zip(together, took, strict=True):
        assert np.array_equal(fold_in(vectors, train, [one], "user")[0], row)
        assert np.array_equal(fold_in(vectors, train, [np.concatenate([one, one[:3]])], "user")[0], row)
    assert all(np.array_equal(a, b) for a, b in zip(before, (vectors.users, vectors.items, *took), strict=True))


def test_who_brings_nothing_gets_nothing() -> None:
    train = world()
    vectors = some(train)
    nothing = np.zeros(0, dtype=np.int32)
    found = fold_in(vectors, train, [nothing, np.array([train.n_items - 1]), np.array([0])], "user")
    assert not found[:2].any() and found[2].any()  # the last item has no vector either
    assert fold_in(vectors, train, [], "item").shape == (0, 5)


def test_one_known_user_is_enough_not_to_fail() -> None:
    train = Interactions.from_unsorted(np.array([0]), np.array([1]), np.array([0]), 2, 3)
    vectors = Vectors(np.array([[1, 2], [0, 0]], dtype=np.float32), np.array([[0, 0], [2, 1], [0, 0]], dtype=np.float32))
    assert fold_in(vectors, train, [np.array([1])], "user")[0] == pytest.approx([1, 2], abs=1e-5)


@pytest.mark.parametrize("item", [-1, 60])
def test_a_stranger_among_the_neighbours_is_named(item: int) -> None:
    train = world()
    with pytest.raises(ValueError, match=f"newcomer 1 names item {item}, .* 0..59"):
        fold_in(some(train), train, [np.array([3]), np.array([4, item])], "user")


@pytest.mark.slow
def test_movielens_newcomers_lie_near_their_own_vectors(ml100k: Dataset) -> None:
    """Each fifth of the users and of the items is left out of the map, then placed by it."""
    train = LeaveOneOut().split(ml100k.interactions, np.random.default_rng(0)).train
    vectors = LightGcn().fit(train, None, np.random.default_rng(3))
    for side, own in (("user", vectors.users), ("item", vectors.items)):
        took, found = neighbours(train, side), np.zeros_like(own)  # type: ignore[arg-type]
        for part in range(5):
            out = np.arange(len(own)) % 5 == part
            rest = np.where(out[:, None], np.float32(0), own)
            known = Vectors(rest, vectors.items) if side == "user" else Vectors(vectors.users, rest)
            found[out] = fold_in(known, train, [took[i] for i in np.flatnonzero(out)], side)  # type: ignore[arg-type]
        some_ = own.any(axis=1)
        cosine = (own * found).sum(1)[some_] / np.linalg.norm(own[some_], axis=1) / np.linalg.norm(found[some_], axis=1)
        assert np.median(cosine) > 0.93, side
