"""Tables of one's own: what loads, and the one sentence that refuses the rest."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from llmrec.data.files import BadData
from llmrec.data.sequences import SequenceFile
from llmrec.data.tabular import TableFile

GOOD = "user,item,timestamp,rating\na,x,3,5\na,y,1,4\nb,x,2,3\n"


def write(folder: Path, text: str | bytes, name: str = "mine.csv") -> str:
    path = folder / name
    body = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return str(path)


@pytest.mark.parametrize("name", ["mine.csv", "mine.csv.gz", "mine.tsv", "mine.txt.gz", "mine.parquet"])
def test_every_kind_of_table_says_the_same(tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        path = str(tmp_path / name)
        pd.DataFrame({"user": ["a", "a", "b"], "item": ["x", "y", "x"], "timestamp": [3, 1, 2], "rating": [5.0, 4, 3]}).to_parquet(path)
    else:
        path = write(tmp_path, GOOD.replace(",", "\t") if "tsv" in name or "txt" in name else GOOD, name)
    data = TableFile(path).load()
    assert data.name == "mine" and data.notes == ()
    assert data.catalog.user_keys == ["a", "b"] and data.catalog.item_keys == ["x", "y"] and data.catalog.titles == ["x", "y"]
    assert data.interactions.history(0).tolist() == [1, 0] and data.interactions.times(0).tolist() == [1, 3]
    assert data.interactions.rating is not None and data.interactions.rating.tolist() == [4, 5, 3]


def test_the_catalogue_gives_titles_years_genres_and_order(tmp_path: Path) -> None:
    items = 'item,title,genres,maker\ny,"Godfather, The (1972)",Crime|Drama,Q\nx,<b>X</b>\x07,,R\nz,Zed,Drama,S\n'
    data = TableFile(write(tmp_path, GOOD), items_path=write(tmp_path, items, "items.csv")).load()
    frame = data.catalog.items
    assert list(frame["key"]) == ["y", "x"] and list(frame["title"]) == ["The Godfather", "<b>X</b>"]
    assert frame["year"].iloc[0] == 1972 and pd.isna(frame["year"].iloc[1])
    assert list(frame["genres"]) == [["Crime", "Drama"], []] and list(frame["maker"]) == ["Q", "R"]
    assert data.interactions.history(0).tolist() == [0, 1]
    assert "control characters were taken out of 1 titles" in data.notes[0]
    assert "1 items of the catalogue have no interaction" in data.notes[1]


def test_items_nobody_described_are_called_by_their_id(tmp_path: Path) -> None:
    data = TableFile(write(tmp_path, GOOD), items_path=write(tmp_path, "item,title\nx,Ex\n", "items.csv")).load()
    assert data.catalog.titles == ["Ex", "y"] and "1 items are missing in the catalogue (first: y)" in data.notes[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("who,item,time\na,x,1\n", r"mine\.csv has no column that is clearly the user \(it has who, item, time\); name it with user="),
        ("user,item,uid,time\na,x,1,1\n", r"mine\.csv has several columns that may be the user: user, uid; choose one with user="),
        ("user,item,time\na,x,1\nb,y,soon\n", r"mine\.csv, line 3, column 'time': 'soon' is not a number; correct the cell"),
        ("user,item,time\na,x,1\nb,y,\n", r"mine\.csv, line 3, column 'time': '' is not a number"),
        ("user,item,time\na,x,1\nb,y,inf\n", r"mine\.csv, line 3, column 'time': 'inf' is not a number"),
        ("user,item,time\na,x,1\n\n,y,2\n", r"mine\.csv, line 4, column 'user': an empty id"),
        ("user,item,time\na,x,1\nb,NaN,2\n", r"mine\.csv, line 3, column 'item': an empty id \('NaN'\); delete the row or give it an id"),
        ('user,item,note,time\na,x,"two\nlines",1\nb,,n,2\n', r"mine\.csv, line 4, column 'item': an empty id"),
        ("user,item,time\n1,x,1\n1.0,y,2\n", r"mine\.csv, line 3, column 'user': the id '1\.0' stands beside '1'; spell one id one way"),
        ("user,item,time\na,x,1\nb,y\n", r"mine\.csv, line 3: 2 fields where the others have 3"),
        ("user,item,time\na,x,1\nb,y,2,3\n", r"mine\.csv, line 3: 4 fields where the others have 3"),
        ("user,item,time\na,x,1e30\n", r"mine\.csv, line 2, column 'time': the time '1e30' is too large"),
        ("user,item,date\na,x,2020-01-01\na,y,2020-13-01\n", r"mine\.csv, line 3, column 'date': '2020-13-01' is not a date"),
        ("user,user,item\na,b,x\n", r"mine\.csv, line 1: two columns are called 'user'"),
        ("user,item,time\n", r"mine\.csv holds a header and no rows"),
        ("", r"mine\.csv is empty"),
        ('user,item,time\na,"x,1\n', r"mine\.csv.*(quote|fields)"),
        (b"user,item,time\na,x,1\nb,caf\xe9,2\n", r"mine\.csv, line 3: byte 0xe9 at position 26 is not utf-8; pass .*encoding=latin-1"),
        ("user,item\na,x\n".encode("utf-16"), r"mine\.csv is UTF-16 text; pass encoding=utf-16"),
        (b"user,item\na,\x00\n", r"mine\.csv, line 2: a zero byte"),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_place(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(BadData, match=told) as error:
        TableFile(write(tmp_path, text)).load()
    assert "\n" not in str(error.value)


def test_the_right_encoding_reads_it(tmp_path: Path) -> None:
    assert TableFile(write(tmp_path, b"user,item\na,caf\xe9\n"), encoding="latin-1").load().catalog.item_keys == ["café"]
    assert TableFile(write(tmp_path, "user,item\na,é\n".encode("utf-16")), encoding="utf-16").load().catalog.item_keys == ["é"]
    assert TableFile(write(tmp_path, b"\xef\xbb\xbfuser,item\na,x\n")).load().catalog.user_keys == ["a"]
    with pytest.raises(BadData, match="encoding 'utf-9' is unknown"):
        TableFile(write(tmp_path, GOOD), encoding="utf-9").load()


@pytest.mark.parametrize("name", ["mine.csv", "mine.csv.gz"])
def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "user,item\n" + "a,x\n" * 1_000_000, name)
    assert name == "mine.csv" or Path(path).stat().st_size < 100_000  # packed, it looks harmless
    monkeypatch.setenv("LLMREC_MAX_BYTES", "2000000")
    with pytest.raises(BadData, match=r"larger than 2 MB unpacked; cut it down .* LLMREC_MAX_BYTES"):
        TableFile(path).load()


def test_two_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as hollow:
        hollow.truncate(2_000_000_000)
    with pytest.raises(BadData, match=r"huge\.csv is larger than 1,000 MB"):
        TableFile(str(path)).load()


def test_broken_containers_are_refused(tmp_path: Path) -> None:
    half = gzip.compress(GOOD.encode() * 100)[:-20]
    (tmp_path / "half.csv.gz").write_bytes(half)
    (tmp_path / "no.parquet").write_bytes(b"PAR1 not really")
    for name, told in (
        ("half.csv.gz", "not a whole gzip"),
        ("no.parquet", "no readable Parquet"),
        ("no.csv", "does not exist"),
        ("a.xlsx", "a spreadsheet; .*save the sheet as CSV"),
    ):
        with pytest.raises(BadData, match=told):
            TableFile(str(tmp_path / name)).load()


def test_parquet_types_are_taken_as_they_are_and_checked(tmp_path: Path) -> None:
    path = str(tmp_path / "mine.parquet")
    when = pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-03"])
    pd.DataFrame({"user": [1.0, 1.0, 2.0], "item": [10, 11, 10], "date": when}).to_parquet(path)
    data = TableFile(path).load()
    assert data.catalog.user_keys == ["1", "2"] and data.catalog.item_keys == ["10", "11"]
    assert data.interactions.times(0).tolist() == [1577836800, 1577923200]
    pd.DataFrame({"user": ["a", None], "item": [1, 2]}).to_parquet(path)
    with pytest.raises(BadData, match=r"mine\.parquet, row 2, column 'user': an empty id"):
        TableFile(path).load()


def test_duplicates_are_counted_and_repeats_are_a_choice(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,time\na,x,5\na,y,6\na,x,5\na,x,9\na,z,7\n")
    data = TableFile(path).load()
    assert data.notes == (
        "1 exact duplicate rows were dropped",
        "1 repeats of a user and item at another time were dropped, the first was kept",
    )
    assert [data.catalog.item_keys[i] for i in data.interactions.history(0)] == ["x", "y", "z"]
    last = TableFile(path, repeats="last").load()
    assert [last.catalog.item_keys[i] for i in last.interactions.history(0)] == ["y", "z", "x"]
    assert len(TableFile(path, repeats="all").load().interactions) == 4
    with pytest.raises(ValueError, match="repeats is 'some'"):
        TableFile(path, repeats="some")  # type: ignore[arg-type]


def test_strange_times_are_counted(tmp_path: Path) -> None:
    notes = TableFile(write(tmp_path, "user,item,time\na,x,-5\na,y,1.5\na,z,1.25\na,w,99999999999\n")).load()
    assert [notes.catalog.item_keys[i] for i in notes.interactions.history(0)] == ["x", "z", "y", "w"]  # fractions tell an order
    assert "1 times lie before 1970" in notes.notes[0] and "1 times lie after the year 2200" in notes.notes[1]
    millis = TableFile(write(tmp_path, "user,item,time\na,x,1600000000000\na,y,1600000000001\n")).load()
    assert "not in seconds" in millis.notes[0]
    dates = TableFile(write(tmp_path, "user,item,date\na,x,2020-01-01T00:00:01\na,y,2020-01-01T00:00:00Z\n")).load()
    assert dates.interactions.times(0).tolist() == [1577836800, 1577836801]


def test_without_times_the_file_tells_the_order(tmp_path: Path) -> None:
    data = TableFile(write(tmp_path, "user;item\na;z\nb;x\na;y\n")).load()
    assert [data.catalog.item_keys[i] for i in data.interactions.history(0)] == ["z", "y"] and "no column of times" in data.notes[0]


def test_named_columns_win_and_wrong_names_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "who,what,uid,title\na,x,9,Alien (1979)\n")
    data = TableFile(path, user="who", item="what").load()
    assert data.catalog.user_keys == ["a"] and data.catalog.titles == ["Alien"] and data.catalog.items["year"].tolist() == [1979]
    with pytest.raises(BadData, match=r"no column 'wat' \(it has who, what, uid, title\); name the right one with item="):
        TableFile(path, item="wat").load()


def test_ids_stay_text_and_point_zero_goes(tmp_path: Path) -> None:
    data = TableFile(write(tmp_path, "user,item\n007,1.0\n7,2.0\n 7 ,3\n")).load()
    assert data.catalog.user_keys == ["007", "7"] and data.catalog.item_keys == ["1", "2", "3"]
    assert "2 ids of column 'item' looked like 1.0" in data.notes[0]
    assert TableFile(write(tmp_path, "user,item\na,1.0\na,v2\n")).load().catalog.item_keys == ["1.0", "v2"]


def test_sequences_read_line_by_line(tmp_path: Path) -> None:
    titles = write(tmp_path, "x The Ex\nz Zed, A\n", "titles.txt")
    data = SequenceFile(write(tmp_path, "u2 z y x\n\nu1 x\nu3\nu4 y y\n", "seq.txt"), titles).load()
    assert data.catalog.user_keys == ["u2", "u1", "u4"]
    assert [data.catalog.item_keys[i] for i in data.interactions.history(0)] == ["z", "y", "x"]
    assert dict(zip(data.catalog.item_keys, data.catalog.titles, strict=True)) == {"x": "The Ex", "z": "A Zed", "y": "y"}
    assert "1 users have no item" in data.notes[0] and any("1 repeats" in n for n in data.notes)
    with pytest.raises(BadData, match=r"seq\.txt, line 3, column 1: the user 'u' has a line already \(line 1\)"):
        SequenceFile(write(tmp_path, "u x\nv x\nu y\n", "seq.txt")).load()
    with pytest.raises(BadData, match="holds no interactions"):
        SequenceFile(write(tmp_path, "u\nv\n", "seq.txt")).load()


@pytest.mark.parametrize(
    ("name", "counts"),
    [("movielens-1m", (6040, 3416, 999611)), ("amazon-beauty", (22332, 12086, 198215))],
)
def test_evaluation_tables_have_their_published_sizes(shared_data: Callable[[str], Path], name: str, counts: tuple[int, int, int]) -> None:
    folder = shared_data(name)
    items = next(folder.glob("items.csv*"))
    data = TableFile(str(folder / "interactions.csv.gz"), items_path=str(items)).load()
    assert (data.interactions.n_users, data.interactions.n_items, len(data.interactions)) == counts and data.name == name


@pytest.mark.parametrize(
    ("file", "titles", "counts"),
    [
        ("tokenrec-lastfm/test.txt", None, (1090, 3646, 52551)),
        ("metaid-beauty/user_sequence.txt", "metaid-beauty/item_labels.txt", (22363, 12101, 198502)),
    ],
)
def test_evaluation_sequences_have_their_published_sizes(
    shared_data: Callable[[str], Path], file: str, titles: str | None, counts: tuple[int, int, int]
) -> None:
    data = SequenceFile(str(shared_data(file)), None if titles is None else str(shared_data(titles))).load()
    assert (data.interactions.n_users, data.interactions.n_items, len(data.interactions)) == counts and data.notes == ()
