"""Codes that hold far more than their share."""

from __future__ import annotations

import numpy as np

from llmrec.contracts import Book, IdTable, Names
from llmrec.ids.health.collapse import collapsed


def _table(columns: list[list[int]], sizes: list[int]) -> IdTable:
    codes = np.asarray(columns, dtype=np.int32).T
    return IdTable("mine", Names(codes, tuple(Book("abc"[n], size) for n, size in enumerate(sizes))))


def test_a_code_that_more_than_half_bear_is_found_with_its_numbers() -> None:
    table = _table([[3] * 15 + [0, 1, 2, 4, 5], [n % 10 for n in range(20)]], [8, 10])
    (one,) = collapsed(table)
    assert (one.place, one.book, one.piece, one.bearers) == (0, "a", "<a3>", 15)
    assert one.share == 0.75 and one.times == 0.75 * 8


def test_five_times_an_even_share_is_a_collapse_of_a_wide_book() -> None:
    spread = [0] * 20 + [1 + n for n in range(80)]
    ((place, code),) = [(c.place, c.code) for c in collapsed(_table([spread, list(range(100))], [100, 100]))]
    assert (place, code) == (0, 0)
    assert collapsed(_table([[n % 50 for n in range(100)], [n // 2 for n in range(100)]], [50, 50])) == ()


def test_a_last_place_that_only_tells_apart_is_left_out() -> None:
    branch, number = [*range(30), 0], [0] * 30 + [1]  # one branch has two, all others one: nearly all numbers are 0
    assert collapsed(_table([branch, number], [30, 8])) == ()
    assert [c.book for c in collapsed(_table([[n % 15 for n in range(30)], [0] * 29 + [1]], [15, 8]))] == ["b"]  # names collide: it is not


def test_texts_and_digits_cannot_collapse() -> None:
    codes = np.zeros((9, 2), dtype=np.int32)
    table = IdTable("text", Names(codes, (Book("t", 1, False, ("same",)), Book("n", 4, False))))
    assert collapsed(table) == ()
