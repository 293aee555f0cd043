"""TokenRec: codes of a masked vector quantizer, one quantizer for users and one for items.

Where it stands: stage 3, after LightGCN. What it does not know: where the vectors came from, how the quantizer learns, language models.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from llmrec import progress
from llmrec.contracts import Book, Catalog, Floats, IdTable, Interactions, Names, Quantizer, Vectors
from llmrec.ids.vq import directions
from llmrec.ids.vq.masked import MaskedVq
from llmrec.ids.vq.product import ProductKMeans
from llmrec.ids.vq.residual import RqKMeans
from llmrec.ids.vq.rqvae import RqVae

SIDES = {"items": "i", "users": "u"}
ROOT = 4.66  # of n_codes: 512 codes at 12,101 items, the paper's setting for Beauty
LARGEST = 1024
LEARNED_WITH = {  # of the settings below: which of them a quantizer has
    "masked": ("mask", "beta", "hidden", "steps", "batch", "lr"),
    "vq": ("beta", "hidden", "steps", "batch", "lr"),
    "kmeans": (),
    "rqkmeans": (),
    "rqvae": ("beta", "hidden", "steps", "batch", "lr"),
}


@dataclass(frozen=True)
class TokenRec:
    """Names of K Tokens, one of each book: `<i0_3><i1_40><i2_7>` for items, `<u0_9>...` for users.

    n_books: K; n_codes: L, or None for `scaled_codes`, on each side by its own number. mask to lr: as in `MaskedVq`.
    quantizer: "masked" is TokenRec; the others, of the same size and on the same directions, are what its paper compares with. "vq": the
    same nets and books without a mask; "kmeans": k-means on each of K parts of the vector; "rqkmeans": k-means on what the books before
    left over; "rqvae": the same, around trained nets. A setting that the chosen one does not have is refused.
    Names may collide: users or items of almost the same vector have the same codes, and the health report names them. A language model that
    retrieves by vectors is not hurt by it. Whoever has a vector of zeros gets a name too, one that says nothing.
    The table holds both quantizers: newcomers get Tokens that are known already.
    Source: arXiv 2406.10450, the section on the masked vector-quantized tokenizer.
    """

    n_books: int = 3
    n_codes: int | None = None
    mask: float = 0.2
    beta: float = 0.25
    hidden: int = 128
    steps: int = 1500
    batch: int = 512
    lr: float = 0.005
    quantizer: Literal["masked", "vq", "kmeans", "rqkmeans", "rqvae"] = "masked"

    needs_vectors: ClassVar[bool] = True
    embedder: ClassVar[str | None] = "lightgcn"
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "behaviour"

    def __post_init__(self) -> None:
        if self.quantizer not in LEARNED_WITH:
            raise ValueError(f"tokenrec: quantizer is {self.quantizer!r}, but must be one of {', '.join(LEARNED_WITH)}")
        for f in dataclasses.fields(MaskedVq):
            idle = f.name not in ("n_books", "n_codes", *LEARNED_WITH[self.quantizer])
            if idle and getattr(self, f.name) != f.default:
                value = getattr(self, f.name)
                raise ValueError(f"tokenrec: {f.name} is {value}, but quantizer {self.quantizer!r} has no such setting: leave {f.name} out")
        for name in ("n_books", "n_codes", "hidden", "steps", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"tokenrec: {name} is {value}, but must be at least 1: raise it in the recipe")
        if not 0 <= self.mask < 1:
            raise ValueError(f"tokenrec: mask is {self.mask}, but must be a share from 0 to below 1, such as 0.2")
        if self.beta < 0:
            raise ValueError(f"tokenrec: beta is {self.beta}, but must be 0 or more: raise it in the recipe")
        if not self.lr > 0:
            raise ValueError(f"tokenrec: lr is {self.lr}, but must be above 0: raise it in the recipe")

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Learn a quantizer per side and encode everybody. `train` and `catalog` are not looked at: the vectors carry it all."""
        if vectors is None:
            raise ValueError("tokenrec names by vectors and got none: give the recipe an embed stage, such as lightgcn")
        with progress.part(0, 2):
            item_names, of_items = self._name(vectors.items, "items", rng)
        with progress.part(1, 2):
            user_names, of_users = self._name(vectors.users, "users", rng)
        return IdTable("tokenrec", item_names, user_names, item_quantizer=of_items, user_quantizer=of_users)

    def _name(self, rows: Floats, side: str, rng: np.random.Generator) -> tuple[Names, Quantizer]:
        learner = self._learner(len(rows))
        quantizer: Quantizer
        if isinstance(learner, MaskedVq):
            quantizer = learner.fit(rows, rng)
        elif isinstance(learner, ProductKMeans):
            quantizer = directions.learn(learner.fit, rows, rng)
        else:  # one scale, as the masked quantizer has: a spread of its own for each coordinate would give noise the same say
            quantizer = directions.learn(functools.partial(learner.fit, one_scale=True), rows, rng)
        books = tuple(Book(f"{SIDES[side]}{k}_", size) for k, size in enumerate(quantizer.sizes))
        return Names(np.asarray(quantizer.encode(rows), dtype=np.int32), books), quantizer

    def _learner(self, n: int) -> MaskedVq | ProductKMeans | RqKMeans | RqVae:
        """What learns the codes of n rows, with those of the settings that it has."""
        k, size = self.n_books, scaled_codes(n) if self.n_codes is None else self.n_codes
        if self.quantizer == "kmeans":
            return ProductKMeans(k, size)
        if self.quantizer == "rqkmeans":
            return RqKMeans(k, size)
        if self.quantizer == "rqvae":
            return RqVae(k, size, (self.hidden,), beta=self.beta, steps=self.steps, batch=self.batch, rate=self.lr)
        mask = 0.0 if self.quantizer == "vq" else self.mask
        return MaskedVq(k, size, mask, self.beta, self.hidden, self.steps, self.batch, self.lr)


def scaled_codes(n: int) -> int:
    """L for n users or items: a power of two that grows with the root of n, so that rows per code and codes both grow.

    128 at MovieLens-100K's 1,682 items, 256 at LastFM's 3,646 (as released), 512 at Beauty's 12,101, at most 1,024.
    """
    return min(LARGEST, 1 << max(1, math.floor(math.log2(max(1.0, ROOT * math.sqrt(n))))))
