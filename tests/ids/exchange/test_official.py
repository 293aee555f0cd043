"""Forms of other people: each read into the same value, by one door that refuses what it does not know."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmrec import artifacts
from llmrec.contracts import Book, Catalog, IdTable, Names, Token
from llmrec.data.files import BadData
from llmrec.ids.exchange import files, official
from llmrec.ids.exchange.keyed import KeyedTable

Shared = Callable[[str], Path]


def toy() -> KeyedTable:
    items = Names(np.array([[0, 1], [2, 0]], dtype=np.int32), (Book("c", 3), Book("r", 2)))
    return KeyedTable(IdTable("toy", items), ("x", "y"), (), ("X", "Y"))


def test_letter_s_index(tmp_path: Path) -> None:
    path = tmp_path / "Beauty.index.json"
    path.write_text(json.dumps({"0": ["<a_12>", "<b_3>", "<c_4>", "<d_0>"], "B01": ["<a_2>", "<b_9>", "<c_4>", "<d_1>"]}))
    keyed = official.read(path)
    assert keyed.item_keys == ("0", "B01")
    assert keyed.table.items.spell(0) == ("<a_12>", "<b_3>", "<c_4>", "<d_0>")
    assert all(isinstance(piece, Token) for piece in keyed.table.items.spell(0))
    assert [(b.prefix, b.size) for b in keyed.table.items.books] == [("a_", 13), ("b_", 10), ("c_", 5), ("d_", 2)]
    assert keyed.table.users is None


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ({"0": ["<a_1>"], "1": ["<b_1>"]}, r"name 2 \('1'\): '<b_1>' does not have the pieces of the names before it"),
        ({"0": ["<a_01>"]}, "without leading zeros"),
        ({"0": ["<a_99999999999999999999999>"]}, "must be a code from 0 to 9,999,999"),
        ({"0": "<a_1>"}, r"entry 1 \('0'\): '<a_1>' is not a list of pieces"),
        ({"0": []}, "is not a list of pieces"),
        ({"0": ["<![x](http://evil/a.png)1>"]}, "is not a list of pieces such as <a_12>, whose prefixes have A to Z"),
        ({}, "names nobody"),
        ({"0": ["<a_1> <b_1>"]}, "is not a list of pieces"),
        ({"0": ["<a11>", "<a12>", "<a_1>"], "1": ["<a11>", "<a2>", "<b_1>"]}, "does not have the pieces"),
    ],
)
def test_a_wrong_index_is_refused(plain: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "x.index.json").write_text(json.dumps(plain))
    with pytest.raises(BadData, match=said):
        official.read(tmp_path / "x.index.json")


def test_metaid_s_baselines_by_hand(tmp_path: Path) -> None:
    """CID: one book of Tokens at several places, names of unequal length. RID and SID: bare numbers are text, not Tokens."""
    (tmp_path / "cid.txt").write_text("a <CI0><CI7>\nb <CI3>\nc <CI0><CI1><CI2>\n")
    cid = official.read(tmp_path / "cid.txt").table
    assert cid.items.codes.tolist() == [[0, 7, -1], [3, -1, -1], [0, 1, 2]]
    assert cid.items.books == (Book("CI", 8),) * 3
    assert len(cid.tokens) == 8
    (tmp_path / "rid.txt").write_text("a 1001\nb 1002\n")
    rid = official.read(tmp_path / "rid.txt").table
    assert rid.items.spell(1) == ("1002",) and not isinstance(rid.items.spell(1)[0], Token)
    assert rid.tokens == ()


def test_users_and_items_of_metaid_share_their_books(tmp_path: Path) -> None:
    (tmp_path / "items.txt").write_text("i <CT1><9>\n")
    (tmp_path / "users.txt").write_text("u <CT4><2>\n")
    keyed = official.read((tmp_path / "items.txt", tmp_path / "users.txt"))
    assert keyed.table.users is not None
    assert keyed.table.items.books == keyed.table.users.books == (Book("CT", 5), Book("", 10))
    assert keyed.table.users.spell(0) == ("<CT4>", "<2>")


@pytest.mark.parametrize("name", ["<![x](http://evil/a.png)1>", "<CT1><*b*2>", "<`1>"])
def test_a_prefix_that_is_markup_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "items.txt").write_text(f"i {name}\n")
    with pytest.raises(BadData, match="is not made of pieces such as <a_12>"):
        official.read(tmp_path / "items.txt")
    (tmp_path / "train.txt").write_text("0 0\n")
    (tmp_path / "train_codebook.csv").write_text(f",user_cb_id,item_cb_id\n0,user_<a-1>,item_{name}\n")
    with pytest.raises(BadData, match="is not made of pieces such as <a_12>"):
        official.read(tmp_path)


def test_a_file_that_names_nobody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "items.txt").write_text("i <CT1><9>\n")
    (tmp_path / "none.txt").write_text("")
    for given in (tmp_path / "none.txt", (tmp_path / "items.txt", tmp_path / "none.txt"), (tmp_path / "none.txt", tmp_path / "items.txt")):
        with pytest.raises(BadData, match=r"none.txt names nobody; give the released file"):
            official.read(given)
    (tmp_path / "train.txt").write_text("")
    (tmp_path / "train_codebook.csv").write_text(",user_cb_id,item_cb_id\n")
    with pytest.raises(BadData, match="names nobody"):
        official.read(tmp_path)


def test_books_of_another_size_than_256_are_read(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("0 0\n")
    (tmp_path / "train_codebook.csv").write_text(",user_cb_id,item_cb_id\n0,user_<a-1><b-511>,item_<0-3><1-4>\n")
    keyed = official.read(tmp_path)
    assert keyed.table.users is not None
    assert [b.size for b in keyed.table.users.books] == [256, 512]
    assert [b.size for b in keyed.table.items.books] == [256, 256]


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_our_own_files_and_folders_come_through_the_same_door(suffix: str, tmp_path: Path) -> None:
    assert official.read(files.save(toy(), tmp_path / f"n{suffix}")).table.items.spell(1) == ("<c2>", "<r0>")
    keyed, folder = toy(), tmp_path / "fitted"
    artifacts.save(keyed.table, folder / "ids")
    artifacts.save(Catalog(pd.DataFrame({"key": ["u"]}), keyed.catalog().items), folder / "catalog")
    again = official.read(folder)
    assert (again.item_keys, again.titles, again.user_keys) == (("x", "y"), ("X", "Y"), ())
    with pytest.raises(BadData, match="without the keys of their items; write them to a file with `llmrec ids export`"):
        official.read(folder / "ids")


def test_what_is_not_known_is_refused_with_the_forms(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("a,b\n")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "names.csv", tmp_path / "empty"):
        with pytest.raises(BadData, match=r"known here; give our \.json or \.parquet .* LETTER's index\.json"):
            official.read(path)
    with pytest.raises(BadData, match="does not exist"):
        official.read(tmp_path / "none.json")
    with pytest.raises(BadData, match="only META ID's .txt files of items and of users go together"):
        official.read([tmp_path / "names.csv", tmp_path / "names.csv"])


def test_metaid_s_folder(shared_data: Shared) -> None:
    """Counts against the lines of the files; the folder itself asks which of its five is meant."""
    folder = shared_data("metaid-beauty")
    with pytest.raises(BadData, match=r"several ways of naming \(item_collaborative"):
        official.read(folder)
    cid = official.read(folder / "item_collaborative_indexing_500_20_sequential.txt").table.items
    assert len(cid) == 12_101
    assert np.bincount((cid.codes >= 0).sum(axis=1)).tolist() == [0, 33, 2338, 7061, 2669]
    rid, sid = (official.read(folder / f"item_{kind}.txt") for kind in ("random_indexing", "sequential_indexing_original"))
    assert sorted(rid.table.items.codes[:, 0].tolist()) == sorted(sid.table.items.codes[:, 0].tolist()) == list(range(1001, 13102))
    assert sid.table.items.spell(sid.item_keys.index("B004756YJA")) == ("1001",)


def test_tokenrec_s_folder(shared_data: Shared) -> None:
    keyed = official.read(shared_data("tokenrec-lastfm"))
    assert (len(keyed.item_keys), len(keyed.user_keys), keyed.table.scheme) == (3646, 1090, "tokenrec-official")
