"""Six films, three people: small enough to explain by hand. A tiny model over it for the tests of the tasks in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Interactions
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.tasks.words import Speaker
from llmrec.recommend.language import LanguageRecommender
from tests.lm import world

TITLES = ["Alien", "Aliens", "Beauty and the Beast", "Clue", "Dune", "Emma"]
GENRES = [["Horror", "Sci-Fi"], ["Action", "Sci-Fi"], ["Animation", "Romance"], ["Comedy"], ["Sci-Fi"], ["Romance"]]
YEARS = [1979, 1986, 1991, 1985, 1984, None]
CATALOG = Catalog(
    pd.DataFrame({"key": ["ann", "bob", "cat"]}),
    pd.DataFrame({"key": list("abcdef"), "title": TITLES, "genres": GENRES, "year": pd.array(YEARS, dtype="Int64")}),
)
BARE = Catalog(CATALOG.users, CATALOG.items[["key", "title"]])
#        ann: Alien, Clue, Aliens, Dune; bob: Alien, Dune, Aliens; cat: Beauty and the Beast, Emma, Dune
TAKEN = [(0, 0), (0, 3), (0, 1), (0, 4), (1, 0), (1, 4), (1, 1), (2, 2), (2, 5), (2, 4)]
RATED = [5.0, 1.0, 4.0, 3.0, 5.0, 2.0, 4.0, 3.0, 3.0, 1.0]


def train(text: list[str] | None = None) -> Interactions:
    user, item = (np.asarray(c, dtype=np.int32) for c in zip(*TAKEN, strict=True))
    time = np.arange(len(TAKEN), dtype=np.int64)
    said = None if text is None else np.asarray(text, dtype=object)
    return Interactions(user, item, time, 3, 6, np.asarray(RATED, dtype=np.float32), said)


def recommender(lm: LanguageModel, table: world.IdTable) -> LanguageRecommender:
    return LanguageRecommender(lm, table, Trie())


def speaker(lm: LanguageModel, table: world.IdTable) -> Speaker:
    return Speaker(lm.vocab, lm.vocab.names(table.items), table)


def titled() -> world.IdTable:
    """Films named by their titles, of which one holds " and ", and one is the beginning of another."""
    return world.text_table(TITLES)
