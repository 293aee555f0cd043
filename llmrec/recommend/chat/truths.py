"""What may be said next in a statement, if it is to be true: items of the history that speak for the target, and what they share with it.

Where it stands: under the tuned speaker, as `llmrec.lm.tasks.grammar` stands under explanations; that one bars what is misspelt, this one
also what is false by `Facts`. What it does not know: models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from llmrec.lm.tasks.facts import MOST_ITEMS, Facts
from llmrec.lm.tasks.wording import Wording

Part = int | str


@dataclass(frozen=True)
class Way:
    """One way to go on. rest: rows still to be said of its last part; items, told: items cited and attributes named so far, it included."""

    rest: tuple[int, ...]
    items: tuple[int, ...] = ()
    told: tuple[str, ...] = ()
    over: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.items, *self.told, *([""] if self.over else []))


class Truths:
    """The true statements about one target over a history. Of items that share a name the newest is cited."""

    def __init__(self, wording: Wording, facts: Facts, target: int, history: Sequence[int]) -> None:
        self.wording, self.facts, self.target = wording, facts, target
        newest = np.asarray([i for i in dict.fromkeys(reversed(list(history))) if i != target], dtype=np.int64)
        near = facts.cosine(target, newest) > 0
        speaking = [i for i in newest[near].tolist() if self._shared((i,)) or not facts.described]
        self.names: dict[tuple[int, ...], int] = {}
        for item in speaking:
            self.names.setdefault(tuple(wording.speaker.names[item].tolist()), item)
        self.ways = list(self._after(Way(()))) if self.names else []

    def next(self) -> set[int]:
        """The rows that may come next; none after the end, and none at all where there is nothing true to say."""
        return {way.rest[0] for way in self.ways if way.rest}

    def say(self, row: int) -> None:
        """Go on with one of `next`."""
        said = [replace(way, rest=way.rest[1:]) for way in self.ways if way.rest and way.rest[0] == row]
        self.ways = [further for way in said for further in ([way] if way.rest or way.over else self._after(way))]

    @property
    def settled(self) -> tuple[Part, ...]:
        """Items and attributes that were said whole, in order."""
        whole = [way.parts[: len(way.parts) - bool(way.rest)] for way in self.ways]
        if not whole:
            return ()
        same = next((n for n, parts in enumerate(zip(*whole, strict=False)) if len(set(parts)) > 1), min(map(len, whole)))
        return tuple(part for part in whole[0][:same] if part != "")

    def _shared(self, items: tuple[int, ...]) -> list[str]:
        """What the target and all of these share."""
        rows = [self.facts.attributes[i] for i in items]
        return [a for a in self.facts.attributes[self.target] if all(a in row for row in rows)]

    def _after(self, way: Way) -> Iterator[Way]:
        """What may follow a whole name or attribute."""
        speaker, described = self.wording.speaker, self.facts.described
        if not way.told and len(way.items) < MOST_ITEMS:
            join = self.wording.and_ if way.items else self.wording.because
            for name, item in self.names.items():
                if item not in way.items and (self._shared((*way.items, item)) or not described):
                    yield Way((*join, *name), (*way.items, item))
        if not way.items:
            return
        join = self.wording.comma if way.told else self.wording.colon
        for attribute in self._shared(way.items):
            if attribute not in way.told:
                yield Way((*join, *speaker.phrase(f" {attribute}")), way.items, (*way.told, attribute))
        if way.told or not described:
            yield Way((speaker.end,), way.items, way.told, over=True)
