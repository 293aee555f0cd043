"""The ledger of the queue: one row a run, in an embedded SQLite file beside the runs. It holds the order, and who works where.

Where it stands: under `dispatch` and `orders`. What it does not know: processes, recipes; the truth about a run is its folder.

A ledger that is damaged is set aside and begun anew; `dispatch` fills it again from the folders. Its name carries the version of its form,
so that two versions of this package never read each other's.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llmrec import home
from llmrec.runs import contents

FILE = "queue-1.sqlite"
PATIENCE = 30.0  # seconds to wait while others write
FORM = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    executor TEXT NOT NULL,
    slot INTEGER,
    deaths INTEGER NOT NULL DEFAULT 0,
    reached TEXT NOT NULL DEFAULT '',
    began TEXT NOT NULL DEFAULT ''
)
"""
DAMAGE = (sqlite3.Error, UnicodeDecodeError)  # the second: SQLite's word on damage may quote it
COLUMNS = "id, name, executor, slot, deaths, reached, began"
log = logging.getLogger(__name__)


class LedgerBusy(ValueError):
    """The ledger cannot be written now. The message says why and what to do."""


@dataclass(frozen=True)
class Row:
    """One waiting or working run, in order of id. slot: which place it has, None while it waits; deaths: how often its worker died since
    it last got further than `reached`; began: what was noted of the machine when its worker started."""

    id: int
    name: str
    executor: str
    slot: int | None = None
    deaths: int = 0
    reached: str = ""
    began: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether this module wrote it: SQLite keeps any kind of value in any column, and a name becomes a path."""
        texts, numbers = (self.name, self.executor, self.reached, self.began), (self.id, self.deaths, self.slot or 0)
        right = all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)
        return right and contents.NAME.fullmatch(self.name) is not None


def path() -> Path:
    """The file, in the runs' folder."""
    return home.runs() / FILE


class Ledger:
    """An open ledger inside one transaction that nobody else writes in."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base
        base.text_factory = lambda text: text.decode(errors="replace")  # what is no text is no name of ours, and hides no other

    def rows(self) -> list[Row]:
        """Every row, in order. One whose name is no name of a run, or whose numbers are none, was not written here and is passed over."""
        found = [Row(*row) for row in self._base.execute(f"SELECT {COLUMNS} FROM runs ORDER BY id")]
        return [row for row in found if row.is_ours]

    def add(self, name: str, executor: str) -> None:
        """A run at the end of the line; one that stood there already moves to the end."""
        self.drop(name)
        self._base.execute("INSERT INTO runs (name, executor) VALUES (?, ?)", (name, executor))

    def place(self, row: Row, slot: int | None, began: str = "") -> None:
        """Give a run a slot, or take it away."""
        self._base.execute("UPDATE runs SET slot = ?, began = ? WHERE id = ?", (slot, began, row.id))

    def died(self, row: Row, deaths: int, reached: str) -> None:
        """Note a death, and put the run back in its place of the line."""
        self._base.execute("UPDATE runs SET slot = NULL, deaths = ?, reached = ? WHERE id = ?", (deaths, reached, row.id))

    def drop(self, name: str) -> None:
        """Take a run out of the line."""
        self._base.execute("DELETE FROM runs WHERE name = ?", (name,))


@contextlib.contextmanager
def opened() -> Iterator[Ledger]:
    """The ledger for reading and writing, alone among all processes; what was written counts once the block ends well."""
    base = _connected()
    try:
        yield Ledger(base)
        base.execute("COMMIT")
    except DAMAGE as error:
        _undo(base)
        raise LedgerBusy(f"the queue in {path()} could not be written: {error}; check the disk and its room, then try again") from None
    except BaseException:
        _undo(base)
        raise
    finally:
        base.close()


def _undo(base: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        base.execute("ROLLBACK")


def read() -> list[Row]:
    """Every row, as a rule without writing; none where there is no ledger, or one that cannot be read at all."""
    if not path().is_file():
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"{path().absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as base:
            return Ledger(base).rows()
    except DAMAGE:  # a writer that takes long, or one that was killed in the middle, which only who may write can undo
        with contextlib.suppress(LedgerBusy), opened() as book:
            return book.rows()
        return []


def _connected() -> sqlite3.Connection:
    for _ in range(3):
        base = None
        try:
            path().parent.mkdir(parents=True, exist_ok=True)
            if path().is_symlink():
                raise LedgerBusy(f"{path()} is a link: the queue writes a plain file there alone, so remove the link")
            base = sqlite3.connect(path(), timeout=PATIENCE, isolation_level=None)
            base.execute("PRAGMA synchronous = FULL")
            base.execute("BEGIN IMMEDIATE")
            base.execute(FORM)
            _demand_whole(base)
            return base
        except sqlite3.OperationalError as error:
            _close(base)
            if _means_damage(error):
                _set_aside(str(error))
                continue
            raise LedgerBusy(f"the queue in {path()} cannot be written: {error}; check the disk and its rights, then try again") from None
        except DAMAGE as error:
            _close(base)
            _set_aside(str(error))
        except OSError as error:
            _close(base)
            raise LedgerBusy(f"the runs' folder {path().parent} cannot be written: {error.strerror}; LLMREC_RUNS names another") from None
    raise LedgerBusy(f"the queue in {path()} is damaged and cannot be replaced: delete it, the runs themselves are whole")


def _set_aside(why: str) -> None:
    """Under a lock of its own, so that of two processes which find the damage one mends it and the other finds it mended."""
    from llmrec.runs import status

    lock = status.take(path().parent, patience=PATIENCE)
    if lock is None:
        raise LedgerBusy(f"the queue in {path()} is being mended by another process: try again in a moment")
    try:
        if not _damaged():
            return
        number = 1 + sum(1 for _ in path().parent.glob(f"{FILE}.damaged-*"))
        os.replace(path(), path().with_name(f"{FILE}.damaged-{number}"))
        for end in ("-journal", "-wal", "-shm"):  # of the damaged file: a new one must not take them for its own
            path().with_name(FILE + end).unlink(missing_ok=True)
        log.warning("the queue's file was damaged (%s); it was set aside and is filled again from the runs", " ".join(why.split())[:200])
    finally:
        lock.close()


def _damaged() -> bool:
    try:
        with contextlib.closing(sqlite3.connect(path(), timeout=PATIENCE)) as base:
            base.execute("BEGIN IMMEDIATE")
            _demand_whole(base)
            return False
    except sqlite3.OperationalError as error:
        return _means_damage(error) and path().exists()
    except DAMAGE:
        return True


def _demand_whole(base: sqlite3.Connection) -> None:
    """`sqlite3.DatabaseError` where a page, the index or the table is not as it was written; of a hundred rows it takes a millisecond."""
    said = base.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise sqlite3.DatabaseError(said)
    base.execute(f"SELECT {COLUMNS} FROM runs LIMIT 1")


def _means_damage(error: sqlite3.Error) -> bool:
    """No such column, in a table of that name which is not ours; or a form that this SQLite will not write, in a file that may be."""
    code = int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
    return code == sqlite3.SQLITE_ERROR or (code == sqlite3.SQLITE_READONLY and not _plainly_read_only())


def _plainly_read_only() -> bool:
    try:
        with path().open("r+b") as file:
            return file.read(20)[18:] in (b"\1\1", b"\2\2")  # a file of the form that SQLite writes: the folder is at fault
    except OSError:
        return True


def _close(base: sqlite3.Connection | None) -> None:
    if base is not None:
        base.close()
