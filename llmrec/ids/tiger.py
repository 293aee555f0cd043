"""TIGER: items named by residual codes of their content, users by a hash of their key.

Where it stands: stage 3, after an embedder that reads the catalogue. What it does not know: where the vectors came from, prompts,
language models.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Book, Catalog, IdTable, Interactions, Ints, Names, Vectors
from llmrec.ids.vq.residual import RqKMeans
from llmrec.ids.vq.rqvae import RqVae


@dataclass(frozen=True)
class Tiger:
    """Items are named by one Token per level, from coarse to fine, and one that tells apart: `<t0_12> <t1_7> <t2_90> <t3_0>`.

    quantizer: "rqvae" trains encoder, books and decoder together; "rqkmeans" clusters the vectors level by level: seconds instead of
    minutes. n_codes: codes per level, or None for `scaled_codes` (Beauty 256 as in the paper, ML-100K 95). latent, steps: of the RQ-VAE.
    The last Token is 0 for an item that has its codes alone and counts on in the order of the catalogue where several share them, so
    names are unique by construction.
    user_tokens: every user is one of so many Tokens, `<h123>`, by a hash of the key; several users share one, as in the paper. 0: users
    have no names.
    The table's item quantizer names an item known by its text alone. Source: arXiv 2305.05065, sections on semantic Ids and on the
    model's user Tokens.
    """

    quantizer: Literal["rqvae", "rqkmeans"] = "rqvae"
    n_levels: int = 3
    n_codes: int | None = None
    user_tokens: int = 2000
    latent: int = 32
    steps: int = 1000

    needs_vectors: ClassVar[bool] = True
    embedder: ClassVar[str | None] = "text"
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "content"

    def __post_init__(self) -> None:
        if self.quantizer not in ("rqvae", "rqkmeans"):
            raise ValueError(f"tiger: quantizer is {self.quantizer!r}, but must be 'rqvae' or 'rqkmeans'")
        for name, least in (("n_levels", 1), ("n_codes", 2), ("user_tokens", 0), ("latent", 1), ("steps", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"tiger: {name} is {value}, but must be at least {least}: raise it in the recipe")

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Quantize the items' vectors, tell apart who shares a name, hash the users. `train` is not looked at."""
        if vectors is None:
            raise ValueError("tiger names by vectors and got none: give the recipe an embed stage, such as text")
        n_codes = scaled_codes(len(vectors.items)) if self.n_codes is None else self.n_codes
        if self.quantizer == "rqvae":
            quantizer = RqVae(self.n_levels, n_codes, latent=self.latent, steps=self.steps).fit(vectors.items, rng)
        else:
            quantizer = RqKMeans(self.n_levels, n_codes).fit(vectors.items, rng)
        codes = quantizer.encode(vectors.items)
        last = told_apart(codes)
        sizes = (*quantizer.sizes, int(last.max()) + 1)
        books = tuple(Book(f"t{level}_", size) for level, size in enumerate(sizes))
        items = Names(np.concatenate([codes, last[:, None]], axis=1), books)
        return IdTable("tiger", items, self._users(catalog.user_keys), item_quantizer=quantizer)

    def _users(self, keys: Sequence[str]) -> Names | None:
        return Names(hashed(keys, self.user_tokens), (Book("h", self.user_tokens),)) if self.user_tokens else None


def scaled_codes(n: int) -> int:
    """Codes per level for n items: the paper's 256 for Beauty's 12,101, less for fewer, with the square root, so that a first code
    stands for more items as there are more, and is one code for ten or twenty where there are few."""
    return max(2, min(256, round(256 * math.sqrt(n / 12_101))))


def told_apart(codes: Ints) -> NDArray[np.int32]:
    """(n,) for each row of codes, how many rows before it are the same."""
    _, group = np.unique(codes, axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    last = np.empty(len(codes), dtype=np.int32)
    last[order] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return last


def hashed(keys: Sequence[str], n: int) -> NDArray[np.int32]:
    """(len(keys), 1) one of n numbers for each key, the same on every machine and in every year (CRC-32, not Python's own hash)."""
    return np.array([zlib.crc32(key.encode()) % n for key in keys], dtype=np.int32).reshape(-1, 1)
