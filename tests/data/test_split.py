"""Splits: hand-computed cases, and what must hold for any interactions at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Interactions, Split
from llmrec.data.describe import describe_split
from llmrec.data.split import LeaveOneOut, RandomHoldout, UnseenUsers


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def lengths_to_interactions(lengths: list[int], rating: list[float] | None = None) -> Interactions:
    """User u takes items 0, 1, ... in this order."""
    user = np.repeat(np.arange(len(lengths)), lengths)
    item = np.concatenate([np.arange(n) for n in lengths])
    given_ = None if rating is None else np.asarray(rating, dtype=np.float32)
    return Interactions.from_unsorted(user, item, item.astype(np.int64), len(lengths), max(lengths), given_)


def rows(part: Interactions) -> list[tuple[int, int, int]]:
    return list(zip(part.user.tolist(), part.item.tolist(), part.time.tolist(), strict=True))


def test_leave_one_out_by_hand() -> None:
    """Ties: user 0's items 7 and 2 share the last second; the file says 7 first, so 2 is test."""
    taken = Interactions.from_unsorted(
        np.array([0, 1, 0, 0, 1, 0, 0, 1]),
        np.array([5, 1, 7, 2, 2, 9, 8, 3]),
        np.array([10, 1, 30, 30, 2, 20, 5, 3]),
        2,
        10,
    )
    split = LeaveOneOut(min_history=3).split(taken, rng())
    assert split.protocol == "loo" and split.train.history(0).tolist() == [8, 5, 9]
    assert split.valid.history(0).tolist() == [7] and split.test.history(0).tolist() == [2]
    assert split.train.history(1).tolist() == [1, 2, 3]  # too short to be asked about: train only
    assert len(split.test) == 1 and describe_split(split)["users_train_only"] == 1
    assert split.queries("test").histories[0].tolist() == [8, 5, 9, 7]
    assert LeaveOneOut(min_history=1).split(taken, rng()).test.user.tolist() == [0, 1]


def test_random_holdout_takes_shares_per_user() -> None:
    split = RandomHoldout(0.1, 0.2).split(lengths_to_interactions([30, 9, 10, 4]), rng())
    assert np.bincount(split.test.user, minlength=4).tolist() == [6, 1, 2, 0]
    assert np.bincount(split.valid.user, minlength=4).tolist() == [3, 0, 1, 0]
    assert np.bincount(split.train.user, minlength=4).tolist() == [21, 8, 7, 4]


def test_random_holdout_counts_only_what_was_liked() -> None:
    taken = lengths_to_interactions([20], [5, 1] * 10)
    split = RandomHoldout(positive_above=3).split(taken, rng())
    assert len(split.train) == 8 and len(split.valid) == 1 and len(split.test) == 1
    assert all(i % 2 == 0 for part in (split.train, split.valid, split.test) for i in part.item)
    with pytest.raises(ValueError, match="no ratings; leave it out"):
        RandomHoldout(positive_above=3).split(lengths_to_interactions([20]), rng())


def test_random_holdout_is_random_and_repeatable() -> None:
    taken = lengths_to_interactions([50] * 40)
    one, same, other = (rows(RandomHoldout().split(taken, rng(s)).test) for s in (1, 1, 2))
    assert one == same != other
    chosen = np.bincount(RandomHoldout().split(taken, rng()).test.item, minlength=50)
    assert chosen[:25].sum() == pytest.approx(100, abs=35)  # early and late items alike, not the last ones


def test_unseen_users_never_reach_training() -> None:
    lengths = [10, 6, 8, 5, 20, 5, 3, 9, 7, 11]
    split = UnseenUsers(share=0.3).split(lengths_to_interactions(lengths), rng())
    assert split.held_out.tolist() == [3, 5]  # floor(0.3 * 9 who are long enough): the two with 5
    assert not np.isin(split.held_out, split.train.user).any() and not np.isin(split.held_out, split.valid.user).any()
    assert split.held_out_history is not None and split.held_out_history.history(3).tolist() == [0, 1, 2, 3]
    assert split.test.history(3).tolist() == [4] and split.test.history(4).tolist() == [19]
    queries = split.queries("test")
    at = split.asked("test").tolist().index(3)
    assert queries.histories[at].tolist() == [0, 1, 2, 3]
    assert queries.users[at] == -1, "a held-out user is a new person: their own name was never trained"
    assert split.train.history(6).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="is nobody; take a larger share"):
        UnseenUsers(share=0.01).split(lengths_to_interactions(lengths), rng())


SPLITS = [LeaveOneOut(), LeaveOneOut(min_history=1), RandomHoldout(), RandomHoldout(0.2, 0.3), UnseenUsers(0.5)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 25), min_size=2, max_size=8), st.integers(0, 3), st.sampled_from(SPLITS))
def test_every_split_parts_the_interactions(lengths: list[int], seed: int, how: LeaveOneOut | RandomHoldout | UnseenUsers) -> None:
    """Nothing is lost, nothing stands in two parts, and who is asked about has a history."""
    lengths = [*lengths, 25, 24]
    draw = rng(seed)
    user = np.repeat(np.arange(len(lengths)), lengths)
    item = np.concatenate([draw.permutation(25)[:n] for n in lengths])
    taken = Interactions.from_unsorted(user, item, draw.integers(0, 5, len(user)), len(lengths), 25)
    split: Split = how.split(taken, rng(seed))
    parts = [split.train, split.valid, split.test] + ([split.held_out_history] if split.held_out_history is not None else [])
    assert sorted(r for part in parts for r in rows(part)) == sorted(rows(taken))
    assert all(len(h) for h in split.queries("test").histories)
    assert set(split.valid.user.tolist()) <= set(split.train.user.tolist())


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: LeaveOneOut(0), "min_history is 0; it must be 1 or more"),
        (lambda: RandomHoldout(0.5, 0.5), "valid is 0.5 and test 0.5; they must be shares"),
        (lambda: RandomHoldout(-0.1, 0.5), "must be shares"),
        (lambda: UnseenUsers(1.5), "share is 1.5; it must lie between 0 and 1"),
        (lambda: LeaveOneOut().split(lengths_to_interactions([4, 4]), rng()), "nobody can be asked about: no user has 5 interactions"),
        (lambda: RandomHoldout().split(lengths_to_interactions([4, 4]), rng()), "nobody can be asked about: no user has 10"),
    ],
)
def test_settings_and_data_that_cannot_work_are_told(make: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()  # type: ignore[operator]
