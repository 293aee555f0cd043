"""The pages' numbers are those of the result files, and the result files are those of the rows that ship."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import places
from benchmarks.report import chapters, claims, means, pages, tables
from benchmarks.rows import LEFT_OUT, SPLITS, control, rows
from llmrec import recipe, registry
from tests.project.tree import ROOT

ROWS = rows()
RECIPES = [name for name, row in ROWS.items() if row.baseline is None]
FILES = sorted(p for p in places.FOLDER.rglob("*.json") if p.parent != places.FOLDER)
OLDER = sorted(places.FOLDER.glob("*.json"))  # of the time before places were kept: one seed, metrics and intervals as they are


def row_of(path: Path) -> str:
    return path.parent.relative_to(places.FOLDER).as_posix()


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda p: p.name)
def test_the_pages_show_what_was_measured(page: Path) -> None:
    assert pages.rewritten(page) == page.read_text(encoding="utf-8"), "run `python -m benchmarks.report`"


def test_schemes_and_baselines_have_titles_and_names_were_measured() -> None:
    assert chapters.missing_titles() == []
    measured = json.loads((ROOT / "benchmarks/measured/naming.json").read_text(encoding="utf-8"))
    assert set(measured["data"]["ml-100k"]) == set(tables.SCHEMES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_read_again(name: str) -> None:
    row = ROWS[name]
    assert recipe.read(row.recipe.to_dict()) == row.recipe
    assert row.made({"seed": 2, "settings": json.loads(json.dumps(row.complete(2)))})


def test_every_row_was_measured() -> None:
    measured = {row_of(path) for path in FILES} | {path.stem for path in OLDER}
    missing = sorted(set(ROWS) - measured - set(LEFT_OUT))
    assert missing == [], f"{len(missing)} rows have no result: run `make results`, or say in benchmarks/rows.py why they are left out"


def test_what_is_left_out_is_a_row_without_results_and_has_a_reason() -> None:
    assert set(LEFT_OUT) <= set(ROWS) and all(len(reason) > 10 for reason in LEFT_OUT.values())
    assert not set(LEFT_OUT) & {row_of(path) for path in FILES}


@pytest.mark.parametrize("name", sorted({row_of(path) for path in FILES}))
def test_results_belong_to_their_row_and_say_how_they_were_made(name: str) -> None:
    assert name in ROWS, f"no row is called {name}: remove its results, or bring its recipe back"
    for path in (path for path in FILES if row_of(path) == name):
        said = places.read(path).said
        assert (said["row"], str(said["seed"])) == (name, path.stem) and said["recipe"]["seed"] == said["seed"]
        assert ROWS[name].made(said), f"{name} was measured with other settings: run `make results ROWS={name}`"
        assert (said["data"], said["protocol"]) == (ROWS[name].data, ROWS[name].protocol)
        assert {"settings", "split", "train_seconds", "train_cpu_seconds", "versions", "machine"} <= set(said)
        assert {"test masked", "test unmasked"} <= set(said["rankings"])
        assert ROWS[name].baseline is not None or {"commands", "stage_seconds", "cached", "trained"} <= set(said)


@pytest.mark.parametrize("name", sorted({row_of(path) for path in FILES}))
def test_seeds_of_a_row_asked_the_same_users(name: str) -> None:
    metric = "ndcg@100" if ROWS[name].protocol == "holdout" else "ndcg@10"
    for ranking in (means.MASKED, means.UNMASKED):
        assert means.sample(name, metric, ranking) is not None


@pytest.mark.parametrize("path", OLDER, ids=lambda p: p.stem)
def test_an_older_result_belongs_to_its_recipe_and_goes_when_a_newer_is_there(path: Path) -> None:
    said = json.loads(path.read_text(encoding="utf-8"))
    assert ROWS[path.stem].made(said), f"{path.name} was made with other settings: run `make results ROWS={path.stem}`"
    assert not means.results(path.stem), f"{path.stem} was measured anew: remove {path.name}"


def test_claims_compare_rows_that_there_are() -> None:
    assert {row for claim in claims.CLAIMS for row in (claim.left, claim.right)} <= set(ROWS)
    for claim in claims.CLAIMS:
        left, right = ROWS[claim.left], ROWS[claim.right]
        assert left.data == right.data and (left.protocol == right.protocol or claim.held_out)


def test_levels_name_baselines_that_are_rows() -> None:
    own = {f"baselines/{baseline}-{data}" for data, *_, baseline in chapters.LEVELS if baseline is not None}
    assert own <= set(ROWS)


def test_the_cllm4rec_chapter_shows_every_row_of_its_folder() -> None:
    names = [name for name, row in ROWS.items() if row.chapter == "mutual"]
    assert len(names) >= 10 and all(f"`{name}`" in chapters.mutual() for name in names)


def test_every_pair_of_names_and_head_has_a_row_or_a_refusal() -> None:
    refused = json.loads((chapters.MEASURED / "refusals.json").read_text(encoding="utf-8"))["said"]
    pairs = {(scheme, head): chapters.pair(scheme, head) for scheme in tables.SCHEMES for head in registry.names("head")}
    assert {f"{scheme} {head}" for (scheme, head), row in pairs.items() if row is None} == set(refused)
    for (scheme, head), row in pairs.items():
        if row is not None:
            assert tables.head(row) == head and registry.name_of("scheme", row.recipe.scheme) == scheme


def test_rows_that_stand_in_one_table_share_data_and_split() -> None:
    for name in RECIPES:
        row = ROWS[name]
        if row.chapter in ("lastfm", "beauty", "ml-1m"):
            assert (row.data, row.protocol) == (row.chapter, "loo")
        if row.protocol in SPLITS:
            assert row.recipe.split == recipe.stage("split", SPLITS[row.protocol]), f"{name} splits otherwise than the baselines beside it"


def test_unseen_users_have_a_control() -> None:
    lonely = [name for name, row in ROWS.items() if row.protocol == "unseen-users" and control(row) is None]
    assert lonely == []
