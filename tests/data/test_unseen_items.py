"""New items are in no part of what is learned, and no asked pair is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from llmrec import artifacts
from llmrec.contracts import Interactions, Split
from llmrec.data.split import LeaveOneOut
from llmrec.data.synthetic import Checkerboard
from llmrec.data.unseen_items import UnseenItems
from llmrec.report import protocols
from llmrec.rng import stream

WORLD = Checkerboard(n_users=60, n_items=40).load().interactions


def pairs(part: Interactions) -> set[tuple[int, int]]:
    return set(zip(part.user.tolist(), part.item.tolist(), strict=True))


@pytest.fixture(scope="module")
def split() -> Split:
    return UnseenItems(share=0.2).split(WORLD, stream(1, "split"))


def test_new_items_are_neither_in_train_nor_in_validation(split: Split) -> None:
    assert split.known is not None
    new = set(split.known.item.tolist())
    assert 0 < len(new) <= 8 and set(split.test.item.tolist()) <= new
    assert not new & set(split.train.item.tolist()) and not new & set(split.valid.item.tolist())
    assert len(split.test) > 10 and len(split.valid) > 30


def test_who_is_asked_tells_nothing(split: Split) -> None:
    assert split.known is not None
    assert not set(split.known.user.tolist()) & set(split.test.user.tolist())
    assert pairs(split.known) <= pairs(WORLD) and pairs(split.test) <= pairs(WORLD)
    assert np.bincount(split.test.user).max() == 1


def test_a_query_is_what_came_before_the_new_item_without_other_new_ones(split: Split) -> None:
    assert split.known is not None
    queries, new = split.queries("test"), set(split.known.item.tolist())
    for row, user in enumerate(split.asked("test").tolist()):
        target = int(split.test.history(user)[0])
        whole = WORLD.history(user).tolist()
        before = [i for i in whole[: whole.index(target)] if i in set(split.train.item.tolist()) | set(split.valid.item.tolist())]
        assert queries.histories[row].tolist() == before and len(before) >= 3 and not new & set(before)
        assert int(queries.users[row]) == user


def test_other_new_items_taken_before_are_seen_and_masked_and_told_to_nobody(split: Split) -> None:
    """Oracle: all that a user did before their target, old and new. One who took three new items is asked for one of the other two."""
    queries, bare = split.queries("test"), split.queries("test", masked=False)
    assert split.known is not None and split.taken is not None and queries.exclude is not None and bare.exclude is None
    new, more = set(split.known.item.tolist()), 0
    for row, user in enumerate(split.asked("test").tolist()):
        target = int(split.test.history(user)[0])
        whole = WORLD.history(user).tolist()
        before = whole[: whole.index(target)]
        more += len(set(before) & new)
        assert set(before) & new == set(queries.exclude[row].tolist()) - set(queries.histories[row].tolist())
        assert target not in queries.exclude[row] and set(queries.histories[row].tolist()) <= set(queries.exclude[row].tolist())
    assert more > 10 and more == len(split.taken)
    valid = split.queries("valid")
    assert valid.exclude is not None and all(np.array_equal(*pair) for pair in zip(valid.exclude, valid.histories, strict=True))


def test_it_repeats_and_is_another_for_another_seed_and_keeps(split: Split, tmp_path: Path) -> None:
    again, other = (UnseenItems(share=0.2).split(WORLD, stream(seed, "split")) for seed in (1, 2))
    assert pairs(again.test) == pairs(split.test) != pairs(other.test)
    kept = artifacts.load(Split, artifacts.save(split, tmp_path / "split"))
    assert split.known is not None and kept.known is not None and pairs(kept.known) == pairs(split.known)
    assert split.taken is not None and kept.taken is not None and pairs(kept.taken) == pairs(split.taken)
    bare = dataclasses.replace(split, taken=None)  # as it was written before this was noted
    assert artifacts.load(Split, artifacts.save(bare, tmp_path / "bare")).taken is None
    assert "taken" not in (tmp_path / "bare" / "value.json").read_text()
    assert protocols.of(split).name == "unseen-items"
    plain = LeaveOneOut().split(WORLD, stream(0, "split"))
    assert "known" not in (artifacts.save(plain, tmp_path / "plain") / "value.json").read_text()  # as before this split was there


def test_settings_and_data_that_leave_nothing_are_refused() -> None:
    for wrong in ({"share": 0.0}, {"share": 1.0}, {"least": 0}, {"min_history": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            UnseenItems(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is none"):
        UnseenItems(share=0.01).split(WORLD, stream(0, "split"))
    with pytest.raises(ValueError, match="nobody can be asked"):
        UnseenItems(share=0.2, min_history=500).split(WORLD, stream(0, "split"))
    assert dataclasses.is_dataclass(UnseenItems)
