"""The progress line: what an event says in words, on a terminal and off it."""

from __future__ import annotations

import io

from llmrec.commands.progress import Progress, measure_line, step_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


EVENTS = [
    {"event": "stage", "stage": "names", "state": "begin"},
    {"event": "stage", "stage": "names", "state": "end", "seconds": 1.25, "cached": True},
    {"event": "step", "step": 10, "loss": 5.9, "tokens_per_s": 6000, "seconds_left": 41, "progress": 0.3},
    {"event": "step", "step": 20, "loss": 5.8, "tokens_per_s": 6000, "seconds_left": 131, "progress": 0.6},
    {"event": "validation", "step": 100, "metrics": {"hit@10": 0.2, "ndcg@10": 0.1}},
    {"event": "end", "state": "stopped", "reason": "stopped by Ctrl-C"},
    {"event": "something new"},
]


def test_in_words() -> None:
    assert step_line(EVENTS[2]) == " 30%  step 10  loss 5.900  6,000 Tokens/s  41 s left"
    assert step_line(EVENTS[3]).endswith("2:11 min left")
    assert step_line({"event": "step"}) == "step ?"
    assert measure_line(EVENTS[4]) == "validation at step 100: hit@10 0.2000  ndcg@10 0.1000"
    assert measure_line({"part": "test", "seen": "masked", "metrics": {"hit@10": 0.5}}) == "test, seen items masked: hit@10 0.5000"


def test_what_the_queue_and_long_stages_say() -> None:
    out = io.StringIO()
    progress = Progress(out)
    for event in (
        {"event": "queue", "ahead": 1},
        {"event": "queue", "ahead": 3},
        {"event": "warning", "text": "the disk is nearly full"},
        {"event": "progress", "stage": "walks", "share": 0.42, "seconds_left": 131},
    ):
        progress(event)
    assert out.getvalue().splitlines() == [
        "waits behind 1 run",
        "waits behind 3 runs",
        "warning: the disk is nearly full",
        " 42%  walks  2:11 min left",
    ]
    assert step_line({"step": 1, "memory_bytes": 2.5e9}) == "step 1  2.5 GB"


def test_on_a_terminal_one_line_moves() -> None:
    out = Terminal()
    progress = Progress(out)
    for event in EVENTS:
        progress(event)
    assert out.getvalue().count("\n") == 3
    assert "\r\x1b[K 60%  step 20" in out.getvalue()


def test_elsewhere_lines_come_seldom_and_without_controls() -> None:
    out = io.StringIO()
    progress = Progress(out)
    for event in EVENTS:
        progress(event)
    assert "\r" not in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().splitlines()[-1] == "stopped: stopped by Ctrl-C"
    assert out.getvalue().count("step 10") + out.getvalue().count("step 20") <= 1
