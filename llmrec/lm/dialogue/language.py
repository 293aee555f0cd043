"""The closed language of answers: what was understood, in words and back. One grammar for training and for talking.

Where it stands: under the generator of dialogues, which writes it, and under the chat's engine, which reads it. Text alone; `script` writes
text and names as row numbers. What it does not know: models, row numbers.

    Here is what fits you:                    Among these:                       Matching Sci-Fi, 1977:
    Close to Alien and Dune:                  Close to Alien, without Horror:    Something else, close to Alien, 1980s:
    Comedy, 1990s:                            Comedy, without Romance:           Without Horror:
    Leaving Alien aside:                      Leaving Alien aside, Comedy:       Something else, Comedy, without Romance:

Items follow, each behind a mark, a comma between them and a full stop after the last. The other answers hold no item, or a statement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec.contracts import Catalog
from llmrec.data.titles import clean
from llmrec.lm.tasks.facts import attributes
from llmrec.recommend.chat.values import MARK, Mention, Skill, Understood

FREE, AMONG, ELSE = "Here is what fits you", "Among these", "Something else"
CLOSE, LEAVING, ASIDE, MATCHING = "Close to", "Leaving", "aside", "Matching"
WITHOUT = "without"
YES, NO = "Yes, that should suit you.", "No, rather not."
BECAUSE, NO_REASON = "because of", "Nothing in your history speaks for it."
LIKES, NO_TASTE = "You like", "I know too little of you to say."
LONGEST = 60  # letters of a title that are written
MOST_GENRES = 6
DECADE = re.compile(r"\d{3}0s")

_FIRST = (
    FREE,
    AMONG,
    ELSE,
    CLOSE,
    LEAVING,
    MATCHING,
    WITHOUT.capitalize(),
    YES,
    NO,
    BECAUSE,
    NO_REASON,
    LIKES,
    NO_TASTE,
    "I ",
    "Hello",
    "You",
)
_FORGED = str.maketrans({"[": "(", "]": ")", "*": ""})
_ORDER = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NOUN = r" (?:one|title|film|movie|item|suggestion|recommendation|pick)"
_POINTING = re.compile(
    rf"\b(?:(?:the|your) )?(?P<which>{'|'.join(_ORDER)}|last)(?:{_NOUN}\b|(?=\s*(?:$|[?.!,;])))"
    rf"|\b(?:that|this|it)(?:{_NOUN}\b|(?=(?: about)?\s*(?:$|[?.!,;])))",
    re.I,
)


class Language:
    """The language over one catalogue, whose titles and attributes it speaks of."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.attributes = attributes(catalog)

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Each item's title as answers and notes write it: one line, not endless, without a second title in brackets, without marks."""
        return tuple(_titled(t) for t in self.catalog.titles)

    @cached_property
    def years(self) -> tuple[int | None, ...]:
        """Each item's year, where the catalogue knows it."""
        items = self.catalog.items
        years = list(items["year"]) if "year" in items.columns else [None] * len(items)
        return tuple(None if pd.isna(y) else int(y) for y in years)

    @cached_property
    def genres(self) -> tuple[tuple[str, ...], ...]:
        """Each item's attributes but the decade."""
        return tuple(row if y is None else row[:-1] for row, y in zip(self.attributes, self.years, strict=True))

    @cached_property
    def bearers(self) -> dict[str, NDArray[np.bool_]]:
        """Which items have an attribute or are of a year: (m,) each."""
        known: dict[str, NDArray[np.bool_]] = {}
        for item, (row, year) in enumerate(zip(self.attributes, self.years, strict=True)):
            for word in row if year is None else (*row, str(year)):
                known.setdefault(word, np.zeros(len(self.attributes), dtype=bool))[item] = True
        return known

    @cached_property
    def _spelling(self) -> dict[str, str]:
        return {word.casefold(): word for word in self.bearers}

    def fitting(self, understood: Understood) -> NDArray[np.bool_]:
        """Which items an answer may name by what was understood: (m,). An attribute that the catalogue lacks leaves none."""
        fits = np.ones(len(self.attributes), dtype=bool)
        none = np.zeros(len(self.attributes), dtype=bool)
        for word in understood.wanted:
            fits &= self.bearers.get(word, none)
        for word in understood.unwanted:
            fits &= ~self.bearers.get(word, none)
        if understood.among is not None:
            only = none.copy()
            only[list(understood.among)] = True
            fits &= only
        return fits

    def note(self, item: int | None) -> tuple[str, str]:
        """What stands around an item's name behind a mention: " [" and ": Star Wars, 1977, Action]". None: nothing and " [unknown]"."""
        if item is None:
            return "", " [unknown]"
        year = self.years[item]
        known = [self.titles[item], *([] if year is None else [str(year)]), *self.genres[item][:MOST_GENRES]]
        return " [", f": {', '.join(known)}]"

    def described(self, item: int) -> str:
        """The answer to "what is X": what its note says, as a sentence."""
        genres, year = ", ".join(self.genres[item][:MOST_GENRES]), self.years[item]
        when = "" if year is None else f" is from {year}"
        return (
            f"{self.titles[item]}{when}{': ' + genres if genres else ''}." if when or genres else f"{self.titles[item]}: no more is known."
        )

    def tasted(self, attributes: Sequence[str]) -> str:
        """The answer to "what is my taste"."""
        return f"{LIKES} {joined([f'the {a}' if DECADE.fullmatch(a) else a for a in attributes])}." if attributes else NO_TASTE

    def likes(self, said: str) -> tuple[str, ...]:
        """The attributes that `tasted` says, as the catalogue spells them; one that it lacks as it was said."""
        body = clean(said).removeprefix(LIKES).rstrip(". ") if said.strip().startswith(LIKES) else ""
        words = (w.strip() for part in body.split(",") for w in ([part] if self._known(part.strip()) else part.split(" and ")))
        return tuple(self._known(w.removeprefix("the ")) or self._known(w) or w for w in words if w)

    def _known(self, word: str) -> str | None:
        """An attribute as the catalogue spells it."""
        return self._spelling.get(word.casefold())

    def opening(self, understood: Understood, rejected: Sequence[int] = ()) -> str:
        """The first words of an answer that goes on with items. rejected: items that the message leaves aside."""
        kept = [*understood.wanted, *(f"{WITHOUT} {a}" for a in understood.unwanted)]
        close = [f"{CLOSE} {self.listed(understood.like)}"] if understood.like else []
        if understood.skill == "list":
            parts = [AMONG, *kept]
        elif understood.skill == "which":
            parts = [f"{MATCHING} {kept[0]}", *kept[1:]]
        elif understood.skill == "else":
            parts = [ELSE, *(c[0].lower() + c[1:] for c in close), *kept]
        elif rejected:
            parts = [f"{LEAVING} {self.listed(rejected)} {ASIDE}", *kept]
        else:
            parts = [*close, *kept] or [FREE]
        first = parts[0]
        return f"{first[0].upper() + first[1:] if first.startswith(WITHOUT) else first}{''.join(f', {p}' for p in parts[1:])}:"

    def opens(self, text: str) -> bool:
        """Whether an answer that is no description of an item may begin so, or has begun."""
        return any(first.startswith(text) or text.startswith(first) for first in (*_FIRST, *self.bearers))

    def listed(self, items: Sequence[int]) -> str:
        """Titles as they stand in a sentence: "A", "A and B", "A, B and C"."""
        return joined([self.titles[i] for i in items])

    def understood(self, said: str, mentions: Sequence[Mention] = (), earlier: Sequence[int] = ()) -> Understood:
        """What the words of an answer say was understood; whatever stands behind the first mark does not count.

        mentions: of this message; earlier: items mentioned before it. Titles that are misspelt in the answer stand for all of the message.
        An attribute that the catalogue lacks is kept as it was said, so that nothing fits it.
        """
        words = clean(said).split(MARK)[0].split(MARK.strip())[0].strip()
        here = tuple(dict.fromkeys(m.item for m in mentions if m.item is not None))
        if not words.endswith(":"):
            return Understood(self._spoken(words, here))
        body = words[:-1].strip()
        if body.startswith(FREE):
            return Understood("recommend", *self._kept(body[len(FREE) :]))
        if body.startswith(AMONG):
            return Understood("list", *self._kept(body[len(AMONG) :]), among=here)
        if body.startswith(MATCHING):
            return Understood("which", *self._kept(body[len(MATCHING) :]))
        if body.startswith(LEAVING):
            return Understood("without", *self._kept(body.rpartition(f" {ASIDE}")[2]))
        skill: Skill = "like"
        if body.startswith(ELSE):
            skill, body = "else", body[len(ELSE) :].strip(" ,")
        if body.casefold().startswith(CLOSE.casefold()):
            like, rest = self._after(body[len(CLOSE) :], (*here, *earlier))
            wanted, unwanted = (tuple(w for w in words if w in self.bearers) for words in self._kept(rest))  # a title's scraps ask nothing
            return Understood(skill, wanted, unwanted, like=like or here or None)
        wanted, unwanted = self._kept(body)
        return Understood(skill if skill == "else" else "attribute" if wanted else "without", wanted, unwanted)

    def _spoken(self, words: str, here: Sequence[int]) -> Skill:
        """The skill of an answer that names no item at a mark."""
        if words.startswith((YES[:4], NO[:3])):
            return "would"
        if words.startswith((BECAUSE, NO_REASON)):
            return "why"
        if words.startswith((LIKES, NO_TASTE)):
            return "taste"
        return "what" if " is from " in words or any(words.startswith(f"{self.titles[i]}:") for i in here) else "talk"

    def _after(self, text: str, items: Sequence[int]) -> tuple[tuple[int, ...], str]:
        """The items whose titles a text begins with, joined as in `listed`, and what follows them. The longest title first."""
        text, found = text.strip(), list[int]()
        order = sorted(dict.fromkeys(items), key=lambda i: -len(self.titles[i]))
        while True:
            item = next((i for i in order if i not in found and _begins(text, self.titles[i])), None)
            if item is None:
                return tuple(found), text.partition(",")[2]
            found.append(item)
            text = text[len(self.titles[item]) :]
            onward = re.match(r"(?:, | and )", text)
            if onward is None or not any(_begins(text[onward.end() :], self.titles[i]) for i in order if i not in found):
                return tuple(found), text.partition(",")[2]
            text = text[onward.end() :]

    def _kept(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Attributes that a text asks for, and that it shuts out."""
        wanted, unwanted = list[str](), list[str]()
        for part in filter(None, (p.strip() for p in text.split(","))):
            shut = part.casefold().startswith(WITHOUT + " ")
            word = part[len(WITHOUT) + 1 :].strip() if shut else part
            (unwanted if shut else wanted).append(self._known(word) or word)
        return tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted))


def pointed(text: str, named: Sequence[int]) -> tuple[Mention, ...]:
    """What "the second one", "that one" or a bare "why?" points at among the items named last, as mentions: their notes follow the words.

    named: the items of the last answer that named some, in order. "that one" is the first of them. Nothing where there is no such place.
    """
    if not named:
        return ()
    found: dict[int, Mention] = {}
    for match in _POINTING.finditer(text):
        which = (match["which"] or _ORDER[0]).casefold()
        place = len(named) - 1 if which == "last" else _ORDER.index(which)
        if place < len(named):
            found.setdefault(place, Mention(match[0], int(named[place]), (), match.start()))
    if not found and re.fullmatch(r"\W*(?:but )?(?:why|how come)\W*", text, re.I):
        found[0] = Mention("", int(named[0]), (), len(text))
    explicit = [m for m in found.values() if _ordinal(m.text)]
    return tuple(explicit or list(found.values())[:1])


def _ordinal(text: str) -> bool:
    return any(word in text.casefold().split() for word in (*_ORDER, "last"))


def joined(words: Sequence[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def _titled(title: str) -> str:
    plain = clean(title.translate(_FORGED)) or "untitled"
    plain = re.sub(r"(?<=\S) \([^()]*\)$", "", plain)
    return plain if len(plain) <= LONGEST else plain[:LONGEST].rsplit(" ", 1)[0]


def _begins(text: str, title: str) -> bool:
    """Whether a text begins with a whole title."""
    return text.startswith(title) and not text[len(title) : len(title) + 1].isalnum()
