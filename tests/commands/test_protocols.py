"""Runs under every protocol, from the recipe to the numbers that the command line and the page show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmrec.__main__ import main
from llmrec.report.protocols import PROTOCOLS, SEEN, UNSEEN
from tests.runs.worlds import BOARD

SPLITS = {"holdout": "valid = 0.2\ntest = 0.2", "unseen-users": "share = 0.2"}
SIDES = [("valid", "masked"), ("valid", "unmasked"), ("test", "masked"), ("test", "unmasked")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def say(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints."""
    monkeypatch.setenv("LLMREC_HOME", str(home))
    monkeypatch.setenv("LLMREC_RUNS", str(home / "runs"))

    def call(*words: str) -> str:
        assert main(list(words)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize("name", list(SPLITS))
def test_a_run_is_trained_measured_and_shown_by_its_protocol(name: str, home: Path, say: Callable[..., str]) -> None:
    protocol = PROTOCOLS[name]
    trained = say("train", str(_recipe(home, name)), "--out", str(home / "runs" / name))
    assert all(metric in trained for metric in protocol.headline)
    shown = json.loads(say("runs", "show", name, "--json"))
    assert shown["protocol"] == name and tuple(shown["measured"]) == protocol.headline
    for part, seen in SIDES:
        report = shown["metrics"][part][seen]
        assert report["split"] == name and tuple(report["intervals"]) == protocol.metrics
        assert set(report["metrics"]) == {*protocol.metrics, *(f"coverage@{k}" for k in protocol.cuts)}
        assert list(report["groups"]) == ([] if name == "holdout" else [SEEN] if part == "valid" else [SEEN, UNSEEN])
    listed, facts = say("runs"), say("runs", "show", name)
    assert all(metric in listed and metric in facts for metric in protocol.headline)
    measured = say("evaluate", name, "--baselines", "popularity")
    assert all(metric in measured for metric in protocol.metrics)
    assert (f"{UNSEEN} alone, 6 users" in measured) is (name == "unseen-users")
    events = [json.loads(line) for line in (home / "runs" / name / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    (chosen,) = [e for e in events if e["event"] == "trained"]
    assert f"validation_{protocol.select}" in chosen
    _on_the_page(name, protocol.headline)


def _recipe(home: Path, name: str) -> Path:
    path = home / f"board-{name}.toml"
    path.write_text(f'{BOARD}\n[split]\nname = "{name}"\n{SPLITS[name]}\n', encoding="utf-8")
    return path


def _on_the_page(name: str, metrics: tuple[str, ...]) -> None:
    from app.backend import Backend
    from llmrec.runs import store

    split, backend = store.open_run(name).split(), Backend()
    try:
        (info,) = [run for run in backend.runs() if run.name == name]
        assert tuple(info.metrics) == metrics
        for user, history in zip(split.asked("test").tolist(), split.queries("test").histories, strict=True):
            person: Any = backend.person(name, user)
            assert person.history == tuple(history.tolist())
            parts = backend.history(name, user)["part"].tolist()
            assert parts.count("test") == len(split.test.history(user))
            assert ("train" not in parts) is (user in split.held_out), "what somebody held out took was never trained on"
        assert backend.recommend(name, None, person, 3).picks
    finally:
        backend.close()


def test_on_the_page_somebody_held_out_is_a_new_person(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.world import World
    from llmrec import recipe
    from llmrec.runs import stages

    monkeypatch.setenv("LLMREC_HOME", str(home))
    asked = recipe.load(_recipe(home, "unseen-users"))
    world = World(None, asked)
    held = stages.split(asked, stages.dataset(asked)).held_out
    assert [world.known_as(int(u)) for u in held] == [-1] * 6
    assert [world.known_as(u) for u in range(30) if u not in held] == [u for u in range(30) if u not in held]
