"""Mutual training: what is frozen, what is pulled where, how epochs follow each other, and that it learns, stops and goes on."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from llmrec import artifacts
from llmrec.contracts import IdTable
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.trie import Trie
from llmrec.lm.loop import groups
from llmrec.lm.model import LanguageModel
from llmrec.lm.mutual.course import Alternating
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


def spoken_of(course: Alternating, work: list[Any], epoch: int) -> set[int]:
    """Whom a batch is about, as places among the new rows: 24 items, then 40 people."""
    if course.stages[epoch] != "content":
        return {24 + p.user for p in work} | {int(i) for p in work for i in (*p.given, *p.asked)}
    assert course.content is not None
    users, items = course.content.users[work], course.content.items[work]
    return {24 + int(u) for u in users if u >= 0} | {int(i) for i in items if i >= 0}


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_step_moves_one_side_and_counts_everybody_once(base: Path, epoch: int) -> None:
    """The pull is the paper's formula, in plain Python over the distinct people and items of the batch, each by the share of the pass's
    batches that it falls to; its gradient reaches one side."""
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
    times = Counter(j for batch in course.batches(epoch) for j in spoken_of(course, batch, epoch))
    assert course.stages[epoch] == "content" or max(times.values()) == 2
    expected = 0.0
    for j in spoken_of(course, work, epoch):
        prior = 0.0 if course.stages[epoch] == "content" else 0.3
        expected += (prior * (l_rows[j] ** 2).sum() + 2.0 * ((l_rows[j] - c_rows[j]) ** 2).sum()) / times[j]
    assert float((loss - bare.loss(work, epoch, 0).loss).detach()) == pytest.approx(expected / (2 * n), rel=1e-3)
    loss.backward()
    moved, still = (
        (content.new, course.ranking.lm.rows.new) if course.stages[epoch] == "content" else (course.ranking.lm.rows.new, content.new)
    )
    assert moved.grad is not None and still.grad is None


@pytest.mark.parametrize("batch", [3, 20, 40])
def test_a_pass_pulls_everybody_once_whatever_the_batch(batch: int) -> None:
    course = pairs.course(Mutual(epochs=(1, 1, 1), batch=batch), pairs.model())
    for epoch in (1, 2, 3):
        pulled = np.zeros(64)
        for work in course.batches(epoch):
            who = sorted(spoken_of(course, work, epoch))
            pulled[who] += course.pull(epoch).home.numpy()[who]
        np.testing.assert_allclose(pulled, 1.0, rtol=1e-5)
        assert np.array_equal(course.pull(epoch).home.numpy(), course.pull(epoch).across.numpy())  # all content is read


def test_rows_of_people_are_pulled_to_content_that_was_read() -> None:
    """A quarter a pass: an eighth of the way through nobody is pulled to the random start of a content row that no word has moved."""
    plan = Mutual(epochs=(1, 3, 2), content=0.25, regularise=(0.0, 1.0))
    course = pairs.course(plan, pairs.model())
    assert course.content is not None and course.pair.content is not None
    assert course.stages[:4] == ["content", "collaborative", "content", "collaborative"]
    read: set[int] = set()
    for epoch, stage in enumerate(course.stages):
        if stage == "content":
            read |= {j for work in course.batches(epoch) for j in spoken_of(course, work, epoch)}
        assert set(np.flatnonzero(course.told(epoch)).tolist()) == read
        assert len(read) == min(64, 16 * course.stages[: epoch + 1].count("content"))
    other = pairs.course(plan, pairs.model())  # a resumed run begins anywhere
    assert torch.equal(other.pull(5).across, course.pull(5).across)
    with torch.no_grad():
        course.pair.content.new.add_(1.0)
    work = course.batches(1)[0]
    bare = pairs.course(dataclasses.replace(plan, regularise=(0.0, 0.0)), course.ranking.lm)
    difference = course.loss(work, 1, 0).loss - bare.loss(work, 1, 0).loss
    (grad,) = torch.autograd.grad(difference, [course.ranking.lm.rows.new])
    moved = set(torch.nonzero(grad.abs().amax(1) > 1e-4).flatten().tolist())
    assert moved == spoken_of(course, work, 1) & set(np.flatnonzero(course.told(1)).tolist()) and 0 < len(moved) < 16


def test_without_a_word_read_nobody_is_pulled_across() -> None:
    course = pairs.course(Mutual(epochs=(0, 1, 1)), pairs.model())
    assert course.stages[0] == "collaborative" and not course.pull(0).across.any() and course.pull(0).home.all()


def test_rows_with_a_prior_are_not_decayed(base: Path) -> None:
    for lm in (pairs.model(), pairs.model(base)):
        pair = Pair(lm, True)
        formed = groups(pair)
        assert [p for form in formed for p in form["params"]] == list(pair.trained().values())  # checkpoints go by this order
        free = [p for form in formed if form["weight_decay"] == 0 for p in form["params"]]
        assert pair.content is not None and {id(p) for p in free} == {id(lm.rows.new), id(pair.content.new)}
        assert [id(p) for p in groups(lm)] == [id(p) for p in lm.trained().values()]


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


def test_a_side_that_is_missing_is_noticed(base: Path, tmp_path: Path) -> None:
    """The best pair so far is both folders: a training that went on with one would end with one."""
    plan = dataclasses.replace(SHORT, validations=3)
    whole = pairs.fit(plan, pairs.model(base), tmp_path / "whole")
    part, events, seen = tmp_path / "part", list[dict[str, Any]](), list[dict[str, Any]]()
    pairs.fit(plan, pairs.model(base), part, seen.append, lambda: any(e["event"] == "validation" for e in seen))
    shutil.rmtree(part / "content")
    rest = pairs.fit(plan, pairs.model(base), part, events.append)
    assert "content/manifest.json is missing" in events[0]["text"]
    assert not any(e["event"] == "resumed" for e in events) and rest["kept_step"] == whole["kept_step"]
    for ours, theirs in zip(read_sides(part), read_sides(tmp_path / "whole"), strict=True):
        assert torch.equal(ours, theirs)


def test_resumed_equals_uninterrupted(base: Path, tmp_path: Path) -> None:
    whole = pairs.fit(SHORT, pairs.model(base, dropout=0.1), tmp_path / "whole")
    lengths = [len(pairs.course(SHORT, pairs.model()).batches(epoch)) for epoch in range(6)]
    assert lengths == [4, 2, 4, 2, 4, 2]
    for stop_at in (3, 5, 17):  # inside a pass over content, over people, of RecFT
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
    unseen = dataclasses.replace(pairs.SPLIT, protocol="unseen-users", held_out=np.asarray([3], dtype=np.int32))
    with pytest.raises(ValueError, match=r"no word for new people.*finetune"):
        SHORT.fit(lm, pairs.TABLE, unseen, tmp_path, print, lambda: False, 0, Items(), pairs.CATALOG)
    with pytest.raises(ValueError, match=r"train\.content = 0"):
        SHORT.fit(lm, pairs.TABLE, pairs.SPLIT, tmp_path, print, lambda: False, 0, Items(), None)
