"""Mutual training: what is frozen, what is pulled where, how epochs follow each other, and that it learns, stops and goes on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from llmrec import artifacts
from llmrec.contracts import IdTable
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.mutual.pair import Pair, read_sides
from llmrec.lm.mutual.plan import Mutual
from llmrec.recommend.language import LanguageRecommender
from llmrec.report.evaluate import evaluate
from tests.lm import world
from tests.lm.mutual import pairs

SHORT = Mutual(epochs=(1, 2, 1), batch=20, lr=(1e-2, 1e-2), validations=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pairs.small_base(tmp_path_factory.mktemp("base") / "tiny-llama")


def test_the_frozen_base_stays_as_it_was_to_the_bit(base: Path, tmp_path: Path) -> None:
    lm = pairs.model(base)
    before = {name: p.detach().clone() for name, p in lm.named_parameters() if not p.requires_grad and "trainable_tokens" not in name}
    start = lm.rows.new.detach().clone()
    pairs.fit(SHORT, lm, tmp_path)
    after = dict(lm.named_parameters())
    assert len(before) > 10 and all(torch.equal(after[name], value) for name, value in before.items())
    assert (lm.rows.new - start).abs().min(dim=1).values.max() > 0
    assert set(Pair(lm, True).trained()) == {"lm.rows.new", "content.new"}


def test_both_sides_are_saved_and_read_back(base: Path, tmp_path: Path) -> None:
    lm = pairs.model(base)
    pairs.fit(SHORT, lm, tmp_path)
    sides = read_sides(tmp_path)
    assert sides.content.shape == sides.collaborative.shape == (len(pairs.TABLE.tokens), 32)
    torch.testing.assert_close(sides.collaborative, LanguageModel.load(tmp_path / "model").rows.new.detach())
    assert not torch.allclose(sides.collaborative, sides.content, atol=1e-3)
    with pytest.raises(artifacts.BadArtifact, match="content"):
        read_sides(tmp_path / "nowhere")


def test_regularisation_pulls_the_sides_together(base: Path, tmp_path: Path) -> None:
    apart = []
    for strength in (0.0, 10.0):
        pairs.fit(dataclasses.replace(SHORT, regularise=(0.0, strength)), pairs.model(base), tmp_path / str(strength))
        sides = read_sides(tmp_path / str(strength))
        apart.append(float((sides.collaborative - sides.content).norm()))
    assert apart[1] < 0.8 * apart[0]


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_step_moves_one_side_and_counts_everybody_once(base: Path, epoch: int) -> None:
    """The pull is the paper's formula, in plain Python over the distinct people and items of the batch; its gradient reaches one side."""
    plan = Mutual(epochs=(1, 1, 1), regularise=(0.3, 2.0))
    course = pairs.course(plan, pairs.model(base))
    assert [course.label(e) for e in range(4)] == ["content", "collaborative", "content", "RecFT"]
    content = course.pair.content
    assert content is not None
    with torch.no_grad():
        content.new.add_(0.1 * torch.randn(content.new.shape, generator=torch.Generator().manual_seed(1)))
    bare = pairs.course(dataclasses.replace(plan, regularise=(0.0, 0.0)), course.ranking.lm)
    bare.pair.content = content
    work = course.batches(epoch)[0]
    loss, n, _ = course.loss(work, epoch, 0)
    l_rows, c_rows = course.ranking.lm.rows.new.detach().double().numpy(), content.new.detach().double().numpy()
    if course.stages[epoch] == "content":
        assert course.content is not None
        who = {24 + int(course.content.users[i]) if course.content.users[i] >= 0 else int(course.content.items[i]) for i in work}
        expected = sum(2.0 * ((l_rows[j] - c_rows[j]) ** 2).sum() for j in who)
    else:
        who = {24 + p.user for p in work} | {int(i) for p in work for i in (*p.given, *p.asked)}
        expected = sum(0.3 * (l_rows[j] ** 2).sum() + 2.0 * ((l_rows[j] - c_rows[j]) ** 2).sum() for j in who)
    assert float((loss - bare.loss(work, epoch, 0).loss).detach()) == pytest.approx(expected / (2 * n), rel=1e-3)
    loss.backward()
    moved, still = (
        (content.new, course.ranking.lm.rows.new) if course.stages[epoch] == "content" else (course.ranking.lm.rows.new, content.new)
    )
    assert moved.grad is not None and still.grad is None


def test_stages_follow_the_plan_and_ablations_leave_theirs_out() -> None:
    from llmrec.lm.mutual.course import stages

    assert stages(Mutual(epochs=(2, 1, 2)), True) == ["content", "content", "collaborative", "content", "recft", "content", "recft"]
    assert stages(Mutual(epochs=(2, 1, 2)), False) == ["collaborative", "recft", "recft"]
    assert stages(Mutual(epochs=(1, 2, 0)), True) == ["content", "collaborative", "content", "collaborative"]
    assert Mutual(epochs=(0, 1, 0)).ranks_by == "collaborative" and Mutual(reorder=False).ranks_by == "recft-fixord"


def test_rates_of_pretraining_and_of_fine_tuning() -> None:
    plan = Mutual(epochs=(1, 2, 3), lr=(1e-2, 1e-3))
    course = pairs.course(plan, pairs.model())
    total = sum(len(course.batches(e)) for e in range(course.epochs))
    rates = [course.rate(step, total) for step in range(total)]
    assert max(rates[: course.pretraining]) == pytest.approx(1.0) and max(rates[course.pretraining :]) == pytest.approx(0.1)
    assert min(course.validates_at([len(course.batches(e)) for e in range(course.epochs)])) > course.pretraining


def test_resumed_equals_uninterrupted(base: Path, tmp_path: Path) -> None:
    whole = pairs.fit(SHORT, pairs.model(base, dropout=0.1), tmp_path / "whole")
    for stop_at in (3, 9):  # in the middle of a content pass, and of another stage
        folder = tmp_path / str(stop_at)
        steps = iter(range(10**6))
        part = pairs.fit(SHORT, pairs.model(base, dropout=0.1), folder, stop=lambda s=steps, n=stop_at: next(s) + 1 == n)  # type: ignore[misc]
        assert part["stopped"] and part["steps"] == stop_at
        events: list[dict[str, Any]] = []
        rest = pairs.fit(SHORT, pairs.model(base, dropout=0.1), folder, emit=events.append)
        assert any(e["event"] == "resumed" for e in events) and rest["steps"] == whole["steps"]
        for one, two in zip(read_sides(tmp_path / "whole"), read_sides(folder), strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=0)


@pytest.mark.parametrize("epochs", [(0, 30, 0), (1, 20, 10)])
def test_it_learns_whose_items_are_whose(epochs: tuple[int, int, int], tmp_path: Path) -> None:
    """Order is shuffled, so what can be learnt is the parity: all of the best items must have the person's."""
    plan = Mutual(epochs=epochs, lr=(1e-2, 1e-2), content=0.2, validations=1)
    pairs.fit(plan, pairs.model(), tmp_path)
    ranks = LanguageRecommender(LanguageModel.load(tmp_path / "model"), pairs.TABLE, Items(), max_items=1000, task=plan.ranks_by)
    queries = pairs.SPLIT.queries("test")
    items = ranks.recommend(queries, 1).items
    assert np.mean(items % 2 == queries.users[:, None] % 2) > 0.95
    assert evaluate(ranks, pairs.SPLIT, "test", masked=True, k=(1,)).metrics["hit@1"] > 0.5  # of 12 walked, one or two are left


def test_in_order_of_time_it_learns_the_walk(tmp_path: Path) -> None:
    plan = Mutual(epochs=(0, 60, 0), lr=(1e-2, 1e-3), reorder=False, content=0.0, validations=1)
    pairs.fit(plan, pairs.model(), tmp_path)
    ranks = LanguageRecommender(LanguageModel.load(tmp_path / "model"), pairs.TABLE, Items(), max_items=1000, task=plan.ranks_by)
    assert evaluate(ranks, pairs.SPLIT, "test", masked=True, k=(1,)).metrics["hit@1"] > 0.9
    assert not (tmp_path / "content").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": (1, 0, 0)}, "at least one round"),
        ({"batch": 0}, "batch"),
        ({"lr": (1.0, 1e-4)}, "two rates"),
        ({"regularise": (0.0, -1.0)}, "precisions"),
        ({"content": 1.5}, "share"),
        ({"mask": 1.0}, "mask"),
    ],
)
def test_senseless_plans_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Mutual(**settings)


def test_other_heads_and_other_names_are_refused(tmp_path: Path) -> None:
    lm = pairs.model()
    with pytest.raises(ValueError, match='name = "items"'):
        SHORT.fit(lm, pairs.TABLE, pairs.SPLIT, tmp_path, print, lambda: False, 0, Trie(), pairs.CATALOG)
    for table in (world.table(n_users=40), IdTable("nobody", pairs.TABLE.items), world.text_table([f"film {i}" for i in range(24)])):
        with pytest.raises(ValueError, match="cllm4rec"):
            SHORT.fit(lm, table, pairs.SPLIT, tmp_path, print, lambda: False, 0, Items(), pairs.CATALOG)
    with pytest.raises(ValueError, match=r"train\.content = 0"):
        SHORT.fit(lm, pairs.TABLE, pairs.SPLIT, tmp_path, print, lambda: False, 0, Items(), None)
