"""Names to and from two open forms of file: JSON that a person reads and writes, and Parquet that pandas opens.

Where it stands: beside the schemes; `llmrec ids export` writes these files, `llmrec.ids.exchange.official.read` recognises them.
What it does not know: where the names come from. Other people's forms are read in `official`.

    {"scheme": "mine", "books": [{"prefix": "c", "size": 2}, {"prefix": "r", "size": 9}],
     "items": [{"key": "50", "title": "Star Wars", "pieces": ["<c0>", "<r8>"], "codes": [0, 8]}],
     "users": [{"key": "1", "pieces": ["<c0>", "<r3>"], "codes": [0, 3]}]}

That is the whole of the JSON form; `title` and `pieces` may be left out. A name that ends early has fewer codes, or -1 in the empty places.
`item_books` and `user_books` (numbers of books) stand where a side does not use all books in their order. Parquet has one row per item and
user with the columns side, key, title, pieces and codes, and the rest in the file's own metadata. Features and quantizers, where the table
has any, lie beside in `<file>.safetensors`, vouched for by their SHA-256.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmrec import artifacts
from llmrec.contracts import Book, IdTable, Names
from llmrec.data.admit import BadData, check_size, check_text, most_bytes
from llmrec.data.files import read_bytes, read_parquet, usable
from llmrec.ids.exchange.checked import VERSION, assemble, check_prefixes, say
from llmrec.ids.exchange.keyed import KeyedTable

HEADER = b"llmrec names"  # the key of the metadata in a Parquet file
SUFFIXES = (".json", ".parquet")
GROWS = 8  # JSON in memory is many times its text: `[]` is two bytes there and 56 here


def save(keyed: KeyedTable, path: Path | str) -> Path:
    """Write a table to a `.json` or `.parquet` file, and its arrays beside. Returns the file's path."""
    path = Path(path).expanduser()
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path.name} must end in .json or .parquet: the ending says what is written")
    with usable(path):
        _save(keyed, path)
    return path


def _save(keyed: KeyedTable, path: Path) -> None:
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file in it")
    check_prefixes(keyed.table.books, path)
    header = _header(keyed.table, _save_arrays(keyed.table, path))
    path.parent.mkdir(parents=True, exist_ok=True)
    sides = [("items", _rows(keyed.table.items, keyed.item_keys, keyed.titles))]
    if keyed.table.users is not None:
        sides.append(("users", _rows(keyed.table.users, keyed.user_keys, None)))
    if path.suffix == ".json":
        parts = [f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in header.items()]
        for side, rows in sides:
            lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
            parts.append(f' "{side}": [\n{lines}\n ]')
        artifacts.write_text("{\n" + ",\n".join(parts) + "\n}\n", path)
        path.chmod(0o644)  # to be handed on
    else:
        _write_parquet(header, sides, path)


def load(path: Path | str) -> KeyedTable:
    """Read what `save` wrote, or a JSON file written by hand. Raises `BadData` with file, row and remedy."""
    path = Path(path).expanduser()
    return parse(read_json(path), path) if path.suffix == ".json" else _load_parquet(path)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file, measured before it is read; a key that stands twice is refused."""
    raw = read_bytes(path)
    check_size(path, len(raw), most_bytes() // GROWS)
    check_text(path, raw)
    try:
        plain = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_int=_whole)
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        said = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise BadData(f"{path.name} is not a JSON file of names ({said}); write it again") from None
    if not isinstance(plain, dict):
        raise BadData(f"{path.name} must be a JSON object, not {say(plain)}; it begins with {{")
    return plain


def parse(plain: dict[str, Any], path: Path) -> KeyedTable:
    """A table from the object that a JSON file holds."""
    known = {"version", "scheme", "books", "item_books", "user_books", "arrays", "items", "users"}
    for name in plain:
        if name not in known:
            raise BadData(f"{path.name} has an unknown field {name!r}; the fields are {', '.join(sorted(known))}")
    sides = {}
    for side in ("items", "users"):
        rows = plain.get(side)
        if rows is None and side == "users":
            continue
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadData(f'{path.name}: "{side}" must be a list of objects such as {{"key": "50", "codes": [0, 8]}}')
        sides[side] = rows
    return assemble(plain, sides, _load_arrays(plain.get("arrays"), path), path)


def _header(table: IdTable, arrays: dict[str, Any] | None) -> dict[str, Any]:
    """All of a table but its rows."""
    sides = [names for names in (table.items, table.users) if names is not None]
    books = list(dict.fromkeys(book for names in sides for book in names.books))
    header: dict[str, Any] = {"version": VERSION, "scheme": table.scheme, "books": [_plain(book) for book in books]}
    for field, names in zip(("item_books", "user_books"), sides, strict=False):
        header[field] = [books.index(book) for book in names.books]
    return header if arrays is None else {**header, "arrays": arrays}


def _plain(book: Book) -> dict[str, Any]:
    body = {"prefix": book.prefix, "size": book.size, "token": book.token}
    return body if book.texts is None else {**body, "texts": list(book.texts)}


def _rows(names: Names, keys: Sequence[str], titles: Sequence[str] | None) -> list[dict[str, Any]]:
    rows = []
    for index, (key, codes) in enumerate(zip(keys, names.codes.tolist(), strict=True)):
        title = {} if titles is None else {"title": titles[index]}
        rows.append({"key": key, **title, "pieces": [str(piece) for piece in names.spell(index)], "codes": codes})
    return rows


def _write_parquet(header: dict[str, Any], sides: list[tuple[str, list[dict[str, Any]]]], path: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    text, number = pyarrow.string(), pyarrow.int32()
    schema = pyarrow.schema(
        {"side": text, "key": text, "title": text, "pieces": pyarrow.list_(text), "codes": pyarrow.list_(number)},
        metadata={HEADER: json.dumps(header, ensure_ascii=False).encode()},
    )
    rows = [{"side": side[:-1], "title": None, **row} for side, some in sides for row in some]
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema), name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _load_parquet(path: Path) -> KeyedTable:
    import pyarrow.parquet as parquet

    frame = read_parquet(path).frame
    header = (parquet.read_schema(path).metadata or {}).get(HEADER)
    columns = ["side", "key", "title", "pieces", "codes"]
    if header is None or list(frame.columns) != columns:
        raise BadData(f"{path.name} was not written by `llmrec ids export` (columns {', '.join(map(str, frame.columns))}); export it again")
    try:
        plain = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path.name}: its metadata is no JSON ({error}); export it again") from None
    sides: dict[str, list[dict[str, Any]]] = {"items": []}
    if not isinstance(plain, dict) or frame["side"].isin(["item", "user"]).sum() < len(frame):
        raise BadData(f"{path.name}: the column side must say item or user in every row; export it again")
    if "user_books" in plain:
        sides["users"] = []
    for side, key, title, pieces, codes in frame.itertuples(index=False):
        row = {"key": key, "pieces": _listed(pieces), "codes": _listed(codes)}
        untitled = title is None or (isinstance(title, float) and np.isnan(title))  # how pandas gives a missing text back
        sides.setdefault(f"{side}s", []).append(row if untitled else {**row, "title": title})
    return assemble(plain, sides, _load_arrays(plain.get("arrays"), path), path)


def _listed(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.safetensors")


def _save_arrays(table: IdTable, path: Path) -> dict[str, Any] | None:
    """Features and quantizers to the file beside; what the header must say of them, or None where there are none."""
    from safetensors.numpy import save_file

    plain: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for field in ("features", "item_quantizer", "user_quantizer"):
        value = getattr(table, field)
        if value is not None:
            plain[field], found = artifacts.take_apart(value, field)
            arrays |= found
    if not plain:
        _beside(path).unlink(missing_ok=True)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, _beside(path))
    return {"sha256": artifacts.sha256(_beside(path)), **plain}


def _load_arrays(plain: Any, path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if plain is None:
        return {}
    beside = _beside(path)
    if not isinstance(plain, dict) or not set(plain) <= {"sha256", "features", "item_quantizer", "user_quantizer"}:
        raise BadData(f'{path.name}: "arrays" is not what `llmrec ids export` writes; export the table again')
    if not beside.is_file():
        raise BadData(f"{path.name} goes with {beside.name} (its codebooks), which is missing; put it into the same folder")
    raw = read_bytes(beside)
    if artifacts.sha256(beside) != plain.get("sha256"):
        raise BadData(f"{beside.name} is damaged or belongs to another table; put the file that was exported with {path.name} beside it")
    try:
        arrays = load(raw)
        return {field: artifacts.put_together(value, arrays) for field, value in plain.items() if field != "sha256"}
    except (SafetensorError, artifacts.BadArtifact, KeyError, ValueError, TypeError, RecursionError) as error:
        raise BadData(f"{beside.name} cannot be read ({error!s:.300}); export the table again") from None


def _whole(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError(f"a whole number of {len(digits):,} digits")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the key {name!r:.60} stands twice")
            seen.add(name)
    return out
