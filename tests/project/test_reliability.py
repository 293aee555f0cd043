"""The fault table says what was measured, and each of its rows is a test that there is."""

from __future__ import annotations

import ast

import pytest

from benchmarks import reliability
from benchmarks.faults import CHAPTERS
from tests.project.tree import ROOT

ROWS = [row for rows in CHAPTERS.values() for row in rows]


def found_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_the_page_shows_the_figures() -> None:
    assert reliability.PAGE.read_text(encoding="utf-8") == reliability.page(reliability.kept()), (
        "run `python -m benchmarks.reliability --render`"
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.test)
def test_each_row_is_a_test_that_was_tried_and_lost_nothing(row: reliability.Row) -> None:
    file, _, name = row.test.partition("::")
    assert name.partition("[")[0] in found_in(file) or (not name and found_in(file))
    tries, survived = reliability.of(row, reliability.kept())
    assert tries == survived > 0


def test_each_test_of_a_fault_is_a_row() -> None:
    there = {
        f"tests/faults/{p.name}::{name}" for p in (ROOT / "tests/faults").glob("test_*.py") for name in found_in(f"tests/faults/{p.name}")
    }
    assert there == {row.test.partition("[")[0] for row in ROWS if row.test.startswith("tests/faults/")}


def test_cases_are_counted_and_what_was_skipped_is_not() -> None:
    report = """<testsuites><testsuite>
    <testcase classname="tests.faults.test_x" name="test_a[1]"/>
    <testcase classname="tests.faults.test_x" name="test_a[2]"><failure/></testcase>
    <testcase classname="tests.faults.test_x" name="test_b"><skipped/></testcase>
    </testsuite></testsuites>"""
    figures = reliability.counted(report)
    assert reliability.of(reliability.Row("", "tests/faults/test_x.py::test_a"), figures) == (2, 1)
    assert reliability.of(reliability.Row("", "tests/faults/test_x.py::test_a[1]"), figures) == (1, 1)
    assert reliability.of(reliability.Row("", "tests/faults/test_x.py"), figures) == (2, 1)
    assert reliability.of(reliability.Row("", "tests/faults/test_x.py::test_b"), figures) == (0, 0)
