"""The trie head: the model spells a name, and only names that exist can be spelled.

Where it stands: after the language model. Training and decoding share one distribution: at every node of the name tree, a softmax over
the children alone, so the probabilities of all items sum to one.
What it does not know: schemes; it takes any table whose names are unique.

The beam is a tree of its own: the beams of one person lie side by side behind one copy of the prompt in the key-value cache, and a mask
lets each see its own ancestors alone. Nothing is copied or reordered when beams change places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from llmrec.contracts import Catalog, IdTable, Ints, Ranked, Vectors
from llmrec.lm.documents import Batch, pad
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import Array, NameTree
from llmrec.lm.precision import autocast

NONE = float("-inf")


@dataclass(frozen=True)
class Step:
    """One step of a beam search as it was taken, for b people at once, for those who want to see it.

    parents: (b, w) the nodes that were read; child: (b, w, c) where each continuation leads, 0 where nowhere; totals: (b, w, c) log p of
    each, -inf where nothing is left to find; nodes, scores: (b, w') the beam that goes on, complete names not among it.
    """

    parents: Array
    child: Tensor
    totals: Tensor
    nodes: Array
    scores: Tensor


@dataclass(frozen=True)
class Trie:
    """Constrained beam search. beams: names kept per step; 10 is the papers' width, wider finds more and costs more."""

    needs_vectors: ClassVar[bool] = False

    beams: int = 20

    def __post_init__(self) -> None:
        if self.beams < 1:
            raise ValueError(f"beams = {self.beams} must be at least 1: the papers use 10")

    def equip(self, lm: LanguageModel, vectors: Vectors | None, seed: int) -> None:
        """Nothing: the trie has no weights of its own."""

    def compile(self, lm: LanguageModel, table: IdTable, catalog: Catalog | None = None, vectors: Vectors | None = None) -> NameTree:
        """The table's names as a tree for this model's vocabulary. Raises `SharedNames` where two items have one name."""
        return NameTree.build(lm.vocab, table, catalog)

    def loss(self, lm: LanguageModel, tree: NameTree, batch: Batch) -> Tensor:
        """Mean over items of -log p(name | what came before): one pass, every next item supervised. Returns a scalar, in nats an item."""
        states = lm(batch.ids, batch.mask)  # (b, t, d)
        before, nodes, symbols = tree.targets(batch.starts, batch.items)
        at = torch.from_numpy(before).to(states.device)
        h = states[at[:, 0], at[:, 1]]  # (p, d)
        nodes, which = np.unique(nodes, return_inverse=True)
        legal = tree.legal(nodes).to(h.device)[torch.from_numpy(which).to(h.device)]  # (p, c)
        right = torch.from_numpy(symbols).to(h.device)
        value: Tensor = torch.nn.functional.cross_entropy(self._scores(lm, tree, h) + legal, right, reduction="sum")
        return value / len(batch.of_step)

    @torch.no_grad()
    def rank(
        self,
        lm: LanguageModel,
        tree: NameTree,
        prompts: list[list[int]],
        k: int,
        exclude: tuple[Ints, ...] | None = None,
        watch: Callable[[Step], None] | None = None,
    ) -> Ranked:
        """The k most probable items found. prompts: b lists of row numbers; exclude: items that must not come back.

        Scores are log p(item | prompt), exact for every item found; -1 and -inf where the beam found fewer than k. watch: is told each step
        as it is taken, and changes nothing.
        """
        b = len(prompts)
        with autocast(lm.device):
            search = _Search(lm, tree, prompts, exclude, k, watch)
            h, nodes, scores = search.read(), np.zeros((b, 1), dtype=np.int64), torch.zeros(b, 1)
            for step in range(tree.depth):
                nodes, scores, parents = search.step(nodes, scores[..., None] + self.after(lm, tree, h, nodes), self.beams)
                if step + 1 == tree.depth or not torch.isfinite(scores).any():
                    break
                h = search.advance(nodes, parents)
        return search.found()

    def after(self, lm: LanguageModel, tree: NameTree, h: Tensor, nodes: Array) -> Tensor:
        """log p of each symbol after some nodes. h: (…, d) the state there; nodes: (…); returns (…, c), -inf where illegal."""
        logits = self._scores(lm, tree, h).cpu() + tree.legal(nodes.ravel()).view(*nodes.shape, -1)
        return logits.log_softmax(-1).nan_to_num(nan=NONE, neginf=NONE)

    def _scores(self, lm: LanguageModel, tree: NameTree, h: Tensor) -> Tensor:
        """(…, d) states to (…, c) fp32 scores of the tree's symbols."""
        symbols = torch.from_numpy(tree.symbols).to(h.device)
        scores: Tensor = h @ lm.rows.outputs(symbols).to(h.dtype).T
        return scores.float()


class _Search:
    """One beam search over a batch: the cache, who descends from whom, and the items found so far."""

    def __init__(
        self,
        lm: LanguageModel,
        tree: NameTree,
        prompts: list[list[int]],
        exclude: tuple[Ints, ...] | None,
        k: int,
        watch: Callable[[Step], None] | None = None,
    ) -> None:
        from transformers import DynamicCache

        self.lm, self.tree, self.k, self.cache, self.watch = lm, tree, k, DynamicCache(), watch
        ids, mask = pad([np.asarray(p, dtype=np.int64) for p in prompts], 0)
        self.ids, self.mask = ids.to(lm.device), mask.to(lm.device)
        self.lengths = mask.sum(1)
        self.dead = None if exclude is None else torch.from_numpy(tree.dead(exclude))
        b = len(prompts)
        self.items, self.best = torch.full((b, 0), -1), torch.full((b, 0), NONE)
        self.sees = self.mask.bool()[:, None, :]  # (b, w, s): which cached places each beam sees
        self.symbol_of = torch.from_numpy(np.concatenate([[0], tree.symbols[tree.edge_symbol]]))  # a node's own row number
        self.steps = 0

    def read(self) -> Tensor:
        """Read the prompts; the last state of each: (b, 1, d)."""
        h: Tensor = self.lm(self.ids, self.mask, cache=self.cache)
        return h[torch.arange(len(h), device=h.device), self.lengths.to(h.device) - 1][:, None]

    def step(self, nodes: Array, totals: Tensor, beams: int) -> tuple[Array, Tensor, Tensor]:
        """Take the best continuations. nodes: (b, w); totals: (b, w, c). Complete names go to the items found, the rest stay in the beam.

        Returns the new beam: nodes (b, w'), scores (b, w'), parents (b, w') as places in the old beam.
        """
        b, w, c = totals.shape
        child = self._children(nodes)  # (b, w, c), 0 where illegal
        leaf = torch.from_numpy(self.tree.leaf)[child]
        if self.dead is not None:
            gone = self.dead.gather(1, child.view(b, -1)).view(b, w, c)
            totals = totals.masked_fill(gone, NONE)
        self._collect(leaf.view(b, -1), totals.masked_fill(leaf < 0, NONE).view(b, -1))
        open_ = totals.masked_fill(leaf >= 0, NONE).view(b, -1)
        scores, at = open_.topk(min(beams, open_.shape[1]), dim=1)
        fresh = child.view(b, -1).gather(1, at).numpy()
        if self.watch is not None:
            self.watch(Step(nodes, child, totals, fresh, scores))
        return fresh, scores, at // c

    def advance(self, nodes: Array, parents: Tensor) -> Tensor:
        """Read each beam's newest symbol behind the prompt, seeing its own ancestors alone. Returns (b, w, d)."""
        b, w = nodes.shape
        device = self.lm.device
        symbols = self.symbol_of[torch.from_numpy(nodes)].to(device)
        ancestors = self.sees.expand(b, -1, -1).gather(1, parents.to(device)[..., None].expand(b, w, self.sees.shape[2]))
        self.sees = torch.cat([ancestors, torch.eye(w, dtype=torch.bool, device=device).expand(b, w, w)], dim=2)
        positions = (self.lengths + self.steps).to(device)[:, None].expand(b, w)
        self.steps += 1
        state: Tensor = self.lm(symbols, self.sees[:, None], positions, self.cache)
        return state

    def found(self) -> Ranked:
        """The items collected, best first."""
        items = self.items.masked_fill(self.best == NONE, -1)
        short = max(0, self.k - items.shape[1])
        pad_ = torch.nn.functional.pad
        return Ranked(pad_(items, (0, short), value=-1).int().numpy(), pad_(self.best, (0, short), value=NONE).float().numpy())

    def _children(self, nodes: Array) -> Tensor:
        b, w = nodes.shape
        child = np.zeros((b * w, len(self.tree.symbols)), dtype=np.int64)
        position, edge = self.tree.edges_of(nodes.ravel())
        child[position, self.tree.edge_symbol[edge]] = self.tree.edge_node[edge]
        return torch.from_numpy(child).view(b, w, -1)

    def _collect(self, items: Tensor, scores: Tensor) -> None:
        items, scores = torch.cat([self.items, items], 1), torch.cat([self.best, scores], 1)
        self.best, at = scores.topk(min(self.k, scores.shape[1]), dim=1)
        self.items = items.gather(1, at)
