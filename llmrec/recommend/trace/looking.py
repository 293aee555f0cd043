"""One recommendation looked into: the prompt, the ranking, where one item stands in it and what the head chose among.

Where it stands: over the parts of this package, under the page X-ray and the command `xray`. What it does not know: runs, pages, figures.
The ranking is the recommender's own, by the same calls; nothing here scores in another way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Floats, Ints, Queries, Recommender
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.retrieve import Retrieve
from llmrec.lm.heads.trie import Trie
from llmrec.recommend.language import LanguageRecommender
from llmrec.recommend.trace import beam, reading, whole
from llmrec.recommend.trace.reading import Reading, Template

Evidence = beam.Beam | whole.Nearness | whole.Multinomial


@dataclass(frozen=True)
class Trace:
    """items, scores: all that the head found, best first, (n,); ranks: (m,) each item's place over the whole catalogue by exact scores,
    from 1, 0 for those that must not come back or of which nothing is known; None where the catalogue is too large to tell.

    target: the item that is followed, or None; gone: items that must not come back.
    """

    reading: Reading
    items: Ints
    scores: Floats
    ranks: Ints | None
    evidence: Evidence
    gone: Ints
    target: int | None = None

    @property
    def place(self) -> int | None:
        """Where the followed item stands in the list that the head gives, from 1; None where it is not in it."""
        if self.target is None:
            return None
        at = np.flatnonzero(self.items == self.target)
        return int(at[0]) + 1 if len(at) else None

    @property
    def rank(self) -> int | None:
        """Where the followed item stands by exact scores; None where nothing is followed or nothing can be said."""
        if self.target is None or self.ranks is None:
            return None
        return int(self.ranks[self.target]) or None

    @property
    def n_ranked(self) -> int:
        """How many items could come back."""
        return int((self.ranks > 0).sum()) if self.ranks is not None else len(self.items)

    @property
    def barred(self) -> bool:
        """Whether the followed item must not come back."""
        return self.target is not None and self.target in self.gone


def look(recommender: Recommender, query: Queries, target: int | None = None, words: Template | None = None) -> Trace:
    """Trace the recommendation for one person. query: one row; target: the item to follow; words: the template, None for the usual one.

    ValueError where the recommender is no language model.
    """
    lm = _demand(recommender)
    with whole.at_rest(lm):
        return _look(lm, query, target, words or Template(0, lm.unseen))


def ranks(scores: np.ndarray, gone: Ints, ties: np.ndarray | None = None) -> Ints:
    """Places by falling score, from 1, equals in the order of `ties`; 0 for what is -inf or gone. scores: (m,)."""
    left = np.asarray(scores, dtype=np.float64).copy()
    left[np.asarray(gone, dtype=np.int64)] = -np.inf
    order = np.arange(len(left)) if ties is None else ties
    order = order[np.argsort(-left[order], kind="stable")]
    out = np.zeros(len(left), dtype=np.int64)
    out[order] = np.arange(1, len(left) + 1)
    out[~np.isfinite(left)] = 0
    return out


def _look(lm: LanguageRecommender, query: Queries, target: int | None, words: Template) -> Trace:
    read = reading.read(lm, lm.people(query)[0], query.histories[0], words)
    gone = query.exclude[0] if query.exclude is not None else np.zeros(0, dtype=np.int32)
    if isinstance(lm.head, Trie):
        ranked, search = beam.search(lm, read.ids, gone, target)
        evidence: Evidence = search
        exact = None if search.exact.items is None else ranks(search.exact.items, gone)
    else:
        evidence = whole.near(lm, read.ids) if isinstance(lm.head, Retrieve) else whole.softmax(lm, read.ids)
        ranked = lm.head.rank(lm.lm, lm.compiled, [read.ids], len(lm.compiled.names), (gone,))
        exact = np.zeros(len(lm.compiled.names), dtype=np.int64)
        listed = ranked.items[0][ranked.items[0] >= 0]
        exact[listed] = np.arange(1, len(listed) + 1)
    there = ranked.items[0] >= 0
    return Trace(read, ranked.items[0][there], ranked.scores[0][there], exact, evidence, gone, target)


def _demand(recommender: Recommender) -> LanguageRecommender:
    if isinstance(recommender, LanguageRecommender) and isinstance(recommender.head, Trie | Retrieve | Items):
        return recommender
    raise ValueError(f"{type(recommender).__name__} reads no prompt: only a trained language model can be looked into")
