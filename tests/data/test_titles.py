"""Titles as GroupLens writes them, against what a person would write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmrec.data.titles import article_first, clean, has_control, printable, read_title


@pytest.mark.parametrize(
    ("raw", "title", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Godfather, The (1972)", "The Godfather", 1972),
        ("Godfather: Part II, The", "The Godfather: Part II", None),
        ("Fish Called Wanda, A (1988)", "A Fish Called Wanda", 1988),
        ("Enfer, L' (1994)", "L'Enfer", 1994),
        ("Misérables, Les (1995)", "Les Misérables", 1995),
        ("Blue Angel, The (Blaue Engel, Der) (1930)", "The Blue Angel (Der Blaue Engel)", 1930),
        ("Seven (Se7en) (1995)", "Seven (Se7en)", 1995),
        ("Good, The Bad and The Ugly, The (1966)", "The Good, The Bad and The Ugly", 1966),
        ("Land Before Time III: The Time of the Great Giving (1995) (V)", "Land Before Time III: The Time of the Great Giving", 1995),
        ("Adaptation. (2002-2003)", "Adaptation.", 2002),
        ("To Have, or Not", "To Have, or Not", None),
        ("Paris, Texas (1984)", "Paris, Texas", 1984),
        ("Caged Heat", "Caged Heat", None),
        ("(1984)", "(1984)", None),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("<b>Bold</b> & <script>alert(1)</script>", "<b>Bold</b> & <script>alert(1)</script>", None),
    ],
)
def test_reads_as_a_person_would(raw: str, title: str, year: int | None) -> None:
    assert read_title(raw) == (title, year)


def test_control_characters_go_and_nothing_else() -> None:
    assert clean("  Ali\x07en\t 3\n\u202e ") == "Alien 3"
    assert has_control("a\x00b") and has_control("\u202eevil") and not has_control("Amélie 天使 👍")
    assert clean("Amélie 天使 👍") == "Amélie 天使 👍"


@given(st.text())
def test_what_is_printed_is_printable_and_as_long_as_before(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() and len(shown) == len(text)
    assert all(a == b or (b == " " and not a.isprintable()) for a, b in zip(text, shown, strict=True))


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once and not has_control(once)


@given(st.text(st.characters(codec="ascii", exclude_characters="(),"), min_size=1))
def test_a_title_without_commas_is_left_alone(text: str) -> None:
    assert article_first(text) == text
