"""Files that somebody hands in, put into one folder under safe names: plain ones as they are, a zip archive opened with care.

Where it stands: before `recognise`; the Data page and `llmrec data import` come through here. What it does not know: what is in a file.

Of an archive nothing is believed: its directory is measured before it is read, every byte is counted while it is unpacked, and a way out
of the folder, a link, a password or an unusual packing is refused. Only what some format asks for is unpacked at all.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from llmrec.data.admit import PICKLED, BadData, admit, check_size, most_bytes
from llmrec.data.titles import printable

MOST_FILES, MOST_ENTRIES, MOST_DIRECTORY = 20, 5_000, 2_000_000  # files taken in; entries of an archive, and bytes that list them
LONGEST_NAME = 120
PLAIN_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END, _END64 = b"PK\x05\x06", b"PK\x06\x07"
_TAIL = 22 + 65_535  # bytes in which an archive must end
Choose = Callable[[Sequence[str]], Sequence[str]]


def receive(files: Iterable[tuple[str, Path]], folder: Path, choose: Choose, most: int | None = None) -> tuple[str, ...]:
    """Put files into an empty folder: (name as given, where it lies now). Returns the names they have there. Raises `BadData`.

    choose: which of an archive's files matter, by their names; most: bytes they may have unpacked, LLMREC_MAX_BYTES at most. What was
    written until an error is the caller's to throw away.
    """
    most = min(most_bytes(), most or most_bytes())
    taken: list[str] = []
    for name, path in files:
        called = safe_name(name)
        if called.lower().endswith(".zip"):
            taken += _unzipped(path, called, folder, choose, (taken, most))
        else:
            _free(called, taken)
            _unpickled(called)
            admit(path)
            shutil.copyfile(path, folder / called)
            taken.append(called)
        if len(taken) > MOST_FILES:
            raise BadData(f"more than {MOST_FILES} files were given; give those of one data set")
    if not taken:
        raise BadData("no file was given; choose the files of one data set")
    return tuple(taken)


def _unpickled(name: str) -> None:
    """Refuse a name that promises pickled objects, whatever the file is called where it lies now."""
    if any(name.lower().removesuffix(".gz").endswith(ending) for ending in PICKLED):
        raise BadData(
            f"{name} may hold pickled objects, which run what they say when they are opened, and is not opened; "
            "write it as CSV or Parquet with the program that made it"
        )


def safe_name(name: str) -> str:
    """A file's name as it is, if it can only ever mean a file in one folder. Raises `BadData`."""
    said = repr(printable(str(name)))[:LONGEST_NAME]
    if not name or len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME or name != name.strip():
        raise BadData(f"a file is called {said}; give it a name of 1 to {LONGEST_NAME} letters without blanks around it")
    if name.startswith((".", "~")) or any(c in '/\\:*?"<>|' or not c.isprintable() for c in name):
        raise BadData(f"a file is called {said}; rename it: letters, digits, blanks, '-', '_' and '.' will do, none in front")
    return name


def _free(name: str, taken: Sequence[str]) -> None:
    if name.casefold() in (other.casefold() for other in taken):
        raise BadData(f"two files are called {name!r}; give each once")


def _unzipped(path: Path, archive: str, folder: Path, choose: Choose, held: tuple[Sequence[str], int]) -> list[str]:
    """The files of an archive that matter, laid flat into the folder. held: the names taken already, and the bytes there is room for."""
    before, most = held
    room = most
    _check_directory(path, archive)
    with _whole(archive):
        packed = zipfile.ZipFile(path)
    with packed:
        members = {_inside(info, archive): info for info in packed.infolist() if not _idle(info)}
        bases = [name.rpartition("/")[2] for name in members]
        wanted = set(choose(bases))
        chosen = {name: info for name, info in members.items() if name.rpartition("/")[2] in wanted}
        if not chosen:
            raise BadData(f"{archive} holds no file of data ({', '.join(bases[:5]) or 'nothing'}); pack the data set's own files")
        if len(chosen) > MOST_FILES:
            raise BadData(f"{archive} holds {len(chosen)} files of data; pack those of one data set, {MOST_FILES} at most")
        written: list[str] = []
        for name, info in chosen.items():
            base = safe_name(name.rpartition("/")[2])
            _free(base, [*before, *written])
            _unpickled(base)
            with _whole(archive):
                source = packed.open(info)
            with source, (folder / base).open("xb") as target:
                room -= _copied(source, target, archive, (room, most))
            written.append(base)
        return written


@contextlib.contextmanager
def _whole(archive: str) -> Iterator[None]:
    """Around the reading of an archive, and never around what is written: a full disk is not the archive's fault."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error, OSError, ValueError) as error:
        raise BadData(f"{archive} is no whole zip archive ({error!s:.100}); pack it anew, or give the files in it") from None


def _check_directory(path: Path, archive: str) -> None:
    """Refuse an archive whose list of files alone would fill the memory, before anything reads it."""
    admit(path) if path.suffix.lower() != ".zip" else check_size(path, path.stat().st_size)
    if not path.is_file():
        raise BadData(f"{archive} is no plain file; give a file")
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise BadData(f"{archive} is no whole zip archive (its end is missing); pack it anew, or give the files in it")
    if _END64 in tail[max(0, at - 20) : at]:
        raise BadData(f"{archive} is written for more than 4 GB or 65,000 files; give the files in it, or pack those of one data set")
    entries, size = struct.unpack("<HI", tail[at + 10 : at + 16])
    if entries > MOST_ENTRIES or size > MOST_DIRECTORY:
        raise BadData(f"{archive} lists {entries:,} files; {MOST_ENTRIES:,} are the most, so pack those of one data set")


def _idle(info: zipfile.ZipInfo) -> bool:
    """Folders, and what some systems add."""
    parts = info.filename.split("/")
    return info.is_dir() or "__MACOSX" in parts or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini")


def _inside(info: zipfile.ZipInfo, archive: str) -> str:
    """A member's name, if it lies in the archive and is a plain file that can be unpacked."""
    name = info.filename
    said = repr(printable(name))[:LONGEST_NAME]
    parts = name.split("/")
    if name.startswith("/") or "\\" in info.orig_filename or "\\" in name or ".." in parts or ":" in parts[0]:
        raise BadData(f"{archive} holds {said}, which leads out of the folder it is unpacked in; pack it anew, without '..'")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise BadData(f"{archive} holds {said}, a link or a device; pack the file itself")
    if info.flag_bits & 0x1:
        raise BadData(f"{archive} is locked by a password; pack it without one")
    if info.compress_type not in PLAIN_PACKING:
        raise BadData(f"{archive} packs {said} in an unusual way; pack it as an ordinary zip, or give the files in it")
    return name


def _copied(source: IO[bytes], target: IO[bytes], archive: str, bounds: tuple[int, int]) -> int:
    """Bytes copied, counted as they come; what the archive promised is never asked."""
    room, most = bounds
    total = 0
    while True:
        with _whole(archive):
            part = source.read(1 << 16)
        if not part:
            return total
        total += len(part)
        if total > room:
            raise BadData(
                f"{archive} is larger than {most / 1e6:,.0f} MB unpacked; cut it down (fewer columns, a sample), "
                "or import it from the command line with a higher LLMREC_MAX_BYTES"
            )
        target.write(part)
