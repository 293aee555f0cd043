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
from llmrec.runs.estimate.values import MIB, Line
from llmrec.runs.stages import Prepared
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


def test_a_stage_is_not_left_before_its_last_step_began() -> None:
    watch = early.Watch(limit=1.0, clock=ticking(0.0, 1.0, 5.0, 9.0, 10.0, 14.0, 14.0))
    watch({"stage": "walks", "share": 0.0})  # at 1 s
    watch({"stage": "walks", "share": 0.5})  # 5 s: how long skip-gram takes is not known
    watch({"stage": "walks", "share": 1.0})
    watch({"stage": "skip-gram", "share": 0.0})  # 10 s
    with pytest.raises(early.Enough):
        watch({"stage": "skip-gram", "share": 0.25})
    assert watch.seconds() == 26.0  # 10 s, and four times 4 s


def test_a_step_inside_another_is_no_measure_of_the_whole() -> None:
    watch = early.Watch(limit=1.0, clock=ticking(0.0, 0.0, 2.0, 3.0, 4.0, 6.0, 6.0))
    watch({"stage": "residual codes", "share": 0.0})
    watch({"stage": "residual k-means", "share": 0.0})  # at 2 s, inside the first step of the codes
    watch({"stage": "residual k-means", "share": 0.5})
    watch({"stage": "residual k-means", "share": 1.0})
    with pytest.raises(early.Enough):
        watch({"stage": "residual codes", "share": 0.1})  # 6 s for a tenth
    assert watch.seconds() == pytest.approx(60.0)


@pytest.mark.parametrize(
    "embedder", [{"name": "metapath", "d": 8, "walk_length": 6}, {"name": "lightgcn", "d": 8}, {"name": "bpr", "d": 8}]
)
def test_every_step_but_the_last_is_known_to_be_followed(embedder: dict[str, Any], own_home: Path) -> None:
    heard: list[str] = []
    plan = recipe.read(board().to_dict() | {"embed": embedder | {"epochs": 1}})
    data = stages.dataset(plan)
    with progress.listening(lambda event: heard.append(event["stage"])):
        stages.vectors(plan, data, stages.split(plan, data))
    assert set(heard) - early.FOLLOWED == {heard[-1]}


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


@pytest.mark.slow
def test_a_batch_that_would_not_fit_is_never_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "held", lambda: 900)
    roomy, short, shorter = Foretold(64, 100_000), Foretold(64, 1_700), Foretold(64, 1_200)
    assert (roomy._try_memory(None, roomy.recipe.train), roomy.tried) == (64, [16, 64])
    assert (short._try_memory(None, short.recipe.train), short.tried) == (32, [16, 32])
    assert roomy.line == short.line == Line(1000, 10)
    assert (shorter._try_memory(None, shorter.recipe.train), shorter.tried) == (16, [16])
    assert shorter.line == Line(904, 16)  # 900 before, 1160 with 16 documents: more than it really takes


class Eating(trial.Measuring):
    """A measurement whose steps take two MiB a document, beside what is held anyway."""

    def __init__(self, folder: Path, free: int) -> None:
        super().__init__(recipe.with_settings(board(), {"train.batch": 128}), folder, 1.0, time.perf_counter, free)
        self.tried: list[int] = []
        self.prepared: Any = None

    def _steps(self, lm: Any, split: Any, plan: Any, meter: Any) -> Any:
        self.tried.append(plan.batch)
        assert len(b"x" * (2 * plan.batch * MIB))


@pytest.mark.slow
def test_what_an_earlier_stage_held_hides_no_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "longest", lambda split, documents: split)
    assert len(b"x" * (500 * MIB))  # an earlier stage, whose memory is free again
    high, now = room.peak(), room.held()
    eating = Eating(tmp_path, now + 150 * MIB)
    eating.prepared = Prepared(*[None] * 4)  # type: ignore[arg-type]
    assert eating._try_memory(None, eating.recipe.train) < 128 and 128 not in eating.tried
    assert eating.line is not None and eating.line.each == pytest.approx(2 * MIB, rel=0.2)
    assert eating.most >= high  # and it is not forgotten either


@pytest.mark.parametrize("task", ["sequential", "direct"])
def test_memory_is_measured_on_whole_batches_however_few_are_read(task: str, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = {"sequential": 0.05} if task == "sequential" else {"sequential": 0.0, "direct": 0.05}
    plain = board().to_dict() | {"train": {"batch": 8, "tasks": shares}}
    measuring = trial.Measuring(recipe.read(plain), Path(), 1.0, time.perf_counter, 2**40)
    measuring.prepared = early.Early(measuring.recipe).work(60.0, 60.0)
    tried: list[int] = []

    def some_steps(recipe: Any, lm: Any, prepared: Any, split: Any, plan: Any, folder: Path, meter: Any) -> Any:
        people = sum(len(split.train.history(u)) > 0 for u in range(split.train.n_users))
        assert {name: share for name, share in plan.shares.items() if share} == {task: 1.0}
        assert people >= plan.batch
        tried.append(plan.batch)

    monkeypatch.setattr(training, "some_steps", some_steps)
    monkeypatch.setattr(measuring, "folder", own_home)
    assert measuring._try_memory(None, measuring.recipe.train) == 8
    assert tried == [2, 8]


def test_a_full_disk_is_told_as_one_where_nothing_waits_to_be_resumed(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.lm import trouble

    def full(self: Any) -> Any:
        raise trouble.NoSpace("no space left for the model: free 3 MB where its folder is and resume")

    monkeypatch.setattr(trial.Measuring, "told", full)
    with pytest.raises(ValueError, match="no room on the disk to measure: free some where .*home is") as error:
        estimate.measure(board())
    assert "resume" not in str(error.value)


def test_a_measurement_writes_where_the_project_keeps_its_things(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(trial.Measuring, "told", lambda self: seen.append(self.folder) or [])
    monkeypatch.setattr(trial.Measuring, "disk", lambda self: 0)
    estimate.measure(board())
    assert seen[0].is_relative_to(own_home) and not seen[0].exists()


@pytest.mark.slow
def test_mutual_training_is_measured_in_all_its_turns(own_home: Path) -> None:
    plain = board().to_dict() | {"scheme": {"name": "cllm4rec"}, "head": {"name": "items"}}
    plain.pop("embed")
    plan = recipe.read(plain | {"train": {"name": "mutual", "epochs": [1, 2, 2], "batch": 8, "validations": 1}})
    found = estimate.measure(plan, budget=0.5)
    assert found.fits and found.seconds > 0
    assert next(stage for stage in found.stages if stage.label == "training").seconds > 0
