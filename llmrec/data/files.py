"""Files on disk to tables of text, or one clear error: the only place that opens a data file.

Where it stands: below every reader of `llmrec.data`. What it does not know: users, items, and what a column means.

A file is measured before it is read (a packed one while it is unpacked): LLMREC_MAX_BYTES is the most it may hold, 1 GB unless told
otherwise. It is decoded in one go and cut strictly: a row with a field too few or too many is an error with its line, never a shifted row.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

GIGABYTE = 1_000_000_000


class BadData(ValueError):
    """A data file that cannot be used. The message names file, line, column and remedy."""


@dataclass(frozen=True)
class Table:
    """A file as columns of text, with what is needed to name a line in an error.

    frame: one `str` column per column of the file (a Parquet file keeps its own types); `text`: what was cut into rows, if it was text.
    """

    frame: pd.DataFrame
    path: Path
    text: bytes | None = field(default=None, repr=False)
    separator: str = ","
    quoted: bool = True
    header: bool = True

    def __len__(self) -> int:
        return len(self.frame)

    def line(self, row: int) -> int:
        """The 1-based line of the file on which row `row` starts (for Parquet: the 1-based row). Slow: for errors only."""
        if self.text is None:
            return row + 1
        if not self.quoted:
            filled = (n for n, line in enumerate(self.text.splitlines(), start=1) if line.strip())
            return next(n for i, n in enumerate(filled) if i == row + self.header)
        reader = csv.reader(io.StringIO(self.text.decode(), newline=""), delimiter=self.separator)
        start, seen = 1, 0
        for fields in reader:
            if fields:
                if seen == row + self.header:
                    return start
                seen += 1
            start = reader.line_num + 1
        return start

    def wrong(self, row: int, column: str, what: str, remedy: str) -> BadData:
        """The error for one cell, ready to raise."""
        word = "row" if self.text is None else "line"
        return BadData(f"{self.path.name}, {word} {self.line(row)}, column {column!r}: {what}; {remedy}")

    def need(self, column: str, setting: str) -> None:
        """Raise unless the file has `column`; the error names the columns there are and the setting that chooses one."""
        if column not in self.frame.columns:
            have = ", ".join(map(str, self.frame.columns))
            raise BadData(f"{self.path.name} has no column {column!r} (it has {have}); name the right one with {setting}=")


def read_bytes(path: Path) -> bytes:
    """The whole file, unpacked if its name ends in .gz. Raises `BadData` before more than the limit is read."""
    with usable(path):
        return _read_bytes(path)


@contextlib.contextmanager
def usable(path: Path | str, remedy: str = "choose another file") -> Iterator[None]:
    """Around what is done with a path that a person gave: what the system refuses becomes `BadData` with the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not the system's: raised with words of its own
            raise
        raise BadData(f"{path!s:.200} cannot be used ({error.strerror or error}): {remedy}") from None


def _read_bytes(path: Path) -> bytes:
    if not path.exists():
        raise BadData(f"{path} does not exist; check the path")
    if path.is_dir():
        raise BadData(f"{path} is a folder; name a file in it")
    _check_size(path, path.stat().st_size)
    if path.suffix != ".gz":
        return path.read_bytes()
    parts, total = [], 0
    try:
        with gzip.open(path, "rb") as packed:
            while part := packed.read(1 << 20):
                total += len(part)
                _check_size(path, total)
                parts.append(part)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadData(f"{path.name} is not a whole gzip file ({error}); download it again") from error
    return b"".join(parts)


def read_text(path: Path, encoding: str = "utf-8") -> bytes:
    """The file as UTF-8 bytes without a byte-order mark. Wrong encoding: `BadData` that names byte and line."""
    raw = read_bytes(path)
    if encoding.lower() in {"utf-8", "utf8"} and raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise BadData(f"{path.name} is UTF-16 text; pass encoding=utf-16")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadData(
            f"{path.name}, line {line}: byte 0x{raw[error.start]:02x} at position {error.start} is not {encoding}; "
            f"pass the file's own encoding, such as encoding=latin-1"
        ) from error
    except LookupError as error:
        raise BadData(f"encoding {encoding!r} is unknown; name one that Python knows, such as utf-8 or latin-1") from error
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise BadData(f"{path.name}, line {line}: a zero byte, so this is no text file; give a CSV, TSV or Parquet file")
    return text.removeprefix("\ufeff").encode()


def read_delimited(
    path: Path,
    separator: str = ",",
    names: Sequence[str] | None = None,
    quoted: bool = True,
    encoding: str = "utf-8",
) -> Table:
    """A delimited text file as a table of text. `names`: the columns of a file without a header line."""
    from pyarrow import ArrowInvalid, BufferReader
    from pyarrow import csv as arrow

    text = read_text(path, encoding)
    if len(separator) > 1:
        text, separator = text.replace(separator.encode(), b"\x1f"), "\x1f"
    if not text.strip():
        raise BadData(f"{path.name} is empty; give a file with at least one row")
    header = _header(text, separator, quoted) if names is None else list(names)
    _check_header(path, header)
    table = Table(pd.DataFrame(), path, text, separator, quoted, names is None)
    wrong: list[tuple[int, int, int]] = []

    def remember(row: arrow.InvalidRow) -> str:
        wrong.append((row.number or 0, row.expected_columns, row.actual_columns))
        return "error"

    try:
        cut = arrow.read_csv(
            BufferReader(text),
            arrow.ReadOptions(use_threads=False, column_names=header, skip_rows_after_names=int(names is None), block_size=1 << 26),
            arrow.ParseOptions(
                delimiter=separator, quote_char='"' if quoted else False, newlines_in_values=quoted, invalid_row_handler=remember
            ),
            arrow.ConvertOptions(column_types=dict.fromkeys(header, "string"), strings_can_be_null=False),
        )
    except ArrowInvalid as error:
        if wrong:
            number, expected, actual = wrong[0]
            line = table.line(number - 1 - (names is None))
            raise BadData(
                f"{path.name}, line {line}: {actual} fields where the others have {expected}; "
                f"complete the line, quote a field that holds {separator!r}, or name the right separator"
            ) from error
        raise BadData(f"{path.name} cannot be cut into columns ({error}); check for a quote that never closes") from error
    return Table(cut.to_pandas(), path, text, separator, quoted, names is None)


def read_parquet(path: Path) -> Table:
    """A Parquet file as a table with its own types. Its unpacked size is checked before anything is read."""
    import pyarrow
    import pyarrow.parquet as parquet

    if not path.exists():
        raise BadData(f"{path} does not exist; check the path")
    try:
        file = parquet.ParquetFile(path)
        groups = range(file.metadata.num_row_groups)
        _check_size(path, sum(file.metadata.row_group(i).total_byte_size for i in groups))
        frame = file.read().to_pandas()
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise BadData(f"{path.name} is no readable Parquet file ({error}); write it again") from error
    if not len(frame):
        raise BadData(f"{path.name} holds no rows; give a file with at least one row")
    return Table(frame.reset_index(drop=True), path)


def first_row(wrong: np.ndarray | pd.Series) -> int | None:
    """The first row where `wrong` is true, or None."""
    flags = np.asarray(wrong, dtype=bool)
    return int(flags.argmax()) if flags.any() else None


def _check_size(path: Path, size: int) -> None:
    told = os.environ.get("LLMREC_MAX_BYTES") or str(GIGABYTE)
    if not told.isdecimal():
        raise BadData(f"LLMREC_MAX_BYTES is {told!r}; it must be a whole number of bytes, such as {GIGABYTE}")
    if size > int(told):
        raise BadData(
            f"{path.name} is larger than {int(told) / 1e6:,.0f} MB unpacked; cut it down (fewer columns, a sample) "
            f"or raise the limit, in bytes, with LLMREC_MAX_BYTES"
        )


def _header(text: bytes, separator: str, quoted: bool) -> list[str]:
    start = text.lstrip(b"\r\n").decode()
    if not quoted:
        return start.splitlines()[0].split(separator)
    return next(iter(csv.reader(io.StringIO(start, newline=""), delimiter=separator)))


def _check_header(path: Path, header: list[str]) -> None:
    for name in header:
        if header.count(name) > 1:
            raise BadData(f"{path.name}, line 1: two columns are called {name!r}; rename one")
