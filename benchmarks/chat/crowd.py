"""Visitors who ask at the same time, over the chat's own room.

Where it stands: under the measurement of the chat. What it does not know: what is kept.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

MESSAGES = ("what should I watch next?", "something else, please", "a Comedy of the 1990s?", "something without Horror")
K = 5


@contextmanager
def opened(runs: Sequence[str]) -> Iterator[tuple[Any, list[str]]]:
    """The room with these runs' speakers open, so that loading is in no measurement. ValueError for a run that does not talk itself."""
    from app.chat.talks import Talks
    from app.library import Library

    library = Library()
    talks = Talks(library)
    try:
        tuned = {model.key: model.tuned for model in talks.models()}
        for run in runs:
            if not tuned.get(run):
                raise ValueError(
                    f"{run} is no run of this machine's folder that was tuned on dialogues: name some that `llmrec runs` lists"
                )
            person = talks.people(run)[0]
            list(talks.reply(run, talks.person(run, person), "hello", K))
        yield talks, list(runs)
    finally:
        talks.close()
        library.close()


def alone(talks: Any, model: str, repeats: int) -> list[dict[str, Any]]:
    """One side and nobody else, message after message, each by another user."""
    rounds = []
    for n in range(repeats):
        people = talks.people(model)
        talk = talks.person(model, people[n * 37 % len(people)])
        rounds.append({"answers": [_asked(talks, model, talk, MESSAGES[n % len(MESSAGES)], "alone")]})
    return rounds


def together(talks: Any, sides: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """All sides at once. sides: (visitor, model). fairness: the mean end of the visitor who waited longest over that of the quickest."""
    gate = threading.Barrier(len(sides))
    answers: list[dict[str, Any]] = []

    def ask(n: int, visitor: str, model: str) -> None:
        people = talks.people(model)
        talk = talks.person(model, people[n * 37 % len(people)])
        gate.wait()
        answers.append({"visitor": visitor, "model": model, **_asked(talks, model, talk, MESSAGES[0], visitor)})

    threads = [threading.Thread(target=ask, args=(n, *side)) for n, side in enumerate(sides)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(answers) < len(sides):
        raise RuntimeError(f"{len(sides) - len(answers)} of {len(sides)} sides were not answered")
    ends: dict[str, list[float]] = {}
    for answer in answers:
        ends.setdefault(answer["visitor"], []).append(answer["total"])
    means = [statistics.mean(times) for times in ends.values()]
    return {"answers": answers, "fairness": round(max(means) / min(means), 3) if len(means) > 1 else None}


def _asked(talks: Any, model: str, talk: Any, message: str, visitor: str) -> dict[str, Any]:
    *_, done = talks.reply(model, talk, message, K, visitor=visitor)
    return {"first": round(done.timing.first, 4), "total": round(done.timing.total, 4), "tokens": done.timing.tokens}
