"""META ID's two wishes for names, measured: memorization (alike in behaviour, alike in name) and diversity (still told apart).

Where it stands: part of a table's health. What it does not know: genres, language models; learned rows come in as an array.

Source: arXiv 2406.08477, the section on memorization and diversity scores, and `src/utils/score.py` of its release. The release's
memorization is not the adjusted cosine it is called: its numerator multiplies two sums of deviations, each over all users of one item,
where the formula sums products over the users of both; it also reads validation and test ratings, and rescales one side alone before it
takes the mean square. So none of it is copied: behaviour here is the cosine of binary user vectors of train, and both forms stand on it.
Diversity is the release's: half of KL both ways between softmaxed Id embeddings, averaged over random pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from llmrec.contracts import Floats, IdTable, Interactions, Ints
from llmrec.ids.health.grouping import Array
from llmrec.ids.health.idspace import Spell, bags, cosine_rows, embeddings

By = Literal["rows", "pieces"]
PAIRS = 20_000


class NothingToCompare(ValueError):
    """The table or the data is too small, or bare of what is asked, for the measure to mean anything."""


@dataclass(frozen=True)
class Memorization:
    """Does the name mirror behaviour? Over sampled pairs of items.

    pearson, spearman: correlation of behavioural and Id cosine, higher is better; None where one of them is the same for every pair, as
    with one Token per item. mse: mean squared difference of the two cosines, lower is better. n_pairs: pairs compared, of which n_taken
    have a user in common. by: what Ids were compared by.
    """

    pearson: float | None
    spearman: float | None
    mse: float
    n_pairs: int
    n_taken: int
    by: By


@dataclass(frozen=True)
class Diversity:
    """Mean symmetric KL, in nats, of softmaxed Id embeddings over random pairs of items; higher is more diverse, 0 is one name for all.

    By rows it depends on how long the rows are: compare tables under one model. By pieces the softmax runs over the pieces that either
    of the two has, so 0 means the same pieces, and at most tanh(1/2) = 0.462 none in common, for names of equal length.
    """

    symmetric_kl: float
    n_pairs: int
    by: By


def memorization(
    table: IdTable,
    train: Interactions,
    rows: Floats | None = None,
    n_pairs: int = PAIRS,
    rng: np.random.Generator | None = None,
    spell: Spell | None = None,
) -> Memorization:
    """Behavioural cosine against Id cosine, over pairs of items of the train interactions.

    Half of the pairs are drawn evenly from all items that anyone took, half by a random interaction and another item of the same user:
    in sparse data even pairs alone have next to no behaviour in common. Doubles are dropped.
    rows: (n_tokens, d) in the order of `table.tokens`; the Id is their mean. Without rows: the set of its pieces, see `idspace.bags`;
    `spell(item)` gives other pieces. rng: default seed 0. Raises `NothingToCompare`.
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    if train.n_items != len(table.items):
        raise ValueError(f"these interactions have {train.n_items} items, but the table names {len(table.items)}: give the data it names")
    a, b = _pairs(train, n_pairs, rng)
    which, local = np.unique(np.concatenate([a, b]), return_inverse=True)
    left, right = local[: len(a)], local[len(a) :]
    behaviour = _behaviour(train, which, left, right)
    if rows is None:
        alike, by = bags(table.items, which, spell).cosine(left, right), "pieces"
    else:
        alike, by = cosine_rows(_with_rows(table, which, rows), left, right), "rows"
    mse, n_taken = float(((behaviour - alike) ** 2).mean()), int((behaviour > 0).sum())
    return Memorization(_pearson(behaviour, alike), _spearman(behaviour, alike), mse, len(a), n_taken, "rows" if by == "rows" else "pieces")


def diversity(
    table: IdTable,
    rows: Floats | None = None,
    n_pairs: int = PAIRS,
    rng: np.random.Generator | None = None,
    spell: Spell | None = None,
) -> Diversity:
    """Mean symmetric KL of softmaxed Id embeddings over random pairs of different items. Arguments as in `memorization`."""
    rng = rng if rng is not None else np.random.default_rng(0)
    if len(table.items) < 2:
        raise NothingToCompare("no diversity: it compares pairs of items, and the table names fewer than two")
    a, b = _even_pairs(np.arange(len(table.items)), n_pairs, rng)
    which, local = np.unique(np.concatenate([a, b]), return_inverse=True)
    left, right = local[: len(a)], local[len(a) :]
    if rows is not None:
        values = _row_divergence(_with_rows(table, which, rows), left, right)
        return Diversity(float(values.mean()), len(a), "rows")
    bag = bags(table.items, which, spell)
    values = _piece_divergence(bag.sizes[left], bag.sizes[right], bag.shared(left, right))
    return Diversity(float(values.mean()), len(a), "pieces")


def _row_divergence(x: Floats, a: Ints, b: Ints) -> np.ndarray:
    """Half of KL(p|q) + KL(q|p). The normalisers of log p - log q cancel, since p - q sums to 0: it is half of (p - q) . (x - y)."""
    wide = x.astype(np.float64)
    p = np.exp(wide - wide.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    out = np.empty(len(a))
    for first in range(0, len(a), 4096):
        i, j = a[first : first + 4096], b[first : first + 4096]
        out[first : first + 4096] = ((p[i] - p[j]) * (wide[i] - wide[j])).sum(axis=1) / 2
    return out


def _piece_divergence(n_a: np.ndarray, n_b: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """The same for two 0/1 vectors over the union of their pieces: only pieces that one of them lacks differ."""
    only_a, only_b = n_a - shared, n_b - shared
    z_a, z_b = only_b + np.e * n_a, only_a + np.e * n_b
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (only_a * (np.e / z_a - 1 / z_b) + only_b * (np.e / z_b - 1 / z_a)) / 2
    return np.where((z_a > 0) & (z_b > 0), value, 0.0)  # two names without a piece are one name


def _pairs(train: Interactions, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Unordered pairs of different items, each once: even ones, then those of one user."""
    known = np.unique(train.item).astype(np.int64)
    if len(known) < 3:
        raise NothingToCompare("no memorization: it needs three items or more in the training interactions")
    even = _even_pairs(known, n // 2, rng)
    row = rng.integers(len(train), size=n - n // 2)
    user = train.user[row].astype(np.int64)
    begin, size = train.offsets[user], train.offsets[user + 1] - train.offsets[user]
    other = begin + (rng.random(len(row)) * size).astype(np.int64)
    taken = (train.item[row].astype(np.int64), train.item[other].astype(np.int64))
    ends = np.stack([np.concatenate([even[0], taken[0]]), np.concatenate([even[1], taken[1]])])
    low, high = ends.min(axis=0), ends.max(axis=0)
    _, first = np.unique(low * train.n_items + high, return_index=True)
    first = np.sort(first[low[first] != high[first]])
    return low[first], high[first]


def _even_pairs(items: Array, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """n pairs of different items, each pair as likely as any."""
    one = rng.integers(len(items), size=n)
    other = (one + rng.integers(1, len(items), size=n)) % len(items)
    return items[one], items[other]


def _behaviour(train: Interactions, which: Array, a: Array, b: Array) -> np.ndarray:
    """Cosine of the sets of users who took the items which[a[p]] and which[b[p]]: (p,) float64."""
    from scipy.sparse import csr_matrix

    taken = csr_matrix((np.ones(len(train)), (train.item, train.user)), shape=(train.n_items, train.n_users))
    taken.data[:] = 1.0  # an item taken twice is taken
    rows = taken[which]
    size = np.diff(rows.indptr)
    both = np.empty(len(a))
    for first in range(0, len(a), 4096):
        i, j = a[first : first + 4096], b[first : first + 4096]
        both[first : first + 4096] = np.asarray(rows[i].multiply(rows[j]).sum(axis=1)).ravel()
    return both / np.sqrt(size[a].astype(np.float64) * size[b])


def _with_rows(table: IdTable, which: Array, rows: Floats) -> Floats:
    if not any(book.token and book.texts is None for book in table.items.books):
        raise NothingToCompare(f"{table.scheme} spells items in text, which has no rows of its own: compare by pieces, without rows")
    return embeddings(table, which, rows)


def _pearson(x: np.ndarray, y: np.ndarray) -> float | None:
    if np.ptp(x) < 1e-12 or np.ptp(y) < 1e-12:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _spearman(x: np.ndarray, y: np.ndarray) -> float | None:
    from scipy.stats import rankdata

    return _pearson(rankdata(np.round(x, 9)), rankdata(np.round(y, 9)))  # equal cosines differ in their last bits
