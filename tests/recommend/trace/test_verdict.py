"""The sentence on a trace, word by word, on traces made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from llmrec.contracts import Token
from llmrec.recommend.trace import verdict
from llmrec.recommend.trace.beam import Beam, Depth, Pace
from llmrec.recommend.trace.looking import Trace
from llmrec.recommend.trace.reading import Reading
from llmrec.recommend.trace.whole import Multinomial, Nearness

TITLES = [f"Film {i}" for i in range(30)]
READ = Reading((), 0, "", True)


class Vocab:
    def decode(self, rows: list[int]) -> list[str]:
        return [Token(f"<b_{row}>") if row != 8 else " all" for row in rows]


def said(evidence: Any, items: list[int], target: int | None, gone: tuple[int, ...] = (), ranks: Any = None) -> verdict.Verdict:
    order = np.asarray(items)
    trace = Trace(READ, order, -np.arange(len(items), dtype=np.float32), ranks, evidence, np.asarray(gone, dtype=np.int64), target)
    return verdict.verdict(trace, TITLES, Vocab(), 10)  # type: ignore[arg-type]


def beam(needed: int | None = 31, row: int = 7) -> Beam:
    n = 200
    depth = Depth(np.arange(1, n + 1), -np.arange(n, dtype=np.float32), np.full(n, -1), np.arange(n) < 20)
    path = (Pace(3, -1.0, -1.0, 2, True), Pace(row, -2.0, -3.0, 31, False), Pace(9, -1.0, -4.0, None, False))
    return Beam((depth, depth, depth), 20, None, path, needed)  # type: ignore[arg-type]


def test_lost() -> None:
    found = said(beam(), [4, 5], 7)
    assert found.fate == "lost" and found.head == "Lost at piece 2 of 3"
    assert found.text == (
        "“Film 7” was lost at piece 2 of 3: <b_7> came 31st of 200, and the beam keeps 20. A beam of 31 would have kept it. "
        "First comes “Film 4”."
    )
    assert ": “all” came 31st" in said(beam(row=8), [4, 5], 7).text
    assert "would have kept" not in said(beam(None), [4, 5], 7).text


def test_found_below_barred_and_nobody() -> None:
    log_p = Multinomial(np.zeros(30, dtype=np.float32), np.zeros(2, dtype=np.float32))
    assert said(log_p, [4, 7, 5], 7).text == "“Film 7” comes 2nd of the 10 shown. First comes “Film 4”."
    assert said(log_p, [7, 4], 7).text == "“Film 7” comes 1st of the 10 shown."
    below = said(log_p, list(range(30)), 12)
    assert below.head == "Place 13" and below.text == (
        "“Film 12” is found at place 13 of 30, below the 10 shown. “Film 9” stands 10th, and “Film 0” first."
    )
    assert said(log_p, [4], 7, gone=(7,)).fate == "barred" and said(log_p, [4], None).fate == "nobody"
    assert said(log_p, [4], 7).fate == "unknown" and "nothing" in said(log_p, [], None).text


def test_an_exact_rank_is_told_where_it_differs() -> None:
    log_p = Multinomial(np.zeros(30, dtype=np.float32), np.zeros(2, dtype=np.float32))
    ranks = np.arange(1, 31)
    assert "By exact scores it is 8th of 30." in said(log_p, [4, 7, 5], 7, ranks=ranks).text
    assert "exact" not in said(log_p, list(range(30)), 7, ranks=ranks).text


def test_cosines_are_told_below_the_list() -> None:
    near = Nearness(np.zeros(2, dtype=np.float32), np.zeros((30, 2), dtype=np.float32), np.linspace(1, 0, 30).astype(np.float32))
    assert "at cosine 0.586 against 0.690 for the last one shown" in said(near, list(range(30)), 12).text


@pytest.mark.parametrize(
    ("n", "written"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (1022, "1,022nd")]
)
def test_ordinals(n: int, written: str) -> None:
    assert verdict.ordinal(n) == written
