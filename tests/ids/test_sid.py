"""SID: order of first appearance in train, counted by hand; what train never shows tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from llmrec.contracts import Catalog, Interactions, Split
from llmrec.data.sequences import SequenceFile
from llmrec.data.split import LeaveOneOut
from llmrec.ids.sid import Sid, appearance
from llmrec.rng import stream
from tests.lm import world


def train_of(histories: list[list[int]], n_items: int) -> Interactions:
    """User u's items, oldest first."""
    rows = [(u, i, t) for u, items in enumerate(histories) for t, i in enumerate(items)]
    user, item, time = (np.asarray([r[c] for r in rows], dtype=np.int64) for c in range(3))
    return Interactions.from_unsorted(user, item, time, len(histories), n_items)


def catalog(train: Interactions) -> Catalog:
    return world.catalog(train.n_users, [f"t{i}" for i in range(train.n_items)])


def test_items_are_numbered_as_users_come_upon_them() -> None:
    train = train_of([[4, 2], [2, 0, 4], [5]], 6)
    table = Sid().fit(train, catalog(train), None, np.random.default_rng(0))
    assert table.users is not None
    numbers = [int(table.items.spell(i)[0]) for i in range(6)]
    assert [numbers[i] for i in (4, 2, 0, 5)] == [1001, 1002, 1003, 1004]
    assert {numbers[1], numbers[3]} == {1005, 1006}  # never taken: last, in any order
    assert [table.users.spell(u)[0] for u in range(3)] == ["1", "2", "3"]
    assert not table.tokens


def test_items_not_in_train_come_last_in_an_order_of_the_seed_alone() -> None:
    train = train_of([[7, 3]], 40)
    orders = [np.argsort(appearance(train, np.random.default_rng(seed))) for seed in (0, 0, 1)]
    assert all(order[:2].tolist() == [7, 3] for order in orders)
    assert np.array_equal(orders[0], orders[1]) and not np.array_equal(orders[1], orders[2])
    assert orders[0][2:].tolist() != sorted(orders[0][2:])  # an item's own number may stand for when it turned up in the file


def test_other_test_items_leave_the_table_as_it_is() -> None:
    """OpenP5 goes on numbering along validation and test: there a number stands next to the user whose answer it is."""
    histories = [[u, u + 1, u + 2, 20 + u, 30 + u] for u in range(10)]
    altered = [[*h[:-2], 39 - u, 29 - u] for u, h in enumerate(histories)]
    splits: list[Split] = [LeaveOneOut().split(train_of(h, 40), stream(0, "split")) for h in (histories, altered)]
    assert not np.array_equal(splits[0].test.item, splits[1].test.item)
    one, two = (Sid().fit(s.train, catalog(s.train), None, np.random.default_rng(0)).items.codes for s in splits)
    assert np.array_equal(one, two)


def test_the_official_beauty_numbers_of_train_items_are_ours(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("metaid-beauty")
    data = SequenceFile(folder / "user_sequence.txt").load()
    train = LeaveOneOut().split(data.interactions, stream(0, "split")).train
    table = Sid().fit(train, data.catalog, None, np.random.default_rng(0))
    lines = (folder / "item_sequential_indexing_original.txt").read_text(encoding="utf-8").splitlines()
    official = dict(line.split() for line in lines)
    seen = np.unique(train.item)
    assert [table.items.spell(i)[0] for i in seen] == [official[data.catalog.item_keys[i]] for i in seen]


def test_a_bad_range_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="first is -5.*OpenP5 takes 1001"):
        Sid(first=-5)
