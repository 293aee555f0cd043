"""Codes under masks and sizes of books: the averages are those of a plain loop, the chosen ones are marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmrec.contracts import Floats, Ints
from llmrec.view import steadiness


@dataclass(frozen=True)
class Signs:
    """One code per number: its sign."""

    sizes: tuple[int, ...] = (2, 2, 2)

    def encode(self, rows: Floats) -> Ints:
        return (rows > 0).astype(np.int32)

    def decode(self, codes: Ints) -> Floats:
        raise AssertionError("nobody asks for it")


@dataclass(frozen=True)
class Deaf:
    """The same code, whatever is shown."""

    sizes: tuple[int, ...] = (2,)

    def encode(self, rows: Floats) -> Ints:
        return np.zeros((len(rows), 1), dtype=np.int32)

    def decode(self, codes: Ints) -> Floats:
        raise AssertionError("nobody asks for it")


def test_averages_are_those_of_a_plain_loop() -> None:
    rows = np.abs(np.random.default_rng(3).standard_normal((5, 3))).astype(np.float32)
    shares = (0.0, 0.4)
    table = steadiness.curve({"signs": Signs(), "deaf": Deaf()}, -np.ones(3, np.float32), rows, shares, 4, np.random.default_rng(0))
    again = np.random.default_rng(0)
    for share in shares:  # all numbers are above 0 and a hole is below: a code is kept where nothing is hidden
        hidden = again.random((5, 4, 3)) < share
        line = table[(table["quantizer"] == "signs") & (table["hidden"] == share)].iloc[0]
        assert line["codes kept"] == np.mean([not h for h in hidden.reshape(-1)])
        assert line["names kept"] == np.mean([not row.any() for row in hidden.reshape(-1, 3)])
    assert (table[table["quantizer"] == "deaf"]["codes kept"] == 1).all()


def test_every_quantizer_has_a_line_and_the_film_a_diamond() -> None:
    lines = [{"quantizer": q, "hidden": s, "codes kept": 1 - s, "names kept": 0.5} for q in ("a", "b") for s in (0.0, 0.5)]
    table = pd.DataFrame(lines)
    film = pd.DataFrame([{"quantizer": q, "hidden": 0.3, "codes kept": v, "names kept": 0.1} for q, v in (("a", 0.7), ("b", 0.4))])
    drawn = steadiness.steadiness(table, film, 0.3).data
    assert [t.name for t in drawn] == ["a", "a", "b", "b"]
    assert list(drawn[0].y) == [1.0, 0.5] and list(drawn[1].y) == [0.7] and list(drawn[3].y) == [0.4]
    assert drawn[0].line.dash != drawn[2].line.dash


def test_sizes_have_a_line_for_each_number_of_books_and_a_ring() -> None:
    table = pd.DataFrame({"books": [3, 1, 3], "codes": [64, 16, 16], "cosine": [0.9, 0.5, 0.7]})
    drawn = steadiness.sizes(table, "cosine", (3, 64)).data
    assert [t.name for t in drawn] == ["1 book", "3 books", "chosen"]
    assert list(drawn[1].x) == [16, 64] and list(drawn[1].y) == [0.7, 0.9] and list(drawn[2].x) == [64]
    assert list(steadiness.sizes(table, "cosine", (2, 64)).data[-1].x) == []
