"""The form of a report, and its rows."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from llmrec.contracts import Interactions, Split
from llmrec.report.evaluate import evaluate_baselines
from llmrec.report.table import markdown, rows, summary, to_csv


@pytest.fixture(scope="module")
def report() -> dict[str, object]:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(30), 6)
    item = np.concatenate([rng.choice(25, size=6, replace=False) for _ in range(30)])
    step = np.tile(np.arange(6), 30)
    x = Interactions.from_unsorted(user, item, step, 30, 25)
    split = Split("loo", x.take(step < 4), x.take(step == 4), x.take(step == 5))
    found = evaluate_baselines(split, names=["itemknn", "popularity", "ease"], k=(5, 10))
    return summary(found.pop("itemknn"), run="mine", data="toy", split="loo", seed=7, baselines=found, draws=200)


def test_the_form_of_the_report(report: dict[str, dict[str, object]]) -> None:
    told = {key: report[key] for key in ("run", "data", "split", "part", "seen", "n_users", "seed")}
    assert told == {"run": "mine", "data": "toy", "split": "loo", "part": "test", "seen": "masked", "n_users": 30, "seed": 7}
    assert list(report["baselines"]) == list(report["differences"]) == ["popularity", "ease"]
    assert {"hit@5", "ndcg@10", "mrr@10", "recall@5", "coverage@10"} <= set(report["metrics"])
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_intervals_hold_their_means(report: dict[str, dict[str, object]]) -> None:
    for name, (low, high) in report["intervals"].items():  # type: ignore[misc]
        assert low <= report["metrics"][name] <= high  # type: ignore[has-type, operator]
    for other, differences in report["differences"].items():
        for name, (mean, low, high) in differences.items():  # type: ignore[attr-defined]
            assert mean == pytest.approx(report["metrics"][name] - report["baselines"][other][name])  # type: ignore[index, operator]
            assert low <= mean <= high


def test_the_same_seed_gives_the_same_report(report: dict[str, object]) -> None:
    assert rows(report) == rows(json.loads(json.dumps(report)))


def test_every_row_tells_how_it_was_measured(report: dict[str, object]) -> None:
    table = rows(report)
    assert [row["recommender"] for row in table] == ["popularity", "ease", "mine"]
    for row in table:
        assert list(row) == ["recommender", "hit@10", "ndcg@10", "data", "split", "part", "seen", "n_users", "seed"]
    with pytest.raises(ValueError, match="popularity has no 'hit@50'"):
        rows(report, ("hit@50",))


def test_csv_comes_back_in_full(report: dict[str, object]) -> None:
    table = rows(report)
    back = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert [float(row["hit@10"]) for row in back] == [row["hit@10"] for row in table]


def test_markdown_by_hand() -> None:
    table = [{"name": "a|b\nc", "hit@10": 0.19406, "n": 3}, {"name": "cold", "hit@10": None, "n": 0}]
    assert markdown(table) == "| name | hit@10 | n |\n| --- | --- | --- |\n| a\\|b c | 0.1941 | 3 |\n| cold |  | 0 |\n"
    assert markdown([]) == to_csv([]) == ""
