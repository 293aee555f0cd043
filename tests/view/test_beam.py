"""The tree of a beam: who stands where, what colour says, and that titles stay text."""

from __future__ import annotations

from llmrec.view import beam as drawing
from llmrec.view.beam import Twig, beam
from llmrec.view.palette import LIGHT

TWIGS = [
    Twig(1, 0, 1, "<a_1>", 3, -1.0, "kept", True, "", ("2 of 5",)),
    Twig(2, 0, 1, "<a_2>", 4, -0.5, "kept"),
    Twig(3, 0, 1, "<a_3>", 5, -2.0, "cut"),
    Twig(4, 1, 2, "<b_1>", None, -1.5, "found", True, "<b>Alien</b>", ("place 3",)),
    Twig(5, 2, 2, "<b_2>", 1, -0.9, "found"),
    Twig(6, 2, 2, "x" * 40, None, -3.0, "cut"),
]


def points(figure: object) -> dict[str, tuple[float, float, str]]:
    found = {}
    for trace in figure.data:  # type: ignore[attr-defined]
        if trace.mode == "markers+text":
            for x, y, text, about in zip(trace.x, trace.y, trace.text, trace.customdata, strict=True):
                found[text.strip().split(" ")[0]] = (x, y, about)
    return found


def test_the_best_stands_above_and_whoever_goes_on_amid_what_follows() -> None:
    placed = points(beam(TWIGS))
    assert placed["&lt;b_2&gt;"][:2] == (2.0, 0.0) and placed["x" * 17 + "…"][:2] == (2.0, 1.0)
    assert placed["&lt;a_2&gt;"][:2] == (1.0, 0.5)
    assert placed["&lt;b_1&gt;"][1] == placed["&lt;a_1&gt;"][1] == 2.0 and placed["&lt;a_3&gt;"][1] == 3.0
    assert len({(x, y) for x, y, _ in placed.values()}) == len(TWIGS), "nobody covers another"


def test_a_label_on_a_line_stands_above_it_and_a_whole_name_says_whose_it_is() -> None:
    where = {text.strip(): place for t in beam(TWIGS).data if t.name for text, place in zip(t.text, t.textposition, strict=True)}
    assert where["&lt;a_1&gt;"] == where["&lt;a_2&gt;"] == "top center" and where["&lt;a_3&gt;"] == "middle right"
    assert where["&lt;b_1&gt; &lt;b&gt;Alien&lt;/b&gt;"] == "middle right"


def test_lines_lead_from_each_to_what_is_before_it() -> None:
    figure = beam(TWIGS)
    plain, way = (t for t in figure.data if t.mode == "lines")
    assert way.line.color == LIGHT.accent and list(way.x) == [0.0, 1.0, None, 1.0, 2.0, None]
    assert len([x for x in plain.x if x is None]) == 4


def test_colours_are_those_of_the_tokens_and_the_cut_have_none() -> None:
    marks = {t.name: dict(zip([x.strip().split(" ")[0] for x in t.text], t.marker.color, strict=True)) for t in beam(TWIGS).data if t.name}
    assert marks["kept"]["&lt;a_2&gt;"] == LIGHT.categories[4] and marks["found"]["&lt;b_1&gt;"] == LIGHT.missing
    assert set(marks["cut"].values()) == {LIGHT.missing}
    assert beam(TWIGS, dark=True).data[1].line.color != LIGHT.accent


def test_what_a_pointer_is_told_stays_text() -> None:
    placed = points(beam(TWIGS))
    assert "&lt;b&gt;Alien&lt;/b&gt;" in placed["&lt;b_1&gt;"][2] and "log p -1.50" in placed["&lt;b_1&gt;"][2]


def test_it_grows_with_what_it_holds() -> None:
    assert drawing.height(beam(TWIGS)) < drawing.height(beam([*TWIGS, *(Twig(10 + i, 1, 2, "y", None, -4.0 - i, "cut") for i in range(9))]))
    assert beam([]).layout.height > 0
