"""The prefix tree of item names, as flat arrays.

Where it stands: between the vocabulary and the trie head. Knows row numbers of names, and which may follow which.
What it does not know: the language model, users, schemes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llmrec.contracts import Catalog, IdTable, Ints
from llmrec.lm.vocab import Ragged, Vocab

Array = NDArray[np.int64]


class SharedNames(ValueError):
    """Two items have one name, which the trie cannot tell apart."""


@dataclass(frozen=True)
class NameTree:
    """Names as paths from node 0. Children of node v are edges start[v]:start[v + 1].

    names: each item's row numbers, end mark included; paths: the node before each of them, aligned with names.ids.
    symbols: (c,) the row numbers that occur in names, ascending; start: (n_nodes + 1,); edge_symbol: (n_edges,) index into symbols;
    edge_node: (n_edges,) the child; leaf: (n_nodes,) the item a complete name ends at, -1 elsewhere; below: (n_nodes,) leaves below.
    """

    names: Ragged
    paths: Array
    last: Array
    symbols: Array
    start: Array
    edge_symbol: Array
    edge_node: Array
    leaf: Array
    below: Array

    @classmethod
    def build(cls, vocab: Vocab, table: IdTable, catalog: Catalog | None = None) -> NameTree:
        """Raises `SharedNames`, naming two items, where a name is not unique: uniqueness is this head's demand, not the table's."""
        names = vocab.names(table.items)
        m, lengths = len(names), np.diff(names.offsets)
        if (lengths == 0).any():
            raise ValueError(f"item {int(np.flatnonzero(lengths == 0)[0])} has an empty name")
        symbols, flat = np.unique(names.ids, return_inverse=True)
        node = np.zeros(m, dtype=np.int64)  # where each item stands
        paths = np.zeros(len(names.ids), dtype=np.int64)
        parents, edge_symbols, n_nodes = [], [], 1
        for level in range(int(lengths.max())):
            here = np.flatnonzero(lengths > level)
            at = names.offsets[here] + level
            paths[at] = node[here]
            steps, child = np.unique(node[here] * len(symbols) + flat[at], return_inverse=True)
            parents.append(steps // len(symbols))
            edge_symbols.append(steps % len(symbols))
            node[here] = n_nodes + child
            n_nodes += len(steps)
        _demand_unique(node, catalog)
        leaf = np.full(n_nodes, -1, dtype=np.int64)
        leaf[node] = np.arange(m)
        below = np.bincount(paths, minlength=n_nodes) + np.bincount(node, minlength=n_nodes)
        parent = np.concatenate(parents)  # children are numbered level by level, so parents ascend within a level and between levels
        start = np.searchsorted(parent, np.arange(n_nodes + 1))
        return cls(names, paths, node, symbols, start, np.concatenate(edge_symbols), np.arange(1, n_nodes), leaf, below)

    @property
    def n_nodes(self) -> int:
        return len(self.leaf)

    @property
    def depth(self) -> int:
        """The longest name's length."""
        return int(np.diff(self.names.offsets).max())

    def targets(self, starts: Array, items: Array) -> tuple[Array, Array, Array]:
        """What predicts each piece of some names, and what is right there. starts: (n, 2) row and column where each item's name begins.

        Returns, with p pieces in all: (p, 2) row and column of the state that predicts, (p,) the node it stands at, (p,) the right symbol
        as an index into `symbols`.
        """
        at = self.names.places(items)
        lengths = np.diff(self.names.offsets)[items]
        within = np.arange(len(at)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        before = np.repeat(starts, lengths, axis=0)
        before[:, 1] += within - 1
        return before, self.paths[at], np.searchsorted(self.symbols, self.names.ids[at])

    def dead(self, exclude: tuple[Ints, ...]) -> NDArray[np.bool_]:
        """Nodes with nothing left below once each query's items are taken out: (b, n_nodes)."""
        out = np.zeros((len(exclude), self.n_nodes), dtype=bool)
        for row, items in enumerate(exclude):
            gone: Ints = np.unique(np.asarray(items, dtype=np.int64))
            nodes = np.concatenate([self.paths[self.names.places(gone)], self.last[gone]])
            touched, count = np.unique(nodes, return_counts=True)
            out[row, touched] = count >= self.below[touched]
        return out

    def edges_of(self, nodes: Array) -> tuple[Array, Array]:
        """All edges that leave some nodes: (position in `nodes`, edge), flat."""
        counts = self.start[nodes + 1] - self.start[nodes]
        position = np.repeat(np.arange(len(nodes)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return position, self.start[nodes][position] + within

    def legal(self, nodes: Array) -> Tensor:
        """Additive mask over `symbols`, 0 where legal, -inf elsewhere: (len(nodes), c) float32."""
        position, edge = self.edges_of(nodes)
        mask = torch.full((len(nodes), len(self.symbols)), float("-inf"))
        mask[torch.from_numpy(position), torch.from_numpy(self.edge_symbol[edge])] = 0.0
        return mask


def _demand_unique(ends: Array, catalog: Catalog | None) -> None:
    order = np.argsort(ends, kind="stable")
    twins = np.flatnonzero(np.diff(ends[order]) == 0)
    if len(twins):
        one, two = (int(order[twins[0] + i]) for i in (0, 1))
        said = (f"items {one} and {two}") if catalog is None else f"{catalog.titles[one]!r} and {catalog.titles[two]!r}"
        raise SharedNames(
            f"{said} share one name ({len(twins)} such pairs): the trie needs unique names, choose the retrieve or items head"
        )
