"""Figures of a comparison against the tables they draw, with names that would be tags."""

from __future__ import annotations

import pandas as pd
import pytest

from llmrec.view import matrix, scores
from llmrec.view.matrix import Cell

BAD = "<b>x</b>"


def less() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["a", BAD, "c"],
            "difference in H@10": [0.05, -0.02, 0.01],
            "low": [0.01, -0.05, -0.01],
            "high": [0.09, -0.005, 0.03],
            "better for": [9, 1, 3],
            "worse for": [1, 5, 2],
            "the same for": [0, 4, 5],
            "p, Holm": [0.01, 0.02, 0.5],
            "excludes 0": [True, True, False],
        }
    )


@pytest.mark.parametrize("dark", [False, True])
def test_differences_have_whiskers_to_their_bounds_and_are_open_where_zero_is_inside(dark: bool) -> None:
    (dots,) = scores.differences(less(), "difference in H@10", "ref", dark).data
    assert list(dots.y) == ["&lt;b&gt;x&lt;/b&gt;", "c", "a"] and list(dots.x) == [-0.02, 0.01, 0.05]  # the best on top
    assert list(dots.marker.symbol) == ["circle", "circle-open", "circle"]
    assert [x + up for x, up in zip(dots.x, dots.error_x.array, strict=True)] == pytest.approx([-0.005, 0.03, 0.09])
    assert [x - down for x, down in zip(dots.x, dots.error_x.arrayminus, strict=True)] == pytest.approx([-0.05, -0.01, 0.01])
    assert dots.marker.color[0] != dots.marker.color[2]  # worse and better differ


def test_each_name_looks_alike_everywhere_and_like_no_other() -> None:
    names = [f"run {n}" for n in range(25)]
    assert len(set(scores.look(names).values())) == 25
    assert scores.look(names[:3]).items() <= scores.look(names).items()


def test_segments_stand_beside_each_other_within_their_part() -> None:
    table = pd.DataFrame(
        [
            {"name": name, "targets": part, "users": 5, "H@10": value, "low": 0.0, "high": 1.0}
            for name, value in (("a", 0.2), (BAD, 0.4))
            for part in ("popular", "rare")
        ]
    )
    figure = scores.segments(table, "H@10")
    assert [trace.name for trace in figure.data] == ["a", "&lt;b&gt;x&lt;/b&gt;"]
    assert all(-0.5 < trace.x[0] < 0.5 < trace.x[1] < 1.5 for trace in figure.data)
    assert figure.layout.xaxis.ticktext == ("popular<br>5 users", "rare<br>5 users")


def test_cuts_have_a_band_around_every_line() -> None:
    table = pd.DataFrame(
        [{"name": name, "k": k, "value": k / 10, "low": k / 10 - 0.05, "high": k / 10 + 0.05} for name in ("a", "b") for k in (1, 2, 3)]
    )
    band, line, *_ = scores.cuts(table, "H@k").data
    assert list(band.x) == [1, 2, 3, 3, 2, 1] and list(band.y) == pytest.approx([0.15, 0.25, 0.35, 0.25, 0.15, 0.05])
    assert list(line.y) == pytest.approx([0.1, 0.2, 0.3]) and line.line.color[1:] and not band.showlegend


def test_cost_moves_every_point_when_another_cost_is_chosen() -> None:
    table = pd.DataFrame(
        {"name": ["a", "b"], "H@10": [0.1, 0.2], "H@10 low": [0.0, 0.1], "H@10 high": [0.2, 0.3], "latency": [1.0, 9.0], "size": [5.0, 2.0]}
    )
    figure = scores.cost(table, "H@10", {"latency": "ms", "size": "MB"})
    assert [trace.x[0] for trace in figure.data] == [1.0, 9.0] and figure.layout.xaxis.type == "log"
    other = figure.layout.updatemenus[0].buttons[1]
    assert other.args[0]["x"] == [[5.0], [2.0]] and other.args[1] == {"xaxis.title.text": "MB"}


def test_the_matrix_shows_each_number_once_and_says_why_a_cell_is_empty() -> None:
    cells = {
        ("metaid", "trie"): Cell(0.2, 0.1, 0.3, BAD),
        ("title", "trie"): Cell(0.05, 0.0, 0.1),
        ("title", "items"): Cell(None, note="why"),
    }
    figure = matrix.figure(cells, ["metaid", "title"], ["trie", "items"], "H@10")
    (heat,) = figure.data
    assert [list(row) for row in heat.z] == [[0.2, None], [0.05, None]]
    assert "&lt;b&gt;" in heat.customdata[0][0] and "95 %" in heat.customdata[0][0] and heat.customdata[1][1] == "why"
    assert [a.text for a in figure.layout.annotations] == ["0.2000", "–", "0.0500", "–"]
    table = matrix.table(cells, ["metaid", "title"], ["trie", "items"], "H@10")
    assert len(table) == 4 and table["H@10"].notna().sum() == 2 and table["note"].tolist()[3] == "why"


def test_letters_are_read_on_every_cell() -> None:
    """At least 4 to 1 between a number and its ground, wherever on the scale it stands, light and dark."""
    from llmrec.view.palette import LIGHT, palette

    assert matrix._brightness(("#000000", "#ffffff"), 0.0) == 0 and matrix._brightness(("#000000", "#ffffff"), 1.0) == pytest.approx(1)
    schemes = [f"s{n}" for n in range(21)]
    cells = {(scheme, "trie"): Cell(n / 20) for n, scheme in enumerate(schemes)}
    for dark in (False, True):
        for n, note in enumerate(matrix.figure(cells, schemes, ["trie"], "H@10", dark).layout.annotations):
            ground = matrix._brightness(palette(dark).sequence, n / 20)
            letters = matrix._brightness((note.font.color, note.font.color), 0.0)
            bright, low = max(ground, letters), min(ground, letters)
            assert note.font.color in (LIGHT.ink, LIGHT.ground) and (bright + 0.05) / (low + 0.05) >= 4, (dark, n)
