"""How often each code is used: counted by hand, and drawn with its dead ones."""

from __future__ import annotations

from collections import Counter

import numpy as np

from llmrec.contracts import Book, IdTable, Names
from llmrec.view import codes

C, R, U = Book("c", 6), Book("r", 3), Book("u", 4)


def _table() -> IdTable:
    items = Names(np.asarray([[0, 0], [0, 1], [2, 2], [0, -1]], dtype=np.int32), (C, R))
    users = Names(np.asarray([[2, 0], [5, 0]], dtype=np.int32), (C, U))
    return IdTable("mine", items, users)


def test_a_book_that_both_sides_have_is_counted_over_both() -> None:
    table = _table()
    assert [(place, book.prefix) for place, book in codes.places(table)] == [(0, "c"), (1, "r"), (1, "u")]
    found = codes.use_table(table, 0, C)
    items, users = Counter([0, 0, 2, 0]), Counter([2, 5])
    assert found["code"].tolist() == [0, 2, 5, 1, 3, 4]  # the commonest first, equal ones by their number
    for row in found.itertuples():
        assert (row.items, row.users, row.bearers) == (items[row.code], users[row.code], items[row.code] + users[row.code])
    assert found["share"].tolist()[:2] == [3 / 6, 2 / 6] and found["piece"].iloc[0] == "<c0>"
    assert codes.use_table(table, 1, R)["bearers"].sum() == 3  # a name that ends early has no code here


def test_dead_codes_are_marked_and_digits_have_none() -> None:
    table = _table()
    figure = codes.use(codes.use_table(table, 0, C), table, C)
    bars, dead = figure.data
    assert list(bars.y) == [3, 2, 1, 0, 0, 0] and list(dead.x) == [4, 5, 6] and dead.name == "3 dead"
    assert list(dead.text) == ["&lt;c1&gt;", "&lt;c3&gt;", "&lt;c4&gt;"]
    assert len(set(bars.marker.color)) > 1
    plain = Book("n", 5, False)
    digits = IdTable("sid", Names(np.asarray([[1], [3]], dtype=np.int32), (plain,)))
    assert len(codes.use(codes.use_table(digits, 0, plain), digits, plain, dark=True).data) == 1
