"""What may come next: the probability of every row of the vocabulary, and of those alone that go on with some item's name.

Where it stands: beside the head, at the place where a name begins or at any place inside one. What it does not know: pages, figures.

No head is trained on the whole vocabulary: the trie compares what may follow in the tree of names, the others compare items. So what the
model gives to text was never pushed down, and that is what `legal` measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from llmrec.contracts import Floats, Ints
from llmrec.lm.heads.exact import Exact
from llmrec.lm.heads.trie import Trie
from llmrec.lm.heads.whole import last_states
from llmrec.lm.names import Array
from llmrec.lm.precision import autocast
from llmrec.recommend.language import LanguageRecommender
from llmrec.recommend.trace.whole import at_rest


@dataclass(frozen=True)
class Next:
    """One place. log_p: (v,) over the whole vocabulary; allowed: (a,) rows that go on with a name, ascending; chosen: (a,) log p among
    these alone, as the trie takes them; first: the row number of the first Token."""

    log_p: Floats
    allowed: Array
    chosen: Floats
    first: int

    @property
    def tokens(self) -> float:
        """The mass on Tokens; the rest lies on text."""
        return float(np.exp(self.log_p[self.first :].astype(np.float64)).sum())

    @property
    def legal(self) -> float:
        """The mass on what may come; the rest is thrown away by whoever allows nothing else."""
        return float(np.exp(self.log_p[self.allowed].astype(np.float64)).sum())

    def top(self, k: int) -> list[int]:
        """The k likeliest rows of the whole vocabulary."""
        return [int(i) for i in np.argsort(-self.log_p, kind="stable")[:k]]

    def top_allowed(self, k: int) -> list[tuple[int, float]]:
        """The k likeliest rows of those allowed, with log p among these alone."""
        order = np.argsort(-self.chosen, kind="stable")[:k]
        return [(int(self.allowed[i]), float(self.chosen[i])) for i in order]


def after(recommender: LanguageRecommender, prompt: list[int], prefix: tuple[int, ...] = ()) -> Next:
    """What may come after a prompt and the first pieces of a name. prefix: row numbers; only the trie asks for pieces after the first.

    ValueError where no name goes on after this prefix.
    """
    with at_rest(recommender):
        return _after(recommender, prompt, prefix)


def _after(recommender: LanguageRecommender, prompt: list[int], prefix: tuple[int, ...]) -> Next:
    lm = recommender.lm
    if isinstance(recommender.head, Trie):
        exact = Exact(lm, recommender.head, recommender.compiled, prompt)
        node = np.asarray([descend(exact, prefix)], dtype=np.int64)
        _, edges = exact.tree.edges_of(node)
        symbols = exact.tree.edge_symbol[edges]
        if not len(symbols):
            raise ValueError("this name is complete, nothing comes after it: go back one piece")
        return Next(_whole(lm, exact.states(node)[0]), exact.tree.symbols[symbols], exact.after(node).numpy()[0, symbols], lm.vocab.first)
    if prefix:
        raise ValueError(f"the {type(recommender.head).__name__.lower()} head reads one state and spells nothing: there is no later piece")
    with torch.no_grad(), autocast(lm.device):
        whole = _whole(lm, last_states(lm, [prompt])[0])
    names = recommender.compiled.names
    allowed: Array = np.unique(names.ids[names.offsets[:-1]])
    chosen = whole[allowed] - np.logaddexp.reduce(whole[allowed].astype(np.float64))
    return Next(whole, allowed, chosen.astype(np.float32), lm.vocab.first)


def descend(exact: Exact, prefix: tuple[int, ...]) -> int:
    """The node at the end of a prefix of row numbers. ValueError where no name begins so."""
    node = 0
    for row in prefix:
        _, edges = exact.tree.edges_of(np.asarray([node], dtype=np.int64))
        found = exact.tree.edge_node[edges][exact.tree.symbols[exact.tree.edge_symbol[edges]] == row]
        if not len(found):
            raise ValueError("no item's name begins with these pieces: go back to the first one")
        node = int(found[0])
    return node


def leads_to(recommender: LanguageRecommender, rows: tuple[int, ...]) -> Ints:
    """Items whose names begin with these row numbers, ascending."""
    names = recommender.compiled.names
    lengths = np.diff(names.offsets)
    alike = lengths >= len(rows)
    for place, row in enumerate(rows):
        at = np.minimum(names.offsets[:-1] + place, len(names.ids) - 1)
        alike &= names.ids[at] == row
    return np.flatnonzero(alike)


@torch.no_grad()
def _whole(lm: object, state: torch.Tensor) -> Floats:
    """log p of the whole vocabulary from one state: (v,) fp32."""
    rows = lm.rows  # type: ignore[attr-defined]
    with autocast(state.device):
        words, tokens = state @ rows.words().to(state.dtype).T, state @ rows.rows(out=True).to(state.dtype).T
    out: Floats = torch.cat([words.float(), tokens.float()]).log_softmax(0).cpu().numpy()
    return out
