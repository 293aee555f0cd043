"""The estimate: its arithmetic by hand and with a fake clock, its sentences with fake limits, and its numbers beside a real run."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from llmrec import progress, recipe
from llmrec.recipe import Recipe
from llmrec.runs import estimate, stages
from llmrec.runs.estimate import asking, early, room, training, trial
from llmrec.runs.estimate.values import GIB, MIB, Estimate, Line, Room, Stage, about_disk, about_memory, mean_and_give
from tests.runs.worlds import board

ROOT = Path(__file__).parents[2]
NOW = {"train.batch": 32, "lm.layers": 4}


def ticking(*times: float) -> Callable[[], float]:
    """A clock that says these times, one after another."""
    left = iter(times)
    return lambda: next(left)


# values and sentences


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


# stages


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


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


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


# steps


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


# room


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_control_group_s_limit_counts_with_what_its_parents_leave(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/lab/run\n")
    groups = tmp_path / "groups"
    write(groups / "lab/run/memory.max", "max\n")
    write(groups / "lab/run/memory.current", "50\n")
    write(groups / "lab/memory.max", "1000\n")
    write(groups / "lab/memory.current", "700\n")
    write(groups / "lab/memory.stat", "anon 5\ninactive_file 200\n")
    write(groups / "memory.max", "5000\n")
    write(groups / "memory.current", "700\n")
    assert room.group_left(tmp_path / "proc", groups) == [500, 4300]


def test_a_container_sees_its_own_group_at_the_root(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/docker/abc\n")
    write(tmp_path / "groups/memory.max", "1000\n")
    write(tmp_path / "groups/memory.current", "100\n")
    assert room.group_left(tmp_path / "proc", tmp_path / "groups") == [900]


def test_control_groups_of_the_first_version(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "5:cpu:/x\n4:memory:/x\n")
    write(tmp_path / "groups/memory/x/memory.limit_in_bytes", "1000")
    write(tmp_path / "groups/memory/x/memory.usage_in_bytes", "400")
    write(tmp_path / "groups/memory/memory.limit_in_bytes", str(2**63 - 4096))
    write(tmp_path / "groups/memory/memory.usage_in_bytes", "400")
    assert room.group_left(tmp_path / "proc", tmp_path / "groups") == [600]


def test_what_is_free_is_the_least_of_all_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PROC", tmp_path)
    monkeypatch.setattr(room, "GROUPS", tmp_path / "none")
    monkeypatch.setattr(room, "_gpu", lambda: False)
    write(tmp_path / "meminfo", "MemTotal: 9000 kB\nMemAvailable: 4000 kB\n")
    write(tmp_path / "self/status", "VmPeak: 700 kB\nVmHWM: 300 kB\nVmRSS: 200 kB\n")
    monkeypatch.setattr(room, "address_room", lambda: None)
    assert room.free() == 4200 * 1024  # what is left, and what this process has
    monkeypatch.setattr(room, "address_room", lambda: 900 * 1024)
    assert room.free() == 900 * 1024
    assert room.peak() == 300 * 1024


def test_a_limit_of_address_space_is_told_in_a_real_process() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
            "from llmrec.runs.estimate import room\nprint(room.address_room(), room.free())",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    room_left, free = map(int, told.stdout.split())
    assert 0 < free <= room_left <= 2**31


def test_the_peak_is_forgotten_and_found_again() -> None:
    block = bytearray(b"x" * (200 * MIB))
    assert room.peak() > 200 * MIB
    del block
    room.forget_peak()
    low = room.peak()
    block = bytearray(b"x" * (200 * MIB))
    assert room.peak() - low > 150 * MIB
    del block


# remedies without measuring


def test_the_remedy_halves_what_costs_most() -> None:
    assert estimate.remedy(board()) == "set train.batch = 16 (now 32), or train.max_items = 25 (now 50)"
    one = recipe.with_settings(board(), {"train.batch": 1, "train.max_items": 1, "lm.layers": 2})
    assert estimate.remedy(one) == "set lm.layers = 1 (now 2)"
    assert "more memory" in estimate.remedy(recipe.with_settings(one, {"lm.layers": 1}))


def test_what_was_measured_once_advises_for_every_batch_and_seed(own_home: Path) -> None:
    assert estimate.fitting(board(), GIB) is None
    from llmrec.runs.estimate import advice

    advice.keep(board(), dataclasses.replace(an_estimate(Room(GIB, GIB)), line=Line(GIB, 5 * GIB // 32)))
    larger = recipe.with_settings(board(), {"train.batch": 64, "seed": 9})
    assert "set train.batch = 8 (now 64)" in str(estimate.fitting(larger, 4 * GIB))
    assert estimate.fitting(board(), 100 * GIB) == ""
    next((own_home / "estimates").iterdir()).write_text("{")
    assert estimate.fitting(board(), GIB) is None


# a process of its own


@pytest.mark.parametrize(
    ("code", "err"),
    [(-signal.SIGKILL, ""), (1, "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), (1, "MemoryError")],
)
def test_a_measurement_without_memory_says_what_would_need_less(code: int, err: str) -> None:
    with pytest.raises(ValueError, match=r"ran out of memory, and so would training: set train.batch = 16 \(now 32\)"):
        asking._read(board(), code, "", err)


def test_a_measurement_that_fails_says_why() -> None:
    with pytest.raises(ValueError, match="could not be measured: ZeroDivisionError: division by zero"):
        asking._read(board(), 1, "", "Traceback\nZeroDivisionError: division by zero\n")


def test_a_recipe_that_no_run_would_take_is_refused_in_its_own_words(own_home: Path, tmp_path: Path) -> None:
    missing = recipe.read(board().to_dict() | {"data": {"name": "table", "path": str(tmp_path / "none.csv")}})
    with pytest.raises(ValueError, match=r"none\.csv"):
        estimate.ask(missing, timeout=300)


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if asking.MODULE in p.cmdline()]


def test_patience_has_an_end_and_takes_the_process_along(own_home: Path) -> None:
    with pytest.raises(ValueError, match="took longer than 0 s"):
        estimate.ask(board(), timeout=0.2)
    assert not children()


def test_the_process_ends_with_the_one_that_asked(own_home: Path) -> None:
    code = "from llmrec.runs import estimate\nfrom tests.runs.worlds import board\nestimate.ask(board(), 600, 600)"
    asker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        measuring = until(lambda: psutil.Process(asker.pid).children())[0]
        until(lambda: "--parent" in measuring.cmdline())
    finally:
        asker.kill()
        asker.wait()
    until(lambda: not measuring.is_running() or measuring.status() == psutil.STATUS_ZOMBIE)


def until(found: Callable[[], Any], patience: float = 60.0) -> Any:
    end = time.monotonic() + patience
    while not (value := found()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return value


# beside a real run

REAL = """
import json, sys, time
begin = time.perf_counter()
from llmrec.recipe import read
from llmrec.runs import pipeline, store
from llmrec.runs.estimate import room
run = store.create(read(json.loads(sys.argv[1])))
steps = []
status = pipeline.train(run, should_stop=lambda: sys.argv[2] == "short" and (run.path / "model").exists(), emit=steps.append)
parts = {name: room.taken(run.path / name) for name in ("checkpoint", "model", "ids", "vectors")}
print(json.dumps({"state": status.state, "seconds": time.perf_counter() - begin, "peak": room.peak(), **parts}))
"""


def really(plan: Recipe, how: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", REAL, json.dumps(plan.to_dict()), how], capture_output=True, text=True, cwd=ROOT, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


@pytest.mark.slow
def test_an_estimate_is_of_the_order_of_the_run(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = recipe.with_settings(board(), {"train.epochs": 60, "train.batch": 8, "train.validations": 2, "train.patience": 60})
    found = estimate.ask(plan, budget=2.0, timeout=400)
    assert not (tmp_path / "runs").exists()  # no run is made of it
    assert sorted(stages.cached(plan)) == ["data", "embed", "scheme", "split"]
    assert [stage.label for stage in found.stages] == [
        *("data", "split", "walks and skip-gram", "names", "language model", "training"),
        *("validation while training", "loading the model", "evaluation"),
    ]
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "other"))  # where the stages are worked as they were for the estimate
    whole = really(plan, "whole")
    assert whole["state"] == "done"
    assert found.seconds / 5 < whole["seconds"] < found.seconds * 5
    assert found.memory_bytes / 2 < whole["peak"] < found.memory_bytes * 2
    stopped = really(plan, "short")
    assert stopped["state"] == "stopped" and stopped["checkpoint"]
    fullest = sum(stopped[name] for name in ("checkpoint", "model", "ids", "vectors")) + max(stopped["checkpoint"], stopped["model"])
    assert found.disk_bytes - trial.BOOKS == pytest.approx(fullest, rel=0.3)
    assert found.fits and found.advice == ""


def test_mutual_training_is_measured_in_all_its_turns(own_home: Path) -> None:
    plain = board().to_dict() | {"scheme": {"name": "cllm4rec"}, "head": {"name": "items"}}
    plain.pop("embed")
    plan = recipe.read(plain | {"train": {"name": "mutual", "epochs": [1, 2, 2], "batch": 8, "validations": 1}})
    found = estimate.measure(plan, budget=0.5)
    assert found.fits and found.seconds > 0
    assert next(stage for stage in found.stages if stage.label == "training").seconds > 0
