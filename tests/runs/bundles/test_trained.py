"""Recipes of a folder trained, measured and packed: finished ones are skipped, interrupted ones go on, and what each cost is told."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from llmrec.runs import store
from llmrec.runs.bundles import container, training

TINY = """seed = {seed}
[data]
name = "checkerboard"
n_users = 20
n_items = 12
[scheme]
name = "{scheme}"
[lm]
name = "tiny"
[head]
name = "{head}"
[train]
epochs = {epochs}
validations = 1
"""


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))  # where runs of bundles lie
    folder = tmp_path / "recipes"
    folder.mkdir()
    for scheme, head in (("rid", "trie"), ("cllm4rec", "items")):
        text = TINY.format(seed=0, scheme=scheme, head=head, epochs=1)
        (folder / f"{scheme}-checkerboard-try.toml").write_text(text)
    return folder


def test_each_recipe_ends_as_a_bundle_with_its_cost_and_is_trained_once(recipes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = list(training.train(training.chosen(recipes), out, by="a test"))
    assert [(d.recipe, d.state, d.trained) for d in first] == [
        ("cllm4rec-checkerboard-try", "packed", True),
        ("rid-checkerboard-try", "packed", True),
    ]
    told = training.told(out / "rid-checkerboard-try-1.bundle.zip")
    assert told["bundled_by"] == "a test" and told["cost"]["sessions"] == 1 and told["cost"]["seconds"] > 0 and told["cost"]["machine"]
    assert told["name"] == "rid-checkerboard-try-1" and "hit@10" in told["metrics"]
    assert store.list_runs() == []  # they fill nobody's list
    before = (out / "rid-checkerboard-try-1.bundle.zip").read_bytes()
    (out / "rid-checkerboard-try-1.bundle.zip").unlink()
    again = list(training.train(training.chosen(recipes, ["rid"]), out, by="a test"))
    assert [(d.recipe, d.trained) for d in again] == [("rid-checkerboard-try", False)]
    assert (out / "rid-checkerboard-try-1.bundle.zip").read_bytes() == before


def test_one_that_is_stopped_ends_it_all_and_goes_on_later(recipes: Path, tmp_path: Path) -> None:
    path = recipes / "rid-checkerboard-try.toml"
    path.write_text(TINY.format(seed=0, scheme="rid", head="trie", epochs=4))
    folder = training.work() / "rid-checkerboard-try-1"

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "stage" and event["stage"] == "training" and event["state"] == "begin":
            signal.raise_signal(signal.SIGTERM)

    ended = list(training.train([path, recipes / "cllm4rec-checkerboard-try.toml"], tmp_path / "out", emit=stop))
    assert [d.state for d in ended] == ["stopped"] and not (tmp_path / "out").exists()
    done = list(training.train([path], tmp_path / "out"))
    assert [(d.state, d.trained) for d in done] == [("packed", True)] and done[0].cost is not None and done[0].cost["sessions"] == 2
    assert sum(e["event"] == "start" for e in store.open_run(folder).events()) == 2


def test_a_changed_recipe_is_trained_anew_and_the_old_run_kept(recipes: Path, tmp_path: Path) -> None:
    path = recipes / "rid-checkerboard-try.toml"
    list(training.train([path], tmp_path / "out"))
    path.write_text(TINY.format(seed=0, scheme="rid", head="trie", epochs=2))
    assert [d.trained for d in training.train([path], tmp_path / "out")] == [True]
    assert (training.work() / "rid-checkerboard-try-1.old-1" / "run.json").exists()


def test_seeds_and_choices(recipes: Path, tmp_path: Path) -> None:
    done = list(training.train([recipes / "rid-checkerboard-try.toml"], tmp_path / "out", seeds=(0, 2)))
    assert [d.file.name for d in done if d.file] == ["rid-checkerboard-try-1.bundle.zip", "rid-checkerboard-try-3.bundle.zip"]
    assert [container.read(d.file).json("facts.json")["seed"] for d in done if d.file] == [0, 2]
    assert [p.stem for p in training.chosen(recipes, ["rid-checkerboard-try"])] == ["rid-checkerboard-try"]
    with pytest.raises(ValueError, match="is called 'nonsense': there are cllm4rec, rid"):
        training.chosen(recipes, ["nonsense"])
    with pytest.raises(ValueError, match="there are no recipes in"):
        training.chosen(tmp_path / "out")


def test_one_that_fails_hinders_no_other(recipes: Path, tmp_path: Path) -> None:
    (recipes / "a-title-checkerboard-try.toml").write_text(TINY.format(seed=0, scheme="title", head="trie", epochs=-1))
    (recipes / "b-metaid-checkerboard-try.toml").write_text(
        TINY.format(seed=0, scheme="metaid", head="items", epochs=1) + "batch = 1\nlr = 1e30\n"
    )
    paths = [p for p in training.chosen(recipes) if not p.name.startswith("cllm4rec")]
    done = list(training.train(paths, tmp_path / "out"))
    assert (done[0].recipe, done[0].state, done[0].run) == ("a-title-checkerboard-try", "failed", None) and "epochs" in done[0].reason
    assert [d.state for d in done[1:]] == ["failed", "packed"] and done[1].reason
