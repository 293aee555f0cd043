"""Which files are opened at all: plain ones, of a bearable size, that are what their names say.

Where it stands: under `files`, before a byte is read. What it does not know: tables.

LLMREC_MAX_BYTES is the most that a file may hold unpacked, 1 GB unless told otherwise. Sizes are counted while a file is unpacked; what its
headers promise is never trusted. Nothing that could hold pickled objects is opened, since opening those runs what they say.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

GIGABYTE = 1_000_000_000
MOST_COLUMNS = 1_000  # of a table
LONGEST_LINE = 1 << 25  # bytes, 32 MB: a user with millions of interactions
LONGEST_CELL, LONGEST_NAME = 1_000_000, 1_000  # bytes of a cell, characters of a column's name

PICKLED = {".pkl", ".pickle", ".p", ".pt", ".pth", ".ckpt", ".joblib", ".dill", ".npy", ".npz", ".bin", ".h5", ".hdf5", ".rds", ".rdata"}
PACKED = {".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".xlsx", ".xls", ".ods"}
# how files begin that are no text: (bytes, what it is, what to do)
BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive (or a spreadsheet)", "unpack it, or save the sheet as CSV, and give the file inside"),
    (b"\x1f\x8b", "packed with gzip", "let its name end in .gz"),
    (b"BZh", "packed with bzip2", "unpack it"),
    (b"\xfd7zXZ", "packed with xz", "unpack it"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it and give the file inside"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it"),
    (b"PAR1", "a Parquet file", "let its name end in .parquet"),
    (b"\x93NUMPY", "a NumPy file", "write it as CSV or Parquet"),
    (b"\x89HDF", "an HDF5 file", "write it as CSV or Parquet"),
    (b"%PDF", "a PDF", "give a CSV, TSV or Parquet file"),
    *((b"\x80" + bytes([n]), "a pickle, which runs what it says when it is opened", "write it as CSV or Parquet") for n in range(2, 6)),
)
MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<svg", b"<script")


class BadData(ValueError):
    """A data file that cannot be used. The message names file, line, column and remedy."""


def most_bytes() -> int:
    """LLMREC_MAX_BYTES, or 1 GB."""
    told = os.environ.get("LLMREC_MAX_BYTES") or str(GIGABYTE)
    if not told.isdecimal() or not told.isascii():
        raise BadData(f"LLMREC_MAX_BYTES is {told!r}; it must be a whole number of bytes, such as {GIGABYTE}")
    return int(told[:20])


def check_size(path: Path, size: int, most: int | None = None) -> None:
    """Raise when a file holds more than `most` bytes, which is LLMREC_MAX_BYTES where none is given."""
    most = most_bytes() if most is None else most
    if size > most:
        raise BadData(
            f"{path.name} is larger than {most / 1e6:,.0f} MB unpacked; cut it down (fewer columns, a sample) "
            f"or raise the limit, in bytes, with LLMREC_MAX_BYTES"
        )


def admit(path: Path) -> None:
    """Raise unless `path` is a plain file that may be opened. A pipe or a device would never end."""
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if f".{ending}" in PICKLED:
        raise BadData(
            f"{path.name} may hold pickled objects, which run what they say when they are opened, and is not opened; "
            "write it as CSV, Parquet, JSON or safetensors with the program that made it"
        )
    if path.suffix.lower() in PACKED:
        raise BadData(f"{path.name} is an archive or a spreadsheet; unpack it, or save the sheet as CSV, and give the file inside")
    if not path.exists():
        raise BadData(f"{path} does not exist; check the path")
    if path.is_dir():
        raise BadData(f"{path} is a folder; name a file in it")
    if not path.is_file():
        raise BadData(f"{path} is no plain file but a pipe or a device; give a file")
    check_size(path, path.stat().st_size)


def check_text(path: Path, raw: bytes) -> None:
    """Raise when what should be text begins as something else does: an archive, a pickle, a web page."""
    for start, what, remedy in BEGINNINGS:
        if raw.startswith(start):
            raise BadData(f"{path.name} is {what}, not text; {remedy}")
    if raw[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(MARKUP):
        raise BadData(f"{path.name} is a page of HTML or XML, not a table; download the file itself, not the page about it")


def check_lines(path: Path, text: bytes) -> None:
    """Raise when a line is longer than LONGEST_LINE: every reader works line by line."""
    if len(text) <= LONGEST_LINE:
        return
    since, number = 0, 1  # where the line began that is being read
    for start in range(0, len(text), LONGEST_LINE):
        block = np.frombuffer(text, np.uint8, min(LONGEST_LINE, len(text) - start), start)
        ends = np.flatnonzero((block == 10) | (block == 13)) + start
        places = np.concatenate([[since], ends, [start + len(block)]])
        long = np.flatnonzero(np.diff(places) > LONGEST_LINE)
        if len(long):
            raise BadData(
                f"{path.name}, line {number + int(long[0]):,}: longer than {LONGEST_LINE // 1_000_000} MB; "
                "end each row with a new line, and check that the file is what its name says"
            )
        number, since = number + len(ends), int(places[-2]) if len(ends) else since
