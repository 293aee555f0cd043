"""Titles in an answer, spelled as the catalogue has them: where one must stand, the model chooses which, and the rest follows.

Where it stands: under the tuned speaker, beside `truths`. What it does not know: models; what an answer is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Titles:
    """`written`: the rows of each title that may stand here."""

    def __init__(self, written: Mapping[int, Sequence[int]]) -> None:
        self._left = {item: tuple(rows) for item, rows in written.items() if rows}

    def next(self) -> set[int]:
        """The rows that a title goes on with; none where none does."""
        return {rows[0] for rows in self._left.values() if rows}

    def say(self, row: int) -> None:
        """Go on with one of `next`."""
        self._left = {item: rows[1:] for item, rows in self._left.items() if rows and rows[0] == row}

    @property
    def whole(self) -> bool:
        """Whether a title may end here."""
        return any(not rows for rows in self._left.values())
