"""Thirty films with genres and years, forty people who walk through those of their own parity."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Split
from llmrec.lm.dialogue.generator import Generator
from tests.lm import world

N_USERS, N_ITEMS = 40, 30
GENRES = ("Comedy", "Horror", "Sci-Fi", "Romance")
TITLES = [
    "Alien", "Aliens", "The Godfather", "The Godfather: Part II", "A Bug's Life", "Dune", "Emma", "Fargo", "Gigi", "Heat", "Ida", "Jaws",
    "Kolya", "Laura", "Mother", "Notorious", "Once", "Patton", "Quiz Show", "Rope", "Se7en (Seven)", "Tron", "Up", "Vertigo", "Wings",
    "Zulu", "Good, Bad and Ugly", "Emma and Ida", "M*A*S*H", "Yes: No, or Why",
]  # fmt: skip


def catalog() -> Catalog:
    plain = world.catalog(N_USERS, TITLES)
    genres = [[GENRES[i % 4], *([GENRES[(i // 4 + 1) % 4]] if i % 3 and (i // 4 + 1) % 4 != i % 4 else [])] for i in range(N_ITEMS)]
    years = [None if i == 7 else 1960 + (7 * i) % 40 for i in range(N_ITEMS)]
    return Catalog(plain.users, plain.items.assign(genres=pd.Series(genres), year=pd.array(years, dtype="Int64")))


def split() -> Split:
    return world.split(N_USERS, N_ITEMS)


def generator() -> Generator:
    return Generator(split().train, catalog())


def rows(n: int, seed: int = 0) -> list[int]:
    """Some interactions of train."""
    out: list[int] = np.random.default_rng(seed).integers(len(split().train), size=n).tolist()
    return out
