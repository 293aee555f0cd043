"""Ratings: the expectation by hand, baselines in plain Python, and a world in which names tell more than any mean can."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from llmrec.contracts import Interactions, Split
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.tasks import rating
from llmrec.lm.tasks.heldout import Asked
from tests.lm import world
from tests.lm.tasks import six

TABLE = world.table(n_users=3, n_items=6)


def test_the_expectation_over_ratings_by_hand() -> None:
    lm = world.model(TABLE)
    speaker = six.speaker(lm, TABLE)
    read = [speaker.prompt("rating", u, i) for u, i in ((0, 1), (2, 5))]
    among = np.asarray([1.0, 2.0, 4.0])
    got = rating.predict(lm, speaker, read, among, batch=1)
    for prompt, value in zip(read, got.tolist(), strict=True):
        with torch.no_grad():
            logits = lm.rows.outputs(torch.arange(lm.vocab.size)) @ lm(torch.tensor([prompt]))[0, -1]
        e = [np.exp(float(logits[speaker.text(t)[0]])) for t in "124"]
        assert value == pytest.approx((e[0] * 1 + e[1] * 2 + e[2] * 4) / sum(e), rel=1e-4)


def test_ratings_of_several_subwords_are_weighed_whole() -> None:
    """1 begins 10 and 1.5: every spelling counts with its end."""
    lm = world.model(TABLE)
    speaker = six.speaker(lm, TABLE)
    read = [speaker.prompt("rating", 0, 1)]
    among = np.asarray([1.0, 1.5, 10.0])
    chances = []
    for text in ("1", "1.5", "10"):
        prompt, log = list(read[0]), 0.0
        for row in [*speaker.text(text), speaker.end]:
            with torch.no_grad():
                log += float((lm.rows.outputs(torch.arange(lm.vocab.size)) @ lm(torch.tensor([prompt]))[0, -1]).log_softmax(0)[row])
            prompt.append(row)
        chances.append(np.exp(log))
    assert rating.predict(lm, speaker, read, among)[0] == pytest.approx(np.dot(chances, among) / sum(chances), rel=1e-4)


def test_baselines_are_plain_means() -> None:
    train = six.train()
    questions = [Asked(0, 4, np.asarray([])), Asked(2, 0, np.asarray([])), Asked(1, 3, np.asarray([]))]
    rows = list(zip(train.user.tolist(), train.item.tolist(), six.RATED, strict=True))
    mean = sum(r for *_, r in rows) / len(rows)
    got = rating.baselines(train, questions)
    bias: dict[int, float] = {}
    for item in range(6):
        rest = [r - mean for _, i, r in rows if i == item]
        bias[item] = sum(rest) / (len(rest) + 5)
    for n, q in enumerate(questions):
        of_user, of_item = [r for u, _, r in rows if u == q.user], [r for _, i, r in rows if i == q.item]
        left = [r - mean - bias[i] for u, i, r in rows if u == q.user]
        assert got["global mean"][n] == pytest.approx(mean)
        assert got["user mean"][n] == pytest.approx(sum(of_user) / len(of_user))
        assert got["item mean"][n] == pytest.approx(sum(of_item) / len(of_item))
        assert got["user and item bias"][n] == pytest.approx(mean + bias[q.item] + sum(left) / (len(left) + 5))


def test_who_or_what_is_new_gets_the_mean_of_all() -> None:
    train = six.train().take(np.asarray([0, 1, 2]))
    got = rating.baselines(train, [Asked(1, 5, np.asarray([]))])
    assert all(values[0] == pytest.approx(10 / 3) for values in got.values())


def _parity(n_users: int = 20, n_items: int = 60, known: int = 40) -> Split:
    """Odd items get 5, even ones 1; those asked about were never rated in train, so no mean knows anything of them, but their names do."""
    rng = np.random.default_rng(0)
    rows = []
    for u in range(n_users):
        items = [*rng.permutation(known)[:10].tolist(), int(rng.integers(known, n_items))]
        rows += [(u, i, t, 5.0 if i % 2 else 1.0) for t, i in enumerate(items)]
    user, item, time, stars = (np.asarray(c) for c in zip(*rows, strict=True))
    whole = Interactions(user.astype(np.int32), item.astype(np.int32), time.astype(np.int64), n_users, n_items, stars.astype(np.float32))
    return Split("loo", whole.take(time < 9), whole.take(time == 9), whole.take(time == 10))


def test_names_tell_of_items_that_no_mean_knows(tmp_path: Path) -> None:
    split, table = _parity(), world.table(n_users=20, n_items=60, coarse=2)  # the first Token of a name is the parity
    lm = world.model(table, world.TINY)
    plan = FineTune(epochs=16, batch=2, lr=3e-3, average=0.9, validations=1, tasks={"rating": 1.0, "sequential": 0.05})
    plan.fit(lm, table, split, tmp_path, lambda event: None, lambda: False, 0, Trie())
    measured = rating.evaluate(six.recommender(LanguageModel.load(tmp_path / "model"), table), split)
    means = {name: errors["rmse"] for name, errors in measured.baselines.items()}
    assert measured.n == 20 and min(means.values()) > 1.8
    assert measured.metrics["rmse"] < 0.6 * min(means.values())
    low, high = measured.intervals["rmse"]
    assert low <= measured.metrics["rmse"] <= high
    for name, mean in means.items():
        less, _, high = measured.differences[name]["rmse"]
        assert less == pytest.approx(measured.metrics["rmse"] - mean) and high < 0


def test_data_without_ratings_is_refused() -> None:
    with pytest.raises(ValueError, match="needs ratings, and this data has none"):
        rating.Ratings(six.speaker(world.model(TABLE), TABLE), dataclasses.replace(six.train(), rating=None))


def test_too_many_different_ratings_are_no_words() -> None:
    many = Interactions(*(np.zeros(60, dtype=np.int64),) * 3, 1, 1, np.linspace(0, 1, 60).astype(np.float32))
    with pytest.raises(ValueError, match="60 different ratings"):
        rating.values(many)
