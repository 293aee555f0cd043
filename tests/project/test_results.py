"""The README's numbers are those of the result files, and the result files are those of the recipes that ship."""

from __future__ import annotations

import json

import pytest

from benchmarks import table
from llmrec import recipe, registry
from tests.project.tree import ROOT

RESULTS = sorted((ROOT / "benchmarks/results").glob("*.json"))


@pytest.mark.parametrize("page", table.PAGES, ids=lambda p: p.name)
def test_the_pages_show_what_was_measured(page) -> None:  # type: ignore[no-untyped-def]
    assert table.rewritten(page) == page.read_text(encoding="utf-8"), "run `python -m benchmarks.table`"


def test_every_baseline_and_scheme_was_measured() -> None:
    measured = {
        name: json.loads((ROOT / f"benchmarks/measured/{name}.json").read_text(encoding="utf-8")) for name in ("baselines", "naming")
    }
    assert set(measured["baselines"]["data"]["ml-100k"]) == set(registry.names("baseline")) == set(table.BASELINES)
    assert set(measured["naming"]["data"]["ml-100k"]) == set(registry.names("scheme")) - {"imported"} == set(table.NAMES)


def test_every_recipe_was_measured() -> None:
    assert {p.stem for p in RESULTS} == {p.stem for p in (ROOT / "benchmarks/recipes").glob("*.toml")}


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_a_result_belongs_to_its_recipe_and_says_how_it_was_made(path) -> None:  # type: ignore[no-untyped-def]
    said = json.loads(path.read_text(encoding="utf-8"))
    shipped = recipe.load(ROOT / f"benchmarks/recipes/{path.stem}.toml")
    assert recipe.read(said["recipe"]) == shipped, f"{path.name} was made with other settings: run `make bench RECIPES={path.stem}`"
    assert {"run", "data", "split", "seen", "n_users", "seed", "metrics", "baselines", "versions", "machine", "train_seconds"} <= set(said)
    assert {"popularity", "itemknn", "itemknn-last3", "ease"} <= set(said["baselines"])
