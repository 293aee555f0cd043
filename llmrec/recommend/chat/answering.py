"""One answer of a tuned model as it grows: words, marks and what stands at them, reasons and facts.

Where it stands: inside the tuned speaker, one for each message. What it does not know: what is remembered afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from llmrec.lm.dialogue.language import BECAUSE, CLOSE, LEAVING, NO, NO_REASON, YES
from llmrec.recommend.chat import memory
from llmrec.recommend.chat.hearing import Heard
from llmrec.recommend.chat.titling import Titles
from llmrec.recommend.chat.truths import Truths
from llmrec.recommend.chat.values import MARK, Chosen, Event, Understood, Words
from llmrec.recommend.chat.voice import Voice

if TYPE_CHECKING:
    from llmrec.recommend.chat.tuned import Tuned

LONGEST = 160  # rows that a model says in one answer, names apart
AHEAD = 8  # rows that are guessed at once
NONE_LEFT = "nothing is left that fits and that you have not seen, heard of or left aside."
STUCK = " … I lost the thread; please ask again in other words."
FROM, UNKNOWN = " is from", " a year that I do not know."
TITLED = (f" {CLOSE}", f" {CLOSE.lower()}", f" {LEAVING}")  # behind these stands a title
JOINED = " and"


class Answering:
    """`events` once; then `said`, `items`, `understood`, `sure`, `count` and `voice.rows` tell what was answered."""

    def __init__(self, speaker: Tuned, heard: Heard, read: list[int], limit: int, stop: Callable[[], bool]) -> None:
        self.speaker, self.heard, self.limit, self.stop = speaker, heard, limit, stop
        self.writing, self.script = speaker.writing, speaker.script
        self.voice = Voice(speaker.recommender.lm, speaker.ears)
        self.voice.say(read)
        self.start = len(read)  # where the answer begins, and then where its last stretch of words does
        self.piece = len(read)
        self.shown = 0  # letters of the stretch that were told
        self.said, self.items = "", list[int]()
        self.understood, self.ranked = Understood(), list[tuple[int, float]]()
        self.sure: float | None = None
        self.count, self.stopped, self.over = 0, False, False
        self.titled = 0  # letters of the stretch up to the end of its last title

    def events(self) -> Iterator[Event]:
        """Words and items, until the model ends, `stop` says so or it has said too much."""
        while not self.over:
            if self.stop():
                self.stopped = True
                break
            if self.count >= LONGEST:
                yield from self._close(STUCK)
                break
            row = self._next()
            self.count += 1
            if row == self.script.end:
                break
            self.voice.say([row])
            if self._marked():
                yield from self._mark()
            elif self._reasoning():
                yield from self._reason()
            elif left := self._titles():
                self._title(left)
                yield from self._words()
            elif fact := self._fact():
                yield from self._close(fact)
            else:
                yield from self._words()
        yield from self._close()

    @property
    def text(self) -> str:
        """The words of the present stretch."""
        return self.speaker.spelled(self.voice.rows[self.piece :])

    def _next(self) -> int:
        """The likeliest word; where yes and no part, how sure the likelier of them is."""
        self.voice.guess(self._likely())
        found = self.voice.word()
        if not self.items and not self._speakable:
            found = found.clone()
            found[self._before_titles] = -torch.inf
        row = int(found.argmax())
        before = self.voice.rows[self.start :]
        yes, no = (self.writing.phrase(f" {word}") for word in (YES, NO))
        at = len(before)
        if self.sure is None and yes[:at] == before == no[:at] and row in (yes[at], no[at]) and yes[at] != no[at]:
            both = torch.stack([found[yes[at]], found[no[at]]]).softmax(0)
            self.sure = float(both.max())
        return row

    @cached_property
    def _sentences(self) -> list[list[int]]:
        return self.speaker.sentences(tuple(m.item for m in self.heard.mentions if m.item is not None))

    @cached_property
    def _conditions(self) -> list[list[int]]:
        return self.speaker.conditions(self.heard.text)

    def _likely(self) -> list[int]:
        """What most answers that began so go on with: the rest of a sentence of the language or of a condition in it, up to a mark."""
        said, comma = self.voice.rows[self.piece :], self.writing.phrase(",")
        if self.items:
            usual = [[*comma, *self.script.mark]]
        elif len(comma) == 1 and comma[0] in said:
            said = said[len(said) - said[::-1].index(comma[0]) :]
            usual = self._conditions
        else:
            usual = self._sentences if said else []
        return next((rows[len(said) :] for rows in usual if len(rows) > len(said) and rows[: len(said)] == said), [])[:AHEAD]

    def _words(self) -> Iterator[Event]:
        """Tell what is said whole: up to the last blank, behind which a word or a mark may be growing."""
        text = self.text
        whole = text[: text.rfind(" ")] if " " in text else ""
        if len(whole) > self.shown and "\ufffd" not in whole:
            yield self._tell(whole)

    def _tell(self, text: str) -> Words:
        piece = text[self.shown :]
        self.shown = len(text)
        return Words(piece if self.said or len(piece) < len(text) else piece.lstrip(" "))

    def _close(self, more: str = "") -> Iterator[Event]:
        """The end of a stretch of words, and of the answer. more: said after them by the engine."""
        if self.over:
            return
        self.over = True
        text = self.text.rstrip(" ") + more
        if len(text) > self.shown:
            yield self._tell(text)
        self.said = (self.said + text).strip(" ")
        if not self.items:
            self._understand(self.said)

    # items

    def _marked(self) -> bool:
        mark, rows = self.script.mark, self.voice.rows
        return len(rows) - self.piece >= len(mark) and rows[-len(mark) :] == mark

    def _mark(self) -> Iterator[Event]:
        """The head chooses, and the model goes on behind the name; with nothing left to name the answer ends."""
        before = self.speaker.spelled(self.voice.rows[self.piece : -len(self.script.mark)])
        if not self.items:
            self._understand(before)
            self.ranked = self.speaker.ranked(self.heard, self.understood, self.limit)
        if len(self.items) >= len(self.ranked):
            self.voice.back(len(self.voice.rows) - len(self.script.mark))
            yield from self._end_of_items(before)
            return
        if len(before) > self.shown:
            yield self._tell(before)
        item, score = self.ranked[len(self.items)]
        self.items.append(item)
        self.said = (self.said + before + MARK).lstrip(" ")
        self.voice.say(self.script.names([item]))
        self.piece, self.shown = len(self.voice.rows), 0
        yield Chosen(item, len(self.items), score)

    def _end_of_items(self, before: str) -> Iterator[Event]:
        """A mark that gets no item: the list ends with a full stop, or an honest sentence where it is empty."""
        text = f"{before.rstrip(' ,')}{'.' if self.items else f' {NONE_LEFT}'}"
        self.over = True
        if len(text) > self.shown:
            yield self._tell(text)
        self.said = (self.said + text).strip(" ")

    def _understand(self, said: str) -> None:
        earlier = memory.mentioned(self.heard.conversation)
        self.understood = self.speaker.language.understood(said, self.heard.mentions, earlier)

    # titles in words

    @cached_property
    def _speakable(self) -> list[int]:
        """The items whose titles may stand in this answer: those of the message, else those that were spoken of before."""
        here = list(dict.fromkeys(m.item for m in self.heard.mentions if m.item is not None))
        return here or list(memory.mentioned(self.heard.conversation))

    @cached_property
    def _before_titles(self) -> list[int]:
        """The rows that lead to a title and to nothing else, which nobody may say who has none to say."""
        rows = [self.writing.phrase(before.rpartition(" to")[0] or before) for before in TITLED]
        return [row for row, *more in rows if not more]

    def _titles(self) -> Titles | None:
        """The titles that may follow the words so far, where one must."""
        text = "" if self.said else self.text
        opened = text.endswith(TITLED)
        if not opened and not (self.titled > 0 and text[self.titled :] == JOINED):
            return None
        titles = {item: self.speaker.language.titles[item] for item in self._speakable}
        if opened and any(f" {t}".startswith(TITLED) for t in titles.values()):
            return None
        left = {item: self.writing.text(f" {title}") for item, title in titles.items() if f" {title}" not in text}
        return Titles(left) if left else None

    def _title(self, left: Titles) -> None:
        """Say one of some titles; which, and where one may end that others go on from, the model knows best."""
        while rows := left.next():
            if left.whole:
                row = int(self.voice.word().argmax())
                if row not in rows:
                    break
            else:
                row = next(iter(rows)) if len(rows) == 1 else self.voice.among(rows)
            self.count += 1
            left.say(row)
            self.voice.say([row])
        self.titled = len(self.text)

    # reasons and facts

    def _reasoning(self) -> bool:
        """Whether a reason begins; nothing of it was told yet, since no blank follows."""
        return not self.said and self.text.strip() in (BECAUSE.split()[0], NO_REASON.split()[0])

    def _reason(self) -> Iterator[Event]:
        """A true one, chosen by the model; the sentence that there is none where nothing true can be said."""
        truths = self.speaker.truths(self.heard)
        self.voice.back(self.start)
        self.understood, self.over = Understood("why"), True
        if truths is None or not truths.next():
            self.voice.say(self.script.answered(NO_REASON)[:-1])
            self.said = NO_REASON
            yield Words(NO_REASON)
            return
        told = 0
        while rows := truths.next():
            if self.stop():
                self.stopped = True
                break
            row = next(iter(rows)) if len(rows) == 1 else self.voice.among(rows)
            self.count += 1
            truths.say(row)
            if row != self.script.end:
                self.voice.say([row])
            settled = truths.settled
            for place in range(told, len(settled)):
                yield Words(self._part(truths, place))
            told = len(settled)

    def _part(self, truths: Truths, place: int) -> str:
        """A part of a reason as it is told; in what is remembered a mark stands for the title."""
        parts = truths.settled[: place + 1]
        part, first_word = parts[-1], not any(isinstance(p, str) for p in parts[:-1])
        if isinstance(part, int):
            join = f"{BECAUSE} " if place == 0 else " and "
            self.items.append(part)
            self.said += f"{join.rstrip()}{MARK}"
            return f"{join}{self.speaker.language.titles[part]}"
        told = f"{':' if first_word else ','} {part}"
        self.said += told
        return told

    def _fact(self) -> str:
        """What must follow where an answer says what an item is and leaves what the catalogue says of it; "" where nothing must.

        It says so where its words are the title of an item of the message, and go on as the catalogue's sentence about that does.
        """
        text, language = self.text.strip(" "), self.speaker.language
        asked = [] if self.said else [m.item for m in self.heard.mentions if m.item is not None]
        for item in asked:
            fact, title = language.described(item), language.titles[item]
            if len(text) > 2 and title.startswith(text) and not language.opens(text):
                return fact[len(text) :]
            if len(title) < _alike(fact, text) < len(text):
                self.voice.back(len(self.voice.rows) - 1)
                return fact[len(self.text.strip(" ")) :]
        if asked and text.endswith(FROM) and not text.startswith(tuple(language.titles[i] for i in asked)):  # a title with a slip in it
            year = language.years[asked[0]]
            return UNKNOWN if year is None else language.described(asked[0]).partition(FROM)[2]
        return ""


def _alike(one: str, other: str) -> int:
    """How many letters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
