"""What a message is before anybody answers it: cut, its titles found or asked back, and what needs no model answered at once.

Where it stands: in front of every speaker. What it does not know: models, how answers are worded by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import Conversation, Exchange, Mention

LONGEST = 2000  # letters of a message that are read
QUOTED = 60  # letters of what somebody typed that an answer repeats
OVER = re.compile(
    r"\b(?:(?:let'?s |please )?start (?:over|again|afresh)|forget (?:it|that|everything|all)|reset|from scratch)\b[\s.!,]*(?:please\b)?",
    re.I,
)
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBER = re.compile(
    rf"(?<![\w'’.,<=*/+])(?<!\w\()(?<![*+/=] )(?:\d{{1,2}}(?![\d'’%.]| ?[-+*/=])|{'|'.join(NUMBERS[1:])}|a couple|a few|several|"
    r"one (?=film|movie|title|book|thing|recomm|sugg))\b",
    re.I,
)
NOTHING = "I found no words in that. Ask me for something to watch, name a title you liked, or ask what I can do."
FORGOTTEN = "Forgotten; we start over."


@dataclass(frozen=True)
class Heard:
    """A message as it is answered. notice: what is to be said before the answer, "" nothing; answer: the whole answer where no model is
    needed, else None; conversation: what is remembered before it."""

    text: str
    mentions: tuple[Mention, ...]
    conversation: Conversation
    notice: str = ""
    answer: str | None = None


def hear(knowledge: Knowledge, conversation: Conversation, message: str) -> Heard:
    """Read a message, whatever it is."""
    text, notice = _cut(message)
    if OVER.search(text):
        conversation = Conversation(conversation.user, conversation.history)
        text = " ".join(OVER.sub(" ", text).split()).strip(" ,.!")
        if len(re.findall(r"\w+", text)) < 2:
            return Heard(text, (), conversation, notice, FORGOTTEN)
        notice += f"{FORGOTTEN} "
    if not re.search(r"\w", text):
        return Heard(text, (), conversation, notice, NOTHING)
    text, mentions = _answered(conversation, text, knowledge.mentions.find(text), knowledge) or _found(knowledge, conversation, text)
    unsure = next((m for m in mentions if m.item is None), None)
    asked = "" if unsure is None else _asked_back(knowledge, unsure)
    if stopped(mentions):
        return Heard(text, mentions, conversation, notice, asked)
    return Heard(text, mentions, conversation, notice + (f"{asked} I go by the others. " if asked else ""))


def stopped(mentions: Sequence[Mention]) -> bool:
    """Whether a message is asked back: one of its titles may be several, or none is known."""
    return bool(mentions) and (any(m.item is None and m.near for m in mentions) or all(m.item is None for m in mentions))


def unanswered(exchange: Exchange) -> bool:
    """Whether no model had a part in an exchange: nothing in it goes into a prompt."""
    return exchange.said in (NOTHING, FORGOTTEN) or stopped(exchange.mentions)


def shortened(heard: Heard, fits: Callable[[Heard], bool]) -> Heard:
    """A message cut further until it fits; alphabets differ in how many rows a letter takes."""
    cut = heard
    while not fits(cut) and len(cut.text) > 1:
        text = cut.text[: len(cut.text) * 3 // 4]
        mentions = tuple(m for m in cut.mentions if m.start + len(m.text) <= len(text))
        cut = replace(cut, text=text, mentions=mentions)
    if cut is heard:
        return heard
    return replace(cut, notice=f"{heard.notice}For me that is much to read; I read the first {len(cut.text):,} characters. ")


def number(text: str, mentions: Sequence[Mention]) -> int:
    """How many a message says it wants, 10 at most; 0 where it says no number. Digits in titles, years and decades do not count."""
    found = NUMBER.search(blanked(text, mentions))
    if found is None:
        return 0
    said = found[0].casefold().strip()
    return max(1, min(10, int(said) if said.isdigit() else NUMBERS.index(said) + 1 if said in NUMBERS else 3))


def blanked(text: str, mentions: Sequence[Mention]) -> str:
    """A message with blanks in the place of its titles."""
    for m in mentions:
        text = text[: m.start] + " " * len(m.text) + text[m.start + len(m.text) :]
    return text


def last_named(conversation: Conversation) -> tuple[int, ...]:
    """The items of the newest answer that recommended some, in its order."""
    named = (e.items for e in reversed(conversation.exchanges) if e.items and e.understood.skill != "why")
    return next(named, ())


def _cut(message: str) -> tuple[str, str]:
    """The message in one line, of printable letters and not too long, and the sentence that says so where it was."""
    text = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    if len(text) <= LONGEST:
        return text, ""
    return text[:LONGEST], f"That was a long message ({len(text):,} characters); I read the first {LONGEST:,}. "


def _found(knowledge: Knowledge, conversation: Conversation, text: str) -> tuple[str, tuple[Mention, ...]]:
    """The titles in a message; where it names none, what "the second one" points at."""
    from llmrec.lm.dialogue.language import pointed

    return text, standing(text, knowledge.mentions.find(text) or pointed(text, last_named(conversation)))


def standing(text: str, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Mentions in the order of the message, none over another."""
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda m: (m.start, -len(m.text))):
        free = not kept or mention.start >= kept[-1].start + len(kept[-1].text)
        if free and text[mention.start : mention.start + len(mention.text)] == mention.text:
            kept.append(mention)
    return tuple(kept)


def _answered(
    conversation: Conversation, text: str, found: Sequence[Mention], knowledge: Knowledge
) -> tuple[str, tuple[Mention, ...]] | None:
    """The message that was asked back, with its title now known; None where this is no answer to that."""
    from llmrec.lm.dialogue.language import pointed

    before = conversation.exchanges[-1] if conversation.exchanges else None
    unsure = next((m for m in before.mentions if m.item is None and m.near), None) if before else None
    if before is None or unsure is None or len(text.split()) > 8:
        return None
    years = {str(year): item for item in unsure.near if (year := knowledge.language.years[item]) is not None}
    told: list[int | None] = [m.item for m in found if m.item in unsure.near] or [
        years[y] for y in re.findall(r"\d{4}", text) if y in years
    ]
    told = told or [m.item for m in pointed(text, unsure.near)]
    told = told or ([unsure.near[0]] if re.match(r"\W*(?:yes|yep|yeah|right)\b", text, re.I) and len(unsure.near) == 1 else [])
    if not told:
        return None
    return before.asked, tuple(replace(m, item=told[0], near=()) if m is unsure else m for m in before.mentions)


def _asked_back(knowledge: Knowledge, mention: Mention) -> str:
    said = mention.text if len(mention.text) <= QUOTED else f"{mention.text[:QUOTED]}…"
    if not mention.near:
        return f"I know no title “{said}”."
    near = list(dict.fromkeys(knowledge.title(item) for item in mention.near))
    return f"I know no title that is just “{said}”. Did you mean {', '.join(near[:-1])}{' or ' if len(near) > 1 else ''}{near[-1]}?"
