"""The loop learns, stops with a usable model, and a resumed run equals the uninterrupted one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from llmrec.contracts import Queries
from llmrec.lm import finetune, loop
from llmrec.lm.average import Average
from llmrec.lm.backbone import Backbone
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import autocast
from llmrec.recommend.language import LanguageRecommender
from llmrec.report.evaluate import evaluate
from tests.lm import world

TABLE = world.table(n_users=40)
SPLIT = world.split()
WITH_DROPOUT = Backbone(name="tiny", dropout=0.1)


def _fit(
    folder: Path, plan: FineTune, stop_at: int | None = None, backbone: Backbone = WITH_DROPOUT
) -> tuple[dict[str, Any], list[dict[str, Any]], LanguageModel]:
    events: list[dict[str, Any]] = []
    lm = world.model(TABLE, backbone)
    steps = iter(range(10**6))
    summary = plan.fit(lm, TABLE, SPLIT, folder, events.append, lambda: next(steps) + 1 == stop_at, 0, Trie())
    return summary, events, lm


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    plan = FineTune(epochs=3, batch=8, max_items=5, validations=3)
    whole, _, _ = _fit(tmp_path / "whole", plan)
    part, _, _ = _fit(tmp_path / "part", plan, stop_at=11)
    assert part["stopped"] and part["steps"] == 11
    rest, events, _ = _fit(tmp_path / "part", plan)
    assert any(e["event"] == "resumed" and e["step"] == 11 for e in events)
    assert rest["steps"] == whole["steps"] and rest["validation_ndcg@10"] == whole["validation_ndcg@10"]
    one, two = (LanguageModel.load(tmp_path / n / "model").trained() for n in ("whole", "part"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=0)


def test_a_stop_leaves_a_usable_model(tmp_path: Path) -> None:
    summary, _, _ = _fit(tmp_path, FineTune(epochs=3, batch=8, max_items=5), stop_at=2)
    assert summary["reason"] == "stopped by request" and (tmp_path / "checkpoint").is_dir()
    ranks = LanguageRecommender(LanguageModel.load(tmp_path / "model"), TABLE, Trie())
    assert (ranks.recommend(Queries.of_history([1, 3]), 5).items >= 0).all()


def test_it_learns_the_walk(tmp_path: Path) -> None:
    plan = FineTune(epochs=120, batch=40, max_items=12, lr=1e-2, validations=1)
    _fit(tmp_path, plan, backbone=world.TINY)
    ranks = LanguageRecommender(LanguageModel.load(tmp_path / "model"), TABLE, Trie(), max_items=12)
    assert evaluate(ranks, SPLIT, "test", masked=True, k=(1,)).metrics["hit@1"] > 0.9
    new = ranks.recommend(Queries.of_history([4, 6, 8, 10]), 1)  # nobody's user: history alone
    assert new.items[0, 0] == 12


def test_early_stopping_keeps_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fixed:
        def __init__(self, value: float) -> None:
            self.metrics = {"ndcg@10": value}

    scores = iter([0.2, 0.5, 0.4, 0.3, 0.9])
    monkeypatch.setattr(finetune, "evaluate", lambda *a, **k: Fixed(next(scores)))
    summary, events, _ = _fit(tmp_path, FineTune(epochs=10, batch=8, max_items=5, validations=5, patience=2))
    assert summary["reason"].startswith("stopped early") and summary["validation_ndcg@10"] == 0.5
    measured = [e["step"] for e in events if e["event"] == "validation"]
    assert len(measured) == 4 and summary["kept_step"] == measured[1]
    assert not (tmp_path / "checkpoint").exists()


def test_one_step_is_adamw_on_the_heads_loss(tmp_path: Path) -> None:
    """A plain step by hand: the same batch, the same rate, torch's own AdamW."""
    from llmrec import rng as streams
    from llmrec.lm.documents import Writer

    plan = FineTune(epochs=1, batch=100, max_items=50, average=0.0, validations=1)
    lm = world.model(TABLE, world.TINY)
    head = Trie()
    tree = head.compile(lm, TABLE)
    writer = Writer(lm.vocab, tree.names, TABLE, 50)
    batch = writer.write(writer.epoch(SPLIT.train, 0, 0, 100)[0], streams.stream(0, "write", "0", "0"))
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(
        lm.trained().values(), lr=plan.lr * loop.warm_cosine(0, 1), weight_decay=loop.WEIGHT_DECAY, betas=(0.9, 0.98)
    )
    lm.train()
    with autocast(lm.device):
        head.loss(lm, tree, batch).backward()
    torch.nn.utils.clip_grad_norm_(lm.trained().values(), 1.0)
    optimizer.step()
    _, _, trained = _fit(tmp_path, plan, backbone=world.TINY)
    for name, weight in lm.trained().items():
        torch.testing.assert_close(trained.trained()[name], weight, atol=1e-6, rtol=1e-5)


def test_average_is_the_textbook_one() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    average = Average({"w": weight}, 0.9)
    expected = 1.0
    for step in range(1, 6):
        with torch.no_grad():
            weight.fill_(float(step))
        keep = min(0.9, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * step
        average.update(step)
    with average.applied():
        assert float(weight) == pytest.approx(expected)
    assert float(weight) == 5.0


def test_schedule_warms_up_and_comes_down() -> None:
    values = [loop.warm_cosine(s, 100) for s in range(100)]
    assert values[0] == pytest.approx(0.2) and max(values) == pytest.approx(1.0) and values[-1] < 0.03
    assert np.argmax(values) in (4, 5)


@pytest.mark.parametrize(("settings", "words"), [({"epochs": 0}, "epochs"), ({"lr": 2.0}, "lr"), ({"average": 1.0}, "average")])
def test_senseless_plans_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FineTune(**settings)


def test_tasks_are_said_in_one_way_and_a_plan_can_be_a_key() -> None:
    given = {"direct": 0.0, "sequential": 1.0}
    assert FineTune(tasks=given) == FineTune() and FineTune(tasks=given).tasks == {} and len(given) == 2
    assert FineTune(tasks={"direct": 0.5, "rating": 0.0}).tasks == {"direct": 0.5} and FineTune(tasks={"direct": 0.5}) != FineTune()
    assert len({FineTune(), FineTune(tasks=given), FineTune(tasks={"direct": 0.5})}) == 2


def test_shares_that_draw_nobody_are_no_fault_of_the_data(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"sequential = 1e-09 draw nobody in 1 epochs: raise the share or the epochs"):
        _fit(tmp_path, FineTune(epochs=1, tasks={"sequential": 1e-9}))
    empty = dataclasses.replace(SPLIT, train=SPLIT.train.take(np.zeros(0, dtype=np.int64)))
    with pytest.raises(ValueError, match="the train part is empty"):
        FineTune(epochs=1).fit(world.model(TABLE), TABLE, empty, tmp_path, lambda event: None, lambda: False, 0, Trie())
