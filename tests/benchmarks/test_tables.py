"""Tables from results made by hand: a row with places, a row without, unseen users beside their control, tasks, ranges over seeds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import places
from benchmarks.report import chapters, means, tables
from benchmarks.rows import Row, rows
from tests.benchmarks import world

TOKEN, UNSEEN = "tokenrec-ml-100k-sketch", "unseen/tokenrec-ml-100k-sketch"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(places, "FOLDER", tmp_path)
    yield tmp_path


def keep(name: str, seed: int, found: list[int], **more: Any) -> Row:
    """A result of a row that ships, under its own settings."""
    row = rows()[name]
    made = {"recipe": row.settings(seed), "settings": row.complete(seed), "data": row.data, "protocol": row.protocol}
    places.write(world.said(name, seed, found, **made | more))
    return row


@pytest.fixture(autouse=True)
def where_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = places.write
    monkeypatch.setattr(places, "write", lambda said: real(said, folder))


def test_a_line_holds_the_mean_over_seeds_and_its_range() -> None:
    for seed, found in enumerate(([1] * 50 + [0] * 50, [1] * 30 + [0] * 70)):
        row = keep(TOKEN, seed, found)
    line = tables.accuracy([row]).splitlines()[-1].split(" | ")
    assert line[0] == f"| `{TOKEN}`" and line[1] == "retrieve"
    assert line[2].startswith("0.4000 (") and line[6] == "2: 0.3000 to 0.5000" and line[7] == "2.0 s"
    low, high = (float(x) for x in line[2].removeprefix("0.4000 (").removesuffix(")").split(" to "))
    assert 0.25 < low < 0.36 and 0.44 < high < 0.55
    short = tables.accuracy([row], short=True).splitlines()
    assert short[-1].split(" | ")[4:6] == ["0.4000 / 0.4000", "2"] and short[0].count("|") == short[-1].count("|")


def test_a_row_without_results_says_so_with_as_many_cells() -> None:
    for short in (True, False):
        head, _, line = tables.accuracy([rows()[TOKEN]], short=short).splitlines()
        assert means.ABSENT in line and line.count("|") == head.count("|")


def test_a_result_made_with_other_settings_is_not_shown() -> None:
    row = keep(TOKEN, 0, [1, 0])
    settings = row.complete(1)
    said = world.said(TOKEN, 1, [1, 1], settings=settings | {"train": settings["train"] | {"epochs": 99}})
    places.write(said)  # type: ignore[call-arg]
    assert [r.seed for r in means.results(TOKEN)] == [0]


def test_unseen_users_beside_themselves() -> None:
    keep(TOKEN, 0, [1, 1, 2, 0])
    keep(UNSEEN, 0, [0, 1, 1, 0], held_out=[[0, 2]])
    line = next(line for line in chapters.unseen().splitlines() if UNSEEN in line).split(" | ")
    assert line[1].startswith("0.5000") and line[2] == means.ABSENT and line[3].startswith("1.0000") and line[4].startswith("0.5000")
    assert line[5].startswith("-0.5000")


def test_unseen_users_are_paired_by_seed() -> None:
    keep(TOKEN, 0, [1, 1, 2, 0])
    keep(TOKEN, 1, [0, 0, 0, 0])
    keep(UNSEEN, 0, [1, 1, 1, 0], held_out=[[0, 2]])
    line = next(line for line in chapters.unseen().splitlines() if UNSEEN in line).split(" | ")
    assert line[3].startswith("0.5000") and line[5].startswith("+0.0000"), "the second seed of the control has nothing beside it"


def test_tasks_show_every_metric_and_baselines_over_all_seeds() -> None:
    name = next(row.name for row in tables.of_chapter("tasks"))
    for seed, rmse in enumerate((1.0, 1.2)):
        rated = {
            "n": 943,
            "rmse": rmse,
            "mae": 0.8,
            "intervals": {"rmse": [rmse - 0.1, rmse + 0.1]},
            "baselines": {"mean": {"rmse": 1.3 + seed}},
        }
        said = {"bleu": 0.2, "true": 0.5 + seed / 10}
        explained = {
            "n": 900 + seed,
            "metrics": said,
            "intervals": {"true": [0.4, 0.7]},
            "baselines": {"taste": {"bleu": 0.1, "true": 1.0}},
        }
        explained["differences"] = {"taste": {"true": [seed / 10, -0.2 + seed / 10, 0.3]}}
        keep(name, seed, [1], tasks={"tasks": {"rating": rated, "explanation": explained}})
    lines = [line for line in chapters.tasks().splitlines() if name in line]
    assert [line.split(" | ", 1)[1] for line in lines] == [
        "rating | rmse | 1.1000 (0.900 to 1.300) | 2 | mean 1.8000 | 943 |",
        "rating | mae | 0.8000 | 2 |  | 943 |",
        "explanation | bleu | 0.2000 | 2 | taste 0.1000 | 900 to 901 |",
        "explanation | true | 0.5500 (0.400 to 0.700) | 2 | taste 1.0000, ours less that +0.0500 (-0.200 to +0.300) | 900 to 901 |",
    ]


def level(line: str) -> list[str]:
    return line.strip("| ").split(" | ")


def test_a_level_is_judged_beside_the_same_baseline_on_train_alone() -> None:
    keep("lastfm/tokenrec", 0, [1, 0, 0, 0, 0] * 40)
    keep("baselines/itemknn-lastfm", 0, [5, 0, 0, 0, 0] * 40)
    own, log = (level(line) for line in chapters.levels(("lastfm",)).splitlines()[2:])
    assert own[:5] == ["LastFM", "ItemKNN, fitted on train and validation", "masked", "0.0798 / 0.0416", "0.2000 / 0.0774"]
    assert own[5] == "`lastfm/tokenrec`" and own[6].startswith("0.2000 (")
    assert own[8] == "yes / yes" and own[9] == "no, inside the interval / yes"
    assert log[1] == "TokenRec's own log" and log[4] == ""


def test_the_best_row_is_chosen_by_validation_and_never_by_test() -> None:
    for name, valid in (("lastfm/tokenrec", 1), ("lastfm/sid", 5)):
        row = keep(name, 0, [valid] * 20)
        said = world.said(name, 0, [0 if valid == 1 else 1] * 20, data="lastfm", settings=row.complete(0))
        places.write(said | {"rankings": said["rankings"] | {means.VALID: world.placed([valid] * 20)}})  # type: ignore[call-arg]
    line = level(chapters.levels(("lastfm",)).splitlines()[2])
    assert line[5] == "`lastfm/tokenrec`" and line[6].startswith("0.0000") and line[8] == "no / no"


def test_an_older_result_may_be_the_best(folder: Path) -> None:
    keep("tokenrec-ml-100k-sketch", 0, [4] * 10)
    older = {"trained": {"validation_ndcg@10": 0.9}, "metrics": {"hit@10": 0.3, "ndcg@10": 0.1}}
    older["intervals"] = {"hit@10": [0.25, 0.35], "ndcg@10": [0.05, 0.15]}
    (folder / "metaid-ml-100k-demo.json").write_text(json.dumps(older))
    line = level(chapters.levels(("ml-100k",)).splitlines()[2])
    assert line[5:8] == ["`metaid-ml-100k-demo`", "0.3000 (0.250 to 0.350)", "0.1000 (0.050 to 0.150)"]
    assert line[8] == "yes / no, inside the interval" and line[4] == means.ABSENT


def test_seconds_are_those_of_training_and_say_what_came_from_the_cache() -> None:
    stages = {"training": 60.0, "evaluation on test, seen items masked": 10.0, "evaluation on valid, seen items masked": 10.0}
    spent = {"train_seconds": 100.0, "train_cpu_seconds": 50.0, "stage_seconds": stages}
    row = keep(TOKEN, 0, [1, 0], **spent, cached=["data", "split"])
    assert means.training(TOKEN) == "40 s"
    means._kept.cache_clear()
    keep(TOKEN, 1, [1, 0], **spent | {"train_cpu_seconds": 25.0}, cached=["data", "names"])
    assert means.training(TOKEN) == "40 s", "seeds that made their names anew say what it costs"
    means._kept.cache_clear()
    keep(TOKEN, 0, [1, 0], **spent, cached=["LightGCN"])
    assert means.training(TOKEN) == f"30 s{means.KEPT}"
    assert tables.accuracy([row]).endswith("came from the cache of an earlier run.")


def test_an_older_result_is_shown_until_there_is_a_newer(folder: Path) -> None:
    plain = '{"metrics": {"hit@10": 0.2, "ndcg@10": 0.1}, "intervals": {"hit@10": [0.1, 0.3], "ndcg@10": [0.05, 0.15]}, '
    plain += '"unmasked": {"metrics": {"hit@10": 0.1, "ndcg@10": 0.05}}, "train_seconds": 600, "seconds": 3}'
    (folder / f"{TOKEN}.json").write_text(plain)
    line = tables.accuracy([rows()[TOKEN]]).splitlines()[-1]
    assert "0.2000 (0.100 to 0.300) | 0.1000 (0.050 to 0.150) | 0.1000 | 0.0500 | 1 | 10 min wall | 3.0 s wall" in line
    means._kept.cache_clear()
    keep(TOKEN, 0, [1, 0])
    assert means.older(TOKEN) is None
