"""The rating task: "{user} rates {item}:" and the rating in words; read back as the expectation over the ratings that there are.

Where it stands: a task of this folder, beside honest baselines fitted on train. What it does not know: rankings.

The user and the item are known by their names alone: what the model can learn is what their Tokens share with others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from llmrec.contracts import Interactions, Part, Split
from llmrec.lm import prompts
from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import autocast
from llmrec.lm.tasks.heldout import Asked, asked, strangers
from llmrec.lm.tasks.sure import compared
from llmrec.lm.tasks.words import Document, Speaker, scores, speech
from llmrec.recommend.language import LanguageRecommender

TASK = "rating"
MOST_VALUES = 50
DAMPING = 5.0  # ratings that a bias must outweigh, as in LensKit's and Koren's damped means
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Rated:
    """Errors on held-out ratings. n: how many; left_out: why others are not asked, and how many; metrics: rmse, mae; intervals: 95 % by
    bootstrap over users; baselines: {name: metrics}; differences: {baseline: {metric: (mean, low, high)}}, the model less the baseline."""

    n: int
    left_out: Mapping[str, int]
    template: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    baselines: Mapping[str, Mapping[str, float]]
    differences: Mapping[str, Mapping[str, tuple[float, float, float]]]


@dataclass(frozen=True)
class Ratings:
    """Train ratings as documents. bulk: how many times as many a batch holds as it would of histories, since each says one rating."""

    speaker: Speaker
    train: Interactions
    task: str = TASK
    bulk: int = 8

    def __post_init__(self) -> None:
        values(self.train)

    def sayable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some interactions of train that make such a document: all."""
        return rows

    def length(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """About how long each document is, up to a constant."""
        return np.zeros(len(rows), dtype=np.int64)

    def document(self, row: int, rng: np.random.Generator) -> Document:
        """One interaction of train under a template drawn."""
        user, item, rating = int(self.train.user[row]), int(self.train.item[row]), float(_ratings(self.train)[row])
        read = self.speaker.prompt(TASK, user, item, template=int(rng.integers(prompts.count(TASK))))
        return Document(read, self.speaker.ended(self.speaker.phrase(spell(rating))))


def values(train: Interactions) -> Numbers:
    """The ratings that occur in train, ascending. ValueError where there are none, or too many to be words."""
    found = np.unique(_ratings(train)).astype(np.float64)
    if len(found) > MOST_VALUES:
        raise ValueError(f"train holds {len(found)} different ratings, and a rating is said in words: round them to {MOST_VALUES} at most")
    return found


def spell(rating: float) -> str:
    """A rating as it is written: 4, 3.5."""
    return f"{rating:g}"


@torch.no_grad()
def predict(lm: LanguageModel, speaker: Speaker, read: Sequence[list[int]], among: Numbers, batch: int = 256) -> Numbers:
    """The expected rating after each prompt: (n,). The softmax is restricted to the ratings `among`, each as it is written.

    One pass where every rating is one subword; else one pass per rating, by the probability of all it is written in.
    """
    spelled = [speaker.text(spell(v)) for v in among.tolist()]
    if any(a == b[: len(a)] for a in spelled for b in spelled if a is not b):
        spelled = [[*s, speaker.end] for s in spelled]  # so that 1 is not the beginning of 10
    training, out = lm.training, []
    lm.eval()
    try:
        for first in range(0, len(read), batch):
            part = read[first : first + batch]
            with autocast(lm.device):
                weigh = _at_once if all(len(s) == 1 for s in spelled) else _one_by_one
                out.append(weigh(lm, part, spelled).softmax(-1).double().cpu().numpy() @ among)
    finally:
        lm.train(training)
    return np.concatenate(out) if out else np.zeros(0)


def _at_once(lm: LanguageModel, read: Sequence[list[int]], spelled: Sequence[list[int]]) -> torch.Tensor:
    batch = speech([Document(r, [0]) for r in read]).to(lm.device)
    at = torch.from_numpy(batch.at).to(lm.device)
    return scores(lm, lm(batch.ids, batch.mask)[at[:, 0], at[:, 1]], [s[0] for s in spelled])


def _one_by_one(lm: LanguageModel, read: Sequence[list[int]], spelled: Sequence[list[int]]) -> torch.Tensor:
    """log p of each rating's whole spelling: (b, n_values)."""
    columns = []
    for said in spelled:
        batch = speech([Document(r, said) for r in read]).to(lm.device)
        at = torch.from_numpy(batch.at).to(lm.device)
        logs = scores(lm, lm(batch.ids, batch.mask)[at[:, 0], at[:, 1]]).log_softmax(-1)
        columns.append(logs.gather(1, batch.right[:, None])[:, 0].view(len(read), len(said)).sum(1))
    return torch.stack(columns, 1)


def evaluate(
    recommender: LanguageRecommender, split: Split, part: Part = "test", users: int | None = None, unseen: bool = False, seed: int = 0
) -> Rated:
    """Errors of the expected rating on the held-out ratings of a part, beside the baselines. ValueError where there are no ratings."""
    among, questions = values(split.train), asked(split, part, users, seed)
    speaker = Speaker(recommender.lm.vocab, recommender.compiled.names, recommender.table)
    read = [speaker.prompt(TASK, q.user, q.item, unseen=unseen) for q in questions]
    right = np.asarray([q.rating for q in questions], dtype=np.float64)
    wrong = predict(recommender.lm, speaker, read, among) - right
    beside = {name: guess - right for name, guess in baselines(split.train, questions).items()}
    who = np.asarray([q.user for q in questions], dtype=np.int64)
    bounds, differences = compared(who, _each(wrong), {name: _each(w) for name, w in beside.items()}, seed, {"rmse": np.sqrt})
    return Rated(
        len(right),
        {"their user is new": strangers(split, part)},
        "unseen" if unseen else "seen",
        errors(wrong),
        bounds,
        {name: errors(w) for name, w in beside.items()},
        differences,
    )


def errors(wrong: Numbers) -> dict[str, float]:
    """RMSE and MAE of some differences."""
    return {"rmse": float(np.sqrt(np.mean(wrong**2))), "mae": float(np.mean(np.abs(wrong)))}


def baselines(train: Interactions, questions: Sequence[Asked]) -> dict[str, Numbers]:
    """What means of train foretell: (n,) each. Who or what has no rating in train gets the mean of all."""
    ratings = _ratings(train).astype(np.float64)
    mean = float(ratings.mean())
    users = np.asarray([q.user for q in questions], dtype=np.int64)
    items = np.asarray([q.item for q in questions], dtype=np.int64)
    of_item = _offsets(ratings - mean, train.item, train.n_items, DAMPING)
    of_user = _offsets(ratings - mean - of_item[train.item], train.user, train.n_users, DAMPING)
    return {
        "global mean": np.full(len(questions), mean),
        "user mean": mean + _offsets(ratings - mean, train.user, train.n_users)[users],
        "item mean": mean + _offsets(ratings - mean, train.item, train.n_items)[items],
        "user and item bias": mean + of_item[items] + of_user[users],
    }


def _offsets(rest: Numbers, of: NDArray[np.int32] | NDArray[np.int64], n: int, damping: float = 0.0) -> Numbers:
    """The (damped) mean of what is left for each of n users or items; 0 for those without any."""
    count = np.bincount(of, minlength=n) + damping
    return np.asarray(np.bincount(of, weights=rest, minlength=n) / np.where(count > 0, count, 1))


def _each(wrong: Numbers) -> dict[str, Numbers]:
    """What RMSE (before its root) and MAE are the means of."""
    return {"rmse": wrong**2, "mae": np.abs(wrong)}


def _ratings(interactions: Interactions) -> NDArray[np.float32]:
    if interactions.rating is None:
        raise ValueError(
            "the rating task needs ratings, and this data has none: take the task out, or name the column with [data] rating ="
        )
    return interactions.rating
