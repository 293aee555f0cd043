"""Each check catches its fault and no other speaker's: scripted speakers, one of which does everything right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llmrec.contracts import Queries, Ranked
from llmrec.recommend.chat.values import MARK, Conversation, Done, Event, Understood, Words
from llmrec.report.probes import book
from llmrec.report.probes.checks import MEANINGS
from llmrec.report.probes.filling import Asked
from tests.report.probes import scripted
from tests.report.probes.scripted import N_ITEMS, Perfect


class Repeating(Perfect):
    def items(self, now: Asked) -> list[int]:
        some = super().items(now)
        return [some[0]] * len(some) if len(some) > 1 else some


class Remembering(Perfect):
    """Names what the person has seen."""

    def items(self, now: Asked) -> list[int]:
        return [now.person.talk.history[0], *super().items(now)[1:]] if now.step.way == "recommend" else super().items(now)


class Obstinate(Perfect):
    """Names what was just rejected, as it stands first in its catalogue."""

    def items(self, now: Asked) -> list[int]:
        some = super().items(now)
        return [now.about[0], *some[1:]] if now.step.way == "without-title" else some


class Careless(Perfect):
    """Names items whatever genre is asked for."""

    def items(self, now: Asked) -> list[int]:
        return (
            [i for i in range(N_ITEMS) if i not in now.out][: now.k or 5] if now.meant.wanted or now.meant.unwanted else super().items(now)
        )


class Straying(Perfect):
    """Names others than those to choose from."""

    def items(self, now: Asked) -> list[int]:
        some = super().items(now)
        return [i for i in range(N_ITEMS) if i not in (now.meant.among or ())][: len(some)] if now.meant.among else some


class Generous(Perfect):
    """Names five whatever number is asked for."""

    def items(self, now: Asked) -> list[int]:
        return (
            self.plain.fitting(now.meant.wanted, now.meant.unwanted, now.out)[:5] if now.k and not now.meant.among else super().items(now)
        )


class Inventing(Perfect):
    def items(self, now: Asked) -> list[int]:
        return [N_ITEMS + 7, *super().items(now)[1:]]


class Wrong(Perfect):
    """Gives a reason with an attribute that the item has not."""

    def reason(self, now: Asked, known: list[int]) -> tuple[str, list[int]]:
        said, items = super().reason(now, known)
        lacking = next(g for g in scripted.GENRES if g not in self.plain.words[now.about[0]])
        return (f"because of{MARK}: {lacking}", items) if items else (said, items)


class Strange(Perfect):
    """Gives reasons by items that the person does not know, though all else holds."""

    def reason(self, now: Asked, known: list[int]) -> tuple[str, list[int]]:
        return super().reason(now, [i for i in range(N_ITEMS) if i not in known])


class Silent(Perfect):
    """Says that there is no reason, where there is."""

    def reason(self, now: Asked, known: list[int]) -> tuple[str, list[int]]:
        return "Nothing in your history speaks for it.", []


class Misquoting(Perfect):
    """Cites one item and says another's title."""

    def reply(self, conversation: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        for event in super().reply(conversation, message, k, stop):
            if isinstance(event, Words) or self.now is None or self.now.step.group != "why" or isinstance(event, Done):
                yield event
            else:
                yield Words(" Some Other Title")


class Misdating(Perfect):
    def what(self, now: Asked) -> str:
        return super().what(now).replace("from 19", "from 18")


class Mislabelling(Perfect):
    def what(self, now: Asked) -> str:
        return super().what(now).removesuffix(".") + ", Fencing."


class Flattering(Perfect):
    def taste(self, now: Asked) -> str:
        return "You like Fencing and the 1990s."


class Shrugging(Perfect):
    def would(self, now: Asked) -> str:
        return "Hard to say."


class Contrary(Perfect):
    """Answers yes and no the wrong way round: nothing is broken, and nothing is right."""

    def would(self, now: Asked) -> str:
        return "No, rather not." if now.about[0] == now.person.target else "Yes, that should suit you."


class Obliging(Perfect):
    """Recommends where it should decline."""

    def answer(self, now: Asked, talk: Conversation) -> tuple[str, list[int]]:
        return ("Here:" + MARK, [3]) if now.step.group == "refuse" else super().answer(now, talk)


class Garbling(Perfect):
    def opening(self, now: Asked) -> str:
        return super().opening(now).replace("Close to ", "Close to The Filmend ")


class Leaking(Perfect):
    def opening(self, now: Asked) -> str:
        return "User: <a_12>" + super().opening(now)


class Obeying(Perfect):
    def other(self, now: Asked) -> str:
        return "I cannot: BANANA" if now.step.way == "talk-injection" else super().other(now)


class Endless(Perfect):
    def opening(self, now: Asked) -> str:
        return "very " * 400 + super().opening(now)


class Breaking(Perfect):
    def reply(self, conversation: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        yield Words("Here")
        raise RuntimeError("out of breath")


class Deaf(Perfect):
    """Understands every wish as free."""

    def understood(self, now: Asked) -> Understood:
        return Understood("recommend") if now.step.group in book.NAMING else now.meant


class Same(Perfect):
    def answer(self, now: Asked, talk: Conversation) -> tuple[str, list[int]]:
        return "Hello! Ask me for something to try.", []

    def understood(self, now: Asked) -> Understood:
        return Understood("talk")


def _failed(turns: list[dict[str, Any]]) -> Counter[str]:
    return Counter(check for t in turns if t["state"] == "asked" for check, holds in t["checks"].items() if not holds)


def test_a_perfect_speaker_passes_all_of_it() -> None:
    turns = scripted.turns(Perfect(), 3)
    assert {t["state"] for t in turns} == {"asked"}
    assert [(t["probe"], t["message"], t["answer"], t["faults"]) for t in turns if t["faults"]] == []
    assert {c for t in turns for c in t["checks"]} == set(MEANINGS)
    would = [t["measures"]["right"] for t in turns if t["measures"] and t["skill"] == "would"]
    assert len(would) == 12 and all(would)
    assert all(t["measures"]["hit"] and t["measures"]["chance"] == 0.25 for t in turns if t["way"] == "list")


@pytest.mark.parametrize(
    ("speaker", "check", "only"),
    [
        (Repeating, "fresh", "recommend"),
        (Remembering, "fresh", "recommend"),
        (Obstinate, "fresh", "without"),
        (Careless, "constraint", "attribute"),
        (Careless, "constraint", "without"),
        (Straying, "among", "list"),
        (Generous, "count", "recommend"),
        (Inventing, "exists", "else"),
        (Wrong, "reason", "why"),
        (Strange, "reason", "why"),
        (Silent, "reason", "why"),
        (Misquoting, "reason", "why"),
        (Misdating, "fact", "what"),
        (Mislabelling, "fact", "what"),
        (Flattering, "taste", "taste"),
        (Shrugging, "answered", "would"),
        (Obliging, "declined", "refuse"),
        (Garbling, "spelled", "like"),
        (Leaking, "clean", "like"),
        (Obeying, "clean", "refuse"),
        (Endless, "ended", "recommend"),
        (Breaking, "ended", "taste"),
    ],
)
def test_each_fault_is_caught_by_its_check_alone(speaker: type[Perfect], check: str, only: str) -> None:
    failed = _failed(scripted.turns(speaker(), 2, (only,)))
    assert set(failed) == {check}


def test_who_does_not_understand_is_caught() -> None:
    failed = _failed(scripted.turns(Deaf(), 1, ("like", "without")))
    assert set(failed) == {"understood"}


def test_one_sentence_for_everything_passes_a_greeting_alone() -> None:
    turns = scripted.turns(Same(), 1)
    passed = {(t["skill"], t["way"]) for t in turns if t["state"] == "asked" and not t["faults"] and t["skill"] != "refuse"}
    assert passed == {("talk", "talk-hello")}
    assert set(_failed(turns)) == {
        "understood",
        "count",
        "answered",
        "declined",
        "constraint",
        "among",
    }  # what it claims of nobody is not false


def test_a_wrong_yes_breaks_no_promise_and_is_not_right() -> None:
    turns = [t for t in scripted.turns(Contrary(), 2, ("would",)) if t["skill"] == "would"]
    assert _failed(turns) == Counter()
    assert [t["measures"]["right"] for t in turns if t["measures"]] == [False] * 8


def test_what_follows_a_broken_answer_is_not_asked_and_the_fault_is_told() -> None:
    turns = scripted.turns(Breaking(), 1, ("else",))
    assert {t["turn"] for t in turns} == {1} and all("RuntimeError: out of breath" in t["faults"][0] for t in turns)


class Ranking:
    """A recommender that gives some items, best first, as they may come."""

    def __init__(self, items: list[int]) -> None:
        self.items = items

    def recommend(self, queries: Queries, k: int) -> Ranked:
        import numpy as np

        out = set() if queries.exclude is None else set(queries.exclude[0].tolist())
        found = [i for i in self.items if i not in out][:k]
        row = np.asarray([found + [-1] * (k - len(found))])
        return Ranked(row, np.where(row >= 0, 1.0, -np.inf).astype(np.float32))


def test_the_head_alone_is_asked_without_words() -> None:
    """The perfect speaker names the catalogue from its front; its head would have found every target."""
    speaker: Any = Perfect()
    speaker.recommender = Ranking(list(range(N_ITEMS))[::-1])
    speaker.recommender.items = [11 * 5 + 6 * u for u in range(scripted.N_USERS)]
    found = [t["measures"] for t in scripted.turns(speaker, 2, ("recommend",)) if t["measures"]]
    assert found and all(m["alone"] and m["n"] == 10 for m in found)
    assert {round(m["chance"], 4) for m in found} == {round(10 / (N_ITEMS - 11), 4)}
