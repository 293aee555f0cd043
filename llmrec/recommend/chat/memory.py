"""What is remembered of a talk, and what it asks of a recommender: liked, rejected and named items are kept here and nowhere else.

Where it stands: under the speakers. What it does not know: models, words beyond the first of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from llmrec.contracts import Queries, Recommender
from llmrec.lm.dialogue.language import ASIDE, LEAVING
from llmrec.recommend.chat.against import turned
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import Conversation, Exchange, Skill, Understood

MOST = 10  # items that one answer names
STANDING: tuple[Skill, ...] = (
    "recommend",
    "list",
    "like",
    "attribute",
    "without",
    "else",
)  # answers whose conditions hold until others are said


def query(conversation: Conversation, understood: Understood, knowledge: Knowledge, spoken: Iterable[int] = ()) -> Queries:
    """What the head is asked. The history is the person's with what they liked in the talk, or `like` alone, which then is nobody's.

    Nothing comes back that was seen, liked, rejected, named before or does not fit, nor what the message spoke of (`spoken`). Two answers
    may repeat: one that chooses among titles of the message may name those, and one that finds a title by its description may name any.
    """
    fits = knowledge.language.fitting(understood)
    out: list[int] = np.flatnonzero(~fits).tolist()
    if understood.skill != "which":
        out += [*conversation.history, *conversation.rejected]
    if understood.skill != "which" and understood.among is None:
        out += [*conversation.liked, *conversation.named, *spoken]
    user, history = (-1, list(understood.like)) if understood.like else (conversation.user, list(known(conversation)))
    return Queries.of_history(history, sorted(set(out)), user)


def ranked(recommender: Recommender, asked: Queries, n: int) -> list[tuple[int, float]]:
    """The items that a recommender would name, at most n, best first, with their scores."""
    found = recommender.recommend(asked, n)
    return [(int(i), float(s)) for i, s in zip(found.items[0], found.scores[0], strict=True) if i >= 0]


def demand(k: int) -> None:
    """ValueError for a number of items that no answer names."""
    if not 1 <= k <= MOST:
        raise ValueError(f"k = {k}, but one answer names 1 to {MOST} items")


def known(conversation: Conversation) -> tuple[int, ...]:
    """What a person took or liked, oldest first; what they liked in the talk is the newest."""
    liked = conversation.liked
    return (*(i for i in conversation.history if i not in liked), *liked)


def mentioned(conversation: Conversation) -> tuple[int, ...]:
    """The items that were spoken of in a talk, newest first."""
    items = [i for e in reversed(conversation.exchanges) for i in (*(m.item for m in e.mentions if m.item is not None), *e.items)]
    return tuple(dict.fromkeys(items))


def turned_down(knowledge: Knowledge, talk: Conversation, exchange: Exchange) -> tuple[int, ...]:
    """The items that a message rejects: those that the words before them speak against, and those that the answer says it leaves aside.

    Such are titles of the message or of before that stand between "Leaving" and "aside"; where none does, all of the message.
    """
    here = tuple(m.item for m in exchange.mentions if m.item is not None)
    turned = against(exchange)
    begun, found, _ = exchange.said.partition(f" {ASIDE}")
    if not found or not begun.startswith(f"{LEAVING} "):
        return turned
    named = [i for i in dict.fromkeys((*here, *mentioned(talk))) if knowledge.language.titles[i] in begun]
    return (*turned, *([i for i in named if i in here] or named or here))


def against(exchange: Exchange) -> tuple[int, ...]:
    """The items that the words around them in a message reject."""
    said = ((m, turned(exchange.asked, m.start, m.start + len(m.text), exchange.mentions)) for m in exchange.mentions)
    return tuple(m.item for m, no in said if no and m.item is not None)


def standing(conversation: Conversation) -> Understood:
    """What still holds of the answers before: genres and decades, wanted or not, and titles to be close to, but those rejected since."""
    last = next((e.understood for e in reversed(conversation.exchanges) if e.understood.skill in STANDING), Understood())
    like = tuple(i for i in last.like or () if i not in conversation.rejected)
    return replace(last, among=None, like=like or None)


def after(conversation: Conversation, exchange: Exchange, liked: Iterable[int] = (), rejected: Iterable[int] = ()) -> Conversation:
    """The conversation with one exchange more. Who changes their mind about an item is believed: the newest word stands."""
    no = tuple(dict.fromkeys(rejected))
    yes = tuple(i for i in dict.fromkeys(liked) if i not in no)
    named = exchange.items if exchange.understood.skill not in ("why", "which") else ()
    return replace(
        conversation,
        liked=(*(i for i in conversation.liked if i not in yes and i not in no), *yes),
        rejected=(*(i for i in conversation.rejected if i not in yes and i not in no), *no),
        named=tuple(dict.fromkeys((*conversation.named, *named))),
        exchanges=(*conversation.exchanges, exchange),
    )
