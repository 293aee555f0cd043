"""The errand behind the probes: one model is asked all of them by one person after the other, and what each heard is kept.

Where it stands: under `probing`. What it does not know: pages. `python -m app.chat.questioning` reads what is asked from its standard
input; whoever is done is kept at once, so that a table fills, and a second errand goes on where this one ended.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

STAGE = "probes"


@dataclass(frozen=True)
class Heard:
    """What one person asked one model and was answered. turns: as `llmrec.report.probes.walk` gives them, as JSON."""

    turns: str


def name(model: tuple[Any, ...], user: str, seed: int, only: Sequence[str]) -> str:
    """What it is kept under: the model as it was written, who asks what, the shipped probes, and the code that asks and answers."""
    import llmrec.lm.dialogue.language
    import llmrec.recommend.chat.values
    from llmrec.report.probes import book
    from llmrec.runs import cache

    code = [cache.code(m) for m in (book.__name__, llmrec.recommend.chat.values.__name__, llmrec.lm.dialogue.language.__name__)]
    return cache.key(STAGE, list(model), user, seed, sorted(only), book.text(), code)


def kept(stored: str) -> list[dict[str, Any]] | None:
    """The turns kept under a name, or None."""
    from llmrec.runs import cache

    if not cache.holds(STAGE, stored):
        return None
    try:
        turns: list[dict[str, Any]] = json.loads(cache.remember(STAGE, stored, Heard, _gone).turns)
    except _Gone:
        return None
    return turns


def main(given: str) -> int:
    """Ask for those whom a JSON object names: {"run", "baseline" or "", "users": {key: name}, "seed", "only"}."""
    from llmrec.recommend.chat import opening
    from llmrec.report.probes import asking
    from llmrec.report.probes.book import probes
    from llmrec.report.probes.filling import Filler
    from llmrec.report.probes.walk import asked
    from llmrec.runs import cache, store

    what: dict[str, Any] = json.loads(given)
    _say("opening the model", None)
    run = store.by_name(what["run"])
    (opened,) = opening.open_speakers([str(run.path)])
    if what["baseline"]:
        opened = opening.baseline(what["baseline"], run, opened.knowledge)
    people = {p.key: p for p in asking.drawn(run, int(what["drawn"]), int(what["seed"]))}
    shipped, filler = probes(what["only"]), Filler(opened.knowledge, int(what["seed"]))
    steps, done = len(shipped) * len(what["users"]), 0
    for key, stored in what["users"].items():
        turns: list[dict[str, Any]] = []
        for probe in shipped:
            _say(f"user {key}: {probe.name}", done / steps)
            turns += asked(opened.speaker, filler, people[key], probe)
            done += 1
        heard = Heard(json.dumps(turns, ensure_ascii=False))
        cache.remember(STAGE, stored, Heard, lambda heard=heard: heard)  # type: ignore[misc]
    return 0


class _Gone(ValueError):
    """What was kept is gone, or damaged."""


def _gone() -> Heard:
    raise _Gone


def _say(stage: str, share: float | None) -> None:
    print(json.dumps({"stage": stage, "share": share}), flush=True)


def _told(given: str) -> int:
    """As `main`; what the library refuses with a sentence is told."""
    try:
        return main(given)
    except (ValueError, FileNotFoundError) as error:
        print(json.dumps({"trouble": " ".join(str(error).split())}), flush=True)
        return 1


if __name__ == "__main__":
    from app.chat.questioning import _told as work

    sys.exit(work(sys.stdin.read()))
