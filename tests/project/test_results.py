"""The README's numbers are those of the result files, and the result files are those of the recipes that ship."""

from __future__ import annotations

import json

import pytest

from benchmarks import table
from llmrec import recipe
from tests.project.tree import ROOT

RESULTS = sorted((ROOT / "benchmarks/results").glob("*.json"))


def test_the_readme_shows_what_was_measured() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert table.rewritten(text) == text, "run `python -m benchmarks.table`"


def test_every_recipe_was_measured() -> None:
    assert {p.stem for p in RESULTS} == {p.stem for p in (ROOT / "benchmarks/recipes").glob("*.toml")}


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_a_result_belongs_to_its_recipe_and_says_how_it_was_made(path) -> None:  # type: ignore[no-untyped-def]
    said = json.loads(path.read_text(encoding="utf-8"))
    shipped = recipe.load(ROOT / f"benchmarks/recipes/{path.stem}.toml")
    assert recipe.read(said["recipe"]) == shipped, f"{path.name} was made with other settings: run `make bench RECIPES={path.stem}`"
    assert {"run", "data", "split", "seen", "n_users", "seed", "metrics", "baselines", "versions", "machine", "train_seconds"} <= set(said)
    assert {"popularity", "itemknn", "itemknn-last3", "ease"} <= set(said["baselines"])
