"""Counts and entropies against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Book, IdTable, Names
from llmrec.ids.health import health

C, R = Book("c", 4), Book("r", 3)


def test_levels_by_hand() -> None:
    table = IdTable("toy", Names(np.array([[0, 0], [0, 1], [1, 0], [1, 0]], dtype=np.int32), (C, R)))
    h = health(table)
    coarse, fine = h.levels
    assert (coarse.size, coarse.used, coarse.dead, coarse.largest) == (4, 2, 2, 2)
    assert (coarse.entropy, coarse.perplexity) == (1.0, 2.0)
    assert fine.entropy == pytest.approx(0.75 * np.log2(4 / 3) + 0.25 * 2)
    assert (h.depth, h.new_rows, h.n_items, h.n_users) == (2, 7, 4, 0)
    assert (h.distinct_items, h.collisions) == (3, 2)


def test_a_user_and_an_item_collide_only_under_the_same_books() -> None:
    codes = np.array([[0, 0]], dtype=np.int32)
    assert health(IdTable("joint", Names(codes, (C, R)), Names(codes, (C, R)))).collisions == 2
    apart = health(IdTable("apart", Names(codes, (C, R)), Names(codes, (Book("u", 4), R))))
    assert apart.collisions == 0
    assert [(level.place, level.book) for level in apart.levels] == [(0, "c"), (0, "u"), (1, "r")]
    assert apart.levels[2].largest == 2  # the shared book is counted over both sides


def test_names_that_end_early() -> None:
    h = health(IdTable("short", Names(np.array([[0, -1], [1, -1]], dtype=np.int32), (C, R))))
    assert h.depth == 1 and h.levels[1].used == 0 and h.levels[1].entropy == 0.0 and h.levels[1].perplexity == 1.0


def test_spells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million names must not become strings to be counted."""
    monkeypatch.setattr(Book, "spell", lambda *_: pytest.fail("health spelled a code"))
    codes = np.arange(200_000, dtype=np.int32)[:, None]
    assert health(IdTable("big", Names(codes, (Book("i", 200_000),)))).new_rows == 200_000
