"""The runner: what it measures is what the pipeline reports, it goes on where it stopped, and one bad row does not stop the others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as runner
from benchmarks import measure, places
from benchmarks.rows import BASELINES, SPLITS, Row, beside, rows
from llmrec import registry, rng
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


def test_a_recipe_is_trained_and_its_places_give_the_run_s_own_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row, reports = world.row(tmp_path), {}
    real = measure.llmrec

    def listening(*words: str) -> object:
        command, said = real(*words)
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
    assert row.made(found.said["recipe"])
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
    (found,) = places.of_row(row.name, tmp_path)  # it draws nothing: one seed says all
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
        return world.said(row.name, seed, [1, 0], recipe=row.settings(seed))

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
    assert len(runner.chosen([], known)) == len(known)
    with pytest.raises(ValueError, match="no row is called 'metaid-ml-100k-skech'"):
        runner.chosen(["metaid-ml-100k-skech"], known)


def test_baselines_are_rows_beside_every_data_set() -> None:
    assert set(BASELINES) == set(registry.names("baseline"))
    plain = {row.baseline: row for row in beside("ml-100k", "loo")}
    assert set(plain) == set(BASELINES)
    assert plain["ease"].seeds([0, 1, 2]) == [0] and plain["sasrec"].seeds([0, 1, 2]) == [0, 1, 2]
    drawn = {row.baseline: row for row in beside("ml-100k", "holdout")}
    assert drawn["ease"].seeds([0, 1, 2]) == [0, 1, 2], "the split itself is drawn"
    assert drawn["ease"].name == "baselines/ease-ml-100k-holdout"


def test_a_baseline_s_result_says_all_its_settings() -> None:
    row = baseline("ease")
    said = json.loads(json.dumps(row.settings(0)))
    assert row.made(said)
    assert not row.made(said | {"baseline": said["baseline"] | {"l2": 1.0}})
    assert not baseline("itemknn").made(said)
    assert not baseline("ease", n_users=26).made(said)
