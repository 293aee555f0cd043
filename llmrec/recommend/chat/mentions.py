"""The titles that a message names, wherever they stand in it: whole titles first, then what follows "liked" with typos forgiven.

Where it stands: under the speakers, over `llmrec.recommend.titles`, which knows one title at a time. "@" before a title says that it is
one, and completes it. What it does not know: models, runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from llmrec.contracts import Catalog, Interactions
from llmrec.recommend import titles
from llmrec.recommend.chat.meant import PERSONS, meant
from llmrec.recommend.chat.ordinary import ordinary
from llmrec.recommend.chat.values import Mention

LONGEST, MOST = 9, 12
NEAR = 200  # letters before a title that are looked at
SLIP = 0.85  # least likeness of a title that begins with a shorter one
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
YEAR = re.compile(r"(?:18|19|20)\d\d")
SPAN = re.compile(
    r"(?:\b(?:liked?|loved?|loving|enjoy(?:ed)?|adored?|saw|seen|watched|hated?|disliked?|fans? of|such as|favou?rites? (?:is|are)|"
    r"into|prefer(?:red)?|except|without|but not|no more|similar to|close to|something like|resembl(?:es?|ing)|"
    r"(?:style|spirit|vein|lines|manner|feel) of)\b|@)\s*:?\s*([^.;?!\n@]+)",
    re.I,
)
QUOTED = re.compile(r"[\"“”«»]([^\"“”«»\n]{1,120})[\"“”«»]")
BREAK = re.compile(
    r"\s*(?:,|;|\s&\s|\band\b|\bor\b|\bbut\b|\balso\b|\bthen\b|\bwhat\b|\bplease\b|\brecommend\b|\bsuggest\b|\bso\b)\s*", re.I
)
FILLER = re.compile(
    r"^(?:(?:also|really|very|much|both|the (?:film|movie|book)s?|films?|movies?|"
    r"like|liked|loved|to|watch|i|me|more|titles?|things?|such as)\s+)+|"
    r"\s+(?:a lot|very much|so much|too|as well|again|recently|yesterday|most|best|next)$",
    re.I,
)


@dataclass(frozen=True)
class _Word:
    plain: str
    start: int
    end: int


class Mentions:
    """Built once per data set: bare names to items, the most taken first where several share a name."""

    def __init__(self, catalog: Catalog, taken: Interactions) -> None:
        self.catalog = catalog
        self._popular = popular = np.bincount(taken.item, minlength=taken.n_items)
        self._names: dict[str, list[int]] = {}
        for item, title in enumerate(catalog.titles):
            for name in {titles.normal(title)[0], titles.normal(re.sub(r"\([^()]*\)", " ", title))[0]} - {""}:
                self._names.setdefault(name, []).append(item)
        for items in self._names.values():
            items.sort(key=lambda i: -int(popular[i]))
        self._double = [name for name in self._names if BREAK.search(f" {name} ")]

    def complete(self, prefix: str, n: int = 8) -> tuple[int, ...]:
        """Items whose titles go on from what was typed after "@": those that begin so first, then those with a word that does; the most
        taken first. Nothing typed: the most taken of all."""
        begun = titles.normal(prefix)[0]
        ranks = (
            (not name.startswith(begun), items) for name, items in self._names.items() if name.startswith(begun) or f" {begun}" in name
        )
        found = {item: later for later, items in sorted(ranks, key=lambda pair: not pair[0]) for item in items}
        return tuple(sorted(found, key=lambda item: (found[item], -int(self._popular[item]), item))[:n])

    def find(self, text: str) -> tuple[Mention, ...]:
        """Mentions in the order of the message, each item once."""
        found, free = self._whole(text)
        guessed = 0
        for start, part in _candidates(text, free, self._joined):
            if guessed == MOST:
                break
            guessed += 1
            mention = self._pointed(part, start) if text[:start].endswith("@") else self._guess(part, start)
            if mention is not None:
                found.append(mention)
        if not found and len(text.split()) <= (8 if any(w[0].isupper() for w in WORD.findall(text)) else 4):
            found += self._bare(text)
        out: dict[object, Mention] = {}
        for mention in sorted(found, key=lambda m: m.start):
            out.setdefault(mention.item if mention.item is not None else mention.text.casefold(), mention)
        return tuple(out.values())

    def _whole(self, text: str) -> tuple[list[Mention], list[bool]]:
        """Whole titles, longest first at each place; and which letters of the text are still free."""
        words = [_Word(m[0], m.start(), m.end()) for m in WORD.finditer(text)]
        free = [True] * len(text)
        found: list[Mention] = []
        at = 0
        while at < len(words):
            for n in range(min(LONGEST, len(words) - at), 0, -1):
                first, last = words[at], words[at + n - 1]
                said = text[first.start : last.end]
                items = self._names.get(titles.normal(said + " ")[0]) if n > 1 or not YEAR.fullmatch(said) else self._names.get(said)
                if not items or (n == 1 and _apostrophe(said) and not any(_apostrophe(self.catalog.titles[i]) for i in items)):
                    continue  # "qu'est" is not The Quest
                among = bool(found) or SPAN.search(text[max(0, first.start - NEAR) : first.start]) is not None
                if not meant(text, first.start, last.end, among):
                    continue
                said, last, items, length = self._longer(text, words, at, n) or (said, last, items, n)
                year = words[at + length].plain if at + length < len(words) and YEAR.fullmatch(words[at + length].plain) else None
                end = words[at + length].end if year and text[last.end : words[at + length].start].strip(" ([,") == "" else last.end
                item = self._of_year(items, titles.normal(text[first.start : end])[1])
                found.append(Mention(said, item, start=first.start))
                free[first.start : end] = [False] * (end - first.start)
                at += length + (end != last.end)
                break
            else:
                at += 1
        return found, free

    def _longer(self, text: str, words: list[_Word], at: int, n: int) -> tuple[str, _Word, list[int], int] | None:
        """A longer title that begins with a whole one and that the words come near: a slip in its further words, or cut short behind its
        number. The stretch, its last word, the items, how many words."""
        from rapidfuzz.distance import DamerauLevenshtein

        short = titles.normal(text[words[at].start : words[at + n - 1].end] + " ")[0]
        names = [name for name in self._names if name.startswith(f"{short} ")]
        best: tuple[float, int, str] = (0.0, 0, "")
        for m in range(n + 1, min(LONGEST, len(words) - at) + 1) if names else ():
            said = titles.normal(text[words[at].start : words[at + m - 1].end] + " ")[0]
            begun = [name for name in names if name.startswith(f"{said} ")]
            if said[-1:].isdigit() and len(begun) == 1:
                best = max(best, (SLIP, m, begun[0]))
            for name in names:
                if _digits(name) == _digits(said):
                    best = max(best, (DamerauLevenshtein.normalized_similarity(said, name), m, name))
        if best[0] < SLIP:
            return None
        last = words[at + best[1] - 1]
        return text[words[at].start : last.end], last, self._names[best[2]], best[1]

    def _joined(self, said: str) -> bool:
        """Whether a text is near a title with "and" in it, which else would be cut in two."""
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        scorer = DamerauLevenshtein.normalized_similarity
        return process.extractOne(titles.normal(said)[0], self._double, scorer=scorer, score_cutoff=SLIP) is not None

    def _of_year(self, items: list[int], year: int | None) -> int:
        if year is not None and "year" in self.catalog.items:
            years = self.catalog.items["year"]
            return next((i for i in items if years.iloc[i] == year), items[0])
        return items[0]

    def _bare(self, text: str) -> list[Mention]:
        """A short message that is nothing but a title, perhaps among common words."""
        words = [w for w in WORD.finditer(text) if not ordinary(w[0])]
        bare = " ".join(w[0] for w in words)
        mention = self._guess(bare, words[0].start()) if len(bare) > 3 else None
        # One capital begins any sentence, also "Trust me"
        talk = len(words) == 1 and (words[0][0].islower() or bool(PERSONS.match(text, words[0].end())))
        unsure = mention is None or talk or (len(words) < 2 and mention.item is None)
        return [] if mention is None or unsure else [replace(mention, text=text[words[0].start() : words[-1].end()])]

    def _pointed(self, part: str, start: int) -> Mention:
        """What stands after "@", which is a title however it is written; where it ends is where it is most like one."""
        words = list(WORD.finditer(part))[:LONGEST]
        tries = [(part[: word.end()], titles.resolve(part[: word.end()], self.catalog)) for word in words]
        best = max(((found[0].score, len(said), said) for said, found in tries if found), default=(0.0, 0, part))
        return self._guess(best[2], start) or Mention(part, None, (), start)

    def _guess(self, part: str, start: int = 0) -> Mention | None:
        """A misspelt or shortened title; where several may be meant, or none, the mention names no item but its near ones."""
        matches = titles.resolve(part, self.catalog)
        if matches and (len({m.title for m in matches}) == 1 or (matches[0].score < 0.85 and matches[0].score - matches[1].score > 0.02)):
            return Mention(part, matches[0].item, start=start)
        if matches:
            return Mention(part, None, tuple(m.item for m in matches[:4]), start)
        if not _named(part):
            return None  # more likely talk than a title
        near = (titles.resolve(name, self.catalog) for name in titles.nearest(part, self.catalog))
        return Mention(part, None, tuple(m[0].item for m in near if m)[:3], start)


def _candidates(text: str, free: list[bool], joined: Callable[[str], bool]) -> Iterator[tuple[int, str]]:
    """Stretches that should be titles but are none as they stand: (where, text). joined: whether parts are near one title together."""
    seen: list[tuple[int, int]] = []
    for pattern in (QUOTED, SPAN):
        for match in pattern.finditer(text):
            start, end = match.span(1)
            for a, b in _parts(text, start, end, free, joined) if pattern is SPAN else [(start, end)]:
                part = FILLER.sub("", FILLER.sub("", text[a:b].strip(" '’:-"))).strip()
                words = WORD.findall(part)
                if not words or len(part) > 80 or all(map(ordinary, words)) or not all(free[a:b]):
                    continue
                if not any(a < y and x < b for x, y in seen):
                    seen.append((a, b))
                    yield text.index(part, a), part


def _parts(text: str, start: int, end: int, free: list[bool], joined: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """A stretch cut at commas, at "and", and where a title was found already; but not within what is near a title with "and" in it."""
    cuts = [(m.start(), m.end()) for m in BREAK.finditer(text, start, end)]
    cuts += [(i, i + 1) for i in range(start, end) if not free[i]]
    parts: list[tuple[int, int]] = []
    at = start
    for a, b in [*sorted(cuts), (end, end)]:
        if a > at:
            parts.append((at, a))
        at = max(at, b)
    while parts:
        a, b = parts.pop(0)
        if parts and all(free[a : parts[0][1]]) and joined(text[a : parts[0][1]]):
            b = parts.pop(0)[1]
        yield a, b


def _named(part: str) -> bool:
    """Whether a text that is no title is written as one would write a name: all of its words that say something with capitals."""
    telling = [w for w in WORD.findall(part) if not ordinary(w)]
    return bool(telling) and all(w[0].isupper() or w.isdigit() for w in telling)


def _apostrophe(said: str) -> bool:
    return "'" in said or "’" in said


def _digits(name: str) -> list[str]:
    return [w for w in name.split() if w.isdigit()]
