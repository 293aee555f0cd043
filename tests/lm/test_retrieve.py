"""The retrieve head against plain Python: both losses, the candidates' weights, the index, and items of which nothing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from llmrec.contracts import Vectors
from llmrec.lm.documents import Batch, Window, Writer
from llmrec.lm.heads.retrieve import PROJECTION, Pool, Retrieve, candidates
from llmrec.lm.model import LanguageModel
from tests.lm import world

M = 24
TABLE = world.table(n_items=M)


def vectors(unknown: tuple[int, ...] = ()) -> Vectors:
    items = np.random.default_rng(4).standard_normal((M, 6)).astype(np.float32)
    items[list(unknown)] = 0
    return Vectors(np.zeros((4, 6), np.float32), items)


def ready(head: Retrieve, given: Vectors) -> tuple[LanguageModel, Pool, Batch]:
    lm = world.model(TABLE)
    head.equip(lm, given, 0)
    pool = head.compile(lm, TABLE, None, given)
    windows = [Window(0, np.asarray([3, 7, 3, 1])), Window(1, np.asarray([9]))]
    return lm, pool, Writer(lm.vocab, pool.names, TABLE, anonymous=1.0).write(windows, np.random.default_rng(0))


def cosines(lm: LanguageModel, batch: Batch, given: Vectors) -> list[list[float]]:
    """By hand: two layers and a cosine, number by number."""
    with torch.no_grad():
        states = lm(batch.ids, batch.mask)
    part = lm.projections[PROJECTION]
    weights = [(layer.weight.tolist(), layer.bias.tolist()) for layer in (part.inner, part.outer)]
    out = []
    for row, column in batch.starts:
        x = states[row, column - 1].tolist()
        for step, (w, b) in enumerate(weights):
            x = [sum(a * c for a, c in zip(x, line, strict=True)) + bias for line, bias in zip(w, b, strict=True)]
            x = [max(0.0, a) for a in x] if step == 0 else x
        norm = math.sqrt(sum(a * a for a in x))
        lengths = [math.sqrt(float((q.astype(float) ** 2).sum())) for q in given.items]
        dots = [sum(a * float(c) for a, c in zip(x, q, strict=True)) for q in given.items]
        out.append([d / (norm * n) if n else 0.0 for d, n in zip(dots, lengths, strict=True)])
    return out


@pytest.mark.parametrize("unknown", [(), (0, 7, 20)], ids=["all known", "some unknown"])
def test_softmax_over_all_equals_plain_python(unknown: tuple[int, ...]) -> None:
    given = vectors(unknown)
    head = Retrieve(hidden=5, temperature=0.2)
    lm, pool, batch = ready(head, given)
    losses = []
    for item, row in zip(batch.items.tolist(), cosines(lm, batch, given), strict=True):
        if item not in unknown:  # of these nothing can be learned
            bottom = math.log(sum(math.exp(c / 0.2) for i, c in enumerate(row) if i not in unknown))
            losses.append(bottom - row[item] / 0.2)
    assert len(losses) == 5 - 1 * (7 in unknown)
    assert float(head.loss(lm, pool, batch).detach()) == pytest.approx(sum(losses) / len(losses), abs=1e-4)


@pytest.mark.parametrize("unknown", [(), (0, 20)], ids=["all known", "some unknown"])
def test_hinge_over_all_equals_plain_python(unknown: tuple[int, ...]) -> None:
    given = vectors(unknown)
    head = Retrieve(hidden=5, objective="hinge", margin=0.1)
    lm, pool, batch = ready(head, given)
    losses = []
    for item, row in zip(batch.items.tolist(), cosines(lm, batch, given), strict=True):
        others = [max(0.0, c - 0.1) for i, c in enumerate(row) if i != item and i not in unknown]
        losses.append(1 - row[item] + sum(others) / len(others))
    assert float(head.loss(lm, pool, batch).detach()) == pytest.approx(sum(losses) / len(losses), abs=1e-4)


def test_candidates_hold_the_batch_and_estimate_sums_without_bias() -> None:
    torch.manual_seed(0)
    values = torch.randn(200).exp()
    right = torch.tensor([5, 9, 5, 130])
    estimates = []
    for _ in range(3000):
        items, weights = candidates(right, 200, 20)
        assert len(items) == 23 and (items.diff() > 0).all() and {5, 9, 130} <= set(items.tolist())
        assert (weights[torch.isin(items, right)] == 0).all()
        estimates.append(float((values[items] * weights.exp()).sum()))
    assert np.mean(estimates) == pytest.approx(float(values.sum()), rel=0.02)
    items, weights = candidates(right, 200, 197)
    assert items.tolist() == list(range(200)) and (weights == 0).all()


def test_drawn_negatives_push_as_all_would() -> None:
    """The mean over draws of the hinge is the hinge over all items."""
    head = Retrieve(objective="hinge", margin=0.1)
    all_cosines, right = torch.rand(3, 40, generator=torch.Generator().manual_seed(3)) * 2 - 1, torch.tensor([3, 9, 3])

    def hinge(n: int) -> torch.Tensor:
        items, weights = candidates(right, 40, n)
        return head._hinge(all_cosines[:, items], torch.searchsorted(items, right), weights.exp())

    torch.manual_seed(0)
    drawn = torch.stack([hinge(5) for _ in range(3000)])
    assert (drawn.std(0) > 0).all()
    torch.testing.assert_close(drawn.mean(0), hinge(40), atol=0.02, rtol=0)


def test_the_index_finds_what_comparing_with_all_finds() -> None:
    given = vectors((2, 11))
    plain, quick = Retrieve(hidden=16), Retrieve(hidden=16, index_above=0)
    lm, pool, _ = ready(plain, given)
    indexed = quick.compile(lm, TABLE, None, given)
    assert pool.index is None and indexed.index.ntotal == M - 2
    prompts = [[4, 5, 6], [7], [8, 9]]
    exclude = (np.asarray([1, 2, 1]), np.arange(20), np.zeros(0, dtype=np.int64))
    for k in (1, 5, M + 2):
        for gone in (None, exclude):
            one, two = plain.rank(lm, pool, prompts, k, gone), quick.rank(lm, indexed, prompts, k, gone)
            np.testing.assert_array_equal(one.items, two.items)
            np.testing.assert_allclose(one.scores, two.scores, atol=1e-6)


def test_what_nothing_is_known_of_is_never_recommended() -> None:
    head = Retrieve(hidden=16)
    lm, pool, _ = ready(head, vectors((2, 11)))
    ranked = head.rank(lm, pool, [[4, 5]], M)
    assert not {2, 11} & set(ranked.items[0].tolist()) and (ranked.items[0, -2:] == -1).all()
    scores = ranked.scores[0, :-2]
    assert (scores[:-1] >= scores[1:]).all() and scores.min() < 0  # known items of negative cosine come before unknown ones


def test_a_pool_with_newcomers_ranks_them_with_nothing_trained_anew() -> None:
    given = vectors()
    head = Retrieve(hidden=16)
    lm, pool, _ = ready(head, given)
    prompt = [[4, 5, 6]]
    first = int(head.rank(lm, pool, prompt, 1).items[0, 0])
    wider = world.table(n_users=2, n_items=M + 2)
    twin = np.concatenate([given.items, given.items[[first]] * 3, -given.items[[first]]])
    new = head.compile(lm, wider, None, Vectors(given.users, twin.astype(np.float32)))
    ranked = head.rank(lm, new, prompt, M + 2)
    assert {first, M} == set(ranked.items[0, :2].tolist())
    assert M + 1 in ranked.items[0].tolist()
