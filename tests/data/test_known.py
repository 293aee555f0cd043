"""The data sets that papers report on: found where they belong, read whole, and read again when a file is edited."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmrec import home, recipe
from llmrec.data.files import BadData
from llmrec.data.known import Beauty, LastFm, MovieLens1M
from llmrec.runs import stages


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of data sets, with nothing in it."""
    monkeypatch.setenv("LLMREC_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def test_the_folder_of_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LLMREC_DATA", raising=False)
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "kept"))
    assert home.data() == tmp_path / "kept" / "data"
    monkeypatch.setenv("LLMREC_DATA", str(tmp_path / "mine"))
    assert home.data() == tmp_path / "mine"


def test_lastfm(folder: Path) -> None:
    file = put(folder / "tokenrec-lastfm" / "test.txt", "0 7 8 9\n1 8 7\n")
    data = LastFm().load()
    assert data.name == "lastfm" and LastFm().files() == (file,)
    keys = data.catalog.item_keys
    assert [[keys[i] for i in data.interactions.history(u)] for u in range(2)] == [["7", "8", "9"], ["8", "7"]]


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(("name", "reader", "place"), [("beauty", Beauty, "amazon-beauty"), ("ml-1m", MovieLens1M, "movielens-1m")])
def test_tables(folder: Path, name: str, reader: Any, place: str, ending: str) -> None:
    put(folder / place / f"interactions.csv{ending}", "user,item,timestamp\nann,2,30\nann,1,10\nbob,1,20\n")
    put(folder / place / f"items.csv{ending}", 'item,title\n1,"Soap, green"\n2,Oil\n')
    data = reader().load()
    assert data.name == name and data.catalog.user_keys == ["ann", "bob"]
    assert [data.catalog.titles[i] for i in data.interactions.history(0)] == ["Soap, green", "Oil"]
    by_path = reader(path=str(folder / place)).load()  # the folder itself
    assert by_path.catalog.titles == data.catalog.titles
    other = {Beauty: MovieLens1M, MovieLens1M: Beauty}[reader]
    with pytest.raises(BadData, match="is not there"):
        other(path=str(folder / place)).load()  # never another data set under this name


def test_movielens_as_grouplens_ships_it_is_cut_to_its_core(folder: Path) -> None:
    """Six people rate the same five films; a seventh and a sixth film are outside the 5-core."""
    lines = [f"{u}::{i}::4::{978300000 + u * 10 + i}" for u in range(1, 7) for i in range(1, 6)] + [
        "7::6::4::978300999",
        "1::6::4::978301999",
    ]
    put(folder / "ml-1m" / "ratings.dat", "\n".join(lines) + "\n")
    put(folder / "ml-1m" / "movies.dat", "".join(f"{i}::Film {i} (199{i})::Drama|War\n" for i in range(1, 7)))
    put(folder / "ml-1m" / "users.dat", "".join(f"{u}::F::25::4::12345\n" for u in range(1, 8)))
    data = MovieLens1M().load()
    assert (data.name, data.interactions.n_users, data.interactions.n_items, len(data.interactions)) == ("ml-1m", 6, 5, 30)
    assert [p.name for p in MovieLens1M().files()] == ["ratings.dat", "movies.dat", "users.dat"]
    assert "k-core (user 5, item 5)" in data.notes[-1]


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        (LastFm, r"data set lastfm .* has no tokenrec-lastfm/test.txt. Take data/LastFM/test.txt of the repository Quhaoh233/TokenRec"),
        (MovieLens1M, r"data set ml-1m .* has no ml-1m/ratings.dat.* GroupLens' MovieLens 1M"),
        (Beauty, r"data set beauty .* has no amazon-beauty/interactions.csv .*Tiny-Snow/GenRec-Datasets.*user,item,timestamp"),
    ],
)
def test_what_is_not_there_is_told_with_its_source(folder: Path, reader: Any, told: str) -> None:
    put(folder / "amazon-beauty" / "items.csv", "item,title\n1,Soap\n")  # half of a data set is none
    with pytest.raises(BadData, match=told) as error:
        reader().load()
    assert str(folder) in str(error.value) and "LLMREC_DATA" in str(error.value)
    with pytest.raises(BadData, match="correct path"):
        reader(path=str(folder / "elsewhere")).load()


def test_an_edited_file_is_read_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache goes by the files that are found, not by the settings, which stay the same."""
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "kept"))
    asked = recipe.read({"data": {"name": "lastfm"}, "scheme": {"name": "sid"}})
    file = put(folder / "tokenrec-lastfm" / "test.txt", "0 7 8 9\n")
    before = stages.keys(asked)
    assert len(stages.dataset(asked).interactions) == 3 and stages.keys(asked) == before
    put(file, "0 7 8 9\n1 8\n")
    assert len(stages.dataset(asked).interactions) == 4
    assert all(a != b for a, b in zip(before.values(), stages.keys(asked).values(), strict=True))
    now = stages.keys(asked)
    os.utime(file, ns=(1, 1))  # another file of the same size
    assert stages.keys(asked) != now
    monkeypatch.setenv("LLMREC_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(BadData, match="data set lastfm"):
        stages.keys(asked)


@pytest.mark.parametrize(
    ("name", "reader", "place", "sizes"),
    [
        ("lastfm", LastFm, "tokenrec-lastfm", (1090, 3646, 52_551)),
        ("ml-1m", MovieLens1M, "movielens-1m", (6040, 3416, 999_611)),
        ("beauty", Beauty, "amazon-beauty", (22_332, 12_086, 198_215)),
    ],
)
def test_the_real_ones_have_the_published_sizes(
    name: str, reader: Any, place: str, sizes: tuple[int, ...], shared_data: Callable[[str], Path]
) -> None:
    data = reader(path=str(shared_data(place).parent)).load()
    taken = data.interactions
    assert (data.name, taken.n_users, taken.n_items, len(taken)) == (name, *sizes)
