"""Probes asked of one speaker by one person after another: every turn as plain values, with what holds of it and how long it took.

Where it stands: between the scenes and the tables. What it does not know: tables, files, which model speaks.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llmrec.recommend.chat import memory
from llmrec.recommend.chat.values import Chosen, Conversation, Done, Event, Exchange, Speaker, Understood, Words
from llmrec.report.probes import claims
from llmrec.report.probes.book import NAMING, Probe
from llmrec.report.probes.checks import Answer, held
from llmrec.report.probes.filling import Asked, Filler, Scene, Unfilled, Unnamed
from llmrec.report.probes.people import Person

Turn = dict[str, Any]
LIMIT = 90.0  # seconds that one answer may take
TEN = 10
# What a speaker of fixed sentences says that it does; the rest it says it cannot
FIXED = ("recommend", "like", "attribute", "without", "else", "talk", "refuse")


def walk(
    speaker: Speaker,
    filler: Filler,
    people: Sequence[Person],
    probes: Sequence[Probe],
    tell: Callable[[str, float], None] = lambda _, __: None,
) -> Iterator[Turn]:
    """Every turn of every probe with every person. tell: who asks, and the share that is done."""
    for at, person in enumerate(people):
        for n, probe in enumerate(probes):
            tell(person.key, (at + n / len(probes)) / len(people))
            yield from asked(speaker, filler, person, probe)


def asked(speaker: Speaker, filler: Filler, person: Person, probe: Probe) -> list[Turn]:
    """One probe asked by one person. Each turn: {"user", "probe", "wording", "own", "turn", "way", "skill", "state", "message", "answer",
    "items", "understood", "checks", "faults", "measures", "timing", "sure"}; state is "asked", or "cannot" where the speaker does not claim
    the skill, "skipped" where the data cannot fill it, "unasked" where the answer before left nothing to point at, both with "why"."""
    scene, talk, out = filler.scene(probe, person), Conversation() if probe.new else person.talk, list[Turn]()
    for place, step in enumerate(probe.steps):
        about = {"user": person.key, "probe": probe.name, "wording": probe.wording, "own": probe.own, "turn": place + 1}
        about |= {"way": step.way, "skill": step.column}
        if not speaker.tuned and step.group not in FIXED:
            out.append({**about, "state": "cannot"})
            continue
        try:
            now = scene.ask(place)
        except Unfilled as lacking:
            out.append({**about, "state": "unasked" if isinstance(lacking, Unnamed) else "skipped", "why": str(lacking)})
            break  # what follows goes on from it
        before = talk
        answer = _answer(speaker, talk, now, scene)
        out.append({**about, "state": "asked", **_told(speaker, filler, before, now, answer)})
        if answer.done is None:
            break
        talk = answer.done.conversation
        scene.heard(now, answer.items)
    return out


def _answer(speaker: Speaker, talk: Conversation, now: Asked, scene: Scene) -> Answer:
    """What a speaker says, however it ends."""
    began, words, shown, items = time.perf_counter(), "", "", list[int]()
    done: Done | None = None
    titles, broke, row = scene.plain.catalog.titles, "", False
    try:
        events: Iterator[Event] = speaker.reply(talk, now.text, stop=lambda: time.perf_counter() - began > LIMIT)
        for event in events:
            if isinstance(event, Words):
                row = False
                words, shown = words + event.text, shown + event.text
            elif isinstance(event, Chosen):
                items.append(event.item)
                words += " "
                shown += f"{',' * row} {titles[event.item] if 0 <= event.item < len(titles) else event.item}"
                row = True  # of two in a row nobody says what stands between them
            else:
                done = event
    except Exception as error:  # whatever breaks is a finding, and the next probe is asked all the same
        broke = f"it broke: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    if done is not None and not items and now.step.group == "why":
        items = list(_last(done).items)  # said by their titles
    return Answer(shown, words, tuple(items), done, broke, tuple(scene.known))


def _last(done: Done) -> Exchange:
    exchanges = done.conversation.exchanges
    return exchanges[-1] if exchanges else Exchange("", (), "", (), Understood())


def _told(speaker: Speaker, filler: Filler, talk: Conversation, now: Asked, answer: Answer) -> Turn:
    found, done = held(filler.plain, now, answer), answer.done
    catalog, n = filler.plain.catalog, filler.plain.n_items
    items = [
        {"key": catalog.item_keys[i], "title": catalog.titles[i]} if 0 <= i < n else {"key": "", "title": str(i)} for i in answer.items
    ]
    return {
        "message": now.text,
        "answer": answer.shown,
        "items": items,
        "understood": None if done is None else dataclasses.asdict(done.understood),
        "checks": found.checks,
        "faults": found.faults,
        "measures": {} if done is None else _measures(speaker, filler, talk, now, answer),
        "timing": None if done is None else dataclasses.asdict(done.timing),
        "sure": None if done is None else done.sure,
    }


def _measures(speaker: Speaker, filler: Filler, talk: Conversation, now: Asked, answer: Answer) -> dict[str, Any]:
    """Whether the held-out item was found, and what it is to be held against: chance, and the same head asked without any words."""
    group, target = now.step.group, now.person.target
    if group == "would" and now.about and now.step.about[0] in ("target", "stranger"):
        said = claims.yes_or_no(answer.words)
        return {"right": said is not None and said == (now.about[0] == target), "chance": 0.5}
    if not now.step.expect.hit or group not in NAMING:
        return {}
    n = now.k or TEN
    meant = now.meant if group != "list" else Understood("list", among=now.about)
    alone = _alone(speaker, filler, talk, meant, now.about, n)
    return {
        "hit": target in answer.items[:n],
        "n": n,
        "chance": min(1.0, n / max(1, now.open)),
        **({} if alone is None else {"alone": target in alone}),
    }


def _alone(speaker: Speaker, filler: Filler, talk: Conversation, meant: Understood, about: Sequence[int], n: int) -> list[int] | None:
    """What the speaker's own recommender gives where everything was understood; None where it has none to ask."""
    recommender = getattr(speaker, "recommender", None)
    if recommender is None:
        return None
    query = memory.query(talk, meant, filler.knowledge, about if meant.skill == "list" else ())
    return [item for item, _ in memory.ranked(recommender, query, n)]
