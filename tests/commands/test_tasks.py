"""`llmrec tasks` on the smallest run that was trained on all of them, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec.__main__ import main
from llmrec.runs import pipeline, store
from tests.commands.at_work import own_home, place

__all__ = ["own_home", "place"]

RECIPE = """
seed = 3
[data]
name = "table"
path = "{path}"
text = "review"
items_path = "{items}"
[embed]
name = "metapath"
walks_per_node = 1
epochs = 1
[scheme]
name = "metaid"
[lm]
name = "tiny"
[train]
epochs = 1
batch = 8
validations = 1
tasks = {tasks}
"""


def _recipe(folder: Path, tasks: str) -> Path:
    rng = np.random.default_rng(0)
    lines = ["user,item,time,rating,review"]
    for u in range(12):
        for t, i in enumerate(rng.permutation(16)[:9].tolist()):
            lines.append(f"u{u},i{i},{t},{5 if u % 2 == i % 2 else 2},{'good' if u % 2 == i % 2 else 'bad'} film")
    (folder / "mine.csv").write_text("\n".join(lines))
    films = [f"i{i},Film {i} ({1980 + i}),{'Odd' if i % 2 else 'Even'}" for i in range(16)]
    (folder / "films.csv").write_text("\n".join(["item,title,genres", *films]))
    path = folder / "metaid-mine-tiny.toml"
    path.write_text(RECIPE.format(path=folder / "mine.csv", items=folder / "films.csv", tasks=tasks))
    return path


@pytest.fixture
def trained(home: Path, own_home: None) -> str:
    from llmrec import recipe

    found = home / "runs" / "metaid-table-metaid-mine-tiny-1"
    if not found.exists():
        shares = "{sequential = 0.5, rating = 1.0, explanation = 0.5, review = 0.5}"
        run = store.create(recipe.load(_recipe(home, shares)), found)
        pipeline.train(run)
    return found.name


def _say(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_all_tasks_are_measured_beside_their_baselines(trained: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _say(capsys, "tasks", trained, "--json")
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    assert (told["run"], told["data"], told["part"], told["template"], told["seed"]) == (trained, "mine", "test", "seen", 3)
    assert list(told["tasks"]) == ["rating", "explanation", "review"]
    rated, explained, written = told["tasks"].values()
    assert rated["n"] == written["n"] == 12 and 0 < explained["n"] <= 12
    assert set(rated["baselines"]) == {"global mean", "user mean", "item mean", "user and item bias"}
    assert {"bleu", "rouge_l", "true", "in_history", "near"} <= set(explained["metrics"]) and len(explained["examples"]) == 5
    assert explained["baselines"]["lookup"]["true"] == 1 and explained["metrics"]["formed"] == 1
    for task in (rated, explained, written):
        assert set(task["differences"]) == set(task["baselines"])
        for baseline, differences in task["differences"].items():
            for metric, (mean, low, high) in differences.items():
                assert low <= high and mean == pytest.approx(task["metrics"][metric] - task["baselines"][baseline][metric])
    assert set(written["baselines"]) == {"most frequent", "newest of the item"}


def test_a_person_reads_tables_and_examples(trained: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _say(capsys, "tasks", trained, "--task", "explanation", "--users", "9", "--template", "unseen")
    assert code == 0, err
    assert out.startswith("explanation: mine, loo test, unseen template, seed 3") and "\n  less popular attribute: rouge_l " in out
    assert out.count("\n  reference ") == 5 and "because of Film" in out


def test_what_a_run_was_not_trained_on_is_refused(home: Path, capsys: pytest.CaptureFixture[str], trained: str) -> None:
    from llmrec import recipe

    plain = store.create(recipe.load(_recipe(home, "{sequential = 1.0}")))
    code, out, err = _say(capsys, "tasks", plain.name)
    assert (code, out) == (2, "") and "no task in words" in err and len(err.strip().splitlines()) == 1
    code, _, err = _say(capsys, "tasks", plain.name, "--task", "rating")
    assert code == 2 and "was not trained on the task rating" in err
    code, _, err = _say(capsys, "tasks", trained, "--users", "0")
    assert code == 2 and "users = 0" in err
