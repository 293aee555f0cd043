"""Tables to files and back: exact round trips, a form that other programs open, and every wrong file refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmrec.contracts import Book, IdTable, Names
from llmrec.data.files import BadData
from llmrec.ids.exchange import files
from llmrec.ids.exchange.keyed import KeyedTable
from llmrec.ids.vq.kmeans import Centroids

FORMS = pytest.mark.parametrize("suffix", [".json", ".parquet"])
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)  # any characters, control characters and emoji too
HAND: dict[str, Any] = {
    "scheme": "mine",
    "books": [{"prefix": "c", "size": 2}, {"prefix": "r", "size": 9}],
    "items": [{"key": "50", "title": "Star Wars", "pieces": ["<c0>", "<r8>"], "codes": [0, 8]}, {"key": "7", "codes": [1]}],
    "users": [{"key": "1", "pieces": ["<c1>", "<r3>"], "codes": [1, 3]}],
}


@st.composite
def books(draw: st.DrawFn) -> tuple[Book, ...]:
    made = []
    for place in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 5))
        texts = tuple(draw(st.lists(TEXT, min_size=size, max_size=size))) if draw(st.booleans()) else None
        made.append(Book(f"{'abc'[place]}{draw(st.sampled_from(['', '_', '-']))}", size, draw(st.booleans()), texts))
    return tuple(made)


@st.composite
def names(draw: st.DrawFn, n: int) -> Names:
    of = draw(books())
    codes = [[draw(st.integers(0 if place == 0 else -1, book.size - 1)) for place, book in enumerate(of)] for _ in range(n)]
    return Names(np.asarray(codes, dtype=np.int32).reshape(n, len(of)), of)


@st.composite
def tables(draw: st.DrawFn) -> KeyedTable:
    item_keys, user_keys = (draw(st.lists(TEXT, min_size=1, max_size=4, unique=True)) for _ in range(2))
    items = draw(names(len(item_keys)))
    users = draw(st.none() | names(len(user_keys)))
    table = IdTable(draw(TEXT), items, users)
    features = np.arange(2 * sum(b.size for b in table.books), dtype=np.float32).reshape(-1, 2) if draw(st.booleans()) else None
    first = items.books[0].size
    quantizer = Centroids(np.linspace(0, 1, first * 3, dtype=np.float32).reshape(first, 3), False) if draw(st.booleans()) else None
    titles = draw(st.none() | st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=len(item_keys), max_size=len(item_keys)))
    whole = IdTable(table.scheme, items, users, features, quantizer)
    return KeyedTable(whole, tuple(item_keys), tuple(user_keys) if users is not None else (), None if titles is None else tuple(titles))


def same(a: KeyedTable, b: KeyedTable) -> bool:
    def arrays(one: KeyedTable) -> list[Any]:
        table = one.table
        sides = [x for side in (table.items, table.users) for x in ([None] if side is None else [side.codes, *map(repr, side.books)])]
        quantizers = [x for q in (table.item_quantizer, table.user_quantizer) for x in ([None] if q is None else [q.centres, q.cosine])]  # type: ignore[attr-defined]
        return [table.scheme, one.item_keys, one.user_keys, one.titles, table.features, *sides, *quantizers]

    left, right = arrays(a), arrays(b)
    return len(left) == len(right) and all(
        np.array_equal(x, y) and x.dtype == y.dtype if isinstance(x, np.ndarray) else x == y for x, y in zip(left, right, strict=True)
    )


@FORMS
@given(keyed=tables())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(suffix: str, tmp_path: Path, keyed: KeyedTable) -> None:
    path = files.save(keyed, tmp_path / f"names{suffix}")
    again = files.load(path)
    assert same(again, keyed)
    assert again.table.tokens == keyed.table.tokens


@FORMS
def test_a_second_table_in_the_same_place_leaves_no_arrays_of_the_first(suffix: str, tmp_path: Path) -> None:
    plain = files.parse(HAND, Path("hand.json"))
    path = tmp_path / f"names{suffix}"
    table = IdTable("mine", plain.table.items, plain.table.users, np.ones((11, 4), dtype=np.float32))
    files.save(KeyedTable(table, plain.item_keys, plain.user_keys), path)
    assert {p.name for p in tmp_path.iterdir()} == {path.name, f"{path.name}.safetensors"}
    files.save(plain, path)
    assert {p.name for p in tmp_path.iterdir()} == {path.name}
    assert same(files.load(path), plain)


def test_json_by_hand() -> None:
    keyed = files.parse(HAND, Path("hand.json"))
    assert keyed.table.items.spell(0) == ("<c0>", "<r8>")
    assert keyed.table.items.codes.tolist() == [[0, 8], [1, -1]]
    assert (keyed.item_keys, keyed.user_keys, keyed.titles) == (("50", "7"), ("1",), ("Star Wars", "7"))
    assert keyed.catalog().titles == ["Star Wars", "7"]


def test_pandas_opens_the_parquet(tmp_path: Path) -> None:
    frame = pd.read_parquet(files.save(files.parse(HAND, Path("hand.json")), tmp_path / "names.parquet"))
    assert list(frame.columns) == ["side", "key", "title", "pieces", "codes"]
    assert frame["side"].tolist() == ["item", "item", "user"]
    assert frame["title"].tolist()[:2] == ["Star Wars", "7"] and pd.isna(frame["title"][2])
    assert [list(p) for p in frame["pieces"]] == [["<c0>", "<r8>"], ["<c1>"], ["<c1>", "<r3>"]]
    assert [list(c) for c in frame["codes"]] == [[0, 8], [1, -1], [1, 3]]


def test_json_has_a_line_per_row(tmp_path: Path) -> None:
    lines = files.save(files.parse(HAND, Path("hand.json")), tmp_path / "names.json").read_text().splitlines()
    assert '  {"key": "50", "title": "Star Wars", "pieces": ["<c0>", "<r8>"], "codes": [0, 8]},' in lines


def changed(**fields: Any) -> dict[str, Any]:
    return {**HAND, **fields}


WRONG = {
    "unknown field 'itms'": changed(itms=[]),
    '"scheme" must be': changed(scheme=3),
    '"items" must be a list': changed(items={"a": 1}),
    '"books" must be a list of 1 to 64': changed(books=[{"prefix": "c", "size": 2}] * 65),
    'book 1: "size" must be a whole number from 1 to 10,000,000': changed(books=[{"prefix": "c", "size": 10**12}]),
    'book 2: "size" must be a whole number from 1': changed(books=[{"prefix": "c", "size": 2}, {"prefix": "r", "size": 0}]),
    'book 1: "prefix" must be a text of A to Z, a to z, 0 to 9, _, . and -, not': changed(
        books=[{"prefix": "![x](http://evil/a.png)", "size": 2}]
    ),
    '"pieces" must be a list of texts, not int 5': changed(items=[{"key": "50", "pieces": 5, "codes": [0]}]),
    '"pieces" must be a list of texts, not str': changed(items=[{"key": "50", "pieces": "<c0>", "codes": [0]}]),
    '"pieces" must be a list of texts, not list': changed(items=[{"key": "50", "pieces": [5], "codes": [0]}]),
    "names no items; give at least one": changed(items=[]),
    "names no users; give at least one, or leave the users out": changed(users=[]),
    'book 1: "prefix"': changed(books=[{"prefix": "a>b", "size": 2}]),
    'book 1: "texts" must be a list of 2 texts': changed(books=[{"prefix": "c", "size": 2, "texts": ["a"]}]),
    "can spell the same Token, <a11>": changed(books=[{"prefix": "a", "size": 99}, {"prefix": "a1", "size": 2}]),
    '"item_books" must list numbers of books, 0 to 1': changed(item_books=[0, 2]),
    r"items, row 1 \('50'\): code 9 is outside book 'r', which has 0..8": changed(items=[{"key": "50", "codes": [0, 9]}]),
    r"items, row 1 \('50'\): code -2": changed(items=[{"key": "50", "codes": [0, -2]}]),
    "the name is empty": changed(items=[{"key": "50", "codes": []}]),
    "3 codes for 2 books": changed(items=[{"key": "50", "codes": [0, 1, 1]}]),
    '"codes" must be a list of whole numbers': changed(items=[{"key": "50", "codes": [0, True]}]),
    '"key" must be a text': changed(items=[{"key": 50, "codes": [0]}]),
    "row 1 has the same key": changed(items=[{"key": "50", "codes": [0]}, {"key": "50", "codes": [1]}]),
    r"users, row 1 \('1'\): the pieces \['<c0>'\] are not what the codes say, \['<c1>'\]": changed(
        users=[{"key": "1", "pieces": ["<c0>"], "codes": [1]}]
    ),
    '"title" must be a text': changed(items=[{"key": "50", "title": 5, "codes": [0]}]),
    "unknown field 'code'": changed(items=[{"key": "50", "code": [0]}]),
    "version 9": changed(version=9),
    '"arrays" is not what': changed(arrays=[1]),
    "which is missing": changed(arrays={"sha256": "0"}),
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_table_is_refused_with_file_row_and_remedy(said: str, tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(json.dumps(WRONG[said]))
    with pytest.raises(BadData, match=f"names.json.*{said}"):
        files.load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"scheme": ', "not a JSON file"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "must be a JSON object"),
        ('{"scheme": "a", "scheme": "b"}', "'scheme' stands twice"),
        ('{"scheme": "a", "books": [{"prefix": "c", "size": 2}], "items": [{"key": "\\ud800", "codes": [0]}]}', '"key" must be a text'),
    ],
)
def test_hostile_json_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text(text)
    with pytest.raises(BadData, match=said):
        files.load(tmp_path / "names.json")


def test_a_key_that_stands_twice_is_found_in_one_pass() -> None:
    """Each key is compared with a few others of its hash, not with all of them."""
    compared = 0

    class Key(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    with pytest.raises(ValueError, match="'299' stands twice"):
        files._once([(Key(n % 300 if n < 300 else 299), n) for n in range(301)])
    assert compared < 300 * 10


@FORMS
def test_a_table_that_could_not_be_read_back_is_not_written(suffix: str, tmp_path: Path) -> None:
    items = Names(np.zeros((1, 1), dtype=np.int32), (Book("größe", 1),))
    with pytest.raises(ValueError, match="the prefix 'größe' has more than A to Z"):
        files.save(KeyedTable(IdTable("s", items), ("a",)), tmp_path / f"n{suffix}")
    assert not list(tmp_path.iterdir())


@FORMS
def test_a_file_larger_than_allowed_is_not_read(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.save(files.parse(HAND, Path("hand.json")), tmp_path / f"names{suffix}")
    monkeypatch.setenv("LLMREC_MAX_BYTES", "100")
    with pytest.raises(BadData, match="LLMREC_MAX_BYTES"):
        files.load(path)


@FORMS
def test_arrays_that_are_missing_or_of_another_table_are_refused(suffix: str, tmp_path: Path) -> None:
    plain = files.parse(HAND, Path("hand.json"))
    table = IdTable("mine", plain.table.items, plain.table.users, None, Centroids(np.ones((2, 3), dtype=np.float32)))
    path = files.save(KeyedTable(table, plain.item_keys, plain.user_keys), tmp_path / f"names{suffix}")
    beside = path.with_name(f"{path.name}.safetensors")
    raw = beside.read_bytes()
    beside.write_bytes(raw[:-1] + b"x")
    with pytest.raises(BadData, match="belongs to another table"):
        files.load(path)
    beside.unlink()
    with pytest.raises(BadData, match="which is missing; put it into the same folder"):
        files.load(path)


def test_a_quantizer_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    plain = files.parse(HAND, Path("hand.json"))
    table = IdTable("mine", plain.table.items, plain.table.users, None, Centroids(np.ones((3, 3), dtype=np.float32)))
    path = files.save(KeyedTable(table, plain.item_keys, plain.user_keys), tmp_path / "names.json")
    with pytest.raises(BadData, match="a quantizer does not fit the books"):
        files.load(path)


def test_only_the_two_endings_are_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.json or \.parquet"):
        files.save(files.parse(HAND, Path("hand.json")), tmp_path / "names.csv")


def test_somebody_else_s_parquet_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(BadData, match="was not written by `llmrec ids export`"):
        files.load(tmp_path / "x.parquet")
