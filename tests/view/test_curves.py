"""The curves of a training against tables counted by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmrec.view import curves
from llmrec.view.curves import Loss, Measured


def test_a_step_trained_twice_stands_once_as_last() -> None:
    table = curves.loss_table([Loss(5, 3.0), Loss(10, 2.0), Loss(10, 2.5), Loss(15, 1.0)])  # killed after 10, resumed from 5
    assert table.to_dict("list") == {"step": [5, 10, 15], "loss": [3.0, 2.5, 1.0]}
    assert curves.said(table) == "Training loss from 3.000 at step 5 to 1.000 at step 15."


def test_only_the_kept_model_is_called_best() -> None:
    points = [Measured(10, {"ndcg@10": 0.1}, True), Measured(20, {"ndcg@10": 0.3}, True), Measured(30, {"ndcg@10": 0.2})]
    table = curves.validation_table(points)
    assert table["best"].tolist() == ["", "best", ""]
    assert "at best ndcg@10 0.3000 at step 20" in curves.said(table)
    figure = curves.validation(table, steps=40)
    line, ring = figure.data
    assert list(line.y) == [0.1, 0.3, 0.2] and list(ring.x) == [20] and list(figure.layout.xaxis.range) == [0, 40]


def test_phases_are_lines_of_their_own() -> None:
    table = curves.loss_table([Loss(1, 3.0, "content"), Loss(2, 2.0, "people"), Loss(3, 1.0, "content")])
    figure = curves.loss(table, dark=True)
    assert [(t.name, list(t.x)) for t in figure.data] == [("content", [1, 3]), ("people", [2])]
    assert figure.layout.showlegend and not curves.loss(curves.loss_table([Loss(1, 3.0)])).layout.showlegend


def test_nothing_yet_is_an_empty_figure_and_a_sentence() -> None:
    assert len(curves.loss(curves.loss_table([])).data) == 0
    assert curves.said(curves.validation_table([])) == "Nothing was measured yet."


def test_of_many_metrics_two_are_drawn_and_all_stand_in_the_table() -> None:
    table = curves.validation_table([Measured(1, {"hit@10": 0.5, "coverage@10": 1.0, "ndcg@10": 0.2}, True)])
    assert curves.metrics(table) == ["hit@10", "coverage@10", "ndcg@10"] and curves.drawn(table) == ["ndcg@10", "hit@10"]
    assert [t.name for t in curves.validation(table).data] == ["ndcg@10", "best", "hit@10", "best"]


def test_what_moves_draws_the_same_points() -> None:
    long, spec = curves.moving(curves.validation_table([Measured(1, {"b@1": 0.5}), Measured(2, {"b@1": 0.7, "a@1": 0.1}, True)]), 10)
    assert long.to_dict("list") == {
        "step": [1, 2, 2],
        "value": [0.5, 0.7, 0.1],
        "line": ["b@1"] * 2 + ["a@1"],
        "best": ["", "best", "best"],
    }
    assert spec["layer"][0]["encoding"]["x"]["scale"] == {"domain": [0, 10]}
    long, _ = curves.moving(curves.loss_table([Loss(1, 3.0), Loss(2, 2.0)]))
    assert long["value"].tolist() == [3.0, 2.0] and set(long["best"]) == {""}


def test_a_metric_that_one_reading_lacks_is_a_gap() -> None:
    table = curves.validation_table([Measured(1, {"a": 0.5}), Measured(2, {"b": 0.25}, True)])
    assert curves.metrics(table) == ["a", "b"] and curves.said(table) == "Validation, read 2 times: at best b 0.2500 at step 2."


@given(st.integers(0, 50), st.integers(2, 20))
def test_thinning_keeps_the_ends_and_the_order(n: int, most: int) -> None:
    table = curves.loss_table([Loss(i, 1.0) for i in range(n)])
    kept = curves.thinned(table, most)["step"].tolist()
    assert len(kept) == min(n, most) and kept == sorted(set(kept))
    assert not n or (kept[0], kept[-1]) == (0, n - 1)
