"""A run's names as the trie reads them: Tokens as they are, text as the model's own subwords.

Where it stands: under the tree, the inspector and the counts of the Tokens page. What it does not know: Streamlit, figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.seam.values import Side, Trouble
from app.world import World
from llmrec.contracts import IdTable, Names, Piece, Token
from llmrec.view.levels import Levels, coloured
from llmrec.view.tree import Paths


@dataclass(frozen=True)
class Reading:
    """Both sides as paths over one numbering of pieces. subwords: text was read by the run's own model."""

    items: Paths
    users: Paths | None
    subwords: bool

    def side(self, side: Side) -> Paths:
        """The paths of one side; `Trouble` where the scheme does not name it."""
        paths = self.items if side == "item" else self.users
        if paths is None:
            raise Trouble("This scheme names items only: users have no names here.")
        return paths

    def carriers(self, piece: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Items and users who have a piece at any place."""
        found = []
        for paths in (self.items, self.users):
            if paths is None:
                found.append(np.zeros(0, dtype=np.int64))
                continue
            numbers = [n for n, spelled in paths.pieces.items() if str(spelled) == piece]
            found.append(np.flatnonzero(np.isin(paths.ids, numbers).any(axis=1)))
        return found[0], found[1]


def read(world: World) -> Reading:
    """The names of a world; a table of Tokens alone needs no model."""
    table = world.table
    assert table is not None
    sides = [names for names in (table.items, table.users) if names is not None]
    if all(coloured(book) for names in sides for book in names.books):
        found = [_by_codes(table, names) for names in sides]
        return Reading(found[0], found[1] if len(found) > 1 else None, False)
    vocab = _vocab(world)
    number: dict[Piece, int] = {}
    found = [_by_subwords(table, names, vocab) if vocab is not None else _as_spelled(table, names, number) for names in sides]
    return Reading(found[0], found[1] if len(found) > 1 else None, vocab is not None)


def _by_codes(table: IdTable, names: Names) -> Paths:
    """Numbers count through all books of the table, so that a Token has one number on either side."""
    starts = dict(zip((b.prefix for b in table.books), np.cumsum([0, *(b.size for b in table.books)]).tolist(), strict=False))
    first = np.asarray([starts[book.prefix] for book in names.books], dtype=np.int64)
    ids = _packed(np.where(names.codes >= 0, names.codes.astype(np.int64) + first, -1))
    levels, pieces, tones = Levels(table), {}, {}
    for book, begin in zip(names.books, first.tolist(), strict=True):
        for number in np.unique(ids[(ids >= begin) & (ids < begin + book.size)]).tolist():
            pieces[number], tones[number] = book.spell(number - begin), levels.tone(book, number - begin)
    return Paths(ids, pieces, tones)


def _by_subwords(table: IdTable, names: Names, vocab: object) -> Paths:
    from llmrec.lm.vocab import END, Vocab

    assert isinstance(vocab, Vocab)
    rows = vocab.names(names)
    lengths = np.diff(rows.offsets)
    ids = np.full((len(rows), max(1, int(lengths.max(initial=1)))), -1, dtype=np.int64)
    ids[np.arange(ids.shape[1]) < lengths[:, None]] = rows.ids
    if vocab.ends:
        ids[ids == vocab.row[END]] = -1  # the end mark is no piece of a name, and stands last
    levels = Levels(table)
    numbers = [int(n) for n in np.unique(ids) if n >= 0]
    pieces: dict[int, Piece] = dict(zip(numbers, vocab.decode(numbers), strict=True))
    return Paths(ids, pieces, {n: levels.token(str(p)) if isinstance(p, Token) else None for n, p in pieces.items()})


def _as_spelled(table: IdTable, names: Names, number: dict[Piece, int]) -> Paths:
    """Without a model at hand: every text is one piece. number: what both sides count by; it grows."""
    ids = np.full(names.codes.shape, -1, dtype=np.int64)
    for row in range(len(names)):
        for place, piece in enumerate(names.spell(row)):
            ids[row, place] = number.setdefault(piece, len(number))
    levels, pieces = Levels(table), {n: piece for piece, n in number.items()}
    return Paths(ids, pieces, {n: levels.token(str(p)) if isinstance(p, Token) else None for n, p in pieces.items()})


def _packed(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places that a name leaves out go to its end."""
    order = np.argsort(ids < 0, axis=1, kind="stable")
    return np.take_along_axis(ids, order, axis=1)


def _vocab(world: World) -> object | None:
    from llmrec import artifacts
    from llmrec.lm.vocab import Vocab

    folder = world.run.path / "model"
    if not (folder / artifacts.MANIFEST).exists():
        return None
    return Vocab.load(folder, artifacts.read_json(folder / artifacts.MANIFEST)["card"]["n_tokens"])
