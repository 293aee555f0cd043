"""The beam of the trie head as it went, and where in it one item's name was lost.

Where it stands: after the head, which is watched and not imitated. What it does not know: people, pages, figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Floats, Ints, Ranked
from llmrec.lm.heads.exact import Exact
from llmrec.lm.heads.trie import Step
from llmrec.lm.names import Array, NameTree
from llmrec.recommend.language import LanguageRecommender


@dataclass(frozen=True)
class Depth:
    """What one step chose among, best first. nodes: (n,) where each candidate leads; totals: (n,) log p so far; ends: (n,) the item whose
    name is complete there, -1 elsewhere; kept: (n,) whether it goes on in the beam.

    Complete names are found, not kept: they take no place in the beam.
    """

    nodes: Array
    totals: Floats
    ends: Array
    kept: np.ndarray

    @property
    def n_open(self) -> int:
        """How many candidates for the beam there were."""
        return int((self.ends < 0).sum())

    @property
    def cut(self) -> float:
        """The least log p that was kept; -inf where nothing had to go."""
        return float(self.totals[self.kept].min()) if self.kept.sum() < self.n_open else float("-inf")


@dataclass(frozen=True)
class Pace:
    """One piece of the followed name. row: its row number; step, total: log p of the piece, and of the name up to it, both exact.

    rank: its place among the candidates for the beam, from 1; None where the beam had left this way before, and for the last piece, which
    ends the name. kept: whether the beam was still on it afterwards.
    """

    row: int
    step: float
    total: float
    rank: int | None
    kept: bool


@dataclass(frozen=True)
class Beam:
    """One search. path: the followed name, () where none is followed; width: how many names go on; needed: a width that would have kept
    the followed name, None where it was kept or where the catalogue is too large to tell."""

    depths: tuple[Depth, ...]
    width: int
    exact: Exact
    path: tuple[Pace, ...] = ()
    needed: int | None = None

    @property
    def lost(self) -> int | None:
        """At which piece of the followed name the beam left it, from 1; None where it did not."""
        return next((n for n, pace in enumerate(self.path, 1) if not pace.kept), None)


def search(
    recommender: LanguageRecommender, prompt: list[int], gone: Ints, target: int | None = None, k: int | None = None
) -> tuple[Ranked, Beam]:
    """Rank as the recommender does, watched. gone: items that must not come back; target: the item to follow, None for nobody.

    k: how many to return; None: all that the beam found.
    """
    head, tree, lm = recommender.head, recommender.compiled, recommender.lm
    steps: list[Step] = []
    ranked = head.rank(lm, tree, [prompt], k or len(tree.names), (gone,), watch=steps.append)  # type: ignore[call-arg]
    depths = tuple(_depth(step, tree) for step in steps)
    exact = Exact(lm, head, tree, prompt)  # type: ignore[arg-type]
    if target is None or target in gone:
        return ranked, Beam(depths, head.beams, exact)  # type: ignore[attr-defined]
    path = _path(exact, depths, target)
    beam = Beam(depths, head.beams, exact, path)  # type: ignore[attr-defined]
    if beam.lost is None or exact.totals is None:
        return ranked, beam
    needed = wide_enough(exact, target, gone, path[beam.lost - 1].rank or beam.width)
    return ranked, Beam(depths, beam.width, exact, path, needed)


def wide_enough(exact: Exact, target: int, gone: Ints, width: int) -> int:
    """A beam width, from `width` on, that keeps an item's name to its end: the least but where more candidates push it out again.

    Follows the search on exact log p of all nodes, without the model.
    """
    tree, path = exact.tree, exact.path(int(exact.tree.last[target]))
    assert exact.totals is not None
    totals = np.where(tree.dead((gone,))[0], -np.inf, exact.totals)
    while (rank := _first_rank_beyond(tree, totals, path, width)) is not None:
        width = rank
    return width


def _first_rank_beyond(tree: NameTree, totals: np.ndarray, path: list[int], width: int) -> int | None:
    """Where a name falls out of a beam of this width: its rank there. None: it stays."""
    nodes = np.zeros(1, dtype=np.int64)
    for wanted in path[:-1]:
        _, edges = tree.edges_of(nodes)
        children = tree.edge_node[edges]
        children = children[(tree.leaf[children] < 0) & np.isfinite(totals[children])]
        children = children[np.argsort(-totals[children], kind="stable")]
        rank = int(np.flatnonzero(children == wanted)[0]) + 1
        if rank > width:
            return rank
        nodes = children[:width]
    return None


def _depth(step: Step, tree: NameTree) -> Depth:
    totals, child = step.totals[0].flatten().numpy(), step.child[0].flatten().numpy()
    there = np.flatnonzero(np.isfinite(totals))
    there = there[np.argsort(-totals[there], kind="stable")]
    nodes = child[there]
    ends = tree.leaf[nodes]
    on = step.nodes[0][np.isfinite(step.scores[0].numpy())]
    return Depth(nodes, totals[there], ends, (ends < 0) & np.isin(nodes, on))


def _path(exact: Exact, depths: tuple[Depth, ...], target: int) -> tuple[Pace, ...]:
    nodes = exact.path(int(exact.tree.last[target]))
    rows, total, on, out = exact.row(np.asarray(nodes)), 0.0, True, []
    for place, (node, row, step) in enumerate(zip(nodes, rows, exact.item(target), strict=True)):
        total += step
        rank = None
        if on and place < len(depths):
            depth = depths[place]
            candidates = depth.nodes[depth.ends < 0]
            last = place == len(nodes) - 1
            rank = None if last else int(np.flatnonzero(candidates == node)[0]) + 1
            on = bool((depth.nodes == node).any()) if last else bool(depth.kept[depth.nodes == node].any())
        out.append(Pace(int(row), step, total, rank, on))
    return tuple(out)
