"""The runner: what it measures is what the pipeline reports, it goes on where it stopped, and one bad row does not stop the others."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as runner
from benchmarks import measure, places
from benchmarks.rows import BASELINES, LEFT_OUT, SPLITS, Row, beside, rows
from llmrec import recipe, registry, rng
from llmrec.report.evaluate import evaluate
from llmrec.runs import store
from tests.benchmarks import world


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path_factory.mktemp("home")))


def baseline(name: str = "itemknn", n_users: int = 24) -> Row:
    return Row(
        f"baselines/{name}-board", {"data": {"name": "checkerboard", "n_users": n_users, "n_items": 24}, "split": SPLITS["loo"]}, name
    )


@pytest.mark.slow
def test_a_recipe_is_trained_and_its_places_give_the_run_s_own_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row, reports, kept = world.row(tmp_path), {}, []
    real = measure.llmrec

    def listening(*words: str) -> object:
        command, said = real(*words)
        kept.append(shutil.copytree(words[words.index("--out") + 1], tmp_path / "kept"))
        run = store.open_run(words[words.index("--out") + 1])
        for part, seen in (("valid", "masked"), ("test", "masked"), ("test", "unmasked")):
            reports[part, seen] = evaluate(run.recommender(), run.split(), part, seen == "masked").metrics
        return command, said

    monkeypatch.setattr(measure, "llmrec", listening)
    failed, skipped = runner.work([row], [1], folder=tmp_path / "results")
    assert not failed and not skipped
    (found,) = places.of_row(row.name, tmp_path / "results")
    assert found.said["commands"] == [f"llmrec train {row.source} --out RUN --set seed=1 --no-numbers"]
    assert found.said["train_cpu_seconds"] > 0 and found.said["trained"]["steps"] > 0 and "training" in found.said["stage_seconds"]
    run = store.open_run(kept[0])
    assert row.made(found.said) and found.said["recipe"] == run.recipe.to_dict() == row.settings(1)
    assert found.said["settings"]["train"]["lr"] == run.recipe.train.lr, "what stands at its default is said too"
    assert found.said["cached"] == [] and found.said["split"] == measure.parts(run.split())
    assert len(reports) == 3
    for (part, seen), metrics in reports.items():
        placed = found.placed(f"{part} {seen}")
        assert placed is not None
        for metric, value in metrics.items():
            if not metric.startswith("coverage"):
                assert placed.per_user(metric).mean() == pytest.approx(value, abs=1e-6), metric
    size = (tmp_path / "results" / row.name / "1.json").stat().st_size
    assert size < 6000


def test_a_baseline_s_places_give_its_numbers(tmp_path: Path) -> None:
    row = baseline()
    assert runner.work([row], [0, 1, 2], folder=tmp_path) == ([], [])
    found = places.of_row(row.name, tmp_path)[0]
    assert [r.seed for r in places.of_row(row.name, tmp_path)] == [0, 1, 2], "ties are drawn: every seed is measured"
    split = row.recipe.split.split(row.recipe.data.load().interactions, rng.stream(0, "split"))
    fitted = registry.load("baseline", "itemknn")().fit(split.train, rng.stream(0, "baseline", "itemknn"))
    for masked in (True, False):
        measured = evaluate(fitted, split, "test", masked)
        placed = found.placed(f"test {measured.seen}")
        assert placed is not None
        assert np.array_equal(placed.per_user("ndcg@10"), measured.per_user["ndcg@10"])


def test_what_is_there_is_skipped_and_what_changed_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fake(row: Row, seed: int, folder: Path) -> dict[str, object]:
        asked.append((row.name, seed))
        return world.said(row.name, seed, [1, 0], recipe=row.settings(seed), settings=row.complete(seed))

    monkeypatch.setattr(runner, "measure", fake)
    row = world.row(tmp_path)
    runner.work([row], [0, 1], folder=tmp_path / "results")
    runner.work([row], [0, 1, 2], folder=tmp_path / "results")
    assert asked == [(row.name, 0), (row.name, 1), (row.name, 2)]
    changed = world.row(tmp_path, world.TINY.replace("epochs = 1", "epochs = 2"))
    assert runner.missing(changed, [0, 1, 2], tmp_path / "results") == [0, 1, 2]
    runner.work([changed], [1], folder=tmp_path / "results")
    assert runner.missing(changed, [0, 1, 2], tmp_path / "results") == [0, 2]
    runner.work([changed], [1], again=True, folder=tmp_path / "results")
    assert asked[3:] == [(row.name, 1)] * 2


def test_one_failing_row_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad, absent = (world.row(tmp_path, name=f"made/{name}") for name in ("good", "bad", "absent"))
    unreadable = world.row(tmp_path, world.TINY.replace("epochs", "epoch"), name="made/unreadable")

    def broken(row: Row, seed: int, folder: Path) -> dict[str, object]:
        if row is bad:
            raise measure.Failed("`llmrec train` ended with code 2")
        return world.said(row.name, seed, [1, 0], recipe=row.settings(seed))

    monkeypatch.setattr(runner, "measure", broken)
    monkeypatch.setattr(runner, "absent", lambda row: "no LastFM here" if row is absent else "")
    failed, skipped = runner.work([bad, unreadable, absent, good], [0], folder=tmp_path / "results")
    assert [line.split(":")[0] for line in failed] == ["made/bad at seed 0", "made/unreadable at seed 0"]
    assert "code 2" in failed[0] and "did you mean 'epochs'" in failed[1]
    assert skipped == ["made/absent: no LastFM here"]
    assert places.of_row("made/good", tmp_path / "results") and not places.of_row("made/bad", tmp_path / "results")


def test_rows_are_chosen_by_name_and_pattern() -> None:
    known = rows()
    assert [r.name for r in runner.chosen(["metaid-ml-100k-sketch"], known)] == ["metaid-ml-100k-sketch"]
    assert {r.chapter for r in runner.chosen(["heads/*"], known)} == {"heads"}
    assert {r.name for r in runner.chosen([], known)} == known.keys() - LEFT_OUT.keys()  # those are measured where they are named
    with pytest.raises(ValueError, match="no row is called 'metaid-ml-100k-skech'"):
        runner.chosen(["metaid-ml-100k-skech"], known)


def test_baselines_are_rows_beside_every_data_set() -> None:
    assert set(BASELINES) == set(registry.names("baseline"))
    plain = {row.baseline: row for row in beside("ml-100k", "loo")}
    assert set(plain) == set(BASELINES)
    drawn = {row.baseline: row for row in beside("ml-100k", "holdout")}
    assert drawn["ease"].name == "baselines/ease-ml-100k-holdout"


def changed(said: dict[str, Any], section: str, **settings: Any) -> dict[str, Any]:
    whole = {**said["settings"], section: {**said["settings"][section], **settings}}
    return said | {"settings": whole}


def test_a_baseline_s_result_says_all_its_settings() -> None:
    row = baseline("ease")
    said = {"seed": 0, "settings": json.loads(json.dumps(row.complete(0)))}
    assert row.made(said)
    assert not row.made(changed(said, "baseline", l2=1.0))
    assert not row.made(changed(said, "split", min_history=9))
    assert not baseline("itemknn").made(said)
    assert not baseline("ease", n_users=26).made(said)
    assert baseline("lightgcn").complete(0)["baseline"]["embedder"]["epochs"] > 0, "stages inside it are told too"


def test_a_default_that_changed_makes_a_result_old(tmp_path: Path) -> None:
    row = world.row(tmp_path)
    said = {"seed": 1, "settings": json.loads(json.dumps(row.complete(1)))}
    assert row.made(said) and "lr" not in row.settings(1)["train"]
    assert not row.made(changed(said, "train", lr=0.5)), "it was trained when the default was another"
    assert not row.made(changed(said, "train", gone=1)), "a setting that is no more"
    assert not row.made({"seed": 1}) and not row.made(said | {"settings": said["settings"] | {"embed": {"name": "bpr"}}})


def test_a_setting_that_came_later_must_stand_at_its_default(tmp_path: Path) -> None:
    row = world.row(tmp_path)
    settings = json.loads(json.dumps(row.complete(0)))
    del settings["train"]["patience"]
    assert row.made({"seed": 0, "settings": settings})
    del settings["train"]["epochs"]  # which the recipe sets
    assert not row.made({"seed": 0, "settings": settings})


def test_a_recipe_edited_while_it_trains_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = world.row(tmp_path)
    assert row.recipe.seed == 0  # read, as the runner does before it trains
    world.row(tmp_path, world.TINY.replace("epochs = 1", "epochs = 2"))

    def made(*words: str) -> tuple[str, dict[str, Any]]:
        store.create(recipe.with_settings(recipe.load(Path(words[1])), {"seed": 3}), folder=words[words.index("--out") + 1])
        return "llmrec train", {}

    monkeypatch.setattr(measure, "llmrec", made)
    failed, _ = runner.work([row], [3], folder=tmp_path / "results")
    assert len(failed) == 1 and "changed meanwhile" in failed[0]
    assert places.of_row(row.name, tmp_path / "results") == []


def test_the_state_of_the_code_is_told(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    assert measure.tree(tmp_path / "nowhere") == {}
    for folder in ("llmrec", "benchmarks/results"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.txt").write_text("one")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    clean = measure.tree(tmp_path)
    assert len(clean["commit"]) >= 7 and clean["dirty"] is False
    (tmp_path / "benchmarks/results/a.txt").write_text("measured anew")
    assert measure.tree(tmp_path) == clean
    (tmp_path / "llmrec/a.txt").write_text("two")
    assert measure.tree(tmp_path) == clean | {"dirty": True}


def test_one_damaged_file_or_unknown_name_stops_neither_runner_nor_list(tmp_path: Path) -> None:
    good, bad = (world.row(tmp_path, name=f"made/{name}") for name in ("good", "bad"))
    gone = Row("baselines/gone", {"data": {"name": "checkerboard"}, "split": SPLITS["loo"]}, "gone")
    places.write(world.said(good.name, 0, [1, 0], settings=good.complete(0)), tmp_path)
    for name in ("made/bad", "baselines/gone"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "made/bad/0.json").write_text("{")
    places.write(world.said(gone.name, 0, [1, 0]), tmp_path)
    assert runner.lacks(good, [0, 1], tmp_path) == "(missing: 1)" and runner.lacks(good, [0], tmp_path) == ""
    assert "0.json is damaged" in runner.lacks(bad, [0], tmp_path) and "no baseline is called" in runner.lacks(gone, [0], tmp_path)
    failed, _ = runner.work([bad, gone, good], [0], folder=tmp_path)
    assert [line.split(":")[0] for line in failed] == ["made/bad", "baselines/gone"]


def test_a_result_whose_scheme_is_gone_is_old_and_no_error(tmp_path: Path) -> None:
    row = world.row(tmp_path)
    settings = row.complete(0) | {"scheme": {"name": "gone"}}
    places.write(world.said(row.name, 0, [1], recipe={"seed": 0, "scheme": {"name": "gone"}}, settings=settings), tmp_path)
    assert runner.missing(row, [0], tmp_path) == [0]
