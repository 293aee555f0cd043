"""The colour of a Token, the same wherever it stands: on a chip, on the map, in the tree of names, inside a prompt.

Where it stands: between names and every picture of them. What it does not know: user interfaces, hex codes (`palette` has those).

A tone is the number of one of the palette's categories. Each book begins elsewhere in that cycle, so that `<a_5>` and `<b_5>` look
different; there are more Tokens than colours, so colours repeat inside a book, and whatever shows one says its name as well.
Levels (the first piece of a name, its second, ...) differ by weight: the first is filled, later ones are paler.
"""

from __future__ import annotations

import numpy as np

from llmrec.contracts import Book, IdTable, Names
from llmrec.view.palette import LIGHT

TONES = len(LIGHT.categories)
STRIDE = 4  # from one book to the next; it has no divisor in common with 9, so nine books begin in nine places


class Levels:
    """The tones of one table's Tokens."""

    def __init__(self, table: IdTable) -> None:
        self._books = {book.prefix: book for book in table.books}
        self._begin = {prefix: STRIDE * place % TONES for place, prefix in enumerate(self._books)}

    def tone(self, book: Book, code: int) -> int | None:
        """The tone of one code; None where the book spells text or digits, or the name leaves the place out (code -1)."""
        if not coloured(book) or code < 0:
            return None
        return (int(code) + self._begin[book.prefix]) % TONES

    def column(self, names: Names, place: int) -> np.ndarray:
        """The tones of a whole place of names: (n,) float64, NaN where there is none."""
        book, codes = names.books[place], names.codes[:, place]
        if not coloured(book):
            return np.full(len(codes), np.nan)
        return np.where(codes >= 0, (codes + self._begin[book.prefix]) % TONES, np.nan)

    def of(self, names: Names, index: int) -> tuple[int | None, ...]:
        """One tone per piece of a name as it is spelled, places that it leaves out left out."""
        return tuple(self.tone(book, int(code)) for book, code in zip(names.books, names.codes[index], strict=True) if code >= 0)

    def token(self, token: str) -> int | None:
        """The tone of a Token by its spelling; None where no book of the table spells it."""
        for prefix, book in self._books.items():
            digits = token[len(prefix) + 1 : -1]
            if token == f"<{prefix}{digits}>" and digits.isdecimal() and int(digits) < book.size:
                return self.tone(book, int(digits))
        return None


def coloured(book: Book) -> bool:
    """Whether its codes are Tokens: text and digits have no colour of their own."""
    return book.token and book.texts is None
