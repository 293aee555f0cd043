"""Figures of a vector's way through the quantizer: their tables say what was computed."""

from __future__ import annotations

import numpy as np

from llmrec.ids.vq.holes import Look
from llmrec.view import quantizing

RNG = np.random.default_rng(0)


def look(hidden: list[bool]) -> Look:
    row = np.asarray([1.0, -2.0, 0.5], dtype=np.float32)
    said = RNG.standard_normal((2, 4)).astype(np.float32)
    return Look(row, np.asarray(hidden), said, np.asarray([0, 1]), np.abs(RNG.standard_normal((2, 3))).astype(np.float32), row / 2)


def test_hidden_numbers_are_told_and_drawn_apart() -> None:
    table = quantizing.strip_table(np.asarray([1.0, -2.0, 0.5], np.float32), np.asarray([False, True, False]))
    assert table["hidden"].tolist() == ["", "hidden", ""] and table["value"].tolist() == [1.0, -2.0, 0.5]
    seen, hidden = quantizing.strip(table).data
    assert list(seen.x) == [1, 3] and list(hidden.x) == [2] and list(hidden.y) == [-2.0]
    assert len(quantizing.strip(table[table["hidden"] == ""]).data) == 2


def test_what_encoders_say_stands_with_and_without_holes() -> None:
    whole, holed = look([False] * 3), look([True, False, False])
    table = quantizing.said_table(whole, holed)
    assert table["book"].tolist() == [1] * 4 + [2] * 4 and table["number"].tolist() == [1, 2, 3, 4] * 2
    heat = quantizing.said(table).data[0]
    assert list(heat.y) == ["book 2, with holes", "book 2, whole", "book 1, with holes", "book 1, whole"]
    assert np.allclose(heat.z[3], whole.said[0], atol=1e-3) and np.allclose(heat.z[0], holed.said[1], atol=1e-3)


def test_codewords_are_told_nearest_first_and_the_line_leads_to_the_nearest() -> None:
    book = np.asarray([[0, 0, 0], [4, 0, 0], [0, 3, 0], [0, 0, 0.5]], dtype=np.float32)
    said = np.asarray([3.5, 0, 0], dtype=np.float32)
    far = np.linalg.norm(book - said, axis=1)
    table = quantizing.snap_table(book, ["<a0>", "<a1>", "<a2>", "<a3>"], far, np.asarray([1, 2, 3, 0]))
    assert table["codeword"].tolist()[0] == "<a1>" and table["distance"].tolist() == sorted(table["distance"])
    assert table["items"].tolist()[0] == 2
    line = quantizing.snap(table, said, book, 3).data[0]
    assert (line.x[1], line.y[1]) == (table["x"][0], table["y"][0])
    assert np.hypot(line.x[0] - line.x[1], line.y[0] - line.y[1]) <= far.min() + 1e-5  # flat distances are never longer


def test_a_book_of_one_codeword_is_drawn() -> None:
    book = np.asarray([[1.0, 2.0]], dtype=np.float32)
    table = quantizing.snap_table(book, ["<a0>"], np.asarray([0.5]), np.asarray([9]))
    assert len(quantizing.snap(table, book[0] + 0.5, book, None).data) == 4


def test_what_comes_back_stands_beside_the_original() -> None:
    whole, holed = look([False] * 3), look([False, True, False])
    table = quantizing.back_table(holed, whole)
    assert list(table.columns) == ["number", "original", "hidden", "from the whole", "from what was seen"]
    assert table["original"].tolist() == [1.0, -2.0, 0.5] and table["from the whole"].tolist() == [0.5, -1.0, 0.25]
    assert [t.name for t in quantizing.back(table, dark=True).data] == ["original", "from the whole", "from what was seen"]
