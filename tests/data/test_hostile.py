"""Files that lie, burst, never end or run code: each is one sentence, and none takes more memory than the limit allows."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec.data import admit
from llmrec.data.admit import BadData
from llmrec.data.movielens import MovieLensFolder
from llmrec.data.recbole import RecBoleFolder
from llmrec.data.sequences import SequenceFile
from llmrec.data.tabular import TableFile

GOOD = "user,item\na,x\nb,y\n"
PROBE = """
import json, resource, sys
from llmrec.data.tabular import TableFile
from llmrec.ids.exchange import official
import pyarrow.parquet, pandas, pyarrow.compute

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
told = {}
for path in sys.argv[1:]:
    try:
        official.read(path) if path.endswith(".json") else TableFile(path).load()
        told[path] = "read"
    except ValueError as error:
        told[path] = str(error)
    except BaseException as error:
        told[path] = "!" + repr(error)
print(json.dumps([told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""
LIMIT = 40_000_000


class Bomb:
    """What runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def same_row(path: Path, batches: int) -> None:
    """A million rows a batch that all say the same: a few bytes in the file, 16 MB in memory."""
    import pyarrow
    import pyarrow.parquet as parquet

    column = pyarrow.array(np.zeros(1_000_000, dtype=np.int64))
    with parquet.ParquetWriter(path, pyarrow.schema({"user": pyarrow.int64(), "item": pyarrow.int64()})) as file:
        for _ in range(batches):
            file.write_table(pyarrow.table({"user": column, "item": column}))


def long_text(path: Path) -> None:
    """A text of 100 kB that 100,000 rows point at: 10 GB when each row has its own."""
    import pyarrow
    import pyarrow.parquet as parquet

    said = pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.zeros(100_000, dtype=np.int32)), pyarrow.array(["x" * 100_000]))
    parquet.write_table(pyarrow.table({"user": np.arange(100_000), "item": np.arange(100_000), "title": said}), path, store_schema=False)


def long_lists(path: Path) -> None:
    """The same inside lists."""
    import pyarrow
    import pyarrow.parquet as parquet

    words = pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.zeros(100_000, dtype=np.int32)), pyarrow.array(["x" * 100_000]))
    lists = pyarrow.ListArray.from_arrays(pyarrow.array(np.arange(100_001, dtype=np.int32)), words)
    parquet.write_table(pyarrow.table({"user": np.arange(100_000), "item": np.arange(100_000), "tags": lists}), path, store_schema=False)


def varint(value: int) -> bytes:
    """A whole number as Parquet's footer spells it."""
    zigzag, out = value << 1, b""
    while True:
        zigzag, part = zigzag >> 7, zigzag & 127
        out += bytes([part | (128 if zigzag else 0)])
        if not zigzag:
            return out


def liar(path: Path) -> None:
    """60 MB of one number, packed into little, whose footer says that a column has one byte unpacked."""
    import pyarrow
    import pyarrow.parquet as parquet

    numbers = pyarrow.array(np.zeros(3_750_000, dtype=np.int64))
    parquet.write_table(pyarrow.table({"user": numbers, "item": numbers}), path, compression="gzip", use_dictionary=False)
    metadata = parquet.ParquetFile(path).metadata
    raw = bytearray(path.read_bytes())
    start = len(raw) - 8 - struct.unpack("<I", raw[-8:-4])[0]
    for n in range(metadata.num_row_groups):
        group = metadata.row_group(n)
        for size in (group.total_byte_size, *(group.column(c).total_uncompressed_size for c in range(2))):
            honest = varint(size)
            lie = bytes([0x82] + [0x80] * (len(honest) - 2) + [0])  # 1, as long as the truth
            at = raw.find(honest, start)
            while at >= 0:
                raw[at : at + len(honest)] = lie
                at = raw.find(honest, at)
    path.write_bytes(raw)
    fooled = parquet.ParquetFile(path).metadata
    assert sum(fooled.row_group(n).total_byte_size for n in range(fooled.num_row_groups)) < 100


def test_bombs_are_refused_in_bounded_memory(tmp_path: Path) -> None:
    def place(name: str) -> Path:
        return tmp_path / name

    with gzip.open(place("zeros.csv.gz"), "wb", compresslevel=1) as file:
        file.write(b"user,item\n")
        for _ in range(300):
            file.write(b"a,x\n" * 250_000)
    same_row(place("same.parquet"), 60)
    long_text(place("texts.parquet"))
    long_lists(place("lists.parquet"))
    liar(place("liar.parquet"))
    place("many.json").write_text('{"items": [' + "[]," * 10_000_000 + "[]]}")
    place("deep.json").write_text("[" * 5_000_000)
    place("digits.json").write_text('{"version": ' + "1" * 1_000_000 + "}")
    for path in tmp_path.glob("*.[pc]*"):
        assert path.stat().st_size < 3_000_000, f"{path.name} is no bomb"
    bombs = sorted(map(str, tmp_path.iterdir()))
    environment = {**os.environ, "LLMREC_MAX_BYTES": str(LIMIT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", PROBE, *bombs], capture_output=True, text=True, env=environment, timeout=300, check=True)
    told, grown = json.loads(done.stdout)
    for path in bombs:
        said = told[path]
        if path.endswith(("deep.json", "digits.json")):
            assert "nested too deep" in said or "1,000,000 digits" in said
        else:
            assert "unpacked; cut it down" in said, f"{Path(path).name}: {said:.300}"
    assert grown < 10 * LIMIT / 1024, f"{grown:,} kB more"  # kB; one of them alone would take 500 MB, another 10 GB


def test_a_harmless_parquet_reads_as_pandas_reads_it(tmp_path: Path) -> None:
    """Measured batch by batch, with every kind of column, a table stays what it is."""
    from llmrec.data import files

    n = 3 * files.BATCH_ROWS // 2
    frame = pd.DataFrame(
        {
            "user": [f"u{k % 999}" for k in range(n)],
            "item": np.arange(n),
            "tags": [["a", "b"][: k % 3] for k in range(n)],
            "deep": [{"x": "y" * (k % 3), "z": [k]} for k in range(n)],
            "kind": pd.Categorical(["red", "blue", "red"] * (n // 3)),
            "when": pd.Timestamp("2020-01-01"),
            "blob": [b"\x00\x01", None] * (n // 2),
            "maybe": [1.5, None] * (n // 2),
        }
    )
    frame.to_parquet(tmp_path / "all.parquet", row_group_size=n // 2)
    got, wanted = files.read_parquet(tmp_path / "all.parquet").frame, pd.read_parquet(tmp_path / "all.parquet")
    pd.testing.assert_frame_equal(got, wanted)


@pytest.mark.parametrize("name", ["x.pkl", "x.PICKLE", "x.pt", "x.pth", "x.npy", "x.npz", "x.ckpt", "x.joblib", "x.pkl.gz", "x.bin"])
def test_pickles_are_refused_by_name_and_never_run(tmp_path: Path, name: str) -> None:
    from llmrec.ids.exchange import official

    ran, path = tmp_path / "ran", tmp_path / name
    path.write_bytes(pickle.dumps(Bomb(ran)))
    for read in (lambda: TableFile(str(path)).load(), lambda: SequenceFile(str(path)).load(), lambda: official.read(path)):
        with pytest.raises(BadData, match="may hold pickled objects, which run what they say .* write it as CSV, Parquet"):
            read()
    assert not ran.exists()
    pickle.loads(path.read_bytes())
    assert ran.exists()  # it would have


BEGINNINGS = [
    (pickle.dumps({"a": 1}), "a pickle"),
    (b"PK\x03\x04xx", "a zip archive"),
    (gzip.compress(GOOD.encode(), mtime=0), r"gzip, not text; let its name end in \.gz"),
    (b"BZh9", "bzip2"),
    (b"\x93NUMPY\x01", "a NumPy file"),
    (b"PAR1xxxx", "a Parquet file"),
    (b"%PDF-1.7", "a PDF"),
    (b"<!DOCTYPE html><html>", "HTML or XML"),
    (b'\xef\xbb\xbf\n <?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY lol "lol">]>', "HTML or XML"),
]


@pytest.mark.parametrize(("raw", "told"), BEGINNINGS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_under_a_wrong_name_is_told_what_it_is(tmp_path: Path, raw: bytes, told: str, packed: bool) -> None:
    path = tmp_path / ("mine.csv.gz" if packed else "mine.csv")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    for read in (TableFile(str(path)).load, SequenceFile(str(path)).load):
        with pytest.raises(BadData, match=told):
            read()


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "ring.csv").symlink_to(tmp_path / "ring.csv")
    for name in ("pipe.csv", "zero.csv", "ring.csv"):
        with pytest.raises(BadData, match="no plain file|cannot be used|does not exist"):
            TableFile(str(tmp_path / name)).load()
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "x.inter")
    os.mkfifo(folder / "u.data")
    with pytest.raises(BadData):
        RecBoleFolder(str(folder)).load()
    with pytest.raises(BadData):
        MovieLensFolder(str(folder)).load()


def test_one_line_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    path.write_bytes(b"u1 1 2\nu2 3 4\nu3 " + b"1 " * (admit.LONGEST_LINE // 2) + b"\nu4 1\n")
    for read in (TableFile(str(path)).load, SequenceFile(str(path)).load):
        with pytest.raises(BadData, match=r"line\.txt, line 3: longer than 33 MB; end each row with a new line"):
            read()


@pytest.mark.parametrize("size", [7, 50, 100, 101, 199, 200, 201, 350])
def test_long_lines_are_found_wherever_the_blocks_end(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(admit, "LONGEST_LINE", 100)
    for before in (0, 1, 50, 99, 100, 101, 150):
        text = b"ab\n" * before + b"x" * size + b"\n" + b"yz\r\n" * 60
        longest = max(len(line) for line in text.splitlines())
        try:
            admit.check_lines(Path("f"), text)
            assert longest <= 100
        except BadData as error:
            assert longest >= 100 and f"line {before + 1}:" in str(error)


def test_a_cell_a_header_and_columns_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    for text, told in (
        ("user,item\na,x\nb," + "y" * 1_000_001 + "\n", r"line 3, column 'item': a text of 1,000,001 bytes; 1,000,000 are the most"),
        ("user,item," + "z" * 2_000 + "\na,x,1\n", "line 1: a column's name has 2,000 characters"),
        ("user,item," + "z" * 200_000 + "\na,x,1\n", r"line 1: the header cannot be read \(field larger than"),
        (",".join(f"c{n}" for n in range(100_000)) + "\n", "line 1: 100,000 columns; 1,000 are the most"),
        ('"user,item\n' + "a,x\n" * 100_000, "line 1: the header cannot be read"),
    ):
        path.write_text(text)
        with pytest.raises(BadData, match=told):
            TableFile(str(path)).load()
    wide = tmp_path / "wide.parquet"
    pd.DataFrame({f"c{n}": [1] for n in range(1_500)}).to_parquet(wide)
    with pytest.raises(BadData, match="has 1,500 columns; 1,000 are the most"):
        TableFile(str(wide)).load()


def test_damaged_parquet_is_a_sentence(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.parquet", tmp_path / "mine.parquet"
    pd.DataFrame({"user": ["a", "b"] * 50, "item": range(100)}).to_parquet(whole)
    raw, rng = whole.read_bytes(), np.random.default_rng(0)
    for _ in range(150):
        broken = bytearray(raw)
        for at in rng.integers(0, len(raw), size=3):
            broken[at] ^= int(rng.integers(1, 256))
        path.write_bytes(broken)
        try:
            TableFile(str(path)).load()  # a flip in a cell alone makes other data
        except BadData as error:
            assert "mine.parquet" in str(error)
