"""A speaker of fixed sentences over any recommender: baselines, and runs that were not tuned on dialogues. It says so when asked.

Where it stands: beside the tuned speaker, behind the same verb. What it does not know: language models.
Rules read the message, templates answer it; which items come, and in which order, the recommender decides each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from llmrec.contracts import Recommender
from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.language import DECADE
from llmrec.recommend.chat import hearing, memory, sorts
from llmrec.recommend.chat.clock import Clock
from llmrec.recommend.chat.hearing import Heard
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import MARK, Chosen, Conversation, Done, Event, Exchange, Understood, Words
from llmrec.recommend.chat.wishes import Wishes

HOW = "Name a few titles you liked, a genre or a decade; then say “something else” for more."
HELLO = f"Hello! My sentences are fixed; the model behind me chooses the items. {HOW}"
WELCOME = "You are welcome. Say “something else” for more, or name another title."
CANNOT = f"My sentences are fixed: I recommend, and cannot explain, describe or judge. {HOW}"
LOST = f"I found no title or genre of this catalogue in that, and free talk is beyond me. {HOW}"
SCOPE = str(asking.book()["talk-scope"]["answer"])
EMPTY = f"I know nothing of you yet. {HOW}"
NO_MORE = "I have nothing more for you. Name another title, or say “start over”."


class Fixed:
    """`recommender`: anything that ranks; `knowledge`: of its data. Threads may share it as far as they may share the recommender."""

    tuned = False

    def __init__(self, recommender: Recommender, knowledge: Knowledge) -> None:
        self.recommender, self.knowledge = recommender, knowledge

    def reply(self, conversation: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Answer one message; the last event is `Done`. k: how many items, 1 to 10, where the message does not say."""
        memory.demand(k)
        clock = Clock()
        heard = hearing.hear(self.knowledge, conversation, message)
        if heard.notice:
            yield clock.first(Words(heard.notice))
        understood = self._understood(heard)
        said = heard.answer if heard.answer is not None else self._plain(heard, understood)
        items: list[int] = []
        if said is None:
            ranked = self._ranked(heard, understood, hearing.number(heard.text, heard.mentions) or k)
            said = self._opening(heard, understood) if ranked else NO_MORE
            yield clock.first(Words(said))
            for place, (item, score) in enumerate(ranked, 1):
                if stop():
                    break
                items.append(item)
                yield Chosen(item, place, score)
            said += ",".join([MARK] * len(items)) + "." * bool(items)
        else:
            understood = Understood()
            yield clock.first(Words(said))
        exchange = Exchange(heard.text, heard.mentions, said, tuple(items), understood)
        after = memory.after(heard.conversation, exchange, understood.like or (), memory.against(exchange))
        yield Done(after, understood, clock.timing(0), said, None, stop())

    def _understood(self, heard: Heard) -> Understood:
        """Titles that are liked, and genres and decades that are wanted or not, by the words around them; and what holds from before."""
        text, old = hearing.blanked(heard.text, heard.mentions), memory.standing(heard.conversation)
        turned = set(memory.against(Exchange(heard.text, heard.mentions, "", (), Understood())))
        like = tuple(m.item for m in heard.mentions if m.item is not None and m.item not in turned)
        wanted, unwanted = self._wishes.read(heard.text, heard.mentions)
        if like:
            return Understood("like", wanted, unwanted, like=like)
        if wanted and (sorts.ANEW.search(text) or not sorts.NARROWING.search(text)):
            return Understood("attribute", wanted, unwanted)
        if wanted or unwanted:
            return _narrowed(old, wanted, unwanted)
        if turned:
            return Understood("without", old.wanted, old.unwanted)
        return replace(old, skill="else") if sorts.MORE.search(text) else Understood("recommend")

    @cached_property
    def _wishes(self) -> Wishes:
        return Wishes(self.knowledge.language)

    def _plain(self, heard: Heard, understood: Understood) -> str | None:
        """The answer to a message that asks for no items; None where it asks."""
        text = heard.text
        asked = understood.like or understood.wanted or understood.unwanted or understood.skill in ("without", "else")
        if sorts.GREETING.match(text) or sorts.ABOUT.search(text):
            return HELLO
        if sorts.OUTSIDE.search(text) and not asked:
            return SCOPE
        if sorts.BEYOND.match(text):
            return CANNOT
        if asked:
            return None
        if not sorts.ASKING.search(text) and not sorts.counted(hearing.blanked(text, heard.mentions)):
            return WELCOME if sorts.THANKS.match(text) else LOST
        return None if memory.known(heard.conversation) else EMPTY

    def _ranked(self, heard: Heard, understood: Understood, n: int) -> list[tuple[int, float]]:
        """The items to name."""
        spoken = [m.item for m in heard.mentions if m.item is not None]
        return memory.ranked(self.recommender, memory.query(heard.conversation, understood, self.knowledge, spoken), n)

    def _opening(self, heard: Heard, understood: Understood) -> str:
        """The first words, in the language of the tuned: a reader and a probe read both alike."""
        aside = memory.against(Exchange(heard.text, heard.mentions, "", (), understood)) if understood.skill == "without" else ()
        return self.knowledge.language.opening(understood, aside)


def _narrowed(old: Understood, wanted: Sequence[str], unwanted: Sequence[str]) -> Understood:
    """What held, with more of it. The newest word stands: no item is of two decades, and what is wanted now is shut out no longer."""
    new_decade = any(DECADE.fullmatch(w) for w in wanted)
    kept = [w for w in old.wanted if w not in unwanted and not (new_decade and DECADE.fullmatch(w))]
    want = tuple(dict.fromkeys([*kept, *wanted]))
    shut = tuple(dict.fromkeys([*(w for w in old.unwanted if w not in wanted), *unwanted]))
    return Understood("like" if old.like else "attribute" if want else "without", want, shut, like=old.like)
