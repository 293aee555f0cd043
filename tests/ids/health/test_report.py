"""Counts and entropies against values worked out by hand, and everything that is known in one report."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Book, Dataset, IdTable, Names
from llmrec.data.synthetic import Checkerboard
from llmrec.ids.health.collisions import collisions
from llmrec.ids.health.report import health, report
from llmrec.ids.health.text import text

C, R = Book("c", 4), Book("r", 3)


def table(codes: list[list[int]], users: list[list[int]] | None = None, books: tuple[Book, ...] = (C, R)) -> IdTable:
    named = None if users is None else Names(np.array(users, dtype=np.int32), books)
    return IdTable("toy", Names(np.array(codes, dtype=np.int32), books), named)


def test_levels_by_hand() -> None:
    h = health(table([[0, 0], [0, 1], [1, 0], [1, 0]]))
    coarse, fine = h.levels
    assert (coarse.size, coarse.used, coarse.dead, coarse.largest) == (4, 2, 2, 2)
    assert (coarse.dead_codes, fine.dead_codes) == ((2, 3), (2,))
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
    h = health(table([[0, 1], [1, -1], [2, -1]]))
    assert (h.pieces.items.least, h.pieces.items.mean, h.pieces.items.most) == (1, pytest.approx(4 / 3), 2)


def test_spells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million names must not become strings to be counted."""
    monkeypatch.setattr(Book, "spell", lambda *_: pytest.fail("health spelled a code"))
    codes = np.arange(200_000, dtype=np.int32)[:, None]
    assert health(IdTable("big", Names(codes, (Book("i", 200_000),)))).new_rows == 200_000


def test_who_shares_a_name_is_named_largest_first() -> None:
    found = collisions(table([[1, 1], [0, 0], [2, 2], [1, 1], [0, 0], [3, 0]], users=[[0, 0], [3, 1], [3, 1]]))
    assert (found.bearers, found.names) == (7, 3)
    assert [(g.name, g.size, g.items, g.users) for g in found.groups] == [
        (("<c0>", "<r0>"), 3, (1, 4), (0,)),
        (("<c1>", "<r1>"), 2, (0, 3), ()),
        (("<c3>", "<r1>"), 2, (), (1, 2)),
    ]
    few = collisions(table([[0, 0]] * 5 + [[1, 1]] * 2), most=1, bearers=2)
    assert (few.bearers, few.names, len(few.groups)) == (7, 2, 1)
    assert (few.groups[0].size, few.groups[0].items) == (5, (0, 1))


def test_equal_texts_are_one_name() -> None:
    film = Book("title", 3, token=False, texts=("Sabrina", "Alien", "Sabrina"))
    h = health(table([[0], [1], [2]], books=(film,)))
    assert (h.distinct_items, h.collisions, h.shared.groups[0].items) == (2, 2, (0, 2))


def test_subwords_count_as_the_reader_counts_them() -> None:
    class Rows:
        offsets = np.array([0, 2, 7])

    h = health(table([[0, 0], [1, 1]]), subwords=lambda _: Rows())
    assert (h.pieces.unit, h.pieces.items.least, h.pieces.items.most, h.depth) == ("subwords", 2, 5, 2)


rows = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows, rows, st.randoms(use_true_random=False))
def test_counts_agree_with_a_loop_and_ignore_the_order(items: list[tuple[int, int]], users: list[tuple[int, int]], random: object) -> None:
    toy = table([list(r) for r in items], [list(r) for r in users])
    h, everyone = health(toy), items + users
    assert h.collisions == sum(everyone.count(name) > 1 for name in everyone)
    assert h.shared.names == len({name for name in everyone if everyone.count(name) > 1})
    assert h.distinct_items == len(set(items)) and h.distinct_users == len(set(users))
    for place, level in enumerate(h.levels):
        used = {name[place] for name in everyone} - {-1}
        assert set(level.dead_codes) == set(range(level.size)) - used and level.used == len(used)
        assert level.perplexity <= max(level.used, 1) + 1e-9
    order = np.random.default_rng(len(items)).permutation(len(items))
    shuffled = health(replace(toy, items=Names(toy.items.codes[order], toy.items.books)))
    assert replace(shuffled, shared=h.shared) == h
    assert (shuffled.collisions, shuffled.shared.names) == (h.collisions, h.shared.names)
    assert [g.size for g in shuffled.shared.groups] == [g.size for g in h.shared.groups]


def test_codes_too_wide_for_one_integer_still_count() -> None:
    wide = tuple(Book(f"b{i}", 2**30) for i in range(5))
    codes = np.random.default_rng(0).integers(0, 2**30, size=(50, 5)).astype(np.int32)
    codes[7] = codes[31]
    from llmrec.ids.health.grouping import labels

    label, n = labels(codes)
    assert n == 49 and label[7] == label[31]
    assert (label == np.unique(codes, axis=0, return_inverse=True)[1].ravel()).all()  # in the order of the codes
    assert collisions(IdTable("wide", Names(codes, wide))).groups[0].items == (7, 31)


def test_digits_have_no_dead_codes() -> None:
    """Numbers start at 1,001 and cost no row: nobody could bear the 1,001 below."""
    codes = np.array([[1001], [1002], [1004]], dtype=np.int32)
    numbers = IdTable("sid", Names(codes, (Book("i", 1005, token=False),)))
    (level,) = health(numbers).levels
    assert (level.size, level.used, level.dead, level.dead_codes) == (1005, 3, 0, ())
    found = report(numbers)
    assert any(note.startswith("no dead codes of plain digits") for note in found.notes) and "dead at place" not in text(found)
    assert found.to_dict()["health"]["levels"][0] | {"used": 3, "dead": 0} == found.to_dict()["health"]["levels"][0]
    (level,) = health(IdTable("tokens", Names(codes, (Book("i", 1005),)))).levels
    assert (level.used, level.dead) == (3, 1002)


@pytest.fixture(scope="module")
def world() -> Dataset:
    return Checkerboard(n_users=30, n_items=24).load()


@pytest.fixture(scope="module")
def parity() -> IdTable:
    """Cluster by parity, rank by number: the best names the checkerboard can have."""
    i = np.arange(24)
    return IdTable("parity", Names(np.stack([i % 2, i // 2], axis=1).astype(np.int32), (Book("c", 2), Book("r", 12))))


def test_the_report_gathers_everything_and_says_what_it_lacks(world: Dataset, parity: IdTable) -> None:
    full = report(parity, world.interactions, world.catalog)
    assert full.memorization is not None and full.diversity is not None and full.purity is not None and full.notes == ()
    assert full == report(parity, world.interactions, world.catalog)  # nothing is drawn anew
    plain = json.loads(json.dumps(full.to_dict(), allow_nan=False))
    assert plain["health"]["levels"][0] | {"entropy": 1.0} == {
        **{"place": 0, "book": "c", "size": 2, "used": 2, "dead": 0, "dead_codes": [], "largest": 12},
        **{"entropy": 1.0, "perplexity": 2.0},
    }
    assert (plain["health"]["depth"], plain["health"]["collisions"]) == (2, 0)
    bare = report(parity)
    assert (bare.memorization, bare.purity) == (None, None) and bare.diversity == full.diversity
    assert [note.split(":")[0] for note in bare.notes] == ["no memorization", "no purity"]
    films = replace(parity, scheme="title", items=Names(np.arange(24)[:, None], (Book("t", 24, False, tuple(world.catalog.titles)),)))
    noted = report(films, world.interactions, world.catalog, rows=np.zeros((0, 4), dtype=np.float32)).notes
    assert len(noted) == 2 and all("no rows of its own" in note for note in noted)


def test_the_text_says_what_the_values_say(world: Dataset, parity: IdTable) -> None:
    said = text(report(parity, world.interactions, world.catalog), world.catalog)
    for part in (
        "Health of parity",
        "24 items bear 24 different names, 2 pieces each",
        "users are not named",
        "pearson",
        "genre: purity 1.000",
    ):
        assert part in said
    twins = replace(parity, items=Names(np.zeros((24, 2), dtype=np.int32), parity.items.books))
    said = text(report(twins), world.catalog)
    assert "24 users and items share 1 whole names" in said and "Even 0 (i0)" in said and "and 14 more" in said
    assert "dead at place 1, book 'r': 1, 2, 3" in said
