"""A statement in row numbers and back: "because of {name} and {name}: Sci-Fi, 1980s".

Where it stands: between the explanation task and the vocabulary. Names stand in it as the scheme's pieces, so a title that holds " and "
or a film called like a genre is told from the words around it.
What it does not know: what is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmrec.contracts import Catalog, Ints
from llmrec.lm.tasks.facts import MOST_ITEMS, NOBODY, Statement
from llmrec.lm.tasks.words import Speaker

BECAUSE, AND, COLON, COMMA = " because of", " and", ":", ","
NO_ITEM = "(no such item)"


class Wording:
    """Statements for one vocabulary and one table of names."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.because, self.and_, self.colon = (speaker.phrase(p) for p in (BECAUSE, AND, COLON))
        self.comma = speaker.phrase(COMMA)
        self.bearers: dict[tuple[int, ...], list[int]] = {}
        for item in range(len(speaker.names)):
            self.bearers.setdefault(tuple(speaker.names[item].tolist()), []).append(item)
        self.longest = max(map(len, self.bearers))

    def write(self, statement: Statement) -> list[int]:
        """The statement's row numbers, without the end mark."""
        out: list[int] = []
        for item in statement.items:
            out += [*(self.and_ if out else self.because), *self.speaker.names[item].tolist()]
        for place, attribute in enumerate(statement.attributes):
            out += [*(self.comma if place else self.colon), *self.speaker.phrase(f" {attribute}")]
        return out

    def most(self, attributes: Sequence[Sequence[str]]) -> int:
        """How many row numbers a statement over items with these attributes takes at most, the end mark included."""
        told = max((len(self.write(Statement((), tuple(row)))) for row in attributes), default=0)
        return len(self.because) + MOST_ITEMS * (self.longest + len(self.and_)) + told + 1

    def read(self, said: Sequence[int], history: Ints, ended: bool = True) -> Statement:
        """What was said, as a statement. Of items that share a name the one in the history is meant, else the first. What did not end is
        not well formed."""
        statement = self._read(said, history)
        return statement if ended else replace(statement, formed=False)

    def _read(self, said: Sequence[int], history: Ints) -> Statement:
        rows, at, items = list(said), len(self.because), []
        if rows[:at] != self.because:
            return Statement((), formed=False)
        known = set(map(int, history))
        while True:
            length = next((n for n in range(min(self.longest, len(rows) - at), 0, -1) if tuple(rows[at : at + n]) in self.bearers), 0)
            bearers = self.bearers.get(tuple(rows[at : at + length]), [NOBODY])
            items.append(next((i for i in bearers if i in known), bearers[0]))
            at = at + length if length else self._next(rows, at)
            if rows[at : at + len(self.and_)] != self.and_:
                break
            at += len(self.and_)
        if at == len(rows):
            return Statement(tuple(items))
        if rows[at : at + len(self.colon)] != self.colon:
            return Statement(tuple(items), formed=False)
        told = self.speaker.spelled(rows[at + len(self.colon) :])
        attributes = tuple(a.strip() for a in told.split(COMMA))
        return Statement(tuple(items), attributes, formed=all(attributes))

    def _next(self, rows: list[int], at: int) -> int:
        """Where the next word after an unknown name begins."""
        for place in range(at, len(rows)):
            if any(rows[place : place + len(mark)] == mark for mark in (self.and_, self.colon)):
                return place
        return len(rows)


def shown(statement: Statement, catalog: Catalog) -> str:
    """A statement as people read it, with titles in the place of names."""
    titles = [NO_ITEM if i == NOBODY else catalog.titles[i] for i in statement.items]
    said = f"{BECAUSE.strip()} {f'{AND} '.join(titles)}"
    return said + (f"{COLON} {f'{COMMA} '.join(statement.attributes)}" if statement.attributes else "")
