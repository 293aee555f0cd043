"""Tables for a terminal."""

from __future__ import annotations

import pytest

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


HOSTILE = "a\x1b[2J\x1b]0;title\x07b\r\x08c\x9b31m\x00\u202ed\u2066\ud800\x7f"


def test_a_long_text_keeps_its_lines_and_nothing_else_that_a_terminal_obeys() -> None:
    shown = layout.plain(f"one\n\ttwo {HOSTILE}\nthree")
    assert [line.split()[0] for line in shown.split("\n")] == ["one", "two", "three"] and "\n\ttwo" in shown
    assert all(c.isprintable() or c in "\n\t" for c in shown)
    assert layout.plain("Amélie 日本\n") == "Amélie 日本\n"


def test_json_says_the_same_without_what_a_terminal_obeys() -> None:
    import json

    value = {"title": HOSTILE, HOSTILE: [HOSTILE, "Amélie 日本 😀", "\u200d"]}
    line = layout.as_json(value)
    assert line.isprintable() and json.loads(line) == value
    assert layout.as_json({"t": "Amélie 日本"}) == '{"t": "Amélie 日本"}'


def test_errors_logs_and_progress_are_plain(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse
    import io
    import logging

    from llmrec import __main__ as program
    from llmrec.commands.progress import Progress

    class Evil:
        text = staticmethod(lambda result: f"{result}\n")

        @staticmethod
        def run(args: argparse.Namespace) -> str:
            logging.getLogger("llmrec.evil").warning("found %s", HOSTILE.replace("\ud800", ""))  # which xdist cannot send
            if args.fails:
                raise ValueError(HOSTILE)
            return HOSTILE

    for fails, json_too in ((False, False), (False, True), (True, False)):
        with program._log_on_stderr(False):
            program._work(argparse.Namespace(module=Evil, fails=fails, json=json_too, debug=False, exit_code=0))
        out = capsys.readouterr()
        assert "found a" in out.err
        assert all(c.isprintable() or c == "\n" for c in out.out + out.err)
    stream = io.StringIO()
    tell = Progress(stream)
    for event in (
        {"event": "stage", "stage": HOSTILE, "state": "end", "seconds": 1.0},
        {"event": "warning", "text": HOSTILE},
        {"event": "progress", "stage": HOSTILE, "share": 0.5},
        {"event": "end", "state": "failed", "reason": HOSTILE},
    ):
        tell(event)
    assert stream.getvalue().count("\n") >= 3 and all(c.isprintable() or c == "\n" for c in stream.getvalue())


def test_sizes() -> None:
    assert [layout.size(n) for n in (12, 1500, 2_500_000, 3e9)] == ["12 B", "1.5 kB", "2.5 MB", "3.0 GB"]
