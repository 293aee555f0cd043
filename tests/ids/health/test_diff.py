"""Agreement and movement by hand and against sets in a loop."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Book, IdTable, Names
from llmrec.ids.health.diff import Keys, agreement, diff, text

B = (Book("c", 8), Book("r", 8))


def table(codes: list[list[int]], scheme: str = "a", users: list[list[int]] | None = None) -> IdTable:
    def names(rows: list[list[int]]) -> Names:
        return Names(np.array(rows, dtype=np.int32).reshape(len(rows), -1), B[: len(rows[0])])

    return IdTable(scheme, names(codes), None if users is None else names(users))


def test_by_hand() -> None:
    """0 1 2 | 3 4 becomes 0 1 | 2 3 4, under other numbers: item 2 leaves 0 and 1 and joins 3 and 4."""
    a, b = table([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]]), table([[5, 0], [5, 1], [2, 0], [2, 1], [2, 2]], "b")
    found = diff(a, b)
    assert (found.scheme_a, found.scheme_b, found.users) == ("a", "b", None)
    assert found.notes == ("users are not compared: a names items only", "users are not compared: b names items only")
    first = found.items.moved[0]
    assert (first.index, first.moved, first.before, first.after, first.left, first.joined) == (2, 1.0, 2, 2, (0, 1), (3, 4))
    assert [(m.index, m.moved) for m in found.items.moved] == [(2, 1.0), (0, 0.5), (1, 0.5), (3, 0.5), (4, 0.5)]
    assert found.items.mean_moved == pytest.approx(3 / 5)
    assert [(x.of, x.place_a, x.place_b) for x in found.items.agreement] == [
        ("piece", 0, 0),
        ("piece", 0, 1),
        ("piece", 1, 0),
        ("piece", 1, 1),
        ("prefix", 1, 1),
    ]
    assert found.items.agreement[-1].ari == 1.0  # every whole name is unique in both


def test_a_table_agrees_with_itself_however_it_is_numbered() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, size=(60, 2))
    again = np.stack([rng.permutation(8)[codes[:, 0]], rng.permutation(8)[codes[:, 1]]], axis=1)
    found = diff(table(codes.tolist(), users=codes.tolist()), table(again.tolist(), users=again.tolist()))
    for side in (found.items, found.users):
        assert side is not None and side.moved == () and side.mean_moved == 0.0
        same = [x for x in side.agreement if x.place_a == x.place_b]
        assert all((x.nmi, x.ari) == (pytest.approx(1.0), 1.0) for x in same) and len(same) == 3
        assert all(x.nmi < 0.3 for x in side.agreement if x.place_a != x.place_b)


codes = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3)), min_size=8, max_size=8)


@settings(max_examples=25, deadline=None)
@given(codes, codes, st.integers(1, 2))
def test_moved_agrees_with_sets(one: list[tuple[int, int]], other: list[tuple[int, int]], depth: int) -> None:
    a, b = table([list(c) for c in one]), table([list(c) for c in other])
    found = diff(a, b, most=8, depth=depth, named=8).items
    told = {m.index: m for m in found.moved}
    total = 0.0
    for i in range(8):
        before = {j for j in range(8) if j != i and one[j][:depth] == one[i][:depth]}
        after = {j for j in range(8) if j != i and other[j][:depth] == other[i][:depth]}
        moved = 1 - len(before & after) / len(before | after) if before | after else 0.0
        total += moved
        assert (i in told) == (moved > 0)
        if moved:
            m = told[i]
            assert (m.moved, m.before, m.after) == (pytest.approx(moved), len(before), len(after))
            assert (set(m.left), set(m.joined)) == (before - after, after - before)
    assert found.mean_moved == pytest.approx(total / 8)
    assert [m.moved for m in found.moved] == sorted((m.moved for m in found.moved), reverse=True)
    back = diff(b, a, most=8, depth=depth).items
    assert back.mean_moved == pytest.approx(found.mean_moved)
    for x in found.agreement:
        mirrored = next(y for y in back.agreement if (y.of, y.place_a, y.place_b) == (x.of, x.place_b, x.place_a))
        assert 0 <= x.nmi <= 1 and -1 <= x.ari <= 1
        assert (mirrored.nmi, mirrored.ari) == (pytest.approx(x.nmi), pytest.approx(x.ari))


groups = st.lists(st.integers(0, 5), min_size=2, max_size=30)


@settings(max_examples=60, deadline=None)
@given(groups, st.integers(1, 6), st.integers(0, 9))
def test_agreement_is_that_of_scikit_learn(one: list[int], n_groups: int, seed: int) -> None:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    other = np.random.default_rng(seed).integers(0, n_groups, size=len(one))
    for a, b in ((np.array(one), other), (other, np.arange(len(one))), (np.arange(len(one)), np.arange(len(one))[::-1])):
        nmi, ari = agreement(a, b)
        assert nmi == pytest.approx(normalized_mutual_info_score(a, b), abs=1e-9)
        assert ari == pytest.approx(adjusted_rand_score(a, b), abs=1e-9)


def test_keys_lay_tables_of_other_orders_side_by_side() -> None:
    a, b = table([[0], [0], [1], [1]]), table([[7], [7], [3], [3], [3]], "b")
    found = diff(a, b, keys=(Keys(["w", "x", "y", "z"]), Keys(["z", "y", "x", "w", "new"])))
    assert found.items.n == 4 and found.items.moved == () and found.items.agreement[0].ari == 1.0
    assert found.notes[0] == "4 items are in both tables; 0 are in A alone, 1 in B alone"
    with pytest.raises(ValueError, match="A names 4 items and B 5: .* give the keys"):
        diff(a, b)
    with pytest.raises(ValueError, match="no item key in common"):
        diff(a, b, keys=(Keys(list("wxyz")), Keys(list("abcde"))))
    with pytest.raises(ValueError, match="B names 5 items, but 4 different keys of 5"):
        diff(a, b, keys=(Keys(list("wxyz")), Keys(list("wwxyz"))))
    with pytest.raises(ValueError, match="depth is 0"):
        diff(a, a, depth=0)


def test_names_in_text_share_nothing_and_say_so() -> None:
    films = replace(table([[0], [1], [2]]), scheme="title", items=Names(np.arange(3)[:, None], (Book("t", 3, False, ("A", "B", "C")),)))
    found = diff(table([[0], [0], [1]]), films)
    assert found.items.notes == ("no two items share the beginning of their name in B: whoever had companions in the other has moved",)
    assert [(m.index, m.left, m.joined) for m in found.items.moved] == [(0, (1,), ()), (1, (0,), ())]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["items"]["n"] == 3
    said = text(found, ["Alien", "Brazil", "Casino"])
    assert "A is a, B is title" in said and "Alien moved by 1.000: left Brazil (1), joined nobody (0)" in said


def test_many_items_fit_in_little_room() -> None:
    """A million squares of pairs would not."""
    rng = np.random.default_rng(0)
    n = 200_000
    big = [IdTable("a", Names(rng.integers(0, 100, size=(n, 1)).astype(np.int32), (Book("c", 100),))) for _ in range(2)]
    found = diff(*big, most=3).items
    assert len(found.moved) == 3 and abs(found.agreement[0].ari) < 0.01 and found.mean_moved > 0.9
