"""Tables for a terminal."""

from __future__ import annotations

from llmrec.commands import layout


def test_a_table_lines_up() -> None:
    assert layout.table("T", ("name", "n"), [("a", 5), ("bb", 1234)]).splitlines() == [
        "T",
        "  name      n",
        "  ----  -----",
        "  a         5",
        "  bb    1,234",
    ]
    assert layout.table("T", ("name",), []) == "T\n  (none)"


def test_cells() -> None:
    assert [layout.cell(v) for v in (None, 0.25, 1234.56, 1234, True, "x")] == ["-", "0.2500", "1,234.6", "1,234", "True", "x"]


def test_control_characters_never_reach_the_terminal() -> None:
    assert "\x1b" not in layout.table("T", ("title",), [("\x1b[31mred\n",)])


def test_sizes() -> None:
    assert [layout.size(n) for n in (12, 1500, 2_500_000, 3e9)] == ["12 B", "1.5 kB", "2.5 MB", "3.0 GB"]
