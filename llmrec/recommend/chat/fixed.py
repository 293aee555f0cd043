"""A speaker of fixed sentences over any recommender: baselines, and runs that were not tuned on dialogues. It says so when asked.

Where it stands: beside the tuned speaker, behind the same verb. What it does not know: language models.
Rules read the message, templates answer it; which items come, and in which order, the recommender decides each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from llmrec.contracts import Recommender
from llmrec.recommend.chat import hearing, memory
from llmrec.recommend.chat.clock import Clock
from llmrec.recommend.chat.hearing import Heard
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import MARK, Chosen, Conversation, Done, Event, Exchange, Skill, Understood, Words

GREETING = re.compile(r"^\W*(hi|hello|hey|good (morning|evening|afternoon|day)|greetings|yo|hallo|servus|moin)\b[\w\s,]{0,25}\W*$", re.I)
THANKS = re.compile(r"^\W*(thanks?|thank you|thx|great|perfect|cool|nice|ok(ay)?|bye|goodbye)\b[\w\s,]{0,25}\W*$", re.I)
MORE = re.compile(
    r"\b(something|anything|some) (else|different|other)\b|"
    r"\b(what else|more|others?|another|next ones?|again|different ones?|other ones?|go on|continue)\b",
    re.I,
)
ASKING = re.compile(
    r"\b(recommend|suggest|what (next|should|shall|could|can|to|do you)|for me|watch|see|read|play|listen|ideas?|surprise)\b", re.I
)
ABOUT = re.compile(r"\b(who are you|what are you|what can you|how do you work|help|how does this work)\b", re.I)
BEYOND = re.compile(r"^\W*(?:and |but )?(why|how come|explain|would i|will i|is it|what is|what's|tell me about|describe|my taste)\b", re.I)
SHUT = re.compile(r"(?:\b(?:no|not|without|nothing|except|hate|dislike|avoid)\b|n't|n’t)[^.;,!?]{0,24}$", re.I)
HOW = "Name a few titles you liked, a genre or a decade; then say “something else” for more."
HELLO = f"Hello! My sentences are fixed; the model behind me chooses the items. {HOW}"
WELCOME = "You are welcome. Say “something else” for more, or name another title."
CANNOT = f"My sentences are fixed: I recommend, and cannot explain, describe or judge. {HOW}"
LOST = f"I found no title or genre of this catalogue in that, and free talk is beyond me. {HOW}"
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
        """Titles that are liked, and genres and decades that are wanted or not, by the words around them."""
        against = set(memory.against(Exchange(heard.text, heard.mentions, "", (), Understood())))
        like = tuple(m.item for m in heard.mentions if m.item is not None and m.item not in against)
        wanted, unwanted = self._attributes(heard)
        skill: Skill = "like" if like else "attribute" if wanted else "without" if unwanted or against else "recommend"
        if skill == "recommend" and MORE.search(heard.text):
            skill = "else"
        return Understood(skill, wanted, unwanted, like=like or None)

    def _attributes(self, heard: Heard) -> tuple[tuple[str, ...], tuple[str, ...]]:
        text, wanted, unwanted = hearing.blanked(heard.text, heard.mentions), list[str](), list[str]()
        for word in self.knowledge.language.bearers:
            if word.isdigit():
                continue
            found = re.search(rf"\b{re.escape(_stem(word))}(?:y|ies|s|es)?\b", text, re.I)
            if found:
                (unwanted if SHUT.search(text[: found.start()]) else wanted).append(word)
        return tuple(wanted), tuple(unwanted)

    def _plain(self, heard: Heard, understood: Understood) -> str | None:
        """The answer to a message that asks for no items; None where it asks."""
        text = heard.text
        if GREETING.match(text) or ABOUT.search(text):
            return HELLO
        if BEYOND.match(text):
            return CANNOT
        if understood.like or understood.wanted or understood.unwanted or understood.skill in ("without", "else"):
            return None
        if THANKS.match(text):
            return WELCOME
        if not ASKING.search(text) and not hearing.number(text, heard.mentions):
            return LOST
        return None if memory.known(heard.conversation) else EMPTY

    def _ranked(self, heard: Heard, understood: Understood, n: int) -> list[tuple[int, float]]:
        """The items to name."""
        spoken = [m.item for m in heard.mentions if m.item is not None]
        return memory.ranked(self.recommender, memory.query(heard.conversation, understood, self.knowledge, spoken), n)

    def _opening(self, heard: Heard, understood: Understood) -> str:
        """The first words, in the language of the tuned: a reader and a probe read both alike."""
        aside = memory.against(Exchange(heard.text, heard.mentions, "", (), understood)) if understood.skill == "without" else ()
        return self.knowledge.language.opening(understood, aside)


def _stem(word: str) -> str:
    """A genre without the ending that its plural changes."""
    return word[:-1] if word.endswith("y") else word
