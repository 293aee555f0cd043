"""Two rows per item on one plane: pairs, frames and distances are those that were given."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.view import pulling

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((3, 2, 4, 2))
TITLES, GENRES, PASSES = ["A", "<b>B</b>", "C", "D"], ["Drama", "Comedy", "Drama", "other"], ["start", "content", "collaborative"]


def test_the_plane_keeps_the_widest_directions() -> None:
    rows = [np.asarray([[10.0, 0, 0], [-10, 0, 0], [0, 3, 0], [0, -3, 0], [0, 0, 0.1]], dtype=np.float32)]
    middle, plane = pulling.plane(rows)
    assert np.allclose(np.abs(plane), [[1, 0, 0], [0, 1, 0]], atol=1e-2) and np.allclose(middle, [0, 0, 0.02])
    assert (plane[[0, 1], np.abs(plane).argmax(1)] > 0).all()


def test_every_pair_is_joined_in_every_frame() -> None:
    figure = pulling.pairs(POINTS, PASSES, TITLES, GENRES)
    assert [f.name for f in figure.frames] == ["0", "1", "2"]
    assert [t.name for t in figure.data[::3]] == ["Drama", "Comedy", "other"]  # the most frequent first, what has no colour last
    line, taken, said = figure.frames[1].data[:3]
    assert list(line.x) == [POINTS[1, 0, 0, 0], POINTS[1, 1, 0, 0], None, POINTS[1, 0, 2, 0], POINTS[1, 1, 2, 0], None]
    assert list(taken.y) == [POINTS[1, 0, 0, 1], POINTS[1, 0, 2, 1]] and list(said.y) == [POINTS[1, 1, 0, 1], POINTS[1, 1, 2, 1]]
    assert all(isinstance(t.marker.symbol, str) for t in (taken, said))  # one symbol a trace: see `_traces`
    assert [list(t.y) for t in figure.data] == [list(t.y) for t in figure.frames[2].data]
    assert len(figure.layout.sliders[0].steps) == 3 and figure.layout.sliders[0].active == 2


def test_titles_in_the_figure_are_text() -> None:
    told = str(pulling.pairs(POINTS, PASSES, TITLES, GENRES).to_json())
    assert "<b>B" not in told.replace("\\u003c", "<") and "&lt;b&gt;B" in told.replace("\\u003c", "<")


def test_the_table_holds_every_look_and_item() -> None:
    table = pulling.table(POINTS, PASSES, TITLES, GENRES)
    assert len(table) == 12 and table["after"].tolist()[4:8] == ["content"] * 4
    line = table[(table["pass"] == 2) & (table["title"] == "C")].iloc[0]
    assert (line["taken x"], line["said y"]) == pytest.approx((POINTS[2, 0, 2, 0], POINTS[2, 1, 2, 1]), abs=1e-4)


def test_distances_are_means_over_items() -> None:
    apart = {0.0: np.asarray([[0, 0], [1, 3]], np.float32), 10.0: np.asarray([[0, 0], [0.5, 0.5]], np.float32)}
    near = {s: 1 - a for s, a in apart.items()}
    told = pulling.apart_table(apart, near, ["start", "content"])
    assert told["distance"].tolist() == [0, 2, 0, 0.5] and told["cosine"].tolist() == [1, -1, 1, 0.5]
    drawn = pulling.apart(told, 10.0).data
    assert [t.name for t in drawn] == ["lambda 0", "lambda 0", "lambda 10", "lambda 10"]
    assert drawn[2].line.width > drawn[0].line.width and list(drawn[0].y) == [0, 2]
