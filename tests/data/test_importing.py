"""Files of one's own: recognised, mapped, read, kept whole or not at all; and whatever is wrong leaves the folder of sets as it was."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import stat
import struct
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec import recipe
from llmrec.data import importing, mapping, uploads
from llmrec.data.admit import BadData
from llmrec.data.recognise import recognise
from llmrec.data.uploads import Upload

ROWS = "".join(f"u{u},i{(u + step) % 7},{1_000_000_000 + 100 * step + u},{1 + step % 5}\n" for u in range(8) for step in range(6))
TABLE = "user,item,time,rating\n" + ROWS
TITLES = "item,title,genres\n" + "".join(f"i{n},Film {n} (199{n}),Drama|War\n" for n in range(7))
INTER = "user_id:token\titem_id:token\ttimestamp:float\n" + "".join(
    f"u{u}\ti{(u + s) % 7}\t{1_000_000_000 + s}\n" for u in range(8) for s in range(6)
)
ITEM = "item_id:token\tmovie_title:token_seq\n" + "".join(f"i{n}\tFilm {n}\n" for n in range(7))
RATED = [(u, (u + s) % 7 + 1, 3, 1_000_000_000 + s) for u in range(1, 9) for s in range(6)]
U_ITEM = "".join(f"{n}|Film {n} (1990)|01-Jan-1990||url|{'|'.join(['0'] * 18 + ['1'])}\n" for n in range(1, 8))
DAT_FILMS = "".join(f"{n}::Film {n} (1990)::Drama\n" for n in range(1, 8))
REVIEWS = "".join(json.dumps({"reviewerID": f"u{u}", "asin": f"i{i}", "overall": r, "unixReviewTime": t}) + "\n" for u, i, r, t in RATED)
META = "".join(json.dumps({"asin": f"i{n}", "title": f"Thing {n}"}) + "\n" for n in range(1, 8))
LINES = "".join(f"u{u} " + " ".join(f"i{(u + s) % 7}" for s in range(5 + u % 2)) + "\n" for u in range(8))

Files = dict[str, str | bytes]
GOOD: dict[str, tuple[Files, str, str]] = {
    "csv": ({"my ratings.csv": TABLE}, "table", "i0"),
    "tsv": ({"r.tsv": TABLE.replace(",", "\t")}, "table", "i0"),
    "csv packed": ({"r.csv.gz": gzip.compress(TABLE.encode())}, "table", "i0"),
    "csv with titles": ({"a.csv": TITLES, "b.csv": TABLE}, "table", "Film 0"),
    "semicolons, latin-1 aside": ({"r.csv": TABLE.replace(",", ";")}, "table", "i0"),
    "recbole": ({"x.inter": INTER, "x.item": ITEM, "x.kg": "a"}, "recbole", "Film 0"),
    "movielens 100k": (
        {"u.data": "".join("\t".join(map(str, r)) + "\n" for r in RATED), "u.item": U_ITEM},
        "movielens",
        "Film 1",
    ),
    "movielens 1m": (
        {"ratings.dat": "".join("::".join(map(str, r)) + "\n" for r in RATED), "movies.dat": DAT_FILMS},
        "movielens",
        "Film 1",
    ),
    "movielens latest": (
        {
            "ratings.csv": "userId,movieId,rating,timestamp\n" + "".join(",".join(map(str, r)) + "\n" for r in RATED),
            "movies.csv": "movieId,title,genres\n" + "".join(f"{n},Film {n} (1990),Drama\n" for n in range(1, 8)),
        },
        "movielens",
        "Film 1",
    ),
    "amazon": ({"reviews.json.gz": gzip.compress(REVIEWS.encode()), "meta.json": META}, "amazon", "Thing 1"),
    "histories": ({"seq.txt": LINES}, "sequences", "i0"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def laid(folder: Path, files: Files) -> list[Path]:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return [folder / name for name in files]


def zipped(path: Path, files: Files, inside: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{inside}{name}", content)
    return path


@pytest.mark.parametrize("form", GOOD)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "zip"])
def test_every_format_becomes_a_set_that_reads_as_its_files(tmp_path: Path, home: Path, form: str, packed: bool) -> None:
    files, reader, title = GOOD[form]
    paths = laid(tmp_path / "in", files)
    if packed:
        paths = [zipped(tmp_path / "all.zip", {**files, "README": "hello", "__MACOSX/._x.csv": b"\x00"}, "folder/")]
    folder, found, left, parted = importing.bring(paths, "mine", {"filter": {"user": 2}, "split": {"name": "loo", "min_history": 1}})
    assert found.section["name"] == reader and uploads.names() == ["mine"]
    assert sorted(p.name for p in folder.iterdir()) == sorted([*found.files, "recipe.toml", "source.toml"])
    data = Upload("mine").load()
    assert data.name == "mine" and data.catalog.titles[0] == title
    assert (data.interactions.n_users, data.interactions.n_items) == (8, 7) and len(data.interactions) in (48, 44)
    assert len(parted.test) == 8 and left.interactions.n_users == 8
    plain = tomllib.loads((folder / "recipe.toml").read_text())
    assert plain == {"data": {"name": "upload", "set": "mine"}, "filter": {"user": 2}, "split": {"name": "loo", "min_history": 1}}
    again = recipe.read({**plain, "scheme": {"name": "rid"}})
    assert len(again.data.load().interactions) == len(data.interactions)
    assert str(home) not in (folder / "source.toml").read_text()  # so that the folder can travel


def test_parquet_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pd.DataFrame({"user_id": np.arange(48) // 6, "track_id": np.arange(48) % 7, "ts": np.arange(48)}).to_parquet(tmp_path / "in/t.parquet")
    importing.bring([tmp_path / "in" / "t.parquet"], "tracks", {"split": {"min_history": 1}})
    assert len(Upload("tracks").load().interactions) == 48


def test_columns_are_guessed_by_name_and_by_what_stands_in_them() -> None:
    rows = [("c1", "p1", "2020-01-01", "4", "Alien"), ("c2", "p2", "2020-01-02", "5", "Up")]
    assert mapping.guess(("user_id", "item_id", "timestamp", "rating", "title"), rows) == {
        "user_id": "user",
        "item_id": "item",
        "timestamp": "time",
        "rating": "rating",
        "title": "title",
    }
    assert mapping.guess(("customer_no", "product", "x", "y", "z"), rows) == {
        "customer_no": "user",
        "product": "item",
        "x": "time",
        "y": "rating",
    }
    assert mapping.guess(("a", "b", "c", "d", "e"), [("1", "2", "3", "4", "5")]) == {"a": "rating"}  # no user, no item: a person must say
    assert "user" not in mapping.guess(("userlike_title",), [("x",)], ("title",)).values()


def test_a_mapping_by_hand_is_what_is_read(tmp_path: Path) -> None:
    paths = laid(tmp_path / "in", {"r.csv": TABLE})
    folder = tmp_path / "draft"
    folder.mkdir()
    found, seen = importing.open_files([(p.name, p) for p in paths], folder)
    swapped = mapping.section(found, seen, {"user": "item", "item": "user"})
    data = importing.read(folder, swapped)
    assert (data.interactions.n_users, data.interactions.n_items) == (7, 8)
    assert data.interactions.rating is None and any(
        "order of the file" in note for note in data.notes
    )  # chosen away, though they are there
    for roles, said in (
        ({"user": "user"}, "no column of r.csv is chosen as the item"),
        ({"user": "user", "item": "user"}, "'user' is chosen as the user and the item"),
        ({"user": "nope", "item": "item"}, "has no column 'nope'"),
    ):
        with pytest.raises(BadData, match=said):
            mapping.section(found, seen, roles)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("r.csv", "w") as file:
        for _ in range(60):
            file.write(b"0" * 1_000_000)


def linked(path: Path) -> None:
    info = zipfile.ZipInfo("r.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")


def crowded(path: Path) -> None:
    """An archive whose list of files says that there are 60,000."""
    zipped(path, {"r.csv": TABLE})
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x05\x06")
    raw[at + 8 : at + 12] = struct.pack("<HH", 60_000, 60_000)
    path.write_bytes(bytes(raw))


def locked(path: Path) -> None:
    zipped(path, {"r.csv": TABLE})
    raw = bytearray(path.read_bytes())
    at = raw.find(b"PK\x01\x02")
    raw[at + 8] |= 1
    path.write_bytes(bytes(raw))


def lying(path: Path) -> None:
    """An archive that says its file has ten bytes."""
    bomb(path)
    raw = bytearray(path.read_bytes())
    at = raw.find(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(bytes(raw))


def wild(path: Path) -> None:
    """An archive whose end says that its list of files begins before the file does."""
    zipped(path, {"r.csv": TABLE})
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x05\x06")
    raw[at + 16 : at + 20] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(bytes(raw))


def of(content: str | bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def inside(name: str) -> Callable[[Path], object]:
    return lambda path: zipped(path, {name: TABLE})


BAD_TIME = TABLE.replace("1000000100", "tomorrow", 1)
WRONG: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "wrong encoding": ("r.csv", of((TABLE + "Müller,i1,1,1\n").encode("latin-1")), "r.csv, line 50: byte 0xfc .*encoding=latin-1"),
    "no column for users": ("r.csv", of("a,b\n1,2\n"), "no column that is clearly the user .*it has a, b"),
    "no header": (
        "r.csv",
        of("196,242,3,881250949\n1,2,3,881250949\n"),
        "line 1: 196, 242, 3, 881250949 are no names of columns; add a first",
    ),
    "empty": ("r.csv", of(""), "is empty"),
    "a mark and no lines": ("r.csv", of(b"\xef\xbb\xbf\r\n\n"), "is empty"),
    "a mark and no lines, in UTF-16": ("r.csv", of("\n\n".encode("utf-16")), "is empty"),
    "blanks of another kind": ("r.txt", of("\u00a0\n\u00a0\n"), "is empty"),
    "a header alone": ("r.csv", of("user,item\n"), "a header and no rows"),
    "no number for a time": ("r.csv", of(BAD_TIME), "r.csv, line 3, column 'time': 'tomorrow' is not a number"),
    "a field too many": ("r.csv", of(TABLE + "u1,i1,1,1,1\n"), "line 50: 5 fields where the others have 4"),
    "an id that is missing": ("r.csv", of(TABLE + ",i1,1,1\n"), "line 50, column 'user': an empty id"),
    "a huge cell": ("r.csv", of(TABLE + "u1," + "x" * 1_000_001 + ",1,1\n"), "line 50, column 'item': a text of 1,000,001 bytes"),
    "nobody to ask": ("r.csv", of("user,item\na,x\nb,y\n"), "nobody can be asked about"),
    "a pickle": ("r.csv", of(pickle.dumps({"user": [1]})), "is a pickle, which runs what it says"),
    "a pickle by name": ("r.pkl", of(TABLE), "may hold pickled objects"),
    "a web page": ("r.csv", of("<!DOCTYPE html><script>alert(1)</script>"), "a page of HTML"),
    "a spreadsheet": ("r.xlsx", of(b"PK\x03\x04"), "is an archive or a spreadsheet"),
    "no gzip": ("r.csv.gz", of(TABLE), "not a whole gzip file"),
    "half a gzip": ("r.csv.gz", of(gzip.compress(os.urandom(9_000))[:-5_000]), "not a whole gzip file"),
    "half a parquet": ("r.parquet", of(b"PAR1" + b"x" * 50), "no readable Parquet file"),
    "a picture": ("r.png", of(b"\x89PNG"), "no format that is known; give CSV"),
    "an .item alone": ("x.item", of(ITEM), "give the .inter together"),
    "ratings without titles": ("u.data", of("1\t1\t1\t1\n"), "give u.item"),
    "a list of JSON": ("r.json", of("[" + REVIEWS.replace("\n", ",") + "]"), "no file of JSON lines"),
    "metadata alone": ("m.json", of(META), "0 files of reviews and 1 of products"),
    "a name of HTML": ("<script>.csv", of(TABLE), "rename it"),
    "a name out of here": (".hidden.csv", of(TABLE), "rename it"),
    "a long name": ("x" * 130 + ".csv", of(TABLE), "give it a name of 1 to 120"),
    "a zip bomb": ("r.zip", bomb, "larger than 40 MB unpacked"),
    "a zip bomb that lies": ("r.zip", lying, "no whole zip archive|larger than 40 MB"),
    "a zip that climbs": ("r.zip", inside("../r.csv"), "leads out of the folder"),
    "a zip from the root": ("r.zip", inside("/etc/r.csv"), "leads out of the folder"),
    "a zip with a drive": ("r.zip", inside("C:/r.csv"), "leads out of the folder"),
    "a zip with a link": ("r.zip", linked, "a link or a device"),
    "a zip with a pickle": ("r.zip", lambda path: zipped(path, {"r.csv": pickle.dumps([1])}), "is a pickle"),
    "a zip of nothing": ("r.zip", inside("README"), "holds no file of data"),
    "a zip in a zip": ("r.zip", inside("r.zip"), "holds no file of data"),
    "a zip with a password": ("r.zip", locked, "locked by a password"),
    "a zip of a crowd": ("r.zip", crowded, "lists 60,000 files"),
    "half a zip": ("r.zip", lambda path: path.write_bytes(zipped(path, {"r.csv": TABLE}).read_bytes()[:-30]), "no whole zip"),
    "a zip that points away": ("r.zip", wild, "no whole zip"),
    "no zip": ("r.zip", of(TABLE), "no whole zip"),
}


@pytest.mark.parametrize("what", WRONG)
def test_whatever_is_wrong_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv("LLMREC_MAX_BYTES", "40000000")
    name, make, said = WRONG[what]
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    make(path)
    with pytest.raises(ValueError, match=said) as error:
        importing.bring([path], "mine", {})
    assert "\n" not in str(error.value) and len(str(error.value)) < 600
    assert not (home / "uploads").exists() and sorted(p.name for p in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize(
    "name", ["../../x", "..", ".x", "/etc", "a/b", "a\\b", "<script>", "a b", "", "x" * 41, "ü", "a\n", "CON:", "-x", "a\u202e"]
)
def test_a_set_is_called_by_a_plain_name_only(tmp_path: Path, home: Path, name: str) -> None:
    paths = laid(tmp_path / "in", {"r.csv": TABLE})
    with pytest.raises(BadData, match="cannot be the name of a data set"):
        importing.bring(paths, name, {})
    with pytest.raises(ValueError, match="is no name of an imported data set"):
        Upload(name)
    for ask in (uploads.folder, uploads.delete):
        with pytest.raises(BadData, match="no data set called"):
            ask(name)
    assert not (home / "uploads").exists()


def test_a_name_is_given_once(tmp_path: Path) -> None:
    paths = laid(tmp_path / "in", {"r.csv": TABLE})
    importing.bring(paths, "Mine", {})
    before = {p: p.read_bytes() for p in uploads.folder("Mine").iterdir()}
    for taken, free in (("Mine", "Mine-2"), ("mine", "mine-2"), ("ml-100k", "ml-100k-2")):
        with pytest.raises(BadData, match=f"is there already: take another name, such as '{free}'"):
            importing.bring(paths, taken, {})
    assert before == {p: p.read_bytes() for p in uploads.folder("Mine").iterdir()} and uploads.names() == ["Mine"]
    assert uploads.proposed("MINE.csv") == "mine-2" and uploads.proposed("../../<b>.csv") == "my-data"


def test_a_full_disk_leaves_nothing(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = laid(tmp_path / "in", {"r.csv": TABLE})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(BadData, match="No space left on device.*make room"):
        importing.bring(paths, "mine", {})
    assert list((home / "uploads").iterdir()) == [] and uploads.names() == []


def test_somebody_took_the_name_a_moment_ago(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = laid(tmp_path / "in", {"r.csv": TABLE})
    importing.bring(paths, "mine", {})
    free = iter([True, True, False])  # asked by `bring`, by `keep`, and when the rename failed
    monkeypatch.setattr(uploads, "free_name", lambda name, real=uploads.free_name: name if next(free) else real(name))
    with pytest.raises(BadData, match="is there already"):
        importing.bring(paths, "mine", {})
    assert [p.name for p in (home / "uploads").iterdir()] == ["mine"]


def test_a_set_that_was_deleted_is_gone_and_said(tmp_path: Path, home: Path) -> None:
    importing.bring(laid(tmp_path / "in", {"r.csv": TABLE}), "mine", {})
    assert uploads.delete("mine") > len(TABLE)
    assert list((home / "uploads").iterdir()) == []
    with pytest.raises(BadData, match="no data set called 'mine' was imported on this machine .none was imported yet."):
        Upload("mine").load()


def test_a_set_reads_nothing_outside_its_folder(tmp_path: Path, home: Path) -> None:
    importing.bring(laid(tmp_path / "in", {"r.csv": TABLE}), "mine", {})
    folder = uploads.folder("mine")
    (tmp_path / "secret.csv").write_text(TABLE)
    for path in ("../../../secret.csv", str(tmp_path / "secret.csv"), "secret.csv"):
        (folder / "source.toml").write_text(f'[data]\nname = "table"\npath = "{path}"\n')
        with pytest.raises(BadData, match="has no file 'secret.csv'"):
            Upload("mine").load()
    (folder / "secret.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(BadData, match="has no file 'secret.csv'"):
        Upload("mine").load()
    for reader in ("checkerboard", "upload", "os:system"):
        (folder / "source.toml").write_text(f'[data]\nname = "{reader}"\n')
        with pytest.raises(BadData, match="is no reader of imported data"):
            Upload("mine").load()
    (home / "uploads" / "link").symlink_to(folder)
    assert uploads.names() == ["mine"]


def test_what_belongs_together_is_said(tmp_path: Path) -> None:
    wrong: tuple[tuple[Files, str], ...] = (
        ({"a.inter": INTER, "b.inter": INTER}, "2 data sets; give the files of one"),
        ({"a.inter": INTER, "b.item": ITEM}, "b.item belongs to another data set than a.inter; call them alike"),
        ({"a.csv": TABLE, "b.csv": TABLE, "c.csv": TABLE}, "are 3 tables"),
        ({"a.csv": TABLE, "b.csv": TABLE}, "not clear which of them says who took what"),
    )
    for files, said in wrong:
        folder = tmp_path / f"in-{len(list(tmp_path.iterdir()))}"
        laid(folder, files)
        with pytest.raises(BadData, match=said):
            recognise(folder)
