"""From names back to their bearers, against a search that spells everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Book, IdTable, Names, Token
from llmrec.ids.lookup import Bearer, bearers, invert, members, shared_with, written

C, R = Book("c", 12), Book("r", 3)
TABLE = IdTable(
    "toy",
    items=Names(np.array([[0, 0], [0, 1], [11, 0], [1, 0], [0, 1]], dtype=np.int32), (C, R)),
    users=Names(np.array([[0, 2], [1, 1]], dtype=np.int32), (C, R)),
)


def test_members_of_a_token_on_both_sides() -> None:
    found = members(TABLE, "<c0>")
    assert found.items.tolist() == [0, 1, 4] and found.users.tolist() == [0]
    assert members(TABLE, Token("<r1>")).users.tolist() == [1]
    assert members(TABLE, "<c7>").items.tolist() == []  # a Token nobody carries is no error
    assert members(TABLE, "<c1>").items.tolist() == [3]  # and <c11> is not <c1>


@pytest.mark.parametrize("piece", ["<c12>", "<x0>", "c0", "<c00>", "<c0", "<c-1>", "<c\u0661>", ""])
def test_a_piece_no_book_spells_is_refused_with_an_example(piece: str) -> None:
    with pytest.raises(ValueError, match="look like <c0>, <r0>"):
        members(TABLE, piece)


def test_shared_with_leaves_out_the_item_itself() -> None:
    assert shared_with(TABLE, 1) == {Token("<c0>"): [0, 4], Token("<r1>"): [4]}
    with pytest.raises(ValueError, match="no item 5"):
        shared_with(TABLE, 5)


def test_written_names_are_read_back() -> None:
    assert bearers(TABLE, "<c11><r0>") == [Bearer("item", 2)]
    assert bearers(TABLE, " <c0> <r1> ") == [Bearer("item", 1), Bearer("item", 4)]  # a shared name has two bearers
    assert bearers(TABLE, (Token("<c1>"), Token("<r1>"))) == [Bearer("user", 1)]
    for nobody in ("<c5><r0>", "<c0>", "<c0><r1><r1>", "<r0><c0>", "Alien", ""):
        assert bearers(TABLE, nobody) == []


def test_invert_by_whole_codes_and_by_prefix() -> None:
    assert invert(TABLE, np.array([0, 1])).tolist() == [1, 4]
    assert invert(TABLE, np.array([0])).tolist() == [0, 1, 4]
    with pytest.raises(ValueError, match="up to 2 codes"):
        invert(TABLE, np.array([0, 1, 2]))


def test_titles_and_digits_are_names_too() -> None:
    titles = ("Alien", "Aliens", "Heat")
    by_title = IdTable("title", Names(np.array([[0], [1], [2]], dtype=np.int32), (Book("t", 3, token=False, texts=titles),)))
    assert bearers(by_title, "Aliens") == [Bearer("item", 1)]
    assert bearers(by_title, "Alien") == [Bearer("item", 0)]
    assert members(by_title, "Heat").items.tolist() == [2]
    digits = Book("d", 30, token=False)
    by_digits = IdTable("digits", Names(np.array([[1, 23], [12, 3], [12, -1]], dtype=np.int32), (digits, digits)))
    assert bearers(by_digits, "12 3") == [Bearer("item", 1)]  # spaces part what digits alone would not
    assert {b.index for b in bearers(by_digits, "123")} == {0, 1}  # ambiguous as written: both are told
    assert bearers(by_digits, "12")[0] == Bearer("item", 2)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(-1, 2)), min_size=1, max_size=20))
def test_round_trip_of_any_table(codes: list[tuple[int, int]]) -> None:
    table = IdTable("any", Names(np.asarray(codes, dtype=np.int32), (C, R)))
    for i in range(len(codes)):
        same = [Bearer("item", j) for j in range(len(codes)) if codes[j] == codes[i]]
        assert bearers(table, written(table.items.spell(i))) == same == bearers(table, table.items.spell(i))
