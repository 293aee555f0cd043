"""Names from a file: an official or edited table, fine-tuned on like our own.

Where it stands: stage 3, in place of a scheme that would make the names. What it does not know: forms of
files (`llmrec.ids.exchange.official`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from llmrec.contracts import Catalog, IdTable, Interactions, Vectors
from llmrec.ids.exchange import official


@dataclass(frozen=True)
class Imported:
    """The table of a file or folder, in the order of the data's catalogue: bearers are found by key, in whatever order the file has them.

    items: any form that `ids.exchange.official` reads (our JSON and Parquet, META ID's .txt, a TokenRec folder, LETTER's index.json);
    users: the second of a pair of META ID files, or None. Items and users that the data lacks are left out. Where an item of the data has
    no name, or a user in a table that names users, fitting is refused with their count.
    """

    items: str
    users: str | None = None

    needs_vectors: ClassVar[bool] = False
    embedder: ClassVar[str | None] = None
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "nothing"

    def __post_init__(self) -> None:
        if not self.items:
            raise ValueError('imported: items is empty, but must be the path of a file of names: set items = "names.json"')

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Read and put in order; `train`, `vectors` and `rng` are not looked at."""
        keyed = official.read(self.items if self.users is None else (self.items, self.users))
        return keyed.aligned(catalog, self.items)
