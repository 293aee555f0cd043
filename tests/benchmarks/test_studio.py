"""The budgets of the pages: how samples become a table, and that the stopwatch measures what a person waits for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import studio
from benchmarks.studio import acts, grounds, stopwatch
from benchmarks.studio.grounds import GROUNDS, named
from tests.browser import chromium

FILE: dict[str, Any] = {
    "data": {
        "ml-100k": {
            "switch": {"when": "2026-11-21", "samples": [["Tour", 0.2], ["Data", 0.5], ["Tour", 0.25]]},
            "map": {"when": "2026-11-22", "samples": [["map", 2.5]]},
        }
    },
    "machine": {"cpu": "a processor", "cores": 2, "memory_gib": 4.0},
    "versions": {"python": "3.11", "torch": "2"},
    "settings": {"window": {"width": 800, "height": 600}},
}


def test_samples_become_medians_and_worst() -> None:
    lines = studio.budgets(FILE).splitlines()
    assert lines[0] == "|  | budget | MovieLens-100K |" and len(lines) == 4
    assert "| page switch, every page to the next | 0.3 s | **0.25** (0.50; 3) |" in lines
    assert "| map drawn | 2 s | 2.50 (2.50; 1) |" in lines  # missed: not bold
    assert "| Tour | **0.23** (0.25; 2) |" in studio.switches(FILE) and "| Chat |  |" in studio.switches(FILE)
    assert studio.machine(FILE).endswith("window 800 × 600; 2026-11-21 and 2026-11-22.")
    assert studio.machine({"data": {}}) == "Nothing was measured yet."


def test_what_was_measured_is_known() -> None:
    kept = studio.kept()["data"]
    assert set(kept) <= {ground.name for ground in GROUNDS}
    assert {key for measured in kept.values() for key in measured} <= set(studio.SHOWN)
    json.dumps(kept)


def test_every_ground_has_recipes_that_can_be_read() -> None:
    from llmrec import recipe

    for ground in GROUNDS:
        for path in ground.recipes:
            changes = dict(change.split("=", 1) for change in ground.changes)
            read = recipe.with_settings(recipe.load(path), {key: int(value) for key, value in changes.items()})
            assert read.data is not None
    with pytest.raises(ValueError, match="nothing to measure on is called 'ml'"):
        named("ml")


def test_what_lacks_is_trained_recipe_by_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, ...]] = []

    def made(name: str, measured: bool = True) -> None:
        folder = tmp_path / name
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "manifest.json").write_text("{}")
        (folder / "run.json").write_text(json.dumps({"recipe": name.rpartition("-")[0]}))
        if measured:
            (folder / "metrics.json").write_text("{}")

    def do(runs: Path, module: str, *words: str) -> None:
        done.append((module, *words[:1]))
        if module == "llmrec":
            made(f"{Path(words[1]).stem}-2")

    monkeypatch.setattr(grounds, "_do", do)
    made("tokenrec-ml-100k-sketch-1")
    made("metaid-ml-100k-sketch-1", measured=False)  # with a model, but stopped before its end
    assert grounds.ready(named("ml-100k"), tmp_path) == "metaid-ml-100k-sketch-2"
    assert done == [("llmrec", "train"), ("app.tokens.projecting", "metaid-ml-100k-sketch-2")]


def test_every_page_of_the_studio_is_measured() -> None:
    from app.pages import VIEWS

    assert list(acts.PAGES) == [title for _, title, *_ in VIEWS]


@pytest.mark.browser
def test_the_stopwatch_runs_from_the_touch_to_the_sight() -> None:
    from benchmarks.studio import serving

    if chromium.find() is None:
        pytest.skip("no Chromium on this machine")
    with serving.browser() as window, serving.tab(window) as tab:
        page = (
            "<button onclick=\"setTimeout(() => document.body.append(Object.assign(document.createElement('i'), {{id: 'n{0}'}})), {0})\">"
        )
        tab.set_content(page.format(300))
        took = stopwatch.seconds(tab, tab.locator("button").click, "!!document.querySelector('#n300')")
        assert 0.29 < took < 5
        with pytest.raises(RuntimeError, match="holds before"):
            stopwatch.seconds(tab, tab.locator("button").click, "!!document.querySelector('#n300')")
        with pytest.raises(Exception, match="not seen"):
            stopwatch.seconds(tab, tab.locator("button").click, "!!document.querySelector('#never')", longest=1)
