"""The retrieve head: project the state, take the items whose vectors lie nearest (TokenRec's generative retrieval).

Where it stands: after the language model. One pass and one product with the items' vectors, which stay frozen: a pool with new items in it
is `compile`d in a moment and ranks them with nothing trained anew. (arXiv 2406.10450: the projection is 256 and
then 64 wide; ranked by cosine against all items' vectors.)
What it does not know: schemes, names' uniqueness, where vectors come from.

An item whose vector is zero is one of which nothing is known. It is never recommended, as with the classical recommenders.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from llmrec.contracts import Catalog, IdTable, Ints, Ranked, Vectors
from llmrec.lm import projection
from llmrec.lm.documents import Batch
from llmrec.lm.heads.whole import NONE, best, last_states, padded, tie_order
from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import autocast
from llmrec.lm.vocab import Ragged

PROJECTION = "retrieve"


@dataclass(frozen=True, eq=False)
class Pool:
    """What can be retrieved. names: row numbers as documents write them; units: (m, d) vectors of length 1, zero where nothing is known.

    known: (m,) bool; ties: (m,) who wins a tie; index: a faiss index over what is known, in the order of `ties`; None: compare with all.
    """

    names: Ragged
    units: Tensor
    known: Tensor
    ties: Tensor
    index: Any = None


@dataclass(frozen=True)
class Retrieve:
    """Nearest items to a projection of the state.

    hidden: width of the projection's inner layer. objective: "softmax" is cross-entropy over cosine / temperature; "hinge" is the paper's
    1 - cos(z, q+) + max(0, cos(z, q-) - margin), averaged over the negatives. n_negatives: items drawn a step beside those of the batch,
    which all serve; where the catalogue has no more, nothing is drawn and all items serve. index_above: pools larger than this are searched
    through a faiss index; both ways are exact, but for equal vectors at the last place.
    """

    needs_vectors: ClassVar[bool] = True

    hidden: int = 256
    objective: Literal["softmax", "hinge"] = "softmax"
    n_negatives: int = 4096
    temperature: float = 0.1
    margin: float = 0.0
    index_above: int = 200_000

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden = {self.hidden} must be at least 1: the paper has 256")
        if self.n_negatives < 1:
            raise ValueError(f"n_negatives = {self.n_negatives} must be at least 1: without them everything may lie in one place")
        if self.temperature <= 0:
            raise ValueError(f"temperature = {self.temperature} must be above 0: cosines are divided by it, try 0.1")
        if not -1 <= self.margin < 1:
            raise ValueError(f"margin = {self.margin} is compared with a cosine and must lie in -1 to below 1")
        if self.index_above < 0:
            raise ValueError(f"index_above = {self.index_above} must be at least 0: 0 uses the index always")

    def equip(self, lm: LanguageModel, vectors: Vectors | None, seed: int) -> None:
        """Give the model its projection into the items' space."""
        lm.add_projection(PROJECTION, self.hidden, _demand(vectors).items.shape[1], seed)

    def compile(self, lm: LanguageModel, table: IdTable, catalog: Catalog | None = None, vectors: Vectors | None = None) -> Pool:
        """The pool of this table's items. Raises ValueError where vectors are missing or do not fit the table or the model."""
        rows = torch.from_numpy(np.asarray(_demand(vectors).items, dtype=np.float32))
        if len(rows) != len(table.items):
            raise ValueError(f"there are {len(rows)} item vectors for {len(table.items)} names: make both from one data set")
        if PROJECTION not in lm.projections:
            raise ValueError("this model was trained behind another head and has no projection: train it with the retrieve head")
        out = projection.sizes(lm.projections)[PROJECTION][-1]
        if rows.shape[1] != out:
            raise ValueError(f"item vectors are {rows.shape[1]} wide, the model's projection {out}: use the vectors it was trained on")
        units = torch.nn.functional.normalize(rows, dim=1)
        known, ties = rows.norm(dim=1) > 0, tie_order(len(units))
        index = _index(units[ties[known[ties]]]) if len(units) > self.index_above else None
        return Pool(lm.vocab.names(table.items), units.to(lm.device), known.to(lm.device), ties, index)

    def loss(self, lm: LanguageModel, compiled: Pool, batch: Batch) -> Tensor:
        """Mean over the supervised items of which something is known. A scalar."""
        z = self._z(lm, batch.before(lm(batch.ids, batch.mask)))  # (p, d)
        items, log_weight = candidates(torch.from_numpy(batch.of_step), len(compiled.units), self.n_negatives, batch.draws)
        right = torch.from_numpy(np.searchsorted(items.numpy(), batch.items)).to(z.device)
        items, log_weight = items.to(z.device), log_weight.to(z.device)
        with torch.autocast(z.device.type, enabled=False):  # bf16 rounds cosines by more than the temperature forgives
            cosines = z.float() @ compiled.units[items].T  # (p, c)
        log_weight = log_weight.masked_fill(~compiled.known[items], NONE)
        counts = compiled.known[items][right]
        if self.objective == "softmax":
            logits = cosines / self.temperature + log_weight
            each = torch.nn.functional.cross_entropy(logits[counts], right[counts], reduction="sum")
        else:
            each = self._hinge(cosines, right, log_weight.exp())[counts].sum()
        counted = counts if batch.step is None else compiled.known[torch.from_numpy(batch.step).to(z.device)]
        return each / counted.sum().clamp(min=1)

    @torch.no_grad()
    def rank(self, lm: LanguageModel, compiled: Pool, prompts: list[list[int]], k: int, exclude: tuple[Ints, ...] | None = None) -> Ranked:
        """The k nearest items. Scores are cosines."""
        z = self.places(lm, prompts)
        if compiled.index is not None:
            return _search(compiled, z.cpu(), k, exclude)
        return best(self.cosines(compiled, z), k, compiled.ties, exclude)

    @torch.no_grad()
    def places(self, lm: LanguageModel, prompts: list[list[int]]) -> Tensor:
        """Where each prompt leads in the items' space: (b, d') of length 1."""
        with autocast(lm.device):
            return self._z(lm, last_states(lm, prompts))

    def cosines(self, compiled: Pool, z: Tensor) -> Tensor:
        """How near every item lies: (b, m), -inf where nothing is known of it."""
        return (z @ compiled.units.T).masked_fill(~compiled.known, NONE)

    def _z(self, lm: LanguageModel, h: Tensor) -> Tensor:
        """(n, d) states to (n, d') places of length 1 in the items' space."""
        return torch.nn.functional.normalize(lm.projections[PROJECTION](h), dim=-1)

    def _hinge(self, cosines: Tensor, right: Tensor, weight: Tensor) -> Tensor:
        """1 - cos(z, q+) + the weighted mean over all others of max(0, cos(z, q-) - margin): (p,)."""
        own = torch.nn.functional.one_hot(right, cosines.shape[1]).to(cosines.dtype)
        share = (1 - own) * weight
        pushed = ((cosines - self.margin).clamp(min=0) * share).sum(1) / share.sum(1).clamp(min=1e-9)
        return 1 - (cosines * own).sum(1) + pushed


def candidates(right: Tensor, m: int, n: int, draws: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """The items a batch is compared with, ascending: its own, and `n` drawn from all others. Returns ((c,) items, (c,) log weights).

    A drawn item stands for (others / n) of them, so that weighted sums estimate sums over the whole catalogue without bias; the batch's own
    items, which popular ones are more often, stand for themselves. Where there are at most n others all serve and nothing is estimated.
    draws: where from; None is torch's own stream.
    """
    own = torch.zeros(m, dtype=torch.bool)
    own[right] = True
    others = (~own).nonzero()[:, 0]
    drawn = others if len(others) <= n else others[torch.randperm(len(others), generator=draws)[:n]]
    weights = torch.zeros(m)
    weights[drawn] = math.log(max(1, len(others)) / max(1, len(drawn)))
    own[drawn] = True
    items = own.nonzero()[:, 0]
    return items, weights[items]


def _demand(vectors: Vectors | None) -> Vectors:
    if vectors is None:
        raise ValueError('the retrieve head compares with item vectors and there are none: add a section [embed], name = "lightgcn"')
    return vectors


def _index(units: Tensor) -> Any:
    import faiss

    index = faiss.IndexFlatIP(units.shape[1])
    index.add(units.numpy())
    return index


def _search(pool: Pool, z: Tensor, k: int, exclude: tuple[Ints, ...] | None) -> Ranked:
    """The same through the index: ask for as many more as may have to go."""
    gone = [np.unique(np.asarray(items, dtype=np.int64)) for items in exclude or ((),) * len(z)]
    numbers = pool.ties[pool.known.cpu()[pool.ties]].numpy()  # whose row each row of the index is
    if not len(numbers):
        return padded(torch.zeros(len(z), 0, dtype=torch.int64), torch.zeros(len(z), 0), k)
    scores, at = pool.index.search(z.numpy(), min(len(numbers), k + max(len(g) for g in gone)))
    found = numbers[at]
    for row, items in enumerate(gone):
        scores[row, np.isin(found[row], items)] = NONE
    values, order = torch.from_numpy(scores).sort(dim=1, descending=True, stable=True)
    return padded(torch.from_numpy(found).gather(1, order)[:, :k], values[:, :k], k)
