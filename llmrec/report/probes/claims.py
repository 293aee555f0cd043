"""What answers claim in words, held against train and the catalogue: reasons, facts, tastes, yes and no.

Where it stands: under `checks`; it reads the words as they were shown, and looks up each claim by itself. What it does not know: the
grammar that reasons are said by, models.

    because of Alien and Blade Runner: Sci-Fi, 1980s        Alien is from 1979: Horror, Sci-Fi.        You like Sci-Fi and the 1980s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmrec.report.probes.plain import MOST_GENRES, Plain

SHOWN = 20  # items of a history that a model reads, the newest
LEAST = 2  # items that must bear what is called a taste
NOTHING = re.compile(r"nothing in your history speaks", re.I)
TOO_LITTLE = re.compile(r"know too little of you", re.I)
_TITLE_TAIL = re.compile(r"(?<=\S) \([^()]*\)$")


def made(plain: Plain, claim: str, about: Sequence[int], shown: str) -> bool:
    """Whether an answer gives a reason, a fact or a taste at all, true or not."""
    if claim == "reason":
        return bool(NOTHING.search(shown) or re.search(r"\bbecause of\b", shown))
    if claim == "taste":
        return bool(TOO_LITTLE.search(shown) or re.search(r"\bYou like\b", shown))
    return bool(about) and short(plain.catalog.titles[about[0]]) in shown and "Close to " not in shown


def reason(plain: Plain, about: Sequence[int], shown: str, cited: Sequence[int], known: Sequence[int]) -> str | None:
    """What is false of "because of A and B: x, y", or of saying that there is no reason; None where all is true. about: the item explained,
    first; cited: the items it was said by; known: what is known of the person."""
    if not about:
        return "nothing to explain"
    target, history = about[0], list(dict.fromkeys(known))
    if NOTHING.search(shown):
        speaking = [i for i in history[-SHOWN:] if i != target and _speaks(plain, i, target)]
        return f"{plain.catalog.titles[speaking[0]]} speaks for it" if speaking else None
    if not cited:
        return "nothing was cited"
    rest = re.split(r"\bbecause of\b", shown, maxsplit=1)[1]
    for item in cited:
        if not 0 <= item < plain.n_items:
            return f"no item has the number {item}"
        title = plain.catalog.titles[item]
        if item not in history:
            return f"{title} is not in their history"
        if item == target or not plain.together(item, target):
            return f"nobody took {title} with it"
        at = rest.find(short(title))
        if at < 0:
            return f"{title} is cited and not said"
        rest = rest[at + len(short(title)) :]
    told = [w.strip(" .") for w in rest.partition(":")[2].split(",") if w.strip(" .")]
    if not told:
        return "no attribute was named" if plain.described else None
    false = next((w for w in told if w not in plain.shared([target, *cited])), None)
    return f"not all of them are {false}" if false else None


def _speaks(plain: Plain, item: int, target: int) -> bool:
    return plain.together(item, target) and (not plain.described or bool(plain.shared([item, target])))


def fact(plain: Plain, about: Sequence[int], shown: str) -> str | None:
    """What is false of "X is from 1979: Horror, Sci-Fi."."""
    if not about:
        return "nothing to describe"
    item = about[0]
    title, year, genres = short(plain.catalog.titles[item]), plain.years[item], plain.genres[item][:MOST_GENRES]
    at = shown.find(title)
    if at < 0:
        return "its title is not said"
    rest = shown[at + len(title) :]
    years = [int(y) for y in re.findall(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)s?", rest.partition(":")[0]) if not y.endswith("s")]
    if years != ([] if year is None else [year]):
        return f"it is from {year}" if year is not None else "its year is not known"
    said = [g.strip(" .") for g in rest.partition(":")[2].split(",") if g.strip(" .")]
    if genres and sorted(said) != sorted(genres):
        return f"it is {', '.join(genres)}"
    return f"{said[0]} is not known of it" if said and not genres and "no more is known" not in shown else None


def taste(plain: Plain, shown: str, known: Sequence[int]) -> str | None:
    """What is false of "You like Sci-Fi and the 1980s."."""
    rows = [plain.words[i] for i in known if 0 <= i < plain.n_items]
    common = [w for w in {w for row in rows for w in row} if sum(w in row for row in rows) >= LEAST and not w.isdigit()]
    if TOO_LITTLE.search(shown):
        return f"{min(common)} is in what they took" if len(rows) > SHOWN and common else None
    said = re.search(r"\bYou like\b(.*)", shown)
    if said is None:
        return "no taste was told"
    told = _listed(plain, said[1])
    if not told:
        return "no attribute of this catalogue was named"
    false = next((w for w in told if sum(w in row for row in rows) < LEAST), None)
    return f"fewer than {LEAST} of what they took are {false}" if false else None


def _listed(plain: Plain, text: str) -> list[str]:
    """The attributes in "A, B and the 1990s."; what the catalogue lacks stays, so that nobody bears it."""
    every = {w for row in plain.words for w in row}
    out: list[str] = []
    for part in text.strip(" .").split(","):
        whole = part.strip().removeprefix("the ")
        halves = [whole] if whole in every else [p.strip().removeprefix("the ") for p in part.split(" and ")]
        out += [p for p in halves if p]
    return out


def yes_or_no(words: str) -> bool | None:
    """Whether an answer says yes; None where it says neither."""
    found = re.match(r"\W*(yes|no)\b", words, re.I)
    return None if found is None else found[1].casefold() == "yes"


def short(title: str) -> str:
    """A title as answers write it: in one line, without a second title in brackets, without signs that are marks, not endless."""
    plain = " ".join(title.replace("[", "(").replace("]", ")").replace("*", "").split())
    plain = _TITLE_TAIL.sub("", plain)
    return plain if len(plain) <= 60 else plain[:60].rsplit(" ", 1)[0]
