"""A frozen table with new items in it: names by the frozen quantizer, vectors folded in, nothing trained anew.

Where it stands: under newcomers; afterwards the head compiles the wider table, and the pool that it ranks has the new items in it. What it
does not know: how tables are fitted, heads, language models.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmrec.contracts import Floats, FoldsIn, IdTable, Interactions, Ints, Names, Vectors
from llmrec.ids.newcomers import naming
from llmrec.ids.newcomers.freecode import place
from llmrec.ids.newcomers.naming import CannotName


def widened(
    table: IdTable, vectors: Vectors | None, embedder: Any, train: Interactions, took: Sequence[Ints], items: Ints | None = None
) -> tuple[IdTable, Vectors]:
    """The table and the vectors with new items, each known by the users who took it. Everybody else keeps name and vector, to the bit.

    embedder, vectors: those that the table was fitted with, on this train. items: the numbers of the new ones where the table has rows for
    them that nothing was known of (items held out of training); None: they come after the last. The vocabulary stays: all codes have rows
    already. Where names end in a number that tells apart (META ID), each gets the first that is free, in the order given; where whole
    codes are the name (TokenRec), new items may share one. Raises `CannotName` where the scheme can't, or where only a new Token could
    tell one apart.
    """
    quantizer = naming.quantizer_of(table, "item")
    if vectors is None or not isinstance(embedder, FoldsIn):
        raise CannotName(f"{table.scheme} was fitted without an embedder that can place a new item by who took it")
    n = len(table.items)
    where = np.arange(n, n + len(took)) if items is None else np.asarray(items, dtype=np.int64)
    given = items is not None and len(where) > 0
    if len(where) != len(took) or len(np.unique(where)) < len(where) or (given and (where.min() < 0 or where.max() >= n)):
        raise ValueError(f"{len(took)} new items need as many different rows of the table's {n}, or none to come after them: {where}")
    rows = np.asarray(embedder.fold_in(vectors, train, took, "item"), dtype=np.float32)
    kept = np.setdiff1d(np.arange(n), where)
    borne = _borne(table, kept, len(took))
    books = table.items.books
    codes = np.concatenate([table.items.codes, np.zeros((len(where) - (n - len(kept)), len(books)), dtype=np.int32)])
    for i, row in enumerate(rows, len(borne) - len(took)):
        named, note = place(quantizer, row[None], books, borne[:i])
        if len(books) > len(quantizer.sizes) and (borne[:i] == np.asarray(named)).all(axis=1).any():
            raise CannotName(f"{note}: only a new Token could tell the new item apart, and the vocabulary stays; train anew with it")
        codes[where[i - len(borne) + len(took)]] = borne[i] = named
    return dataclasses.replace(table, items=Names(codes, books)), dataclasses.replace(vectors, items=_with(vectors.items, where, rows))


def _borne(table: IdTable, kept: Ints, n_new: int) -> Ints:
    """The codes that new names may collide with, and room for the new ones behind them: (others + n_new, depth)."""
    others = naming.borne(table, "item")
    old = np.concatenate([others[kept], others[len(table.items) :]])  # items stand before users
    return np.concatenate([old, np.full((n_new, old.shape[1]), -2, dtype=np.int32)])


def _with(known: Floats, where: Ints, rows: Floats) -> Floats:
    out = np.zeros((max(len(known), int(where.max(initial=-1)) + 1), known.shape[1]), dtype=np.float32)
    out[: len(known)] = known
    out[where] = rows
    return out
