"""What if the person had another past: one item taken out, or another order, each ranked anew.

Where it stands: beside `looking`; every line is a real ranking over the whole catalogue. What it does not know: pages, figures.
What must not come back stays the same: an item taken out of the prompt is not offered again, so that ranks compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Ints, Queries
from llmrec.lm.heads.exact import Exact
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.retrieve import Retrieve
from llmrec.lm.heads.trie import Trie
from llmrec.recommend.language import LanguageRecommender
from llmrec.recommend.trace import looking, whole
from llmrec.recommend.trace.reading import Template

LAST = 10  # how many of the newest items are taken out, one at a time


@dataclass(frozen=True)
class Variant:
    """Another past. without: the item taken out, -1 where the order differs; what: "as it is", "without", "reversed" or "shuffled"."""

    what: str
    history: Ints
    without: int = -1


@dataclass(frozen=True)
class Outcome:
    """rank: the followed item's place over the whole catalogue, None where nothing is known of it; score: by the head; first: who leads."""

    variant: Variant
    rank: int | None
    score: float
    first: int


def variants(history: Ints, seed: int = 0) -> list[Variant]:
    """The past as it is, without each of its newest items (newest first), reversed, and shuffled."""
    items = np.asarray(history, dtype=np.int64)
    out = [Variant("as it is", items)]
    newest = range(len(items) - 1, max(-1, len(items) - 1 - LAST), -1)
    out += [Variant("without", np.delete(items, at), int(items[at])) for at in newest]
    if len(items) > 1:
        out += [Variant("reversed", items[::-1].copy()), Variant("shuffled", np.random.default_rng(seed).permutation(items))]
    return out


def outcomes(recommender: LanguageRecommender, query: Queries, target: int, words: Template | None = None) -> Iterator[Outcome]:
    """One ranking per variant, the past as it is first. query: one row, whose exclusions hold for all. ValueError: too large to tell."""
    gone = query.exclude[0] if query.exclude is not None else np.zeros(0, dtype=np.int32)
    words = words or Template(0, recommender.unseen)
    for variant in variants(query.histories[0]):
        who = recommender.people(Queries(query.users, (variant.history,)))[0]
        with whole.at_rest(recommender):
            scores = _scores(recommender, recommender.prompt(who, variant.history, words.number, words.unseen))
        ties = None if isinstance(recommender.head, Trie) else recommender.compiled.ties.numpy()
        ranks = looking.ranks(scores, gone, ties)
        yield Outcome(variant, int(ranks[target]) or None, float(scores[target]), int(np.flatnonzero(ranks == 1)[0]))


def _scores(recommender: LanguageRecommender, prompt: list[int]) -> np.ndarray:
    """The head's own score of every item: (m,)."""
    head = recommender.head
    if isinstance(head, Trie):
        scores = Exact(recommender.lm, head, recommender.compiled, prompt).items
        if scores is None:
            raise ValueError("this catalogue is too large for exact ranks under the trie: the beam shows what it found")
        return scores
    if isinstance(head, Retrieve):
        return whole.near(recommender, prompt).cosines
    assert isinstance(head, Items)
    return whole.softmax(recommender, prompt).log_p
