"""What an estimate says: lines and means by hand, sentences with made-up limits, remedies without measuring."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from llmrec import recipe
from llmrec.runs import estimate, machine, pipeline, store
from llmrec.runs.estimate import advice, room
from llmrec.runs.estimate.values import GIB, MIB, Estimate, Line, Room, Stage, about_disk, about_memory, mean_and_give
from llmrec.runs.queue import deaths
from tests.runs.worlds import board

NOW = {"train.batch": 32, "lm.layers": 4}


def test_a_line_through_two_batches() -> None:
    line = Line.through((8, 180), (32, 420))
    assert line == Line(fixed=100, each=10)
    assert line.at(64) == 740
    assert Line.through((1, 50), (1, 70)) is None
    assert Line.through((8, 300), (32, 250)) == Line(250, 0)  # noise is no saving


def test_the_batch_that_fits_leaves_a_fifth() -> None:
    line = Line(fixed=100, each=10)
    assert line.batch_within(525) == 32  # .8 x 525 = 420 = 100 + 32 x 10
    assert line.batch_within(524) == 16
    assert line.batch_within(137) == 0  # .8 x 137 < 110


@pytest.mark.parametrize(
    ("needed", "free", "line", "now", "said"),
    [
        (6 * GIB, 4 * GIB, Line(GIB, 5 * GIB // 32), NOW, "needs 6.0 GiB of memory and 4.0 GiB are free: set train.batch = 8 (now 32)."),
        (6 * GIB, 7 * GIB, Line(GIB, 5 * GIB // 32), NOW, "which is tight: set train.batch = 16 (now 32)."),
        (6 * GIB, 4 * GIB, Line(5 * GIB, GIB // 32), NOW, ": set train.batch = 1 (now 32) and lm.layers = 2 (now 4)."),
        (6 * GIB, 4 * GIB, None, {"train.batch": 1, "lm.layers": 4}, ": set lm.layers = 2 (now 4)."),
        (6 * GIB, 4 * GIB, None, {"train.batch": 1, "lm.layers": 1}, ": close other programs, choose a smaller backbone (lm.name)"),
        (6 * GIB, 9 * GIB, Line(GIB, 5 * GIB // 32), NOW, ""),
    ],
)
def test_advice_names_the_setting_that_would_fit(needed: int, free: int, line: Line | None, now: dict[str, int], said: str) -> None:
    found = about_memory(Room(needed, free), line, now)
    assert said in found and bool(found) == bool(said)


def test_a_full_disk_is_told_with_what_to_free() -> None:
    assert about_disk(Room(3 * GIB, GIB), NOW) == (
        "The run needs 3.0 GiB of disk and 1.0 GiB are free: free 2.0 GiB (`llmrec runs` shows what is kept), or set lm.layers = 2 (now 4)."
    )
    assert about_disk(Room(GIB, GIB), NOW) == ""


def an_estimate(memory: Room, disk: Room | None = None) -> Estimate:
    told = (Stage("names", 0.0, "cached"), Stage("training", 40.0, "extrapolated", 8.0), Stage("evaluation", 2.0, "extrapolated", 50.0))
    return Estimate(told, memory, disk or Room(MIB, GIB), Line(GIB, 5 * GIB // 32), NOW)


def test_an_estimate_adds_up_and_travels_as_json() -> None:
    found = an_estimate(Room(6 * GIB, 4 * GIB))
    assert (found.seconds, found.span, found.fits) == (42.0, (0.0, 100.0), False)
    assert "train.batch = 8" in found.advice
    plain = json.loads(json.dumps(found.to_dict()))
    assert Estimate.from_dict(plain) == found
    assert (plain["memory_bytes"], plain["memory_free"], plain["fits"]) == (6 * GIB, 4 * GIB, False)
    assert an_estimate(Room(GIB, 4 * GIB)).fits and not an_estimate(Room(GIB, 4 * GIB), Room(2, 1)).fits


def test_the_mean_of_steps_and_how_far_it_may_be_off() -> None:
    assert mean_and_give([2.0]) == (2.0, 1.0)  # one step says little
    assert mean_and_give([1.0, 1.0, 1.0]) == (1.0, pytest.approx(0.1))  # a tenth at the least
    mean, give = mean_and_give([1.0, 2.0, 3.0, 2.0])
    assert (mean, give) == (2.0, pytest.approx(2 * (2 / 3) ** 0.5 / 2))


def test_the_remedy_halves_what_costs_most() -> None:
    assert estimate.remedy(board()) == "set train.batch = 16 (now 32), or train.max_items = 25 (now 50)"
    one = recipe.with_settings(board(), {"train.batch": 1, "train.max_items": 1, "lm.layers": 2})
    assert estimate.remedy(one) == "set lm.layers = 1 (now 2)"
    assert "more memory" in estimate.remedy(recipe.with_settings(one, {"lm.layers": 1}))


def test_what_was_measured_once_advises_for_every_batch_and_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    assert estimate.smaller(board()) == estimate.remedy(board())
    advice.keep(board(), dataclasses.replace(an_estimate(Room(GIB, GIB)), line=Line(GIB, 5 * GIB // 32)))
    larger = recipe.with_settings(board(), {"train.batch": 64, "seed": 9})
    monkeypatch.setattr(room, "free", lambda: 4 * GIB)
    assert estimate.smaller(larger) == "set train.batch = 8 (now 64)"
    monkeypatch.setattr(room, "free", lambda: 100 * GIB)  # it ran out of memory all the same
    assert estimate.smaller(larger) == estimate.remedy(larger)
    next((tmp_path / "estimates").iterdir()).write_text("{")
    assert estimate.smaller(larger) == estimate.remedy(larger)


def test_a_death_for_memory_names_the_setting_that_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    monkeypatch.setattr(machine, "gpus", lambda: 0)
    monkeypatch.setattr(room, "free", lambda: 4 * GIB)
    monkeypatch.setattr(room, "held", lambda: 0)
    advice.keep(board(), dataclasses.replace(an_estimate(Room(GIB, GIB)), line=Line(GIB, 5 * GIB // 32)))
    run = store.create(recipe.with_settings(board(), {"train.batch": 64}))
    assert deaths.remedy(run.path) == "set train.batch = 8 (now 64)"
    said = pipeline._said(run, MemoryError("no more"))
    assert said.startswith("there was not enough memory: set train.batch = 8 (now 64), then resume")
