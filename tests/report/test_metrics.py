"""Metrics against plain Python and against scikit-learn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from llmrec.contracts import Ranked
from llmrec.report.metrics import METRICS, coverage, from_places, named, per_user, places
from llmrec.report.protocols import PROTOCOLS, Protocol


def ranked(rows: list[list[int]]) -> Ranked:
    items = np.array(rows, dtype=np.int32)
    return Ranked(items, np.where(items < 0, -np.inf, -np.arange(items.shape[1], dtype=np.float32)).astype(np.float32))


def targets(*rows: list[int]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(r, dtype=np.int32) for r in rows)


def plain(row: list[int], wanted: set[int], k: int) -> dict[str, float]:
    """The definitions, word by word."""
    top = row[:k]
    found = [i for i in top if i in wanted]
    gain = sum(1 / math.log2(at + 2) for at, i in enumerate(top) if i in wanted)
    ideal = sum(1 / math.log2(at + 2) for at in range(min(k, len(wanted))))
    first = next((at for at, i in enumerate(top) if i in wanted), None)
    return {
        "hit": float(bool(found)),
        "ndcg": gain / ideal,
        "recall": len(found) / min(k, len(wanted)),
        "plain_recall": len(found) / len(wanted),
        "mrr": 0.0 if first is None else 1 / (first + 1),
    }


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]], int]:
    b, width, m = draw(st.integers(1, 5)), draw(st.integers(1, 8)), 12
    rows, wanted = [], []
    for _ in range(b):
        n = draw(st.integers(0, width))
        rows.append(draw(st.permutations(range(m)))[:n] + [-1] * (width - n))
        wanted.append(draw(st.lists(st.integers(0, m + 3), min_size=1, max_size=10)))
    return rows, wanted, draw(st.integers(1, width))


@settings(deadline=None, max_examples=300)
@given(cases())
def test_every_metric_equals_its_definition(case: tuple[list[list[int]], list[list[int]], int]) -> None:
    rows, wanted, k = case
    found = per_user(ranked(rows), targets(*wanted), (k,), tuple(METRICS))
    assert list(found) == [f"{name}@{k}" for name in METRICS]
    for name in METRICS:
        expected = [plain(row, set(want), k)[name] for row, want in zip(rows, wanted, strict=True)]
        assert found[f"{name}@{k}"].tolist() == pytest.approx(expected), name


def test_ndcg_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    rows = np.stack([rng.permutation(30)[:10] for _ in range(50)])
    wanted = [rng.choice(30, size=rng.integers(1, 15), replace=False) for _ in range(50)]
    truth, score = np.zeros((50, 30)), np.zeros((50, 30))
    for r in range(50):
        truth[r, wanted[r]] = 1
        score[r, rows[r]] = np.arange(10, 0, -1)
    for k in (1, 5, 10):
        mine = per_user(ranked(rows.tolist()), targets(*[w.tolist() for w in wanted]), (k,))[f"ndcg@{k}"]
        assert mine.mean() == pytest.approx(ndcg_score(truth, score, k=k))


def test_by_hand() -> None:
    found = per_user(ranked([[7, 3, 9], [1, -1, -1], [4, 5, 6]]), targets([9], [2], [5, 4, 8, 0]), (1, 3), tuple(METRICS))
    assert found["hit@1"].tolist() == [0, 0, 1]
    assert found["hit@3"].tolist() == [1, 0, 1]
    assert found["mrr@3"].tolist() == pytest.approx([1 / 3, 0, 1])
    assert found["ndcg@3"].tolist() == pytest.approx([0.5, 0, (1 + 1 / math.log2(3)) / (1 + 1 / math.log2(3) + 0.5)])
    assert found["recall@3"].tolist() == pytest.approx([1, 0, 2 / 3])
    assert found["plain_recall@3"].tolist() == pytest.approx([1, 0, 2 / 4])


def test_a_beam_that_found_nothing_misses() -> None:
    found = per_user(ranked([[-1, -1]]), targets([0]), (1, 2))
    assert all(v.tolist() == [0.0] for v in found.values())


def test_a_gap_before_a_hit_keeps_the_place_of_the_hit() -> None:
    assert per_user(ranked([[-1, 0]]), targets([0]), (2,))["mrr@2"].tolist() == [0.5]


@pytest.mark.parametrize(
    ("rows", "wanted", "k", "message"),
    [
        ([[1, 2]], [[1]], 3, "needs a ranking of 3 places, but this one has 2"),
        ([[1, 2]], [[1]], 0, "metric at 0"),
        ([[1, 2], [3, 3]], [[1], [1]], 2, "row 1 recommends an item twice"),
        ([[1, 2], [3, 4]], [[1], []], 2, "row 1 has no target"),
        ([[1, 2]], [[1], [2]], 2, "1 rankings need 1 lists of targets, got 2"),
    ],
)
def test_what_cannot_be_measured_is_refused(rows: list[list[int]], wanted: list[list[int]], k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        per_user(ranked(rows), targets(*wanted), (k,))


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="no metric is called 'auc'; there are hit"):
        per_user(ranked([[1]]), targets([1]), (1,), ("auc",))


def test_coverage_counts_each_shown_item_once_and_no_padding() -> None:
    shown = ranked([[0, 1, 2], [1, 3, -1]])
    assert coverage(shown, 8, 3) == 4 / 8
    assert coverage(shown, 8, 1) == 2 / 8
    assert coverage(ranked([[-1, -1]]), 8, 2) == 0


@pytest.mark.parametrize("protocol", list(PROTOCOLS.values()), ids=list(PROTOCOLS))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_places_are_all_that_a_protocol_reads(protocol: Protocol, data: st.DataObject) -> None:
    """Every metric of every protocol, from places that went through JSON, equals the one from the ranking, to the bit."""
    k, m = protocol.cuts[-1], 150
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shown = np.full((6, k), -1)
    wanted = []
    for row in range(6):
        found = draw.permutation(m)[: draw.integers(0, k + 1)]
        shown[row, : len(found)] = found
        wanted.append(draw.permutation(m)[: draw.integers(1, 50)].tolist())
    some, counts = places(ranked(shown.tolist()), targets(*wanted))
    by_hand = [[at + 1 for at, item in enumerate(row) if item in want] for row, want in zip(shown.tolist(), wanted, strict=True)]
    assert [p.tolist() for p in some] == by_hand and counts.tolist() == [len(w) for w in wanted]
    kept, n = json.loads(json.dumps([[p.tolist() for p in some], counts.tolist()]))
    again, whole = from_places(kept, n, protocol.metrics), named(ranked(shown.tolist()), targets(*wanted), protocol.metrics)
    assert list(again) == list(whole) == list(protocol.metrics)
    assert all(np.array_equal(again[name], whole[name]) for name in whole)


@pytest.mark.parametrize(
    ("places_", "counts", "told"),
    [
        ([[3, 2]], [2], r"row 0: places \[3, 2\] of 2 targets: they must ascend"),
        ([[1], [0]], [1, 1], "row 1: places"),
        ([[1, 2]], [1], "one per target found"),
        ([[]], [0], "of 0 targets"),
        ([[1]], [1, 1], "1 lists of places need as many counts"),
    ],
)
def test_places_that_cannot_be_are_refused(places_: list[list[int]], counts: list[int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        from_places(places_, counts, ["hit@5"])


def test_places_behind_the_cut_are_misses() -> None:
    assert from_places([[6, 30]], [3], ["hit@5", "hit@6", "recall@30"]) == {"hit@5": [0.0], "hit@6": [1.0], "recall@30": [2 / 3]}
