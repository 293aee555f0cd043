"""The lesson of ties: by hand, and the table of methods section 4."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Dataset, Interactions
from llmrec.data.split import LeaveOneOut
from llmrec.recommend.itemknn import RecentItemKnn
from llmrec.report.ties import ORDERS, reorder, tie_table, tied_share


def tied() -> Interactions:
    """User 0 takes 2, 0, 1 in one second and 3 later; user 1 takes 1, then 0."""
    user, item, time = np.array([0, 0, 0, 0, 1, 1]), np.array([2, 0, 1, 3, 1, 0]), np.array([5, 5, 5, 8, 1, 2])
    return Interactions.from_unsorted(user, item, time, 2, 4, np.arange(6, dtype=np.float32))


@pytest.mark.parametrize(
    ("order", "keys", "first", "ratings"),
    [
        ("file order", ["9", "10", "1", "4"], [2, 0, 1, 3], [0, 1, 2, 3]),
        ("item id, ascending", ["9", "10", "1", "4"], [2, 0, 1, 3], [0, 1, 2, 3]),
        ("item id, descending", ["9", "10", "1", "4"], [1, 0, 2, 3], [2, 1, 0, 3]),
        ("item id, ascending", ["c", "a", "b", "d"], [1, 2, 0, 3], [2, 0, 1, 3]),
    ],
)
def test_only_ties_move(order: str, keys: list[str], first: list[int], ratings: list[float]) -> None:
    """Ids that are numbers sort as numbers; ratings stay with their interaction; user 1, who has no tie, stays."""
    x = reorder(tied(), order, keys)
    assert x.history(0).tolist() == first
    assert x.history(1).tolist() == [1, 0]
    assert x.rating is not None
    assert x.rating[:4].tolist() == ratings
    assert x.time.tolist() == tied().time.tolist()


def test_random_order_is_seeded_and_keeps_time() -> None:
    keys = ["0", "1", "2", "3"]
    orders = {tuple(reorder(tied(), "random", keys, seed).history(0)) for seed in range(30)}
    assert len(orders) == 6
    assert all(o[3] == 3 for o in orders)
    assert np.array_equal(reorder(tied(), "random", keys, 4).item, reorder(tied(), "random", keys, 4).item)


def test_share_of_ties() -> None:
    assert tied_share(tied()) == 3 / 6
    assert tied_share(tied().take(np.array([0]))) == 0


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="no order is called 'title'"):
        reorder(tied(), "title", ["0", "1", "2", "3"])


def test_the_table_of_movielens_100k(ml100k: Dataset) -> None:
    """ItemKNN on the last 3 items; "random" is one draw of many: .1909/.1116 there, and between the two ids here."""
    table = tie_table(ml100k.interactions, ml100k.catalog.item_keys, LeaveOneOut().split, RecentItemKnn())
    assert [row["ties broken by"] for row in table] == list(ORDERS)
    by = {row["ties broken by"]: (row["hit@10"], row["ndcg@10"]) for row in table}
    assert by["file order"] == pytest.approx((0.1941, 0.1099), abs=0.0011)
    assert by["item id, ascending"] == pytest.approx((0.1485, 0.0819), abs=0.0011)
    assert by["item id, descending"] == pytest.approx((0.2238, 0.1299), abs=0.0011)
    assert by["item id, ascending"] < by["random"] < by["item id, descending"]
    assert table[0]["other targets"] == 0
    assert all(row["other targets"] > 100 for row in table[1:])
