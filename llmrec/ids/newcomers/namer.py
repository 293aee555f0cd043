"""Names for many new users at once, by the table that was trained on: what prompts of newcomers are headed with.

Where it stands: under newcomers; a language model's recommender asks it where people are named as they come. What it does not know:
prompts, language models, protocols.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmrec.contracts import FoldsIn, Id, IdTable, Interactions, Ints, Quantizer, Vectors
from llmrec.ids.newcomers import naming
from llmrec.ids.newcomers.freecode import place


@dataclass(frozen=True, eq=False)
class Namer:
    """Histories to names. `of` makes it, or says why this scheme has none to give."""

    table: IdTable
    embedder: FoldsIn
    vectors: Vectors
    train: Interactions
    quantizer: Quantizer
    borne: Ints

    @classmethod
    def of(cls, table: IdTable, embedder: object, vectors: Vectors | None, train: Interactions) -> Namer:
        """embedder, vectors: those that the table was fitted with, on this train. Raises `CannotName` with the reason."""
        if table.users is None:
            raise naming.CannotName(f"{table.scheme} names items only, so a new user gets no name")
        quantizer = naming.quantizer_of(table, "user")
        if vectors is None or not isinstance(embedder, FoldsIn):
            raise naming.CannotName(f"{table.scheme} was fitted without an embedder that can place a new user by what they took")
        return cls(table, embedder, vectors, train, quantizer, naming.borne(table, "user"))

    def __call__(self, histories: Sequence[Ints]) -> list[Id | None]:
        """One name a history, each as if it came alone; None where nothing follows from it: no item of it was in train.

        All are folded in at once, with one map. Newcomers of the same codes may bear one name, as nobody's name is entered anywhere.
        """
        if not len(histories):
            return []
        assert self.table.users is not None
        rows = np.asarray(self.embedder.fold_in(self.vectors, self.train, histories, "user"), dtype=np.float32)
        books = self.table.users.books
        return [
            naming.spelled(books, place(self.quantizer, row[None], books, self.borne)[0]) if row.any() else None
            for row in rows
        ]  # fmt: skip
