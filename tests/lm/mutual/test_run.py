"""A recipe with mutual training goes the whole way: trained, loaded from the disk, asked under the words it was tuned for, measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llmrec import recipe
from llmrec.recommend.language import LanguageRecommender
from llmrec.runs import pipeline, store

RECIPES = sorted((Path(__file__).parents[3] / "benchmarks" / "recipes" / "mutual").glob("*.toml"))
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


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_shipped_recipes_load_and_are_the_papers(path: Path) -> None:
    told = recipe.load(path)
    assert recipe.read(told.to_dict()) == told and told.train.ranks_by in ("recft", "recft-fixord", "collaborative")


def test_the_papers_five_ablations_are_there() -> None:
    assert {p.stem.removesuffix("-ml-100k") for p in RECIPES} >= {
        "cllm4rec",
        "llm-scratch",
        "llm-cf",
        "llm-ftall",
        "llm-fixord",
        "llm-prerec",
    }
