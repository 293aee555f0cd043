"""CSV for spreadsheets: no cell is a formula, numbers are numbers, and nothing is lost."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmrec.report import spreadsheet, table

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://example.org/?"&A1,"click")',
    "+1+1",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\tAlien",
    "＝1+1",
    "-",
    "=",
    "-5 Stars",
    "+1\n",
    "@home",
    "-Infinity",
    "+٣",
    " =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b@SUM(A1)",
]


def read(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode(), newline="")))


@pytest.mark.parametrize("title", FORMULAS)
def test_a_formula_becomes_text_in_cells_and_headers(title: str) -> None:
    rows = read(spreadsheet.to_csv(pd.DataFrame({title: [title, "Alien"], "n": [-1.5, 2]})))
    assert rows == [[f"'{title}", "n"], [f"'{title}", "-1.5"], ["Alien", "2.0"]]
    assert read(table.to_csv([{title: title, "n": -1.5}]).encode()) == [[f"'{title}", "n"], [f"'{title}", "-1.5"]]


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("x;=1+1;y", "x;'=1+1;y"),
        ("x; =1+1", "x; '=1+1"),
        ('x;"=1', "x;\"'=1"),
        ('x";=1+1;"y', 'x";\'=1+1;"y'),
        ("x\t@home", "x\t'@home"),
        ("x\r\n-1+1", "x\r\n'-1+1"),
        ("=1;=2", "'=1;'=2"),
        ("\t=1+1", "'\t'=1+1"),
        ("\n=1+1", "'\n'=1+1"),
        ("a - b; c = d", "a - b; c = d"),
        (" -5", " -5"),
    ],
)
def test_no_formula_appears_where_the_file_is_cut_at_semicolons(title: str, cell: str) -> None:
    rows = read(spreadsheet.to_csv(pd.DataFrame({"n": [1], "title": [title], "k": [2]})))
    assert rows[1] == ["1", cell, "2"]
    assert read(table.to_csv([{"n": 1, "title": title, "k": 2}]).encode())[1] == ["1", cell, "2"]


def test_numbers_stay_numbers_and_gaps_gaps() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([-1, None], dtype="Int64"),
            "real": [-0.25, float("nan")],
            "mixed": [-3, "-4.5e-3"],
            "text": [None, "+7"],
            "flag": [True, False],
            "when": pd.to_datetime(["2020-01-01", None]),
            "list": [["=a", "b"], []],
            "kind": pd.Categorical(["=x", "y"]),
        }
    )
    assert read(spreadsheet.to_csv(frame)) == [
        list(frame.columns),
        ["-1", "-0.25", "-3", "", "True", "2020-01-01 00:00:00", "'=a, b", "'=x"],
        ["", "", "-4.5e-3", "+7", "False", "", "", "y"],
    ]


def test_nothing_is_no_trouble() -> None:
    assert spreadsheet.to_csv(pd.DataFrame()).strip() == b""
    assert spreadsheet.to_csv(pd.DataFrame({"a": []})).strip() == b"a"
    assert read(spreadsheet.to_csv(pd.DataFrame([["=a", "=b"]], columns=["x", "x"]))) == [["x", "x"], ["'=a", "'=b"]]


def is_formula(cell: str) -> bool:
    """As a spreadsheet decides it: what it passes over in front, then a sign."""
    bare = cell.lstrip().lstrip("\ufeff\u200b").lstrip()
    return bare.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) and not spreadsheet._NUMBER.fullmatch(cell.strip(" "))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.text(";=+-@ \t\r\n\"',1a"), min_size=1))
def test_no_text_is_a_formula_and_none_is_lost(texts: list[str]) -> None:
    raw = spreadsheet.to_csv(pd.DataFrame({"key": range(len(texts)), "title": texts}))
    rows = read(raw)
    assert len(rows) == len(texts) + 1
    for text, (_, cell) in zip(texts, rows[1:], strict=True):
        assert not is_formula(cell)
        assert cell.replace("'", "") == text.replace("\x00", "").replace("'", "")
        assert cell == text.replace("\x00", "") or any(sign in text for sign in "=+-@＝＋－＠\t\r\n")
    for other in (";", "\t"):
        assert not any(is_formula(cell) for row in csv.reader(io.StringIO(raw.decode(), newline=""), delimiter=other) for cell in row)
