"""The first start: every shipped bundle is opened once, what was deleted stays deleted, and runs of one's own are left alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from llmrec import home
from llmrec.runs import store
from llmrec.runs.bundles import opening, packing, shipped
from tests.runs.bundles.made import elsewhere, finished


@pytest.fixture
def ships(one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two bundles that ship, on a fresh machine."""
    folder = shipped.folder()
    other = finished("sid")
    packing.pack(other, folder)
    shutil.copy(one[1], folder)
    elsewhere(monkeypatch, tmp_path / "other")
    return folder


def opened() -> list[str]:
    return [step.run.name for step in shipped.open_all(shipped.waiting()) if step.run is not None]


def test_each_is_opened_once(ships: Path) -> None:
    assert [p.name.partition("-")[0] for p in shipped.waiting()] == ["rid", "sid"]
    names = opened()
    assert len(names) == 2 and sorted(r.name for r in store.list_runs()) == sorted(names)
    assert shipped.waiting() == []


def test_one_that_was_deleted_does_not_come_back_and_one_cut_short_goes_on(ships: Path) -> None:
    steps = shipped.open_all(shipped.waiting())
    first = next(step.run for step in steps if step.run is not None)
    steps.close()  # killed here, before the second
    assert first is not None and [p.name.partition("-")[0] for p in shipped.waiting()] == ["sid"]
    (home.runs() / shipped.RECORD).unlink()  # or killed before it was written down
    (home.runs() / f"{opening.FRESH}half").mkdir()
    assert opened()[0] == first.name and len(store.list_runs()) == 2  # the first is met again, not opened twice
    assert not (home.runs() / f"{opening.FRESH}half").exists()
    first.delete()
    assert shipped.waiting() == [] and len(store.list_runs()) == 1
    store.list_runs()[0].delete()
    assert shipped.waiting() == []


def test_a_run_that_was_made_here_keeps_them_out(ships: Path) -> None:
    run = finished("rid")
    assert shipped.waiting() == []
    run.delete()
    assert len(shipped.waiting()) == 2


def test_a_damaged_one_is_told_and_hinders_no_other(ships: Path) -> None:
    first = shipped.found()[0]
    first.write_bytes(first.read_bytes()[:-2000])
    steps = list(shipped.open_all(shipped.waiting()))
    assert [s.path.name for s in steps if s.trouble] == [first.name] and sum(s.run is not None for s in steps) == 1
    assert [p.name for p in shipped.waiting()] == [first.name]


def test_a_record_that_is_damaged_counts_as_none(ships: Path) -> None:
    opened()
    (home.runs() / shipped.RECORD).write_text("{")
    assert len(shipped.waiting()) == 2
    assert len(opened()) == 2 and len(store.list_runs()) == 2


def test_where_none_ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_BUNDLES", str(tmp_path / "absent"))
    assert shipped.found() == [] and shipped.waiting() == []
    monkeypatch.delenv("LLMREC_BUNDLES")
    assert shipped.folder() == Path(opening.__file__).parents[3] / "assets" / "bundles"
