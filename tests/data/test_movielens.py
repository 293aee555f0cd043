"""MovieLens: golden facts of 100K, and GroupLens's own folders in small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Dataset
from llmrec.data.files import BadData
from llmrec.data.movielens import MovieLensFolder
from llmrec.data.recbole import RecBoleFolder
from llmrec.data.split import LeaveOneOut
from llmrec.fetch import fetch


def test_the_golden_counts(ml100k: Dataset) -> None:
    taken = ml100k.interactions
    assert (taken.n_users, taken.n_items, len(taken)) == (943, 1682, 100_000) and ml100k.notes == ()
    assert ml100k.catalog.user_keys == [str(u) for u in range(1, 944)] and ml100k.catalog.item_keys == [str(i) for i in range(1, 1683)]


def test_titles_years_genres_and_people(ml100k: Dataset) -> None:
    items, users = ml100k.catalog.items, ml100k.catalog.users
    film = {k: items.iloc[i] for k, i in ml100k.catalog.item_of_key.items()}
    assert (film["127"]["title"], film["127"]["year"]) == ("The Godfather", 1972)
    assert film["543"]["title"] == "Les Misérables"
    assert film["1"]["genres"] == ["Animation", "Children's", "Comedy"] and "Film-Noir" in film["89"]["genres"]
    assert film["267"]["title"] == "unknown" and pd.isna(film["267"]["year"]) and film["267"]["genres"] == []
    assert (film["1412"]["title"], film["1412"]["year"]) == ("Land Before Time III: The Time of the Great Giving", 1995)
    assert items["year"].isna().sum() == 1 and len({g for row in items["genres"] for g in row}) == 18
    assert users.iloc[0][["age", "gender", "occupation"]].tolist() == [24, "M", "technician"]


def test_leave_one_out_keeps_file_order_in_ties(ml100k: Dataset) -> None:
    """Against plain Python over the raw file: a stable sort by time alone, per user."""
    lines = (fetch("ml-100k") / "ml-100k.inter").read_text().splitlines()[1:]
    by_user: dict[str, list[tuple[int, str]]] = {}
    for line in lines:
        user, item, _, time = line.split("\t")
        by_user.setdefault(user, []).append((int(time), item))
    split = LeaveOneOut().split(ml100k.interactions, np.random.default_rng(0))
    tied = 0
    for u, key in enumerate(ml100k.catalog.user_keys):
        rows = sorted(by_user[key], key=lambda row: row[0])
        tied += rows[-1][0] == rows[-2][0]
        expected = [int(item) - 1 for _, item in rows]
        assert split.test.history(u).tolist() == expected[-1:] and split.valid.history(u).tolist() == expected[-2:-1]
        assert split.train.history(u).tolist() == expected[:-2]
    assert tied > 100  # else this test would say nothing about ties


def folder_100k(folder: Path) -> None:
    (folder / "u.data").write_text("1\t10\t5\t200\n1\t20\t3\t100\n2\t10\t4\t50\n")
    genres = ["0"] * 19
    drama = "|".join("1" if i in (8, 10) else "0" for i in range(19))
    body = f"10|Enfer, L' (1994)|01-Jan-1995||http://x|{drama}\n20|Caf\xe9||||{'|'.join(['1', *genres[1:]])}\n"
    (folder / "u.item").write_bytes(body.encode("latin-1"))
    (folder / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")


def folder_1m(folder: Path) -> None:
    (folder / "ratings.dat").write_text("1::10::5::200\n1::20::3::100\n2::10::4::50\n")
    (folder / "movies.dat").write_bytes("10::Enfer, L' (1994)::Drama|Film-Noir\n20::Caf\xe9::(no genres listed)\n".encode("latin-1"))
    (folder / "users.dat").write_text("1::M::24::17::85711\n2::F::53::0::94043\n")


def folder_latest(folder: Path) -> None:
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,10,5.0,200\n1,20,3.0,100\n2,10,4.0,50\n")
    (folder / "movies.csv").write_text(
        'movieId,title,genres\n10,"Enfer, L\' (1994)",Drama|Film-Noir\n20,Café,(no genres listed)\n30,"He said ""no""",Drama\n'
    )


@pytest.mark.parametrize("lay_out", [folder_100k, folder_1m, folder_latest])
def test_grouplens_folders_say_the_same(tmp_path: Path, lay_out: object) -> None:
    lay_out(tmp_path)  # type: ignore[operator]
    data = MovieLensFolder(str(tmp_path)).load()
    items = data.catalog.items
    assert data.catalog.item_keys == ["10", "20"] and data.catalog.titles == ["L'Enfer", "Café"]
    assert items["year"].iloc[0] == 1994 and pd.isna(items["year"].iloc[1])
    assert list(items["genres"]) == [["Drama", "Film-Noir"], []]
    assert data.interactions.history(0).tolist() == [1, 0] and data.interactions.rating is not None
    assert data.interactions.rating.tolist() == [3, 5, 4]
    if lay_out is not folder_latest:
        people = data.catalog.users
        assert people["age"].tolist() == [24, 53] and people["occupation"].tolist() == ["technician", "other"]
    else:
        assert data.notes == ("1 items of the catalogue have no interaction and are left out",)


def test_wrong_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"holds none of u\.data, ratings\.dat and ratings\.csv"):
        MovieLensFolder(str(tmp_path)).load()
    folder_100k(tmp_path)
    (tmp_path / "u.data").write_text("1\t10\t5\t200\n1\t20\tfive\t100\n")
    with pytest.raises(BadData, match=r"u\.data, line 2, column 'rating': 'five' is not a number"):
        MovieLensFolder(str(tmp_path)).load()
    (tmp_path / "u.data").write_text("1\t10\t5\t200\n")
    (tmp_path / "u.item").unlink()
    with pytest.raises(BadData, match=r"u\.item does not exist"):
        MovieLensFolder(str(tmp_path)).load()
    (tmp_path / "u.data").unlink()
    folder_latest(tmp_path)
    (tmp_path / "ratings.csv").write_text("user,movieId,rating,timestamp\n1,10,5.0,200\n")
    with pytest.raises(BadData, match=r"ratings\.csv has no column 'userId'"):
        MovieLensFolder(str(tmp_path)).load()


def atomic(folder: Path, inter: str, item: str | None = None, user: str | None = None) -> str:
    for ending, text in (("inter", inter), ("item", item), ("user", user)):
        if text is not None:
            (folder / f"mine.{ending}").write_text(text)
    return str(folder)


def test_recbole_types_decide_what_a_column_becomes(tmp_path: Path) -> None:
    path = atomic(
        tmp_path,
        "user_id:token\titem_id:token\ttimestamp:float\nb\tx\t2\nb\ty\t1\n",
        "item_id:token\ttitle:token_seq\tprice:float\tcategories:token_seq\tbox:float_seq\n"
        'y\tA "quote, The\t1.5\ta b\t1 2\nx\tEx (1990)\t2\t\t\n',
    )
    data = RecBoleFolder(path).load()
    items = data.catalog.items
    assert data.name == "mine" and data.catalog.titles == ['The A "quote', "Ex"] and items["price"].tolist() == [1.5, 2.0]
    assert list(items["genres"]) == [["a", "b"], []] and list(items["box"]) == [["1", "2"], []] and items["year"].iloc[1] == 1990
    assert data.interactions.history(0).tolist() == [0, 1] and data.interactions.rating is None


@pytest.mark.parametrize(
    ("inter", "item", "told"),
    [
        ("user_id\titem_id:token\na\tx\n", None, r"mine\.inter, line 1: the header 'user_id' has no type; write it as name:type"),
        ("user_id:token\titem_id:string\na\tx\n", None, r"the header 'item_id:string' has no type"),
        ("user_id:token\tartist_id:token\na\tx\n", None, r"mine\.inter has no column 'item_id' \(it has user_id, artist_id\).*item="),
        ("user_id:token\titem_id:token\na\tx\nb\n", None, r"mine\.inter, line 3: 1 fields where the others have 2"),
        ("user_id:token\titem_id:token\trating:float\na\tx\tgood\n", None, r"mine\.inter, line 2, column 'rating': 'good' is not a number"),
        (
            "user_id:token\titem_id:token\na\tx\n",
            "item_id:token\tname:token\nx\tA\nx\tB\n",
            r"mine\.item, line 3, .*'x' stands here a second",
        ),
        ("user_id:token\titem_id:token\na\tx\n", "id:token\nx\n", r"mine\.item has no column 'item_id' \(it has id\)"),
    ],
)
def test_bad_atomic_files_are_one_sentence(tmp_path: Path, inter: str, item: str | None, told: str) -> None:
    with pytest.raises(BadData, match=told):
        RecBoleFolder(atomic(tmp_path, inter, item)).load()


def test_a_folder_without_one_inter_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"holds 0 files \*\.inter"):
        RecBoleFolder(str(tmp_path)).load()
