"""Nothing of the data is in a bundle: no title, genre, key or history, as text or as numbers of any width."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec.contracts import Dataset
from llmrec.runs.bundles import container, packing
from llmrec.runs.store import Run
from tests.runs.bundles.made import KINDS, finished

WIDTHS = ("<u1", "<i2", "<i4", "<i8", ">i2", ">i4", "<f4", "<f2")
RUN_OF = 8  # so many items or subwords in a row are no chance, and fill eight bytes at any width


def numbers(sequence: Any) -> Iterator[bytes]:
    """A sequence as it would lie in a file: arrays of every width, and text."""
    whole = np.asarray(sequence)
    for width in WIDTHS:
        if whole.max() <= (255 if width == "<u1" else 2**15 - 1 if width.endswith("i2") else 2**31):
            yield whole.astype(width).tobytes()
    for comma in (",", ", ", " ", "\n", ",\n   ", ",\n    "):
        yield comma.join(str(n) for n in whole.tolist()).encode()


def wanted(data: Dataset, tokenizer: Any) -> dict[bytes, str]:
    """All that may not be found of a data set, in every shape of eight bytes or more, with what it is."""
    shapes: dict[bytes, str] = {}
    for title in data.catalog.titles:
        told = f"title {title!r}"
        shapes |= dict.fromkeys((title.lower().encode(), json.dumps(title.lower()).encode()[1:-1], title.lower().encode("utf-16-le")), told)
        ids = tokenizer.encode(f" {title}", add_special_tokens=False)
        if len(ids) >= RUN_OF:
            shapes |= dict.fromkeys(numbers(ids), f"subwords of {title!r}")
    for user in range(data.interactions.n_users):
        history = data.interactions.history(user)
        for shown in (history[:RUN_OF], history[-RUN_OF:], np.sort(history)[:RUN_OF], history[::-1][:RUN_OF]):
            if len(shown) == RUN_OF and not (np.diff(shown) == 1).all():
                shapes |= dict.fromkeys(numbers(shown), f"history of user {user}")
    return shapes


def leaks(blob: bytes, data: Dataset, tokenizer: Any) -> list[str]:
    """What of a data set can be found in some bytes: of each shape its first eight bytes are looked up, and what is met is compared."""
    shapes = wanted(data, tokenizer)
    short = {shape: told for shape, told in shapes.items() if 5 <= len(shape) < 8}
    by_start: dict[int, list[bytes]] = {}
    for shape in shapes:
        if len(shape) >= 8:
            by_start.setdefault(int.from_bytes(shape[:8], "little"), []).append(shape)
    keys = np.array(sorted(by_start), dtype=np.uint64)
    found = set()
    for read in (blob, blob.lower()):
        found |= {told for shape, told in short.items() if re.search(rb"(?<![a-z])" + re.escape(shape) + rb"(?![a-z])", read)}
        for shift in range(8):
            view = np.frombuffer(read[shift : shift + (len(read) - shift) // 8 * 8], dtype="<u8")
            for at in np.flatnonzero(np.isin(view, keys)).tolist():
                place = shift + 8 * at
                found |= {shapes[shape] for shape in by_start[int(view[at])] if read.startswith(shape, place)}
    genres = sorted({g for row in data.catalog.items["genres"] for g in row if len(g) >= 4})
    found |= {f"genre {g!r}" for g in genres if re.search(rb"(?<![A-Za-z])" + re.escape(g.encode()) + rb"(?![A-Za-z])", blob)}
    return sorted(found)


def searched(run: Run, file: Path) -> tuple[bytes, Dataset, Any]:
    from llmrec.lm.vocab import Vocab

    parts = container.read(file).parts
    card = json.loads((run.path / "model" / "manifest.json").read_text())["card"]
    subwords = Vocab.load(run.path / "model", card["n_tokens"]).subwords
    return b"\0".join(name.encode() + b"\0" + data for name, data in sorted(parts.items())), run.dataset(), subwords


@pytest.mark.parametrize("kind", ["title", "sid", "metaid", "tokenrec"])
def test_nothing_of_the_data_is_found(kind: str, tmp_path: Path) -> None:
    run = finished(kind)
    blob, data, subwords = searched(run, packing.pack(run, tmp_path))
    assert leaks(blob, data, subwords) == []
    assert b"Even" not in blob and b"in a folder" not in blob and str(tmp_path).encode() not in blob


def test_the_search_finds_what_was_planted() -> None:
    run = finished("metaid")
    data = run.dataset()
    from llmrec.lm.vocab import Vocab

    subwords = Vocab.load(run.path / "model", len(run.table().tokens)).subwords
    history = data.interactions.history(3)
    assert leaks(b"xx EVEN 12\0yy", data, subwords) == ["title 'Even 12'"]
    assert leaks(history.astype("<i2").tobytes(), data, subwords) == ["history of user 3"]
    assert leaks(json.dumps(history.tolist(), indent=1).encode().replace(b"\n ", b"\n    "), data, subwords) == ["history of user 3"]
    assert leaks(b'{"genre": "even"}', data, subwords) == ["genre 'even'"]


def test_the_folder_of_a_run_does_hold_the_data() -> None:
    """What a bundle leaves out is there to be left out."""
    run = finished("title")
    whole = b"".join(p.read_bytes() for p in sorted(run.path.rglob("*")) if p.is_file())
    from llmrec.lm.vocab import Vocab

    assert "title 'Even 12'" in leaks(
        whole, run.dataset(), Vocab.load(run.path / "model", 0 + len(run.table().tokens) + _ends(run)).subwords
    )


def _ends(run: Run) -> int:
    card = json.loads((run.path / "model" / "manifest.json").read_text())["card"]
    return int(card["n_tokens"]) - len(run.table().tokens)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_movielens_is_found(kind: str, tmp_path: Path) -> None:
    stages = {
        "tokenrec": {"embed": {"name": "lightgcn"}, "scheme": {"name": "tokenrec"}},
        "tiger": {"embed": {"name": "text"}, "scheme": {"name": "tiger"}},
    }
    plain = (
        {"embed": None, "scheme": {"name": kind}} if kind not in ("metaid",) else {"embed": {"name": "metapath"}, "scheme": {"name": kind}}
    )
    changed = {k: v for k, v in stages.get(kind, plain).items() if v is not None}
    run = finished(kind, data={"name": "ml-100k"}, lm={"name": "nano", "layers": 1}, **changed)
    blob, data, subwords = searched(run, packing.pack(run, tmp_path))
    assert leaks(blob, data, subwords) == []
