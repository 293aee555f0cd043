"""Title: an item's name is its title in the catalogue. The language model's own words, no new row.

Where it stands: stage 3. What it does not know: behaviour, subwords, users, who stay unnamed.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from llmrec.contracts import Book, Catalog, IdTable, Interactions, Names, Vectors


@dataclass(frozen=True)
class Title:
    """Names such as `Toy Story`, for items only.

    Blanks around a title go and runs of blanks become one. Equal titles are told apart by the year, `Sabrina (1995)`, and what is still
    equal by a number, `Sabrina #2`, in the order of the items. An item without a title is named by its key.
    `Alien` beside `Aliens` is no trouble: where a name begins another, the vocabulary ends names with a mark.
    """

    needs_vectors: ClassVar[bool] = False
    embedder: ClassVar[str | None] = None
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "content"

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Read the catalogue's titles. Neither `train` nor `rng` is looked at."""
        frame = catalog.items
        missing = frame["title"].isna()
        titles = ["" if gone else plain(title) for title, gone in zip(catalog.titles, missing, strict=True)]
        texts = [title or plain(key) or f"#{i}" for i, (title, key) in enumerate(zip(titles, catalog.item_keys, strict=True))]
        years = [None if pd.isna(y) else int(y) for y in frame["year"]] if "year" in frame else [None] * len(texts)
        book = Book("title", len(texts), token=False, texts=tuple(told_apart(texts, years)))
        return IdTable("title", Names(np.arange(len(texts), dtype=np.int32)[:, None], (book,)))


def told_apart(titles: Sequence[str], years: Sequence[int | None]) -> list[str]:
    """The same titles, each now borne once: equal ones get their year where they have one, then `#2`, `#3`, ..."""
    often = Counter(titles)
    dated = [f"{t} ({y})" if often[t] > 1 and y is not None else t for t, y in zip(titles, years, strict=True)]
    taken, out = set(dated), []
    seen: Counter[str] = Counter()
    for text in dated:
        seen[text] += 1
        name, number = text, seen[text]
        while number > 1 and (name := f"{text} #{number}") in taken:  # a film may really be called so
            number += 1
        seen[text] = number
        taken.add(name)
        out.append(name)
    return out


def plain(text: str) -> str:
    """Runs of blanks as one, and one spelling of letters with accents: two titles that look alike are alike."""
    return " ".join(unicodedata.normalize("NFC", text).split())
