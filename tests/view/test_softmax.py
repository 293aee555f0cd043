"""Bars of probabilities and the picture of a neighbourhood: lengths, marks, and text that stays text."""

from __future__ import annotations

import pytest

from llmrec.view.nearness import Spot, nearness
from llmrec.view.palette import DARK, LIGHT
from llmrec.view.softmax import Bar, bars, height, stacked

GIVEN = [Bar("<c1>", 0.5, 2, marked=True, about=("<i>Alien</i>",)), Bar(" the", 0.25, None, legal=False), Bar("<c2>", 1e-5, 3, said="tiny")]


def test_bars_say_how_long_they_are() -> None:
    (bar,) = bars(GIVEN).data
    assert list(bar.x) == [0.5, 0.25, 1e-5] and list(bar.text) == ["0.500", "0.250", "tiny"]
    assert list(bar.marker.color) == [LIGHT.categories[2], LIGHT.missing, LIGHT.categories[3]]
    assert list(bar.marker.pattern.shape) == ["", "/", ""]
    assert bar.marker.line.color[0] == LIGHT.accent != bar.marker.line.color[2]
    assert bars(GIVEN, dark=True).data[0].marker.line.color[0] == DARK.accent
    assert bars([Bar("x", 2e-4)]).data[0].text[0] == "2.0e-04"


def test_labels_and_hovers_stay_text() -> None:
    figure = bars(GIVEN)
    assert figure.layout.yaxis.ticktext[0] == "▸ &lt;c1&gt;" and "&lt;i&gt;Alien" in figure.data[0].customdata[0]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first stands above"


def test_losses_go_to_the_left() -> None:
    low, high = bars([Bar("a", -30.0), Bar("b", 12.0)]).layout.xaxis.range
    assert low < -30 and high > 12


def test_parts_are_stacked() -> None:
    figure = stacked(["Alien", "Up"], [[("<c1>", 2.0, 1), ("<r2>", 0.5, None)], [("<c3>", 1.0, 3)]], "logit")
    first, second = figure.data
    assert list(first.x) == [2.0, 1.0] and list(first.y) == [0, 1] and list(second.x) == [0.5] and list(second.y) == [0]
    assert figure.layout.barmode == "relative" and height(figure) == height(bars(GIVEN[:2]))


@pytest.mark.parametrize("dark", [False, True])
def test_a_neighbourhood_shows_each_role_once(dark: bool) -> None:
    spots = [
        Spot(0, 0, "query", "where the prompt leads", 1),
        Spot(1, 0, "near", "<b>Alien</b>", 0.9),
        Spot(2, 1, "near", "Up", 0.8),
        Spot(1, 1, "followed", "Heat", 0.1),
    ]
    figure = nearness(spots, dark)
    assert [t.name for t in figure.data] == ["nearest items", "the followed item", "where the prompt leads"]
    assert figure.data[0].customdata[0] == "&lt;b&gt;Alien&lt;/b&gt;<br>cosine 0.900" and list(figure.data[0].x) == [1, 2]
    assert figure.layout.yaxis.scaleanchor == "x"
