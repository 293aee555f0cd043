"""What may come next in a statement: names of the shown history not yet cited, and attributes that the catalogue knows, each once.

Where it stands: under generation, as the tree of names stands under the ranking of items. It knows how statements are said.
What it does not know: which is right. Attributes are those of the whole catalogue, not the item's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llmrec.contracts import Ints
from llmrec.lm.tasks.facts import MOST_ITEMS
from llmrec.lm.tasks.wording import Wording

Rows = tuple[int, ...]


@dataclass(frozen=True)
class Way:
    """One way to go on. rest: rows still to be said of a name or attribute; cited, told: the names and attributes so far, it included;
    over: whether the end mark was said."""

    rest: Rows
    cited: tuple[Rows, ...] = ()
    told: tuple[str, ...] = ()
    over: bool = False


class Grammar:
    """The statements over one shown history. attributes: all words of the catalogue; where it has some, a statement names one."""

    def __init__(self, wording: Wording, shown: Ints, attributes: Sequence[str]) -> None:
        self.wording, self.attributes = wording, tuple(attributes)
        self.names: tuple[Rows, ...] = tuple(dict.fromkeys(tuple(wording.speaker.names[i].tolist()) for i in shown.tolist()))
        self.ways = list(self._after(Way(())))

    def next(self) -> set[int]:
        """The rows that may come next; none after the end."""
        return {way.rest[0] for way in self.ways}

    def say(self, row: int) -> None:
        """Go on with one of `next`."""
        said = [replace(way, rest=way.rest[1:]) for way in self.ways if way.rest[0] == row]
        self.ways = [further for way in said for further in ([way] if way.rest else self._after(way))]

    def _after(self, way: Way) -> Iterator[Way]:
        """What may follow a whole name or attribute. A name can be the beginning of another: all ways are kept."""
        speaker = self.wording.speaker
        if way.over:
            return
        if not way.told and len(way.cited) < MOST_ITEMS:
            join = self.wording.and_ if way.cited else self.wording.because
            for name in self.names:
                if name not in way.cited:
                    yield Way((*join, *name), (*way.cited, name))
        if not way.cited:
            return
        join = self.wording.comma if way.told else self.wording.colon
        for attribute in self.attributes:
            if attribute not in way.told:
                yield Way((*join, *speaker.phrase(f" {attribute}")), way.cited, (*way.told, attribute))
        if way.told or not self.attributes:
            yield Way((speaker.end,), way.cited, way.told, over=True)
