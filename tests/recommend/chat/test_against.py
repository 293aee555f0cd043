"""Words that speak against a thing, before it or behind it, and those that only look so."""

from __future__ import annotations

import pytest

from llmrec.recommend.chat.against import turned
from llmrec.recommend.chat.values import Mention


def _turned(text: str) -> bool:
    """Of the word X, with Y and Z as titles beside it."""
    beside = [Mention(t, n, (), text.index(t)) for n, t in enumerate("YZ") if t in text]
    start = text.index("X")
    return turned(text, start, start + 1, [Mention("X", 9, (), start), *beside])


@pytest.mark.parametrize(
    "text",
    [
        "drop X, what else?", "X was boring", "X and Y were far too long", "leave out X", "leave X out", "take X off the list",
        "anything but X", "spare me X", "keep me away from X", "I have had enough of X", "no X", "not Y or X", "I don’t want to see X",
        "X is not for me", "X put me to sleep", "X? no thanks", "I can't stand X", "a drama instead of X", "I hated X", "nothing with X",
        "I have already seen X", "X wasn't good", "I do not like X",
    ],
)  # fmt: skip
def test_against(text: str) -> None:
    assert _turned(text)


@pytest.mark.parametrize(
    "text",
    [
        "X, please", "nothing but X", "I can't get enough of X", "not Y but X", "I hate Y so show me X", "not only X", "why not X?",
        "X was not boring", "X wasn't bad", "I haven't seen any X lately", "no idea, maybe X", "X and I liked it, Y was boring",
        "I liked X and Y was boring", "don't you have X?", "without Y. X", "I know no Y like X",
    ],
)  # fmt: skip
def test_not_against(text: str) -> None:
    assert not _turned(text)


def test_words_of_other_titles_say_nothing() -> None:
    text = "I Hate Hamlet and Alien"
    assert not turned(text, 18, 23, [Mention("I Hate Hamlet", 0, (), 0), Mention("Alien", 1, (), 18)])
    assert turned(text, 18, 23)
