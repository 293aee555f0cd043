"""The ledger: order, one writer at a time, and damage that is set aside."""

from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmrec import home
from llmrec.runs.queue import ledger
from llmrec.runs.queue.ledger import LedgerBusy


def names() -> list[str]:
    return [row.name for row in ledger.read()]


def fill(*which: str) -> None:
    with ledger.opened() as book:
        for name in which:
            book.add(name, "local")


def test_rows_stand_in_the_order_they_came_and_a_second_coming_goes_to_the_end() -> None:
    fill("a", "b", "c")
    fill("a")
    assert names() == ["b", "c", "a"]
    with ledger.opened() as book:
        book.drop("c")
    assert names() == ["b", "a"]


def test_a_block_that_fails_changes_nothing() -> None:
    fill("a")
    with pytest.raises(ZeroDivisionError), ledger.opened() as book:
        book.add("b", "local")
        raise ZeroDivisionError
    assert names() == ["a"]


def test_no_ledger_is_an_empty_one_and_reading_makes_none() -> None:
    assert ledger.read() == []
    assert not ledger.path().exists()


def test_slots_deaths_and_places_are_kept() -> None:
    fill("a", "b")
    with ledger.opened() as book:
        first, second = book.rows()
        book.place(first, 3, "noted")
        book.died(second, 2, "so far")
    first, second = ledger.read()
    assert (first.slot, first.began, second.slot, second.deaths, second.reached) == (3, "noted", None, 2, "so far")


@pytest.mark.parametrize("rubbish", [b"", b"\0" * 5000, b"not a database at all" * 400, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_damaged_file_is_set_aside_and_a_new_one_is_begun(rubbish: bytes) -> None:
    home.runs().mkdir(parents=True)
    ledger.path().write_bytes(rubbish)
    fill("a")
    assert names() == ["a"]
    kept = list(home.runs().glob("*.damaged-*"))
    assert [p.read_bytes() for p in kept] == ([rubbish] if rubbish else [])  # an empty file is an empty database


def test_a_page_overwritten_in_the_middle_is_found() -> None:
    fill(*(f"run-{i:04d}" for i in range(2000)))
    whole = bytearray(ledger.path().read_bytes())
    whole[4096 : 4096 * 8] = b"\xa5" * (4096 * 7)
    ledger.path().write_bytes(whole)
    assert ledger.read() == []  # reading hides no page behind an error
    for _ in range(2):
        try:
            with ledger.opened() as book:
                book.rows()
        except sqlite3.DatabaseError:
            continue
    fill("a")
    assert "a" in names()


def test_a_table_of_that_name_which_is_not_ours_is_set_aside() -> None:
    home.runs().mkdir(parents=True)
    base = sqlite3.connect(ledger.path())
    base.execute("CREATE TABLE runs (x)")
    base.commit()
    base.close()
    fill("a")
    assert names() == ["a"]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    home.runs().mkdir(parents=True)
    (tmp_path / "elsewhere").write_bytes(b"")
    ledger.path().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerBusy, match="is a link"):
        fill("a")
    assert (tmp_path / "elsewhere").read_bytes() == b""


def add_ten(start: int) -> None:
    for i in range(start, start + 10):
        fill(f"run-{i}")


def test_processes_that_write_at_once_lose_nothing() -> None:
    home.runs().mkdir(parents=True)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=add_ten, args=(10 * i,)) for i in range(6)]
    for w in writers:
        w.start()
    for w in writers:
        w.join(60)
    assert sorted(names()) == sorted(f"run-{i}" for i in range(60))


def test_reading_waits_for_a_writer_that_takes_long() -> None:
    fill("a")
    writer = sqlite3.connect(ledger.path(), isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(names)
        with pytest.raises(TimeoutError):
            asked.result(1.5)  # "nobody is in line" would be wrong
        writer.execute("COMMIT")
        assert asked.result(60) == ["a"]
    writer.close()
