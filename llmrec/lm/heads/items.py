"""The items head: one softmax over all items, tied to the rows of their names (CLLM4Rec's multinomial head).

Where it stands: after the language model. One pass ranks everything. An item's row is the mean of the output rows of its name's Tokens;
with one Token a name, as in CLLM4Rec (arXiv 2311.01343), it is that Token's row. There is no bias.
What it does not know: schemes, and how rows came about.

The mean forgets the order of a name's pieces. Tokens say their place (`<c3>`, `<r3>` come from different books), so nothing is lost for
them; text does not, and "45" would be "54": names without a Token are refused. Items of one name score alike, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from llmrec.contracts import Catalog, IdTable, Ints, Ranked, Vectors
from llmrec.lm.documents import Batch
from llmrec.lm.heads.whole import best, last_states, tie_order
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import Array
from llmrec.lm.precision import autocast
from llmrec.lm.vocab import Ragged


class TextNames(ValueError):
    """An item is named by text alone, which has no row to tie a softmax to."""


@dataclass(frozen=True, eq=False)
class ItemRows:
    """Which rows make each item. names: row numbers as documents write them; rows: (c,) the Tokens' row numbers in use, ascending;
    which: flat indices into `rows`, item after item; begin: (m,) where each item's begin in `which`; ties: (m,) who wins a tie."""

    names: Ragged
    rows: Array
    which: Array
    begin: Array
    ties: Tensor

    def mean(self, lm: LanguageModel) -> Tensor:
        """The items' rows: (m, d) fp32."""
        rows = lm.rows.outputs(torch.from_numpy(self.rows).to(lm.device)).float()
        which, begin = (torch.from_numpy(a).to(lm.device) for a in (self.which, self.begin))
        return torch.nn.functional.embedding_bag(which, rows, begin, mode="mean")


@dataclass(frozen=True)
class Items:
    """A multinomial over the catalogue; nothing to set."""

    needs_vectors: ClassVar[bool] = False

    def equip(self, lm: LanguageModel, vectors: Vectors | None, seed: int) -> None:
        """Nothing: the rows of the names are the head."""

    def compile(self, lm: LanguageModel, table: IdTable, catalog: Catalog | None = None, vectors: Vectors | None = None) -> ItemRows:
        """Raises `TextNames` where an item has no Token. Shared names are legal, and their items cannot be told apart."""
        names = lm.vocab.names(table.items)
        tokens = names.ids >= lm.vocab.first
        if lm.vocab.ends:  # every name has the end mark: it tells nothing
            tokens &= names.ids != lm.vocab.size - 1
        counts = np.add.reduceat(np.append(tokens, False).astype(np.int64), names.offsets[:-1])
        bare = np.flatnonzero((counts == 0) | (np.diff(names.offsets) == 0))
        if len(bare):
            first = int(bare[0])
            said = f"item {first}" if catalog is None else repr(catalog.titles[first])
            raise TextNames(
                f"{said} is named by text alone ({len(bare)} such items): the items head is tied to rows of Tokens, "
                "choose the trie or the retrieve head, or a scheme with Tokens"
            )
        rows, which = np.unique(names.ids[tokens], return_inverse=True)
        return ItemRows(names, rows, which.astype(np.int64), np.cumsum(counts) - counts, tie_order(len(names)))

    def loss(self, lm: LanguageModel, compiled: ItemRows, batch: Batch) -> Tensor:
        """Mean over items of -log p(item | what came before), in nats an item."""
        h = batch.before(lm(batch.ids, batch.mask))  # (p, d)
        right = torch.from_numpy(batch.items).to(h.device)
        value: Tensor = torch.nn.functional.cross_entropy(self._scores(lm, compiled, h), right, reduction="sum")
        return value / len(batch.of_step)

    @torch.no_grad()
    def rank(
        self, lm: LanguageModel, compiled: ItemRows, prompts: list[list[int]], k: int, exclude: tuple[Ints, ...] | None = None
    ) -> Ranked:
        """The k most probable items. Scores are log p(item | prompt) over the whole catalogue, excluded items included."""
        return best(self.scored(lm, compiled, prompts), k, compiled.ties, exclude)

    @torch.no_grad()
    def scored(self, lm: LanguageModel, compiled: ItemRows, prompts: list[list[int]]) -> Tensor:
        """log p(item | prompt) of the whole catalogue: (b, m)."""
        with autocast(lm.device):
            scores = self._scores(lm, compiled, last_states(lm, prompts))
        return scores.log_softmax(1)

    def _scores(self, lm: LanguageModel, compiled: ItemRows, h: Tensor) -> Tensor:
        """(n, d) states to (n, m) scores, in fp32: bf16 makes ties."""
        with torch.autocast(h.device.type, enabled=False):
            return h.float() @ compiled.mean(lm).T
