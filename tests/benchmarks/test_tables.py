"""Tables from results made by hand: a row with places, a row without, unseen users beside their control, tasks, ranges over seeds."""

from __future__ import annotations

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
    places.write(world.said(name, seed, found, recipe=row.settings(seed), protocol=row.protocol, **more))
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
    said = world.said(TOKEN, 1, [1, 1], recipe=row.settings(1) | {"train": {"epochs": 99}})
    places.write(said)  # type: ignore[call-arg]
    assert [r.seed for r in means.results(TOKEN)] == [0]


def test_unseen_users_beside_themselves() -> None:
    keep(TOKEN, 0, [1, 1, 2, 0])
    keep(UNSEEN, 0, [0, 1, 1, 0], held_out=[[0, 2]])
    line = next(line for line in chapters.unseen().splitlines() if UNSEEN in line).split(" | ")
    assert line[1].startswith("0.5000") and line[2] == means.ABSENT and line[3].startswith("1.0000") and line[4].startswith("0.5000")
    assert line[5].startswith("-0.5000")


def test_tasks_show_the_outermost_bounds() -> None:
    name = next(row.name for row in tables.of_chapter("tasks"))
    for seed, rmse in enumerate((1.0, 1.2)):
        rated = {"n": 943, "rmse": rmse, "mae": 0.8, "intervals": {"rmse": [rmse - 0.1, rmse + 0.1]}, "baselines": {"mean": {"rmse": 1.3}}}
        keep(name, seed, [1], tasks={"tasks": {"rating": rated}})
    line = next(line for line in chapters.tasks().splitlines() if name in line)
    assert "rating | rmse | 1.1000 (0.900 to 1.300) | 2 | mean 1.3000 | 943" in line


def test_the_levels_name_the_best_row() -> None:
    keep("lastfm/tokenrec", 0, [1, 0, 0, 0, 0])
    keep("lastfm/sid", 0, [2, 0, 0, 0, 0])
    lines = chapters.levels(("lastfm",)).splitlines()[2:]
    assert len(lines) == 2 and all("`lastfm/tokenrec`" in line and line.endswith("| yes |") for line in lines)


def test_an_older_result_is_shown_until_there_is_a_newer(folder: Path) -> None:
    plain = '{"metrics": {"hit@10": 0.2, "ndcg@10": 0.1}, "intervals": {"hit@10": [0.1, 0.3], "ndcg@10": [0.05, 0.15]}, '
    plain += '"unmasked": {"metrics": {"hit@10": 0.1, "ndcg@10": 0.05}}, "train_seconds": 600, "seconds": 3}'
    (folder / f"{TOKEN}.json").write_text(plain)
    line = tables.accuracy([rows()[TOKEN]]).splitlines()[-1]
    assert "0.2000 (0.100 to 0.300) | 0.1000 (0.050 to 0.150) | 0.1000 | 0.0500 | 1 | 10 min wall | 3.0 s wall" in line
    means._kept.cache_clear()
    keep(TOKEN, 0, [1, 0])
    assert means.older(TOKEN) is None
