"""Data sets that the papers report on, by name: LastFM, MovieLens-1M and Amazon Beauty, out of files that a person puts into one folder.

Where it stands: readers of stage 1, over `sequences`, `tabular` and `movielens`. What it does not know: how files travel; none of these
may be redistributed, so none is fetched. Each error says which public file to take and where to put it.

The folder is $LLMREC_DATA, else `data` in the folder of everything kept (`llmrec.home`). A reader with `files()` tells the cache what it
reads, so that an edited file is read again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from llmrec import home
from llmrec.contracts import Dataset
from llmrec.data.admit import BadData
from llmrec.data.filter import KCore
from llmrec.data.movielens import MovieLensFolder
from llmrec.data.sequences import SequenceFile
from llmrec.data.tabular import TableFile

CORE = 5  # interactions that every user and item has in the files of these papers
TABLES = "user2item.pkl as interactions.csv (columns user,item,timestamp; a row per item) and item2title.pkl as items.csv (item,title)"


@dataclass(frozen=True)
class LastFm:
    """TokenRec's LastFM: 1,090 people, 3,646 artists, 52,551 plays; no times (the place in a line is the order), no titles.

    path: the folder to look in; None: $LLMREC_DATA. There: tokenrec-lastfm/test.txt, a line per user, the last item included.
    """

    path: str | None = None

    def files(self) -> tuple[Path, ...]:
        """What is read. Raises `BadData` where it is not there."""
        found = _find(self.path, "tokenrec-lastfm", "test.txt")
        if found is None:
            raise _missing("lastfm", self.path, "tokenrec-lastfm/test.txt", "data/LastFM/test.txt of the repository Quhaoh233/TokenRec")
        return found

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        return replace(SequenceFile(str(self.files()[0])).load(), name="lastfm")


@dataclass(frozen=True)
class MovieLens1M:
    """MovieLens-1M, 5-core: 6,040 people, 3,416 films, 999,611 ratings taken as interactions.

    path: the folder to look in; None: $LLMREC_DATA. There: movielens-1m/interactions.csv and items.csv (each may be packed as .gz), or
    GroupLens' own folder ml-1m, which is cut down to its 5-core; the two may differ in the order of ratings of one second.
    """

    path: str | None = None

    def files(self) -> tuple[Path, ...]:
        """What is read. Raises `BadData` where it is not there."""
        own = _find(self.path, "ml-1m", "ratings.dat", "movies.dat")
        found = _find(self.path, "movielens-1m", "interactions.csv", "items.csv") or own
        if found is None:
            where = "ml-1m/ratings.dat, movies.dat and users.dat"
            raise _missing("ml-1m", self.path, where, "the folder ml-1m of GroupLens' MovieLens 1M (ml-1m.zip, unpacked)")
        people = found[0].with_name("users.dat")
        return (*found, people) if found is own and people.is_file() else found

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        first, second, *_ = self.files()
        if first.suffix == ".dat":
            return replace(KCore(CORE, CORE).apply(MovieLensFolder(str(first.parent)).load()), name="ml-1m")
        return replace(TableFile(str(first), items_path=str(second)).load(), name="ml-1m")


@dataclass(frozen=True)
class Beauty:
    """Amazon 2014 Beauty, 5-core: 22,332 people, 12,086 products, 198,215 reviews taken as interactions; titles.

    path: the folder to look in; None: $LLMREC_DATA. There: amazon-beauty/interactions.csv and items.csv (each may be packed as .gz).
    """

    path: str | None = None

    def files(self) -> tuple[Path, ...]:
        """What is read. Raises `BadData` where it is not there."""
        found = _find(self.path, "amazon-beauty", "interactions.csv", "items.csv")
        if found is None:
            where = "amazon-beauty/interactions.csv and items.csv"
            raise _missing("beauty", self.path, where, f"Amazon-2014-Beauty of the repository Tiny-Snow/GenRec-Datasets: {TABLES}")
        return found

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        first, second = self.files()
        return replace(TableFile(str(first), items_path=str(second)).load(), name="beauty")


def _root(path: str | None) -> Path:
    return home.data() if path is None else Path(path).expanduser()


def _find(path: str | None, folder: str, *names: str) -> tuple[Path, ...] | None:
    """These files in `folder` of the root, or in the root where it is called so; tables packed or not. None unless all are there."""
    root = _root(path)
    for place in (root / folder, *([root] if root.name == folder else [])):
        found = [
            next((p for p in (place / name, place / f"{name}.gz") if p.is_file() and p.suffixes != [".dat", ".gz"]), None) for name in names
        ]
        whole = tuple(p for p in found if p is not None)
        if len(whole) == len(names):
            return whole
    return None


def _missing(name: str, path: str | None, where: str, source: str) -> BadData:
    root = _root(path)
    told = "path = ... or LLMREC_DATA names another folder" if path is None else "correct path, or leave it out to look in LLMREC_DATA"
    return BadData(f"the data set {name} is not there: {root} has no {where}. Take {source}, and put it there ({told})")
