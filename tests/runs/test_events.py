"""Events: append-only, one object a line, torn lines passed over."""

from __future__ import annotations

import threading
from pathlib import Path

from llmrec.runs import events


def test_events_come_back_in_order_with_their_time(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for step in range(3):
        events.append(path, {"event": "step", "step": step, "text": "zwei\nZeilen — é"})
    told = events.read(path)
    assert [e["step"] for e in told] == [0, 1, 2]
    assert told[0]["text"] == "zwei\nZeilen — é"
    assert told[0]["time"] > 0
    assert [e["step"] for e in events.read(path, after=2)] == [2]
    assert len(path.read_bytes().splitlines()) == 3


def test_no_file_is_no_events(tmp_path: Path) -> None:
    assert events.read(tmp_path / "none.jsonl") == []


def test_a_torn_last_line_is_passed_over_and_not_glued_to(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events.append(path, {"step": 0})
    with path.open("ab") as file:
        file.write('{"step": 1, "text": "é'.encode()[:-1])
    assert [e["step"] for e in events.read(path)] == [0]
    events.append(path, {"step": 2})
    assert [e["step"] for e in events.read(path)] == [0, 2]


def test_lines_that_are_no_objects_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'[1]\n3\n\n\xff\xfe\n{"step": 1}\n')
    assert [e["step"] for e in events.read(path)] == [1]


def test_writers_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    def write(who: int) -> None:
        for step in range(50):
            events.append(path, {"who": who, "step": step, "fill": "x" * 500})

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = events.read(path)
    assert len(told) == 200
    assert [e["step"] for e in told if e["who"] == 2] == list(range(50))
