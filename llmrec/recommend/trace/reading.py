"""What a model reads before it recommends, run by run: words, the person's name, and the names of their items.

Where it stands: first of what is traced; the prompt is the very one that a ranking reads. What it does not know: heads, probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llmrec.contracts import Id, Ints, Piece
from llmrec.lm import prompts
from llmrec.recommend.language import LanguageRecommender

Kind = Literal["words", "person", "item"]


@dataclass(frozen=True)
class Stretch:
    """Row numbers that belong together. item: whose name they are where kind is "item", else -1."""

    kind: Kind
    ids: tuple[int, ...]
    item: int = -1


@dataclass(frozen=True)
class Reading:
    """A whole prompt. cut: how many of the oldest items were left out; text: the template; ordered: whether items stand in time's order."""

    stretches: tuple[Stretch, ...]
    cut: int
    text: str
    ordered: bool

    @property
    def ids(self) -> list[int]:
        """The row numbers that the model reads: (t,)."""
        return [i for stretch in self.stretches for i in stretch.ids]

    def tokens(self, first: int) -> int:
        """How many of them are Tokens. first: the row number of the first."""
        return sum(i >= first for i in self.ids)


@dataclass(frozen=True)
class Template:
    """Which words stand around a history. number: its place among its task's; unseen: it was never trained on."""

    number: int = 0
    unseen: bool = False

    @property
    def key(self) -> str:
        """A short name, as addresses and the command line write it."""
        return f"unseen-{self.number}" if self.unseen else str(self.number)


def templates(task: str) -> dict[Template, str]:
    """Every template of a task with its text, those it was trained on first."""
    book = prompts.templates()[task]
    seen = {Template(i): text for i, text in enumerate(book["seen"])}
    return {**seen, **{Template(i, unseen=True): text for i, text in enumerate(book["unseen"])}}


def template(task: str, key: str) -> Template:
    """A template by its key. ValueError names those there are."""
    known = {one.key: one for one in templates(task)}
    if key not in known:
        raise ValueError(f"no template of {task!r} is called {key!r:.60}: there are {', '.join(known)}")
    return known[key]


def read(recommender: LanguageRecommender, who: int | Id, history: Ints, words: Template) -> Reading:
    """The prompt of one person, taken apart. who: their number, -1 for a new person, or the name they get."""
    writer, task = recommender.writer, recommender.task
    name = writer.called(who) or (prompts.templates()[task]["anonymous"],)
    told = writer.told(history, task)
    head = prompts.header(writer.called(who), words.number, task, words.unseen)
    foot = prompts.footer(writer.called(who), words.number, task, words.unseen)
    items = [Stretch("item", tuple(writer.names[int(i)].tolist()), int(i)) for i in told]
    stretches = (*_spoken(recommender, head, name), *items, *_spoken(recommender, foot, name))
    found = Reading(stretches, len(history) - len(told), templates(task)[words], prompts.ordered(task))
    if found.ids != recommender.prompt(who, history, words.number, words.unseen):
        raise RuntimeError("the prompt taken apart is not the prompt that is read")
    return found


def _spoken(recommender: LanguageRecommender, pieces: tuple[Piece, ...], name: Id) -> list[Stretch]:
    """Words, and the person's name wherever it stands among them."""
    encode = recommender.lm.vocab.encode
    out: list[Stretch] = []
    at = 0
    while at < len(pieces):
        named = pieces[at : at + len(name)] == name
        taken = len(name) if named else 1
        out.append(Stretch("person" if named else "words", tuple(encode(pieces[at : at + taken]))))
        at += taken
    return out
