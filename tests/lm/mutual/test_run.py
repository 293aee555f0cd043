"""A recipe with mutual training goes the whole way: trained, loaded from the disk, asked under the words it was tuned for, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec import recipe
from llmrec.recommend.language import LanguageRecommender
from llmrec.runs import pipeline, store

FOLDER = Path(__file__).parents[3] / "benchmarks" / "recipes" / "mutual"
PLAIN = {
    "data": {"name": "checkerboard", "n_users": 20, "n_items": 24},
    "split": {"name": "holdout"},
    "scheme": {"name": "cllm4rec"},
    "lm": {"name": "tiny"},
    "head": {"name": "items"},
    "train": {"name": "mutual", "epochs": [1, 1, 1], "validations": 1},
}


def test_from_a_recipe_to_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    run = store.create(recipe.read(PLAIN))
    assert pipeline.train(run).state == "done"
    ranks = run.recommender()
    assert isinstance(ranks, LanguageRecommender) and ranks.task == "recft" and ranks.max_items == 1000
    said = "".join(map(str, ranks.lm.vocab.decode(ranks.prompt(3, np.asarray([5, 7])))))
    assert said.startswith("<u3> has interacted with<i") and said.endswith(", <u3> will interact with:")
    assert run.metrics is not None and set(run.metrics["test"]) == {"masked", "unmasked"}


def settings(name: str) -> dict[str, Any]:
    """Every setting of a shipped recipe under "section.name"; one that is left open is not there."""
    told = recipe.load(FOLDER / f"{name}-ml-100k.toml")
    assert recipe.read(told.to_dict()) == told
    flat: dict[str, Any] = {}
    for section, value in told.to_dict().items():
        flat |= {f"{section}.{key}": v for key, v in value.items()} if isinstance(value, dict) else {section: value}
    return flat


DIFFERS: dict[str, dict[str, dict[str, Any]]] = {
    "cllm4rec": {
        "llm-scratch": {"lm.tuning": None, "lm.pretrained": False, "train.lr": [1e-3, 5e-4]},
        "llm-cf": {"train.content": 0.0},
        "llm-ftall": {"lm.tuning": "full", "train.lr": [1e-3, 5e-4]},
        "llm-fixord": {"train.reorder": False},
        "llm-prerec": {"train.epochs": [1, 8, 0]},
    },
    "cllm4rec-nano": {
        "llm-cf-nano": {"train.content": 0.0, "train.epochs": [0, 10, 10]},
        "llm-fixord-nano": {"train.reorder": False},
        "llm-prerec-nano": {"train.epochs": [1, 20, 0]},
        "llm-prerec-short-nano": {"train.epochs": [1, 10, 0]},
    },
}


@pytest.mark.parametrize(("whole", "part"), [(whole, part) for whole, parts in DIFFERS.items() for part in parts])
def test_an_ablation_differs_in_what_it_takes_away_and_nothing_else(whole: str, part: str) -> None:
    ours, theirs = settings(part), settings(whole)
    assert {k: ours.get(k) for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k)} == DIFFERS[whole][part]


def test_every_shipped_recipe_is_compared() -> None:
    """Pretraining and RecFT together are as long with RecFT as without, but for the row that stops where RecFT begins."""
    assert {p.stem.removesuffix("-ml-100k") for p in FOLDER.glob("*.toml")} == DIFFERS.keys() | {p for d in DIFFERS.values() for p in d}
    for whole, parts in DIFFERS.items():
        assert len({sum(settings(name)["train.epochs"][1:]) for name in (whole, *parts) if "short" not in name}) == 1
    assert settings("cllm4rec")["train.epochs"] == [1, 4, 4] and settings("cllm4rec-nano")["train.epochs"] == [1, 10, 10]
