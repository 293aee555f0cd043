"""Dialogues as row numbers: the header, messages with their notes, answers with names at their marks. Training and talking write alike.

Where it stands: between `language` and the vocabulary; the generator supervises what it writes, the engine lets a model go on behind it.
What it does not know: what is a good answer.

    {header and history}\nUser: something like star wars [{name}: Star Wars, 1977, Action]\nAssistant: Close to Star Wars: * {name}.{end}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Id, Ints
from llmrec.lm import prompts
from llmrec.lm.dialogue.language import BECAUSE, Language
from llmrec.lm.tasks.words import Document, Speaker
from llmrec.recommend.chat.values import MARK, Exchange, Mention

SHOWN = 20  # items of the history that a header holds, the newest
USER, ASSISTANT = "\nUser:", "\nAssistant:"
TASK = "sequential"
_PARTED = str.maketrans({"[": "(", "]": ")"})


@dataclass(frozen=True)
class Dialogue:
    """A talk with somebody at a moment of train. user: their number, -1 unnamed; history: all items before it, oldest first; turns: in
    order; template: which of the sequential prompt's words head it."""

    user: int
    history: tuple[int, ...]
    turns: tuple[Exchange, ...]
    template: int = 0


class Script:
    """Writes for one vocabulary, its table of names and one catalogue."""

    def __init__(self, speaker: Speaker, language: Language) -> None:
        self.speaker, self.language = speaker, language
        self.end = speaker.end

    @property
    def mark(self) -> list[int]:
        """The rows of a mark; the name of the item that a head chooses follows them."""
        return self.speaker.phrase(MARK)

    def header(self, user: int | Id, history: Ints | Sequence[int], template: int = 0) -> list[int]:
        """The sequential prompt over the newest of a history. user: a number, -1 for a new person, or a newcomer's name."""
        table = self.speaker.table
        name = user if isinstance(user, tuple) else None if user < 0 or table.users is None else table.users.spell(user)
        return [*self.speaker.vocab.encode(prompts.header(name, template, TASK)), *self.names(np.asarray(history, dtype=np.int64)[-SHOWN:])]

    def names(self, items: Ints | Sequence[int]) -> list[int]:
        """The names of some items, one after another."""
        names = self.speaker.names
        return list(map(int, names.ids[names.places(np.asarray(items, dtype=np.int64))]))

    def asked(self, text: str, mentions: Sequence[Mention] = ()) -> list[int]:
        """A message as typed, a note behind each mention, and the words after which the answer stands.

        Typed line breaks become blanks and brackets round ones, so that nobody writes turns or notes but this.
        """
        plain = "".join(c if c.isprintable() else " " for c in text).translate(_PARTED)
        out, at, before = [*self.speaker.phrase(USER)], 0, " "
        for mention in sorted(mentions, key=lambda m: m.start):
            end = mention.start + len(mention.text)
            if not at <= mention.start or end > len(plain):
                raise ValueError(f"the mention {mention.text!r} does not stand at {mention.start} of the message, or overlaps another")
            left, right = self.language.note(mention.item)
            out += self.speaker.text(f"{before}{plain[at:end]}{left}" if mention.item is not None else f"{before}{plain[at:end]}{right}")
            if mention.item is not None:
                out += [*self.names([mention.item]), *self.speaker.text(right)]
            at, before = end, ""
        rest = before + plain[at:]
        return [*out, *(self.speaker.text(rest) if rest.strip() else []), *self.speaker.phrase(ASSISTANT)]

    def spans(self, said: str, items: Sequence[int] = ()) -> list[tuple[list[int], bool]]:
        """An answer as stretches of rows, the end mark last, and whether each is the model's own.

        said: the words, each item as a mark; items: those at the marks. Names in a list are chosen by the head, so not the model's; those
        in a reason (" because of * and *: Sci-Fi") are, and stand there without a mark.
        """
        pieces = f" {said}".split(MARK)
        if len(pieces) != len(items) + 1:
            raise ValueError(f"{len(pieces) - 1} marks stand in {said!r}, and {len(items)} items are given: one for each")
        reason = said.startswith(BECAUSE)
        out = []
        for place, piece in enumerate(pieces):
            out.append((self._words(piece, reason), True))
            if place < len(items):
                out += [] if reason else [(self.mark, True)]
                out.append((self.names([items[place]]), reason))
        return [*((rows, own) for rows, own in out if rows), ([self.end], True)]

    def _words(self, text: str, reason: bool) -> list[int]:
        """A piece of an answer between two names; a reason's in the stretches of `Wording`, so that its rows are the same."""
        if reason:
            return [row for part in re.findall(r"[:,]|[^:,]+", text) for row in self.speaker.phrase(part)]
        return self.speaker.phrase(text) if len(text) <= len(MARK) else self.speaker.text(text)

    def answered(self, said: str, items: Sequence[int] = ()) -> list[int]:
        """The rows of an answer, as `spans` has them."""
        return [row for rows, _ in self.spans(said, items) for row in rows]

    def read(self, dialogue: Dialogue, upto: int | None = None) -> list[int]:
        """What a model reads before it answers the message number `upto` (the last unless given), earlier answers included."""
        last = len(dialogue.turns) - 1 if upto is None else upto
        out = self.header(dialogue.user, dialogue.history, dialogue.template)
        for turn in dialogue.turns[:last]:
            out += [*self.asked(turn.asked, turn.mentions), *self.answered(turn.said, turn.items)]
        return out + self.asked(dialogue.turns[last].asked, dialogue.turns[last].mentions)

    def written(self, dialogue: Dialogue) -> Document:
        """A dialogue as a document: the model's own rows of every answer are supervised, the last stretch of them as what is said."""
        rows = self.header(dialogue.user, dialogue.history, dialogue.template)
        own: list[tuple[int, int]] = []
        for turn in dialogue.turns:
            rows += self.asked(turn.asked, turn.mentions)
            for stretch, supervised in self.spans(turn.said, turn.items):
                if supervised and own and own[-1][1] == len(rows):
                    own[-1] = (own[-1][0], len(rows) + len(stretch))
                elif supervised:
                    own.append((len(rows), len(rows) + len(stretch)))
                rows += stretch
        first, last = own.pop()
        return Document(rows[:first], rows[first:last], tuple(own))
