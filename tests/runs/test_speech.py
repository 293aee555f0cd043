"""Speech among the results of stages: learned by the first run that asks for it, adopted by the others."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from llmrec import recipe
from llmrec.recipe import Recipe
from llmrec.runs import pipeline, speech, store
from tests.lm.world import small_base  # noqa: F401
from tests.runs.worlds import board


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))


def _recipe(base: Path, scheme: str = "metaid", **changes: Any) -> Recipe:
    plain = board().to_dict()
    plain["lm"] = {"name": str(base), "dropout": 0.0, "tuning": "lora"}
    plain["train"] |= {"epochs": 1, "batch": 16, "tasks": {"speech": 0.3, "dialogue": 0.1}}
    if scheme != "metaid":
        plain["scheme"] = {"name": scheme}
        plain.pop("embed", None)
    found = dataclasses.replace(recipe.read(plain), name=f"{scheme}-spoken")
    return recipe.with_settings(found, changes) if changes else found


def _speech(run: store.Run) -> list[dict[str, Any]]:
    return [e for e in run.events() if e.get("stage") == "speech" and e.get("state") == "end"]


def test_the_second_run_begins_with_what_the_first_learned(small_base: Path) -> None:  # noqa: F811
    first, second = (store.create(_recipe(small_base, scheme)) for scheme in ("metaid", "rid"))
    for run in (first, second):
        assert pipeline.train(run, numbers=False).state == "done"
    assert [e["cached"] for run in (first, second) for e in _speech(run)] == [False, True]
    spoken = [e for e in first.events() if e["event"] == "spoken"]
    assert len(spoken) == 1 and spoken[0]["steps"] > 2
    assert not [e for e in second.events() if e["event"] == "spoken"]
    assert not (first.path / "speech").exists() and (first.path / "model").exists()


def test_what_it_hangs_on_and_what_not(small_base: Path) -> None:  # noqa: F811
    place = speech.place(_recipe(small_base))
    assert speech.place(_recipe(small_base, "rid")) == place
    for changes in ({"seed": 4}, {"train.lr": 0.01}, {"train.tasks.speech": 0.2}, {"lm.rank": 4}, {"data.n_users": 31}):
        assert speech.place(_recipe(small_base, **changes)) != place, changes
    for changes in ({"train.epochs": 3}, {"train.tasks.dialogue": 0.2}, {"lm.augment": 0.3}):
        assert speech.place(_recipe(small_base, **changes)) == place, changes


def test_a_stop_on_the_way_is_gone_on_from(small_base: Path) -> None:  # noqa: F811
    run = store.create(_recipe(small_base))
    asked = iter(range(10**6))

    def learning() -> bool:  # some steps into the speech, whatever asked before
        return any(e["event"] == "stage" and e["stage"] == "speech" for e in run.events()) and next(asked) > 2

    assert pipeline.train(run, should_stop=learning, numbers=False).state == "stopped"
    assert (run.path / "speech" / "checkpoint").exists() and not (run.path / "model").exists()
    assert pipeline.train(run, numbers=False).state == "done"
    assert any(e["event"] == "resumed" for e in run.events()) and (run.path / "model").exists()


def test_weights_without_an_adapter_are_refused_with_the_remedy() -> None:
    plain = board().to_dict()
    plain["train"]["tasks"] = {"speech": 0.3}
    run = store.create(dataclasses.replace(recipe.read(plain), name="spoken"))
    with pytest.raises(ValueError, match='tuning = "lora"'):
        pipeline.train(run, numbers=False)
    assert run.status.state == "failed"
