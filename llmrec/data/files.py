"""Files on disk to tables of text, or one clear error: the only place that opens a data file.

Where it stands: below every reader of `llmrec.data`. What it does not know: users, items, and what a column means.

A file is measured before it is read (a packed one while it is unpacked; see `admit` for what is opened at all). It is decoded in one go and
cut strictly: a row with a field too few or too many is an error with its line, never a shifted row.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from llmrec.data.admit import LONGEST_CELL, LONGEST_NAME, MOST_COLUMNS, BadData, admit, check_lines, check_size, check_text, most_bytes

BATCH_ROWS = 1 << 16


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
        limit = csv.field_size_limit(1 << 30)  # a cell that is too long stands in a line as well
        try:
            return self._starts(self.text, row + self.header)
        finally:
            csv.field_size_limit(limit)

    def _starts(self, text: bytes, row: int) -> int:
        reader = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=self.separator)
        start, seen = 1, 0
        for fields in reader:
            if fields:
                if seen == row:
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
    admit(path)
    most, parts, total = most_bytes(), [], 0
    packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            while part := file.read(1 << 20):
                total += len(part)
                check_size(path, total, most)
                parts.append(part)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadData(f"{path.name} is not a whole gzip file ({error}); download it again") from error
    return b"".join(parts)


def read_text(path: Path, encoding: str = "utf-8") -> bytes:
    """The file as UTF-8 bytes without a byte-order mark. Wrong encoding: `BadData` that names byte and line."""
    raw = read_bytes(path)
    check_text(path, raw)
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
    plain = text.removeprefix("\ufeff").encode()
    check_lines(path, plain)
    return plain


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
    header = _header(path, text, separator, quoted) if names is None else list(names)
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
    whole = Table(pd.DataFrame(columns=header), path, text, separator, quoted, names is None)
    _check_cells(cut, whole)
    return Table(cut.to_pandas(), path, text, separator, quoted, names is None)


def read_parquet(path: Path) -> Table:
    """A Parquet file as a table with its own types.

    It is read batch by batch, and each batch measured before it is unpacked: a few kilobytes can say "a billion times the same", and what
    the file says of its own size may be a lie.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    admit(path)
    with _parquet(path):
        plain = parquet.ParquetFile(path)
        frame = pyarrow.Table.from_batches(list(_batches(path, plain, BATCH_ROWS)), plain.schema_arrow).to_pandas()
    if not len(frame):
        raise BadData(f"{path.name} holds no rows; give a file with at least one row")
    return Table(frame.reset_index(drop=True), path)


def first_rows(path: Path, rows: int) -> pd.DataFrame:
    """The first rows of a Parquet file, as carefully as the whole; none where it holds none."""
    import pyarrow
    import pyarrow.parquet as parquet

    admit(path)
    with _parquet(path):
        plain = parquet.ParquetFile(path)
        frame: pd.DataFrame = pyarrow.Table.from_batches(list(islice(_batches(path, plain, rows), 1)), plain.schema_arrow).to_pandas()
    return frame


def _batches(path: Path, plain: Any, rows: int) -> Iterator[Any]:
    """The rows of a Parquet file, so many at a time, each batch measured before it is unpacked."""
    import pyarrow.parquet as parquet

    leaves = [plain.metadata.schema.column(i) for i in range(plain.metadata.num_columns)]
    if len(leaves) > MOST_COLUMNS:
        raise BadData(f"{path.name} has {len(leaves):,} columns; {MOST_COLUMNS:,} are the most, leave some out")
    groups = range(plain.metadata.num_row_groups)
    check_size(path, sum(plain.metadata.row_group(i).total_byte_size for i in groups))
    folded = parquet.ParquetFile(path, read_dictionary=[leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"])
    size, most = 0, most_bytes()
    for group in groups:  # one by one, as lists of pointed-at texts cannot be joined across groups
        unpacked = plain.iter_batches(rows, row_groups=[group], use_threads=False)
        for batch in folded.iter_batches(rows, row_groups=[group], use_threads=False):
            size += sum(_unpacked(column) for column in batch.columns)
            check_size(path, size, most)
            yield next(unpacked, None)


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[None]:
    """Around the reading of a Parquet file: whatever is wrong with it becomes `BadData`."""
    import pyarrow

    try:
        yield
    except MemoryError:
        raise BadData(f"{path.name} needs more memory than this machine has; cut it down (fewer columns, a sample)") from None
    except BadData:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise BadData(f"{path.name} is no readable Parquet file ({error!s:.300}); write it again") from error


def _unpacked(column: Any) -> int:
    """Bytes of a column of which each text stands once and is pointed at, when every row has its own."""
    import pyarrow
    import pyarrow.compute as compute

    if pyarrow.types.is_dictionary(column.type):
        lengths = compute.binary_length(column.dictionary) if _is_text(column.type.value_type) else None
        each = 0 if lengths is None else compute.sum(compute.take(lengths.cast("int64"), column.indices)).as_py() or 0
        return int(max(each, column.nbytes)) + 8 * len(column)
    if pyarrow.types.is_nested(column.type) and not pyarrow.types.is_map(column.type):
        inside = [column.flatten()] if pyarrow.types.is_list(column.type) or pyarrow.types.is_large_list(column.type) else column.flatten()
        return sum(map(_unpacked, inside)) + 8 * len(column)
    return int(max(column.nbytes, 8 * len(column)))


def _is_text(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_binary(kind) or pyarrow.types.is_large_string(kind))


def first_row(wrong: np.ndarray | pd.Series) -> int | None:
    """The first row where `wrong` is true, or None."""
    flags = np.asarray(wrong, dtype=bool)
    return int(flags.argmax()) if flags.any() else None


def _header(path: Path, text: bytes, separator: str, quoted: bool) -> list[str]:
    start = text.lstrip(b"\r\n")[: LONGEST_CELL * 4].decode(errors="ignore")
    if not quoted:
        return start.splitlines()[0].split(separator)
    try:
        return next(iter(csv.reader(io.StringIO(start, newline=""), delimiter=separator)))
    except csv.Error as error:
        raise BadData(f"{path.name}, line 1: the header cannot be read ({error}); check for a quote that never closes") from None


def _check_header(path: Path, header: list[str]) -> None:
    if len(header) > MOST_COLUMNS:
        raise BadData(f"{path.name}, line 1: {len(header):,} columns; {MOST_COLUMNS:,} are the most, or name the right separator")
    for name in header:
        if len(name) > LONGEST_NAME:
            raise BadData(
                f"{path.name}, line 1: a column's name has {len(name):,} characters; is this the header, and the right separator?"
            )
        if header.count(name) > 1:
            raise BadData(f"{path.name}, line 1: two columns are called {name!r:.200}; rename one")


def _check_cells(cut: Any, table: Table) -> None:
    """Refuse a cell that no page, prompt or name could bear."""
    import pyarrow.compute as compute

    for name in cut.column_names:
        lengths = compute.binary_length(cut[name])
        longest = compute.max(lengths).as_py()
        if longest is not None and longest > LONGEST_CELL:
            row = compute.index(lengths, longest).as_py()
            raise table.wrong(row, name, f"a text of {longest:,} bytes", f"{LONGEST_CELL:,} are the most, so shorten it")
