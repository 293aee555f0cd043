"""The trie's distribution looked up anywhere, not only where a beam went: every name's exact log p after one prompt.

Where it stands: beside the head `trie`, whose own softmax it asks; for those who look inside one recommendation. What it does not know:
beams, people, pages.

A state is needed only where names part: a node with one child says nothing, log p = 0. The nodes of a chunk are read side by side behind
one copy of the prompt, each seeing its own ancestors alone, as the beam does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import Array, NameTree
from llmrec.lm.precision import autocast

CHUNK = 256  # nodes read in one pass, those before them included; a longer way is read alone
MOST = 20_000  # nodes where names part, beyond which a whole catalogue takes minutes on a small machine


class Exact:
    """One prompt read once; asked for the state, the next pieces or log p at any node of the tree."""

    def __init__(self, lm: LanguageModel, head: Trie, tree: NameTree, prompt: list[int]) -> None:
        self.lm, self.head, self.tree, self.prompt = lm, head, tree, prompt

    @cached_property
    def parent(self) -> Array:
        """The node before each: (n_nodes,), -1 before the first."""
        return np.concatenate([[-1], np.repeat(np.arange(self.tree.n_nodes), np.diff(self.tree.start))])

    @cached_property
    def depth(self) -> Array:
        """Pieces from the root to each node: (n_nodes,)."""
        depth = np.zeros(self.tree.n_nodes, dtype=np.int64)
        for node in range(1, self.tree.n_nodes):
            depth[node] = depth[self.parent[node]] + 1
        return depth

    def row(self, nodes: Array) -> Array:
        """The row number that leads to each node; 0 for the root."""
        rows: Array = np.concatenate([[0], self.tree.symbols[self.tree.edge_symbol]])[nodes]
        return rows

    def path(self, node: int) -> list[int]:
        """The nodes from below the root down to this one."""
        found: list[int] = []
        while node > 0:
            found.append(int(node))
            node = int(self.parent[node])
        return found[::-1]

    @torch.no_grad()
    def states(self, nodes: Array) -> Tensor:
        """The state after the prompt and the way to each node: (n, d)."""
        with autocast(self.lm.device):
            parts = [self._part(chunk) for chunk in self._chunks(nodes)]
        return torch.cat(parts)

    @torch.no_grad()
    def after(self, nodes: Array) -> Tensor:
        """log p of each of the tree's symbols after each node, by the head's own softmax: (n, c)."""
        with autocast(self.lm.device):
            return self.head.after(self.lm, self.tree, self.states(nodes), nodes)

    @cached_property
    def totals(self) -> NDArray[np.float64] | None:
        """log p of every node, which for a whole name is that of its item: (n_nodes,). None where names part at too many nodes."""
        parting = np.flatnonzero(np.diff(self.tree.start) > 1)
        if len(parting) > MOST:
            return None
        steps = np.zeros(self.tree.n_nodes)
        for first in range(0, len(parting), CHUNK):
            nodes = parting[first : first + CHUNK]
            position, edge = self.tree.edges_of(nodes)
            steps[self.tree.edge_node[edge]] = self.after(nodes).numpy()[position, self.tree.edge_symbol[edge]]
        for level in range(1, int(self.depth.max()) + 1):
            here = np.flatnonzero(self.depth == level)
            steps[here] += steps[self.parent[here]]
        return steps

    @property
    def items(self) -> NDArray[np.float64] | None:
        """log p of every item: (m,)."""
        return None if self.totals is None else self.totals[self.tree.last]

    def item(self, item: int) -> list[float]:
        """log p of each piece of one item's name, given those before it; their sum is log p of the item."""
        path = self.path(int(self.tree.last[item]))
        before = np.asarray([0, *path[:-1]], dtype=np.int64)
        symbols = np.searchsorted(self.tree.symbols, self.row(np.asarray(path)))
        found = self.after(before).numpy()
        return [float(found[i, symbol]) for i, symbol in enumerate(symbols)]

    @cached_property
    def _read(self) -> tuple[Any, Tensor]:
        from transformers import DynamicCache

        cache = DynamicCache()
        ids = torch.tensor([self.prompt], dtype=torch.int64, device=self.lm.device)
        return cache, self.lm(ids, torch.ones_like(ids), cache=cache)[:, -1]

    def _chunks(self, nodes: Array) -> Iterator[Array]:
        """The nodes in order, cut so that a pass reads `CHUNK` nodes at most."""
        first, read = 0, set[int]()
        for at, node in enumerate(nodes.tolist()):
            way = set(self.path(node))
            if read and len(read | way) > CHUNK:
                yield nodes[first:at]
                first, read = at, set()
            read |= way
        yield nodes[first:]

    def _part(self, nodes: Array) -> Tensor:
        cache, root = self._read
        wanted = set(nodes.tolist()) - {0}
        for node in list(wanted):
            wanted.update(self.path(node))
        if not wanted:
            return root.expand(len(nodes), -1)
        read = np.asarray(sorted(wanted))  # ancestors have smaller numbers
        place = {int(node): at for at, node in enumerate(read)}
        sees = torch.zeros(len(read), len(self.prompt) + len(read), dtype=torch.bool)
        sees[:, : len(self.prompt)] = True
        for at, node in enumerate(read):
            sees[at, [len(self.prompt) + place[a] for a in self.path(int(node))]] = True
        device = self.lm.device
        positions = torch.from_numpy(len(self.prompt) + self.depth[read] - 1)[None].to(device)
        ids = torch.from_numpy(self.row(read))[None].to(device)
        below = self.lm(ids, sees[None, None].to(device), positions, cache)[0]
        cache.crop(-len(read))  # the next chunk reads behind the prompt alone
        every = torch.cat([root.to(below.dtype), below])
        return every[torch.tensor([place[int(node)] + 1 if node else 0 for node in nodes], device=device)]
