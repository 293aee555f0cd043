"""A run that was tuned on dialogues as a speaker: its words are its own, and at a mark its own head chooses the item.

Where it stands: between `hearing` and `memory` in front and behind, over the prompts of `llmrec.lm.dialogue`.
What it does not know: pages; how runs are loaded.

Words are greedy and free, with three exceptions. A reason is guided (`Truths`): nothing false can be said in it. What an item is must be
what the catalogue says: words that leave it are replaced. And nobody but the engine writes names: no Token can be said among words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.language import NO, WITHOUT, YES, Language
from llmrec.lm.dialogue.script import Script
from llmrec.lm.tasks.wording import Wording
from llmrec.lm.tasks.words import Speaker as Writing
from llmrec.recommend.chat import hearing, memory
from llmrec.recommend.chat.answering import Answering
from llmrec.recommend.chat.clock import Clock
from llmrec.recommend.chat.hearing import Heard
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.truths import Truths
from llmrec.recommend.chat.values import Conversation, Done, Event, Exchange, Understood, Words
from llmrec.recommend.chat.voice import Ears
from llmrec.recommend.language import LanguageRecommender

ROWS = 1000  # that are read of a talk, the newest turns; SmolLM2 could read 8,192, and was tuned on less
REJECTING = ("recommend", "like", "attribute", "without", "else")  # answers after which a title that was spoken against is out
CUT = "This talk has grown long; I go by its newest turns. "


class Tuned:
    """`recommender`: a run's own; `knowledge`: of its data. Several threads may ask at the same time."""

    tuned = True

    def __init__(self, recommender: LanguageRecommender, knowledge: Knowledge) -> None:
        self.recommender, self.knowledge = recommender, knowledge
        lm = recommender.lm
        self.writing = Writing(lm.vocab, recommender.compiled.names, recommender.table)
        self.script = Script(self.writing, self.language)
        self.ears = Ears(lm, self.script.end)

    @property
    def language(self) -> Language:
        """The closed language of this catalogue."""
        return self.knowledge.language

    @cached_property
    def wording(self) -> Wording:
        """How reasons are written."""
        return Wording(self.writing)

    def reply(self, conversation: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Answer one message, growing; the last event is `Done`. k: items named at most where the message says no number; 1 to 10."""
        memory.demand(k)
        clock = Clock()
        heard = hearing.shortened(hearing.hear(self.knowledge, conversation, message), self._fits)
        read, notice = ([], heard.notice) if heard.answer is not None else self.prompt(heard)
        if notice:
            yield clock.first(Words(notice))
        if heard.answer is not None:
            yield clock.first(Words(heard.answer))
            exchange = Exchange(heard.text, heard.mentions, heard.answer, (), Understood())
            yield Done(memory.after(heard.conversation, exchange), Understood(), clock.timing(0), "")
            return
        answer = Answering(self, heard, read, memory.MOST if hearing.number(heard.text, heard.mentions) else k, stop)
        try:
            yield from map(clock.first, answer.events())
        finally:
            answer.voice.rest()
        yield self._done(heard, answer, clock)

    def sentences(self, items: tuple[int, ...]) -> list[list[int]]:
        """Answers up to their first mark, as rows: those about some items first. They are guesses at what a model will say."""
        language = self.language
        about = [language.opening(Understood("like", like=items)), language.opening(Understood(), items)] if items else []
        facts = [language.described(item) for item in items[:1]]
        return [*(self._begun(o) for o in about), *(self.script.answered(f) for f in facts), *self._usual]

    def conditions(self, text: str) -> list[list[int]]:
        """Further conditions of an answer, as rows: those first whose words stand in the message, then by how many items bear them."""
        bearers = self.language.bearers
        words = sorted((w for w in bearers if not w.isdigit()), key=lambda w: -int(bearers[w].sum()))
        hinted = [w for w in words if (w[2:] if w[:2].isdigit() else w[:4].casefold()) in text.casefold()]
        forms = [f" {w}:" for w in hinted] + [f" {form}{w}:" for form in ("", f"{WITHOUT} ") for w in words]
        return [[*self.writing.phrase(form), *self.script.mark] for form in forms]

    @cached_property
    def _usual(self) -> list[list[int]]:
        words = [w for w in self.language.bearers if not w.isdigit()]
        openings = [Understood("recommend"), Understood("else"), Understood("list"), *(Understood("attribute", (w,)) for w in words)]
        talk = {str(body["answer"]) for body in asking.book().values() if "answer" in body}
        said = [self.script.answered(text) for text in (YES, NO, *sorted(talk))]
        return [*(self._begun(self.language.opening(o)) for o in openings), *said]

    def _begun(self, opening: str) -> list[int]:
        return [*self.writing.text(f" {opening}"), *self.script.mark]

    def truths(self, heard: Heard) -> Truths | None:
        """What may be said for the item asked about, or for the first of those named last; None where there is neither."""
        asked = [m.item for m in heard.mentions if m.item is not None] or list(hearing.last_named(heard.conversation))
        return Truths(self.wording, self.knowledge.facts, asked[0], self.shown(heard.conversation)) if asked else None

    def shown(self, conversation: Conversation) -> tuple[int, ...]:
        """The part of what is known of a person that a prompt holds."""
        from llmrec.lm.dialogue.script import SHOWN

        return memory.known(conversation)[-SHOWN:]

    def ranked(self, heard: Heard, understood: Understood, n: int) -> list[tuple[int, float]]:
        """The items that the head would name, best first, with their scores."""
        spoken = [m.item for m in heard.mentions if m.item is not None]
        return memory.ranked(self.recommender, memory.query(heard.conversation, understood, self.knowledge, spoken), n)

    def spelled(self, rows: Sequence[int]) -> str:
        """Rows as text, Tokens as they are spelled, lines as they are."""
        vocab = self.writing.vocab
        runs = itertools.groupby(rows, key=lambda row: row < vocab.first)
        return "".join(vocab.subwords.decode(list(run)) if old else "".join(map(str, vocab.decode(list(run)))) for old, run in runs)

    def prompt(self, heard: Heard) -> tuple[list[int], str]:
        """What is read for a message, and what is to be said before: why it was cut, or earlier turns left out for the first time."""
        talk, script = heard.conversation, self.script
        header = script.header(talk.user, np.asarray(talk.history, dtype=np.int64))
        asked = script.asked(heard.text, heard.mentions)
        said = [e for e in talk.exchanges if not hearing.unanswered(e)]
        turns = [[*script.asked(e.asked, e.mentions), *script.answered(e.said, e.items)] for e in said]
        sizes = itertools.accumulate((len(t) for t in reversed(turns)), initial=len(header) + len(asked))
        kept = max(0, sum(size <= ROWS for size in sizes) - 1)
        anew = 0 < kept == len(turns) - 1
        return [*header, *itertools.chain.from_iterable(turns[len(turns) - kept :]), *asked], heard.notice + CUT * anew

    def _fits(self, heard: Heard) -> bool:
        """Whether a message leaves half of the rows to the rest of the talk."""
        return len(self.script.asked(heard.text, heard.mentions)) <= ROWS // 2

    def _done(self, heard: Heard, answer: Answering, clock: Clock) -> Done:
        talk, understood = heard.conversation, answer.understood
        exchange = Exchange(heard.text, heard.mentions, answer.said, tuple(answer.items), understood)
        liked = (understood.like or ()) if understood.skill in ("like", "else") else ()
        rejected = memory.turned_down(self.knowledge, talk, exchange) if understood.skill in REJECTING else ()
        after = memory.after(talk, exchange, liked, rejected)
        return Done(after, understood, clock.timing(answer.count), self.spelled(answer.voice.rows), answer.sure, answer.stopped)
