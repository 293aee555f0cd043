"""The picture of a run: what its events come to, in parts as at once, after kills and restarts, and out of damaged files."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.runs import events, pipeline, status, store
from llmrec.runs.live import Live, Tail, Watch, fold, picture, share
from llmrec.runs.live.folding import MOST_POINTS
from tests.runs.worlds import board

Event = dict[str, Any]


def stage(label: str, seconds: float, cached: bool = False, inside: tuple[Event, ...] = ()) -> list[Event]:
    end = {"event": "stage", "stage": label, "state": "end", "seconds": seconds, "cached": cached}
    return [{"event": "stage", "stage": label, "state": "begin"}, *inside, end]


def said(name: str, part: float, left: float | None = None) -> Event:
    return {"event": "progress", "stage": name, "share": part, "seconds_left": left}


def step(at: int, of: int = 100, loss: float | None = None) -> Event:
    """A training of one second a step."""
    told = {"event": "step", "phase": "fine-tuning", "step": at, "steps": of, "loss": 5 - at / of if loss is None else loss}
    return {**told, "items_per_s": 9.0, "tokens_per_s": 99.0, "seconds_left": float(of - at), "progress": at / of, "memory_bytes": 7e8}


def validation(at: int, best: bool = True) -> Event:
    return {"event": "validation", "step": at, "steps": 100, "metrics": {"ndcg@10": at / 1000}, "best": best}


def before_training(cached: bool = False) -> list[Event]:
    embed = (said("walks", 0.0), said("walks", 1.0, 0.0), said("skip-gram", 0.0), said("skip-gram", 0.5, 2.0), said("skip-gram", 1.0, 0.0))
    first = stage("data", 1.0, cached) + stage("split", 0.1, cached)
    return (
        first
        + stage("walks and skip-gram", 5.0, cached, () if cached else embed)
        + stage("names", 2.0, cached)
        + stage("language model", 1.0)
    )


def begun(label: str) -> Event:
    return {"event": "stage", "stage": label, "state": "begin"}


def start(resumed: bool = False) -> Event:
    return {"event": "start", "resumed": resumed}


def after_training() -> list[Event]:
    told = stage("loading the model", 1.0)
    for part, masked in pipeline.PARTS:
        seen = "masked" if masked else "unmasked"
        told += stage(f"evaluation on {part}, seen items {seen}", 3.0, inside=(said("evaluation", 0.0), said("evaluation", 0.5, 1.5)))
        told += [{"event": "evaluation", "part": part, "seen": seen, "metrics": {"hit@10": 0.1}}]
    return told


def whole_run() -> list[Event]:
    training = (*(step(at) for at in range(2, 100, 2)), validation(50), validation(100))
    trained = {"event": "trained", "seconds": 100.0, "steps": 100}
    end = {"event": "end", "state": "done", "reason": "trained 100 of 100 steps"}
    return [start(), *before_training(), *stage("training", 101.0, inside=training), trained, *after_training(), end]


def pictures(told: list[Event]) -> list[Live]:
    return list(itertools.accumulate(told, lambda live, event: fold(live, [event]), initial=Live()))


def test_a_whole_run_comes_to_one_picture() -> None:
    live = fold(None, whole_run())
    assert (live.state, live.reason, live.fraction, live.seconds_left) == ("done", "trained 100 of 100 steps", 1.0, 0.0)
    assert [line.label for line in live.log.stages][:3] == ["data", "split", "walks and skip-gram"]
    assert all(line.seconds is not None and line.share == 1 for line in live.log.stages)
    assert len(live.curves.losses) == 49 and live.curves.losses[0] == (2, 4.98)
    assert live.curves.validations == ((50, {"ndcg@10": 0.05}, True), (100, {"ndcg@10": 0.1}, True))
    assert (live.pace.step, live.pace.steps, live.pace.memory_bytes) == (100, 100, 7e8)
    assert [(part, seen) for part, seen, _ in live.log.evaluations] == [(p, "masked" if m else "unmasked") for p, m in pipeline.PARTS]
    assert live.seconds == pytest.approx(1 + 0.1 + 5 + 2 + 1 + 100 + 1 + 4 * 3)


def test_the_labels_of_evaluations_are_those_of_the_pipeline() -> None:
    assert share.EVALUATIONS == tuple(f"evaluation on {part}, seen items {'masked' if m else 'unmasked'}" for part, m in pipeline.PARTS)
    assert len(share.EXPECTED) == len(share.SLOTS)


def test_the_fraction_never_falls_and_never_rests_for_long() -> None:
    fractions = [live.fraction for live in pictures(whole_run())]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert max(b - a for a, b in itertools.pairwise(fractions)) < 0.12
    trained = [f for live, f in zip(pictures(whole_run()), fractions, strict=True) if live.stage == "fine-tuning"]
    assert trained[0] < 0.25 and 0.8 < trained[-1] < 0.95
    assert fractions[-2] == pytest.approx(1.0)  # the last evaluation brings it there, not the word "done"


def test_what_comes_from_the_cache_is_no_progress_of_a_new_run() -> None:
    assert fold(None, [start(), *before_training(cached=True)]).fraction < 0.1 < fold(None, [start(), *before_training()]).fraction


def test_the_stage_is_named_as_people_know_it() -> None:
    shown = [live.stage for live in pictures(whole_run()[:20])]
    for one, two in itertools.pairwise(("data", "split", "walks and skip-gram", "walks", "skip-gram", "names", "language model")):
        assert shown.index(one) < shown.index(two)
    live = fold(None, [start(), begun("training"), step(10), said("evaluation", 0.5, 1.0)])
    assert (live.stage, live.log.ranking) == ("validation", 2.0)
    assert fold(live, [step(12)]).stage == "fine-tuning"


def test_time_left_is_the_training_s_and_the_evaluations_after_it() -> None:
    live = fold(None, [start(), *before_training(), begun("training"), step(40)])
    assert live.seconds_left == pytest.approx(60 + 2 + 4 * 0.03 * 100)
    assert fold(None, [start(), *before_training(), begun("training")]).seconds_left is None
    rows = whole_run()
    measured = next(i for i, e in enumerate(rows) if e["event"] == "evaluation")
    assert fold(None, rows[: measured + 1]).seconds_left == pytest.approx(3 * 3.0)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, len(whole_run())), max_size=6))
def test_in_parts_as_at_once(cuts: list[int]) -> None:
    told, live = whole_run(), None
    for begin, end in itertools.pairwise([0, *sorted(cuts), len(told)]):
        live = fold(live, told[begin:end])
    assert live == fold(None, told)


def test_time_going_backwards_changes_nothing() -> None:
    told = [{"time": 1e9 - 1000 * at, **event} for at, event in enumerate(whole_run())]
    assert fold(None, told) == fold(None, whole_run())


def test_curves_go_on_from_the_checkpoint_after_a_kill() -> None:
    first = [start(), *before_training(), begun("training"), *(step(at) for at in range(2, 62, 2)), validation(30), validation(60)]
    live = fold(None, first)
    again = fold(live, [start(resumed=True), *before_training(cached=True), begun("training")])
    assert again.curves == live.curves and again.pace.step is None  # kept until it is known where training goes on
    again = fold(again, [{"event": "resumed", "step": 40, "steps": 100}])
    assert [s for s, _ in again.curves.losses] == list(range(2, 42, 2)) and [v[0] for v in again.curves.validations] == [30]
    assert again.fraction == pytest.approx(fold(None, [*first, step(40)]).fraction, abs=0.2) and again.fraction > 0.3
    again = fold(again, [step(42, loss=1.0), step(44), validation(60)])
    assert [s for s, _ in again.curves.losses] == list(range(2, 46, 2)) and (42, 1.0) in again.curves.losses
    assert again.pace.seconds == 44.0 and again.seconds == pytest.approx(9.1 * 2 + 44)


def stopped_at(at: int, of: int) -> list[Event]:
    training = stage("training", float(at), inside=tuple(step(n, of) for n in range(10, at + 1, 10)))
    trained = {"event": "trained", "seconds": float(at), "steps": at, "steps_planned": of, "stopped": True, "reason": "stopped by request"}
    return [start(), *before_training(), *training, trained, {"event": "end", "state": "stopped", "reason": "on request"}]


@pytest.mark.parametrize(("at", "of"), [(100, 4000), (2000, 4000), (3900, 4000), (40, 400)])
def test_stopped_and_resumed_it_is_as_far_as_its_steps(at: int, of: int) -> None:
    told = stopped_at(at, of)
    before = fold(None, told[:-3])
    live = fold(None, told)
    assert live.state == "stopped" and live.fraction == before.fraction and live.seconds_left is None
    assert live.log.stages[-1].label == "training" and live.log.stages[-1].share == at / of
    true = (13.2 + at) / (15.2 + 1.12 * of)  # of the seconds of all stages, those before training as they are expected
    assert live.fraction == pytest.approx(true, abs=0.2), "its first stages weighed more, before training had a pace"
    again = [start(resumed=True), *before_training(cached=True), begun("training")]
    assert fold(live, again).fraction < 0.05, "nothing of the training is known to be there yet"
    again += [{"event": "resumed", "step": at, "steps": of}]
    assert fold(live, again).fraction == pytest.approx(true, abs=0.02)
    live = fold(live, [*again, step(at + 10, of)])
    assert live.fraction == pytest.approx(true + 10 / 1.12 / of, abs=0.02)
    assert live.seconds_left == pytest.approx(of - at - 10 + 2 + 4 * 0.03 * of)


def test_a_training_that_ends_early_is_at_its_end() -> None:
    early = {
        "event": "trained",
        "seconds": 40.0,
        "steps": 40,
        "steps_planned": 100,
        "stopped": False,
        "reason": "stopped early: nothing better",
    }
    told = [start(), *before_training(), *stage("training", 41.0, inside=(step(20), step(40)))]
    assert fold(None, told).fraction < 0.5 < 0.7 < fold(None, [*told, early]).fraction
    assert fold(None, [*told, early]).log.stages[-1].share == 1
    assert fold(None, [*told, early, begun("loading the model")]).seconds_left == pytest.approx(2 + 4 * 0.03 * 40)


def test_without_a_checkpoint_the_curves_begin_anew() -> None:
    live = fold(None, [start(), begun("training"), *(step(at) for at in range(2, 62, 2)), validation(30)])
    again = fold(live, [start(resumed=True), begun("training"), step(4, loss=2.0)])
    assert again.curves.losses == ((4, 2.0),) and again.curves.validations == () and again.pace.seconds == 4.0
    early = fold(live, [start(resumed=True), begun("training"), validation(1)])
    assert early.curves.losses == () and [v[0] for v in early.curves.validations] == [1]


def test_a_run_that_only_needs_its_numbers_is_nearly_done() -> None:
    trained = [start(), *before_training(), *stage("training", 50.0, inside=(step(100),))]
    again = fold(fold(None, trained), [start(resumed=True), *before_training(cached=True), begun("loading the model")])
    assert 0.7 < again.fraction < 1 and len(again.curves.losses) == 1


def test_long_curves_are_thinned_evenly_and_keep_their_ends() -> None:
    live = fold(None, [start(), begun("training")])
    for at in range(1, 30_001):
        live = fold(live, [step(at, of=30_000)])
        assert len(live.curves.losses) <= MOST_POINTS
    steps = [s for s, _ in live.curves.losses]
    assert steps[0] == 1 and steps[-1] == 30_000 and len(steps) > MOST_POINTS // 4
    assert max(b - a for a, b in itertools.pairwise(steps)) <= 3 * 30_000 / (MOST_POINTS // 2)


ODD = [
    None, 3, "x", [], {}, {"event": None}, {"event": []}, {"event": "unheard of"}, {"event": "step"}, {"event": "step", "step": "x"},
    {"event": "step", "step": True}, {"event": "step", "step": -1}, {"event": "step", "step": 1e3}, {"event": "step", "step": 10**400},
    {"event": "validation", "step": 70, "metrics": 3}, {"event": "validation", "step": 70, "metrics": {"a": "b", "c": float("nan")}},
    {"event": "resumed"}, {"event": "resumed", "step": None}, {"event": "progress", "stage": "walks"}, {"event": "progress", "share": 0.5},
    {"event": "progress", "stage": "walks", "share": float("nan")}, {"event": "progress", "stage": "walks", "share": 7},
    {"event": "stage", "stage": 3, "state": "begin"}, {"event": "stage", "stage": "data", "state": "middle"},
    {"event": "end", "state": "x"},
    {"event": "end", "state": ["done"]}, {"event": "evaluation", "part": "test"}, {"event": "warning"},
    {"event": "trained", "seconds": "x"},
]  # fmt: skip


def test_events_that_are_none_change_nothing() -> None:
    told = [start(), begun("training"), step(10)]
    assert fold(None, [*told, *ODD]) == fold(None, told)  # type: ignore[list-item]


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), "x", None, [], 10**400])
def test_a_loss_that_is_no_number_is_no_point(loss: Any) -> None:
    live = fold(None, [start(), begun("training"), step(10), {**step(12), "loss": loss}])
    assert live.curves.losses == ((10, 4.9),) and (live.pace.step, live.pace.loss) == (12, 4.9)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda x: st.lists(x, max_size=2), max_leaves=3
)
KEYS = (
    "stage",
    "state",
    "step",
    "steps",
    "loss",
    "share",
    "seconds",
    "seconds_left",
    "progress",
    "metrics",
    "part",
    "seen",
    "best",
    "text",
    "phase",
)
RUBBISH = st.fixed_dictionaries(
    {"event": st.sampled_from([e["event"] for e in whole_run()]) | VALUES},
    optional={key: VALUES | st.sampled_from([0, 1, 0.5, "begin", "end", "done", "data", "training"]) for key in KEYS},
)


@settings(deadline=None, max_examples=200)
@given(st.lists(RUBBISH | st.sampled_from(whole_run()), max_size=15))
def test_nothing_raises_and_what_must_hold_holds(told: list[Event]) -> None:
    fraction = 0.0
    for event, live in zip([None, *told], pictures(told), strict=True):
        assert 0 <= live.fraction <= 1 and live.seconds >= 0
        assert event is None or event["event"] == "start" or live.fraction >= fraction
        fraction = live.fraction
        for curve in (live.curves.losses, live.curves.validations):
            assert all(a[0] < b[0] for a, b in itertools.pairwise(curve))
        json.dumps(dataclasses.asdict(live), allow_nan=False)


def test_words_can_be_shown_anywhere() -> None:
    live = fold(None, [start(), {"event": "warning", "text": "a\x1b[31m\n\ud800b" + "x" * 9000}, {"event": "warning", "text": "a"}])
    assert live.log.warnings[0].startswith("a [31m b") and len(live.log.warnings[0]) <= 500
    live.log.warnings[0].encode()
    assert live.log.warnings[1] == "a"


def test_a_tail_reads_each_line_once_and_a_torn_one_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = Tail(path)
    assert tail.new() == [] and tail.anew
    lines = b'{"a": 1}\n{"a": "\xc3\xa9"}\n'
    read: list[Event] = []
    for at in range(len(lines)):  # one byte at a time
        with path.open("ab") as file:
            file.write(lines[at : at + 1])
        read += tail.new()
    assert read == [{"a": 1}, {"a": "é"}]
    assert tail.new() == [] and not tail.anew


@pytest.mark.parametrize("how", ["shorter", "replaced", "as long", "longer"])
def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path, how: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    tail = Tail(path)
    assert len(tail.new()) == 2
    if how == "replaced":
        (tmp_path / "other").write_text('{"a": 1}\n{"a": 2}\n{"a": 3}\n')
        os.replace(tmp_path / "other", path)
    else:
        path.write_text({"shorter": '{"b": 1}\n', "as long": '{"b": 1}\n{"b": 2}\n', "longer": '{"b": 1}\n{"b": 2}\n{"b": 3}\n'}[how])
    found = tail.new()
    assert tail.anew and len(found) == {"shorter": 1, "as long": 2}.get(how, 3)


def test_what_is_no_event_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    rubbish = [
        b"\0" * 5000,
        b"\xff\xfe\x00",
        b"[1]",
        b"3",
        b"",
        b'{"event": "st',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"x": ' + b"9" * 5000 + b"}",
    ]
    rubbish += [b'{"long": "' + b"x" * (1 << 21) + b'"}', b'\0\0{"a": 1}\r']
    path.write_bytes(b"\n".join([*rubbish, b'{"a": 2, "loss": 1e999, "n": NaN}']) + b"\n")
    assert [e["a"] for e in Tail(path).new()] == [1, 2]


def test_what_is_no_plain_file_is_no_events(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # opening it the plain way would wait for ever
    (tmp_path / "real").write_text('{"a": 1}\n')
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("folder", "pipe", "link", "none", "nul\0name"):
        assert Tail(tmp_path / name).new() == []


def test_a_watch_sees_what_a_picture_sees_at_every_moment() -> None:
    run = store.create(board())
    watch = Watch(run)
    assert watch.look() == picture(run) and picture(run).state == "new" and picture(run).stage == ""
    for at, event in enumerate(whole_run()[:-1]):
        events.append(run.path / "events.jsonl", event)
        if at % 7 == 0:
            assert watch.look() == picture(run)
    status.write(run.path, "failed", "the disk is full")
    live = watch.look()
    assert (live.state, live.reason, live.seconds_left) == ("failed", "the disk is full", None) and len(live.curves.losses) == 49
    (run.path / "events.jsonl").write_bytes(b"\0\0\0rubbish")
    assert watch.look() == picture(run) and watch.look().curves.losses == ()
    status.write(run.path, "done", "trained")
    assert (watch.look().fraction, watch.look().state) == (1.0, "done")


def test_a_killed_run_is_told_by_its_folder() -> None:
    run = store.create(board())
    events.append(run.path / "events.jsonl", start())
    status.write(run.path, "running")  # and nobody holds its lock
    assert picture(run).state == "interrupted" and "resume" in picture(run).reason
    assert picture(store.Run(run.path, broken="recipe.toml is missing")).state == "broken"


def test_a_real_training_is_seen_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))  # a cache of its own, so that there is something to work
    run = store.create(board())
    watch, seen = Watch(run), [0.0]
    pipeline.train(run, emit=lambda event: seen.append(watch.look().fraction))
    live = picture(run)
    assert seen == sorted(seen) and (live.state, live.fraction) == ("done", 1.0)
    assert {"data", "split", "walks and skip-gram", "names", "training"} <= {line.label for line in live.log.stages}
    assert live.curves.validations and len(live.log.evaluations) == 4 and live.seconds > 0
    assert {e["stage"] for e in run.events() if e["event"] == "progress"} >= {"walks", "skip-gram", "evaluation"}
