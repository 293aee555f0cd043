"""The real workshop: forms out of docstrings, recipes in and out, the queue with a real worker, and what thirty sessions cost."""

from __future__ import annotations

import dataclasses
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from app.seam import Trouble
from app.train import forms, plans, workshop
from app.train.workshop import Recent, Workshop
from llmrec import recipe, registry
from llmrec.runs import events, queue, status, store
from llmrec.runs.queue import keeper
from tests.runs.worlds import board


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue.dispatch, "_start", lambda *_: None)  # who waits goes on waiting
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    made = Workshop()
    yield made
    made.close()


@dataclass(frozen=True)
class Kettle:
    """Boils water. Nothing else.

    litres: how much; watts, volts: of the mains, `230` here. lid: "shut" keeps the steam; "open" does not.
    Source: a kitchen.
    """

    litres: float = 1.5
    watts: int = 2000
    volts: int | None = None
    lid: Literal["shut", "open"] = "shut"
    whistle: bool = False


def test_help_is_what_the_docstring_says_of_a_field() -> None:
    assert forms.sentence(Kettle) == "Boils water."
    assert forms.told(Kettle) == {
        "litres": "How much.",
        "watts": "Of the mains, `230` here.",
        "volts": "Of the mains, `230` here.",
        "lid": '"shut" keeps the steam; "open" does not.',
    }


@pytest.mark.parametrize(("section", "name"), [(s, n) for s, kind in recipe.SECTIONS.items() if kind for n in registry.names(kind)])
def test_every_stage_is_a_form_and_a_recipe_again(section: str, name: str) -> None:
    cls = registry.load(str(recipe.SECTIONS[section]), name)
    plain = {"scheme": {"name": "metaid"}, section: {"name": name}}
    mine = {s.where.partition(".")[2]: s for s in forms.settings(plain) if s.where.startswith(f"{section}.")}
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    assert set(mine) - {"name"} == set(fields) and all(s.help for s in mine.values())
    for key, setting in mine.items():
        if key != "name" and not setting.needed and setting.kind != "toml":
            default = fields[key].default
            assert setting.value == default and (setting.optional or setting.value is not None)


def test_what_is_written_is_read_again() -> None:
    plain = {"seed": 3, "scheme": {"name": 'a"b\\c'}, "train": {"tasks": {"rating": 0.5}, "epochs": [1, 2]}, "lm": {"pretrained": False}}
    assert tomllib.loads(forms.written(plain)) == plain


def test_another_scheme_brings_its_own_vectors_unless_they_were_chosen() -> None:
    own = {"scheme": {"name": "metaid"}, "embed": {"name": "metapath"}}
    assert "embed" not in forms.changed(own, {"scheme.name": "tokenrec"})
    touched = {"scheme": {"name": "metaid"}, "embed": {"name": "metapath", "d": 8}}
    assert forms.changed(touched, {"scheme.name": "tokenrec"})["embed"] == {"name": "metapath", "d": 8}
    assert own == {"scheme": {"name": "metaid"}, "embed": {"name": "metapath"}}  # the old one is as it was


def test_the_command_of_a_plan_is_the_plan(bench: Workshop) -> None:
    plan = bench.changed(bench.plan(), {"train.epochs": 7, "scheme.n_clusters": 12})
    assert "train.epochs=7" in plan.command and "scheme.n_clusters=12" in plan.command
    assert plans.recipe(plan) == recipe.read(tomllib.loads(plan.text))


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "seed = " + "9" * 5000, '[scheme]\nname = "../x"', '[lm]\nname = "evil/model"\n[scheme]\nname="rid"', "\x00", "x" * 10**6],
)
def test_hostile_recipes_are_refused_with_a_sentence(bench: Workshop, text: str) -> None:
    with pytest.raises(Trouble) as refused:
        bench.plan(text)
    assert 10 < len(str(refused.value)) < 1200


@pytest.mark.parametrize("name", ["../x", "/etc", "", ".", "a/b", "x" * 300, "<b>"])
def test_hostile_names_reach_no_folder(bench: Workshop, name: str) -> None:
    for ask in (bench.training, bench.stop, bench.resume, bench.freed, bench.delete, bench.again):
        with pytest.raises(Trouble):
            ask(name)


def test_a_plan_that_was_tampered_with_is_checked_again_at_the_start(bench: Workshop) -> None:
    honest = bench.plan()
    with pytest.raises(Trouble, match="outside"):
        bench.start(dataclasses.replace(honest, text='[scheme]\nname = "rid"\n[data]\nname = "table"\npath = "/etc/passwd"\n'))
    with pytest.raises(Trouble, match="Tokens"):
        bench.start(dataclasses.replace(honest, text='[data]\nname="checkerboard"\n[scheme]\nname = "rid"\n[head]\nname = "items"\n'))
    assert bench.jobs() == ()


def test_the_line_its_states_and_what_can_be_done(bench: Workshop) -> None:
    first, second = (bench.start(bench.plan(board().to_toml())) for _ in range(2))
    assert [(j.name, j.state) for j in bench.jobs()] == [(first, "queued"), (second, "queued")]
    assert bench.training(first).acts == {"stop", "delete", "again"}
    assert "resume" in bench.stop(first) and bench.training(first).acts == {"resume", "delete", "again"}
    with pytest.raises(Trouble, match="nothing to stop"):
        bench.stop(first)
    bench.resume(first)
    assert [j.name for j in bench.jobs()] == [second, first]
    assert "It frees" in bench.freed(second)
    assert second in bench.delete(second) and [j.name for j in bench.jobs()] == [first]
    assert plans.recipe(bench.again(first)) == store.open_run(first).recipe


def test_before_a_deletion_it_is_said_whose_results_cannot_be_told(bench: Workshop) -> None:
    first, second = (bench.start(bench.plan(board().to_toml())) for _ in range(2))
    assert "cannot be told" not in bench.freed(first)
    (store.open_run(second).path / "run.json").write_text('{"kind": ')
    said = bench.freed(first)
    assert "cannot be told in full" in said and f"run {second} cannot be read" in said


def test_two_runs_as_a_difference(bench: Workshop) -> None:
    one, two = bench.plan(board().to_toml()), bench.changed(bench.plan(board().to_toml()), {"seed": 5})
    names = [bench.start(plan) for plan in (one, two)]
    table = bench.differences(*names)
    assert table.to_dict("list") == {"setting": ["seed"], names[0]: [str(board().seed)], names[1]: ["5"]}


def test_a_running_run_is_seen_as_its_events_come(bench: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "FRESH", 0.0)
    bench._recent = Recent(fresh=0.0)
    run = store.by_name(bench.start(bench.plan(board().to_toml())))
    (run.path / "worker.log").write_bytes(b"one\ntwo \x1b[31m\xff\n")
    with status.held(run.path):
        status.write(run.path, "running")
        for step in (1, 2):
            told = {"event": "step", "step": step, "steps": 4, "loss": 3.0 / step, "progress": step / 4, "tokens_per_s": 900.0}
            events.append(run.path / "events.jsonl", told)
            seen = bench.training(run.name)
            assert seen.job.state == "running" and len(seen.exhibits[0].table) == step
        events.append(run.path / "events.jsonl", {"event": "validation", "step": 2, "steps": 4, "metrics": {"ndcg@10": 0.25}, "best": True})
        seen = bench.training(run.name, dark=True)
        assert [e.name for e in seen.exhibits] == ["loss", "validation"] and "0.2500" in seen.exhibits[1].caption
        assert ("Tokens/s", "900") in [n[:2] for n in seen.numbers]
        assert seen.log.startswith("one\ntwo [31m") and "\x1b" not in seen.log
    assert bench.training(run.name).job.state in ("interrupted", "queued")


def test_a_broken_run_can_be_seen_and_deleted(bench: Workshop, tmp_path: Path) -> None:
    (tmp_path / "runs" / "torn-1").mkdir(parents=True)
    (tmp_path / "runs" / "torn-1" / "run.json").write_text("{")
    assert [(j.name, j.state) for j in bench.jobs()] == [("torn-1", "broken")]
    assert bench.training("torn-1").acts == {"delete"}
    bench.delete("torn-1")
    assert bench.jobs() == ()


def test_thirty_sessions_cost_as_much_as_one() -> None:
    made: list[int] = []
    recent, gate, got = Recent(fresh=60.0), threading.Barrier(30), []

    def ask() -> None:
        gate.wait()
        got.append(recent.get("jobs", lambda: made.append(1) or len(made)))

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1] and got == [1] * 30
    recent.forget()
    assert recent.get("jobs", lambda: 2) == 2


def test_a_turn_that_fails_is_told_once_and_ends_nothing(
    bench: Workshop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turns: list[int] = []
    monkeypatch.setattr(workshop, "TURN", 0.001)

    def tick() -> None:
        turns.append(1)
        raise OSError("the disk is full")

    monkeypatch.setattr(queue, "tick", tick)
    bench.attend()
    deadline = time.monotonic() + 60
    while len(turns) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    bench.close()
    assert [r.message for r in caplog.records if "disk is full" in r.message] == ["the queue could not be turned: the disk is full"]


def test_an_estimate_is_measured_once_and_kept(bench: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    gate = threading.Event()

    def forecast(wanted: Any) -> Any:
        asked.append(wanted)
        gate.wait(60)
        raise ValueError("measuring ran out of memory: set train.batch = 8")

    monkeypatch.setattr(plans, "forecast", forecast)
    plan = bench.plan(board().to_toml())
    assert bench.forecast(plan) is None
    for _ in range(5):
        found = bench.forecast(plan, begin=True)
        assert found is not None and found.state == "measuring"
    gate.set()
    deadline = time.monotonic() + 60
    while (found := bench.forecast(plan)) is None or found.state == "measuring":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert found.state == "failed" and "train.batch = 8" in found.trouble and len(asked) == 1
