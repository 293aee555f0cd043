"""How people ask: phrasings with their slots filled, attributes in people's words, titles as they are typed.

Where it stands: under the generator of dialogues; phrasings.toml holds the words. What it does not know: who asks, and what is answered.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any, TypeVar

import numpy as np

from llmrec.lm.dialogue.language import DECADE, Language
from llmrec.recommend.chat.values import Mention, Skill

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = ("first", "second", "third", "fourth", "fifth")
TENS = ("", "", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
ARTICLES = ("The ", "A ", "An ")
_SLOT = re.compile(r"\{(\w+)\}")
_EITHER = re.compile(r"\(([^()]*\|[^()]*)\)")
_PLURAL = re.compile(r"(?:\{k\}|any|some|few|best|what|which|good|there)\s*$")
Slot = Sequence[str | Mention]
T = TypeVar("T")


@functools.cache
def book() -> dict[str, Any]:
    """What phrasings.toml says, way by way."""
    text = resources.files("llmrec.lm.dialogue").joinpath("phrasings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@functools.cache
def ways() -> tuple[str, ...]:
    """The ways of asking, each of one skill."""
    return tuple(name for name, body in book().items() if "seen" in body)


def skill(way: str) -> Skill:
    """The skill that a way of asking wants."""
    found: Skill = book()[way].get("skill", way)
    return found


def phrasings(way: str, unseen: bool = False) -> tuple[str, ...]:
    """How people ask this way; unseen: in words that are never trained on."""
    return tuple(book()[way]["unseen" if unseen else "seen"])


def expanded(phrasing: str) -> tuple[str, ...]:
    """All that a phrasing with choices in it stands for."""
    found = _EITHER.search(phrasing)
    if found is None:
        return (phrasing,)
    return tuple(t for part in found[1].split("|") for t in expanded(phrasing[: found.start()] + part + phrasing[found.end() :]))


def settled(phrasing: str, rng: np.random.Generator) -> str:
    """A phrasing with its choices drawn."""
    return _EITHER.sub(lambda found: _drawn(found[1].split("|"), rng), phrasing)


def filled(template: str, slots: Mapping[str, Slot]) -> tuple[str, tuple[Mention, ...]]:
    """A phrasing with its slots filled, and where its mentions stand."""
    text, mentions = "", list[Mention]()
    for place, part in enumerate(_SLOT.split(template)):
        for piece in slots[part] if place % 2 else [part]:
            if isinstance(piece, Mention):
                mentions.append(replace(piece, start=len(text)))
            text += piece if isinstance(piece, str) else piece.text
    return text, tuple(mentions)


def loosened(template: str, rng: np.random.Generator) -> str:
    """A phrasing as it may be typed: with a word before or behind it, a capital, without its last sign."""
    around = book()["around"]
    if rng.random() < 0.2 and template[-1] in "?!.":
        template = template[:-1]
    if rng.random() < 0.12:
        template = _drawn(list[str](around["before"]), rng) + template
    if rng.random() < 0.12 and template[-1] not in "?!.":
        template += _drawn(list[str](around["after"]), rng)
    if rng.random() < 0.3 and template[0] != "{":
        template = template[0].upper() + template[1:]
    return template


def listed(mentions: Sequence[Mention], rng: np.random.Generator) -> Slot:
    """Several titles in a row, the last joined by a word or by nothing."""
    last = _drawn([" or ", " and ", ", "], rng)
    out: list[str | Mention] = []
    for place, mention in enumerate(mentions):
        out += [] if not place else [last if place == len(mentions) - 1 else ", "]
        out.append(mention)
    return out


def number(k: int, rng: np.random.Generator) -> str:
    """3 or three."""
    return str(k) if k >= len(NUMBERS) or rng.random() < 0.6 else NUMBERS[k]


def ordinal(place: int, last: bool, rng: np.random.Generator) -> str:
    """ "the second one", and for the first of some "that one" too; as `language.pointed` reads it."""
    choices = [f"the {ORDINALS[place]} one"] if place < len(ORDINALS) else []
    choices += ["that one", "this one"] if not place else []
    return _drawn([*choices, *(["the last one"] if last and place else [])], rng)


def typed(title: str, year: int | None, rng: np.random.Generator) -> str:
    """A title as somebody types it: another case, no article or one behind it, no subtitle, its year, a typo now and then."""
    text = re.sub(r" \([^()]*\)$", "", title) if rng.random() < 0.8 else title
    article = next((a for a in ARTICLES if text.startswith(a) and len(text) > len(a) + 2), "")
    way = rng.random()
    if article and way < 0.25:
        text = text[len(article) :]
    elif article and way < 0.35:
        text = f"{text[len(article) :]}, {article.strip()}"
    elif ": " in text and way < 0.15:
        text = text.split(": ")[0]
    if rng.random() < 0.1:
        text = mistyped(text, rng)
    if year is not None and str(year) not in text and rng.random() < 0.08:
        text += f" ({year})" if rng.random() < 0.6 else f" {year}"
    if (case := rng.random()) < 0.45:
        text = text.lower()
    elif case < 0.47:
        text = text.upper()
    return text


def mistyped(text: str, rng: np.random.Generator) -> str:
    """A text with one slip: two letters swapped, one left out, one doubled. Short texts stay as they are."""
    places = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if len(text) < 5 or not places:
        return text
    at, way = _drawn(places, rng), int(rng.integers(3))
    return text[:at] + (text[at + 1] + text[at], text[at + 1], text[at] * 2 + text[at + 1])[way] + text[at + 2 :]


class Tongue:
    """What people call the attributes of one catalogue, and its items: films where most of its genres are genres of film."""

    def __init__(self, language: Language) -> None:
        words = [w for w in language.bearers if not w.isdigit()]
        genres = [w for w in words if not DECADE.fullmatch(w)]
        self.of_films = bool(genres) and 2 * sum(g in book()["attributes"] for g in genres) > len(genres)

    def thing(self, rng: np.random.Generator, plural: bool = True) -> str:
        """film, titles, ..."""
        return _drawn(["film", "movie"] if self.of_films else ["title"], rng) + "s" * plural

    def see(self, rng: np.random.Generator) -> str:
        """What one does with an item."""
        return _drawn(["watch", "watch", "see"] if self.of_films else ["try", "take"], rng)

    def things(self, wanted: Sequence[str], rng: np.random.Generator, before: str = "") -> str:
        """Attributes as something to ask for: "comedies from the 90s". before: the words in front of it, some of which want a plural."""
        genres, decades = [w for w in wanted if not DECADE.fullmatch(w)], [w for w in wanted if DECADE.fullmatch(w)]
        when = f" {self._when(decades[0], rng)}" if decades else ""
        if not genres:
            return _drawn([f"{self.thing(rng)}{when}", f"{self._short(decades[0])} {self.thing(rng)}"], rng) if decades else self.thing(rng)
        forms = self._forms(genres[0], "things")
        if _PLURAL.search(before):
            forms = [f for f in forms if not f.startswith(("a ", "an ", "something"))] or forms
        said = self._spelled(_drawn(forms, rng), rng)
        said += "".join(f" with {self.matter(g, rng)}" for g in genres[1:])
        if decades and rng.random() < 0.2 and not said.startswith(("a ", "an ", "something")):
            return f"{self._short(decades[0])} {said}"
        return said + when

    def kind(self, wanted: Sequence[str], rng: np.random.Generator) -> str:
        """Attributes as what something is: "sci-fi and horror", "from the 90s"."""
        said = [self._when(w, rng) if DECADE.fullmatch(w) else self._spelled(self._forms(w, "matter")[0], rng) for w in wanted]
        return " and ".join(said)

    def matter(self, word: str, rng: np.random.Generator) -> str:
        """An attribute as what something has or has not: "romance", "anything from the 80s"."""
        if DECADE.fullmatch(word):
            return _drawn(
                [
                    f"anything {self._when(word, rng)}",
                    f"{self._short(word)} {self.thing(rng)}",
                    f"{self.thing(rng)} {self._when(word, rng)}",
                ],
                rng,
            )
        return self._spelled(_drawn(self._forms(word, "matter"), rng), rng)

    def _forms(self, word: str, side: str) -> list[str]:
        known = book()["attributes"].get(word, {}).get(side)
        return list(known) if known else [word, word.lower(), *([f"{word.lower()} {{things}}"] if side == "things" else [])]

    def _spelled(self, form: str, rng: np.random.Generator) -> str:
        return form.replace("{things}", self.thing(rng))

    def _when(self, decade: str, rng: np.random.Generator) -> str:
        tens = int(decade[2])
        names = [f"from the {decade}", f"of the {decade}"]
        if decade.startswith("19") and TENS[tens]:
            names += [f"from the {decade[2:]}", f"from the {TENS[tens]}"] * 2
        return _drawn(names, rng)

    def _short(self, decade: str) -> str:
        return decade[2:] if decade.startswith("19") else decade


def _drawn(choices: Sequence[T], rng: np.random.Generator) -> T:
    return choices[int(rng.integers(len(choices)))]
