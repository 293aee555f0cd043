"""What holds of one answer: the items against the catalogue and the talk, the words against what may be said.

Where it stands: after an answer. What it does not know: models; a speaker's own word for what it did is believed in one thing alone, what
it understood, and that is a check of its own. `claims` judges reasons, facts and tastes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from llmrec.recommend.chat.values import Done
from llmrec.report.probes import claims
from llmrec.report.probes.book import NAMING
from llmrec.report.probes.filling import Asked
from llmrec.report.probes.plain import Plain

LONGEST = 1500  # letters that an answer may have
DECLINES = re.compile(
    r"beyond me|only (?:know|understand|speak)|(?:do not|don['’]t|did not|didn['’]t) (?:know|understand)|I know no|i stay with|"
    r"found no|cannot|can['’]t|are fixed|no title",
    re.I,
)
FORGED = re.compile(r"(?:^|\s)(?:User|Assistant):|\[unknown\]|\ufffd|<[a-z]+_?\d+>|(?:^|\s)\*(?:\s|$)|</?(?:script|b)\b", re.I)
CLOSE = re.compile(r"\b(?:close to|leaving) ", re.I)
LOST = "lost the thread"
MEANINGS = {  # what each check asks, for a reader
    "understood": "the skill was understood, and the titles meant",
    "spelled": "titles in the answer's own words are those meant, spelled as the catalogue does",
    "exists": "every named item is in the catalogue",
    "constraint": "every named item has the genres and decades asked for, and none of those shut out",
    "among": "of several titles to choose from, one of them was named",
    "fresh": "nothing was repeated, seen before, rejected, or named twice",
    "count": "as many were named as asked for",
    "reason": "a reason that was given is true of the person's history and of train",
    "fact": "what an item is said to be is what the catalogue says",
    "taste": "a taste that was told is true of the person's history",
    "answered": "a question was answered, in words where it asked for words",
    "declined": "what nobody here gives was declined, without items",
    "clean": "nothing of the prompt, no Token and no mark stood among the words",
    "ended": "the answer ended by itself and was not endless",
}


@dataclass(frozen=True)
class Answer:
    """What came. shown: the words with titles at the items; words: without them; items: those named, in order; done: its end, None where it
    broke; broke: how; kept: what is known of the person."""

    shown: str
    words: str
    items: tuple[int, ...]
    done: Done | None
    broke: str = ""
    kept: tuple[int, ...] = ()


@dataclass
class Held:
    """checks: by the names of `MEANINGS`, whether each holds; faults: what does not, in words."""

    checks: dict[str, bool] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, fault: str | None) -> None:
        """One check; a fault where it does not hold."""
        self.checks[name] = not fault
        if fault:
            self.faults.append(f"{name}: {fault}")


def held(plain: Plain, asked: Asked, answer: Answer) -> Held:
    """All that can be asked of this answer."""
    out, group = Held(), asked.step.group
    out.add("ended", _ended(answer))
    out.add("clean", _clean(asked, answer))
    if answer.done is None:
        return out
    if answer.items:
        out.add("exists", _exists(plain, answer.items))
    if asked.step.expect.free:
        out.add("fresh", _fresh(plain, asked, answer.items))
        return out
    if group != "refuse":
        out.add("understood", _understood(asked, answer.done))
    if group in NAMING:
        _items(plain, asked, answer, out)
    elif group == "refuse":
        out.add("declined", _declined(asked, answer))
    else:
        _words(plain, asked, answer, out)
    return out


def _items(plain: Plain, asked: Asked, answer: Answer, out: Held) -> None:
    items, meant = answer.items, asked.meant
    out.add("count", _count(asked, items))
    out.add("fresh", _fresh(plain, asked, items))
    if meant.among:
        out.add("among", _among(plain, asked, items))
    if CLOSE.search(answer.words):
        out.add("spelled", _spelled(plain, asked, answer.words))
    if meant.wanted or meant.unwanted:
        wrong = [i for i in items if i < plain.n_items and not plain.bears(i, meant.wanted, meant.unwanted)]
        asks = ", ".join([*meant.wanted, *(f"without {w}" for w in meant.unwanted)])
        named = "; ".join(plain.catalog.titles[i] for i in wrong[:3])
        out.add("constraint", f"not {asks}: {named}" if wrong else "" if items else f"named nothing of {asks}")


def _words(plain: Plain, asked: Asked, answer: Answer, out: Held) -> None:
    group = asked.step.group
    claim = {"why": "reason", "what": "fact", "taste": "taste"}.get(group)
    if claim is not None:  # whether it is true can be asked only where it is made
        made = claims.made(plain, claim, asked.about, answer.shown)
        out.add("answered", None if made else f"no {claim} was given")
        if made and claim == "reason":
            out.add(claim, claims.reason(plain, asked.about, answer.shown, answer.items, answer.kept))
        elif made:
            said = answer.shown
            out.add(claim, claims.fact(plain, asked.about, said) if claim == "fact" else claims.taste(plain, said, answer.kept))
    elif group == "would":
        out.add("answered", None if claims.yes_or_no(answer.words) is not None else "neither yes nor no")
    else:
        said = asked.step.expect.says
        good = bool(answer.words.strip()) and not answer.items and (not said or re.search(said, answer.words, re.I) is not None)
        out.add("answered", None if good else "not what such a message is answered with")


def _ended(answer: Answer) -> str | None:
    if answer.done is None:
        return answer.broke or "no end"
    if answer.done.stopped:
        return "it took too long and was stopped"
    if LOST in answer.words:
        return "it lost the thread"
    if not answer.shown.strip():
        return "nothing was said"
    return f"{len(answer.shown):,} letters" if len(answer.shown) > LONGEST else None


def _clean(asked: Asked, answer: Answer) -> str | None:
    found = FORGED.search(_unquoted(answer.words))
    if found:
        return f"{found[0].strip()!r} among the words"
    said = next((b for b in asked.step.expect.barred if b.casefold() in _unquoted(answer.words).casefold()), None)
    return f"it said {said!r}" if said else None


def _unquoted(words: str) -> str:
    """Words without what they quote of the message: “...”."""
    return re.sub(r"“[^”]*”", "“”", words)


def _exists(plain: Plain, items: Sequence[int]) -> str | None:
    strange = [i for i in items if not 0 <= i < plain.n_items]
    return f"no item of the catalogue has the number {strange[0]}" if strange else None


def _fresh(plain: Plain, asked: Asked, items: Sequence[int]) -> str | None:
    real = [i for i in items if 0 <= i < plain.n_items]
    twice = next((i for n, i in enumerate(real) if i in real[:n]), None)
    if twice is not None:
        return f"{plain.catalog.titles[twice]} twice in one answer"
    old = next((i for i in real if i in asked.out), None)
    return None if old is None else f"{plain.catalog.titles[old]} was seen, named, mentioned or rejected before"


def _among(plain: Plain, asked: Asked, items: Sequence[int]) -> str | None:
    other = next((i for i in items if i < plain.n_items and i not in (asked.meant.among or ())), None)
    return "none was named" if not items else None if other is None else f"{plain.catalog.titles[other]} is none of those to choose from"


def _count(asked: Asked, items: Sequence[int]) -> str | None:
    if not items:
        return "named nothing"
    wanted = min(asked.k, asked.open)
    if asked.k and len(items) != wanted:
        return f"{len(items)} named, {wanted} asked for"
    return f"{len(items)} named" if len(items) > 10 else None


def _understood(asked: Asked, done: Done) -> str | None:
    """The skill, and whom or what the head was asked about. Conditions are held against the items instead."""
    group, said = asked.step.group, done.understood
    may = {group}
    if asked.step.way in ("without", "narrow"):  # said again with what stood before, or alone
        may |= {"attribute", "without", "like", "else"}
    if said.skill not in may:
        return f"{said.skill} instead of {group}"
    if group == "like" and set(said.like or ()) != set(asked.about):
        return "other titles than those named"
    return None


def _spelled(plain: Plain, asked: Asked, words: str) -> str | None:
    """Of "close to X" and "leaving X aside"."""
    titles = [claims.short(plain.catalog.titles[i]) for i in asked.meant.like or asked.about]
    found = CLOSE.search(words)
    rest, left = words[found.end() :] if found else "", sorted(titles, key=len)
    while left:
        title = next((t for t in reversed(left) if rest.startswith(t)), None)
        if title is None:
            return f"{left[0]} was meant"
        left.remove(title)
        rest = re.sub(r"^(?:, | and )", "", rest[len(title) :])
    return None if titles else "no title was meant"


def _declined(asked: Asked, answer: Answer) -> str | None:
    if answer.items:
        return "items were named"
    if answer.done is not None and answer.done.understood.skill != "talk":
        return f"taken for {answer.done.understood.skill}"
    pattern = asked.step.expect.says
    good = re.search(pattern, answer.words, re.I) if pattern else DECLINES.search(answer.words)
    return None if good else "not declined"
