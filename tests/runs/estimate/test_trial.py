"""Measuring: stages and steps with clocks made for it, what is kept of them, and which batches are tried."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmrec import progress, recipe
from llmrec.runs import estimate, stages
from llmrec.runs.estimate import early, room, training, trial
from llmrec.runs.estimate.values import Line
from tests.runs.worlds import board


def ticking(*times: float) -> Callable[[], float]:
    """A clock that says these times, one after another."""
    left = iter(times)
    return lambda: next(left)


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_stage_is_left_once_it_is_known_how_far_it_is() -> None:
    watch = early.Watch(limit=10.0, clock=ticking(0.0, 1.0, 6.0, 8.0, 11.0, 18.0, 18.0))
    watch({"stage": "walks", "share": 0.0})  # at 1 s
    watch({"stage": "walks", "share": 1.0})  # 6 s
    watch({"stage": "skip-gram", "share": 0.0})  # 8 s
    watch({"stage": "skip-gram", "share": 0.0})  # 11 s: over the limit, but nothing is known
    with pytest.raises(early.Enough):
        watch({"stage": "skip-gram", "share": 0.25})  # 18 s: 10 s for a quarter
    assert watch.seconds() == 48.0  # 8 s, and four times 10 s


def test_a_step_that_begins_in_the_middle_is_told_from_there() -> None:
    watch = early.Watch(limit=1.0, clock=ticking(0.0, 10.0, 14.0, 14.0))
    watch({"stage": "users", "share": 0.5})
    with pytest.raises(early.Enough):
        watch({"stage": "users", "share": 0.75})
    assert watch.seconds() == 18.0  # 10 s before, 4 s for half of what is left of it, 4 s more


def test_stages_left_early_have_stand_ins_and_leave_the_cache_alone(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    found = early.Early(board())
    prepared = found.work(0.0, 60.0)
    assert found.stand_in == ["embed"]
    assert [(stage.label, stage.how) for stage in found.told] == [
        ("data", "measured"),
        ("split", "measured"),
        ("walks and skip-gram", "extrapolated"),
        ("names", "measured"),
    ]
    assert prepared.vectors is not None and prepared.vectors.items.shape == (20, 8) and prepared.vectors.users.shape == (30, 8)
    assert len(prepared.table.items) == 20
    assert sorted(stages.cached(board())) == ["data", "split"]


def test_what_is_cached_takes_no_time_and_what_is_done_is_kept(own_home: Path) -> None:
    first, second = early.Early(board()), early.Early(board())
    first.work(60.0, 60.0)
    second.work(60.0, 60.0)
    assert {stage.how for stage in first.told} == {"measured"} and all(stage.seconds > 0 for stage in first.told)
    assert {(stage.how, stage.seconds) for stage in second.told} == {("cached", 0.0)}


def test_a_quantizer_that_is_left_early_gives_quick_codes(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    plain = board().to_dict() | {"embed": {"name": "lightgcn", "d": 8, "epochs": 2}, "scheme": {"name": "tokenrec", "steps": 2000}}
    found = early.Early(recipe.read(plain))
    prepared = found.work(60.0, 0.0)
    assert found.stand_in == ["scheme"] and found.told[-1].how == "extrapolated"
    assert len(prepared.table.items) == 20
    assert "scheme" not in stages.cached(recipe.read(plain))


def test_the_first_step_and_validations_are_no_measure_of_a_step() -> None:
    meter = training.Meter(seconds=5.0, least=2, clock=ticking(0.0, 4.0, 5.0, 9.0, 10.5))
    assert [meter(), meter()] == [False, False]  # at 4 and 5 s: long enough begins after two steps
    meter.hear({"event": "validation"})
    assert [meter(), meter()] == [True, True]
    assert meter.steps(4) == [1.0, 1.5]  # neither the first nor the one with a validation behind it
    assert meter.steps(8) == [0.5, 0.75]  # asked after every second step alone


def test_a_training_of_one_step_is_measured_by_it() -> None:
    meter = training.Meter(seconds=0.0, least=1, clock=ticking(0.0, 4.0))
    meter()
    assert meter.steps(1) == [4.0]


def test_steps_are_extrapolated_by_their_mean() -> None:
    assert training.Steps(1.0, [1.0, 3.0], 10, 0.0, 5).whole(10) == (20.0, pytest.approx(20.0))


def test_a_plan_of_turns_is_measured_turn_by_turn() -> None:
    from llmrec.lm.mutual.plan import Mutual

    plan = Mutual(epochs=(2, 3, 4))
    parts = training.parts(plan)
    assert {part.label: part.passes for part in parts} == {"collaborative": 3, "recft": 4, "content": 8}  # the last content is left out
    assert parts[-1].less == "collaborative"
    assert [part.label for part in training.parts(dataclasses.replace(plan, content=0.0))] == ["collaborative", "recft"]
    alone = training.parts(Mutual(epochs=(1, 0, 2)))
    assert {part.label: part.passes for part in alone} == {"collaborative": 0, "recft": 2, "content": 2}


class Foretold(trial.Measuring):
    """A measurement whose batches take what a line says."""

    def __init__(self, plan_batch: int, free: int) -> None:
        super().__init__(recipe.with_settings(board(), {"train.batch": plan_batch}), Path(), 1.0, time.perf_counter, free)
        self.tried: list[int] = []

    def _peak(self, lm: Any, plan: Any, batch: int) -> int:
        self.tried.append(batch)
        return Line(1000, 10).at(batch)


def test_a_batch_that_would_not_fit_is_never_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "peak", lambda: 900)
    roomy, short, shorter = Foretold(64, 100_000), Foretold(64, 1_700), Foretold(64, 1_200)
    assert (roomy._try_memory(None, roomy.recipe.train), roomy.tried) == (64, [16, 64])
    assert (short._try_memory(None, short.recipe.train), short.tried) == (32, [16, 32])
    assert roomy.line == short.line == Line(1000, 10)
    assert (shorter._try_memory(None, shorter.recipe.train), shorter.tried) == (16, [16])
    assert shorter.line == Line(904, 16)  # 900 before, 1160 with 16 documents: more than it really takes


def test_mutual_training_is_measured_in_all_its_turns(own_home: Path) -> None:
    plain = board().to_dict() | {"scheme": {"name": "cllm4rec"}, "head": {"name": "items"}}
    plain.pop("embed")
    plan = recipe.read(plain | {"train": {"name": "mutual", "epochs": [1, 2, 2], "batch": 8, "validations": 1}})
    found = estimate.measure(plan, budget=0.5)
    assert found.fits and found.seconds > 0
    assert next(stage for stage in found.stages if stage.label == "training").seconds > 0
