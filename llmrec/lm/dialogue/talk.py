"""One talk as it grows: a message that somebody at a moment of train may write, and the answer that train and the catalogue give.

Where it stands: between `asking` and `shelf`, under the generator. What it does not know: row numbers, models, held-out items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.asking import Slot, Tongue
from llmrec.lm.dialogue.language import BECAUSE, DECADE, NO, NO_REASON, YES, pointed
from llmrec.lm.dialogue.shelf import Moment, Shelf
from llmrec.recommend.chat.values import MARK, Exchange, Mention, Skill, Understood

USUAL = 5  # items of an answer where the message says no number
COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 10)  # numbers that people ask for
OFTEN = (0.06, 0.14, 0.4, 0.1, 0.18, 0.04, 0.02, 0.02, 0.04)
FEW = (3, 4, 5)  # titles to choose between

T = TypeVar("T")
Mask = NDArray[np.bool_]


class Talk:
    """What a talk remembers, and its next turn. unseen: in phrasings that are never trained on."""

    def __init__(self, shelf: Shelf, tongue: Tongue, moment: Moment, rng: np.random.Generator, unseen: bool = False) -> None:
        self.shelf, self.tongue, self.moment, self.rng, self.unseen = shelf, tongue, moment, rng, unseen
        self.language = shelf.language
        self.last: tuple[int, ...] = ()  # what the last answer with items named
        self.gone: set[int] = {*moment.forgotten, *moment.history}  # seen, named, mentioned or rejected: never recommended any more
        self.standing = Understood()

    def turn(self, way: str) -> Exchange | None:
        """Somebody asks this way and is answered; None where this moment gives no such talk."""
        makers: dict[str, Callable[[str], Exchange | None]] = {
            "recommend": self._recommend, "list": self._list, "list-all": self._list, "like": self._like, "like-but": self._like,
            "attribute": self._attribute, "attribute-without": self._attribute, "narrow": self._narrow, "without": self._without,
            "without-title": self._aside, "else": self._else, "would": self._would, "why": self._why, "why-bare": self._why,
            "what": self._what, "which": self._which, "taste": self._taste, "talk-unknown": self._unknown,
        }  # fmt: skip
        return makers.get(way, self._talk)(way)

    def greeted(self) -> Exchange:
        """A turn that every moment gives."""
        return self._talk("talk-hello")

    # what is answered with items

    def _recommend(self, way: str) -> Exchange | None:
        k, text, _ = self._asked(way, {})
        return self._named(text, (), Understood("recommend"), k)

    def _list(self, way: str) -> Exchange | None:
        own = [i for i in self.moment.following if i not in self.gone]
        if not own:
            return None
        n = int(self.rng.choice(FEW))
        items = list(dict.fromkeys([self._of(own), *(self.shelf.stranger(self._of(own), self.moment, self.rng) for _ in range(n - 1))]))
        known = [i for i in items if i is not None and i not in self.gone]
        if len(known) < 2:
            return None
        mentions = [self._typed(known[at]) for at in self.rng.permutation(len(known)).tolist()]
        _, text, found = self._asked(way, {"titles": asking.listed(mentions, self.rng)})
        among = tuple(m.item for m in found if m.item is not None)
        return self._named(text, found, Understood("list", among=among), len(known) if way == "list-all" else 1)

    def _like(self, way: str) -> Exchange | None:
        drawn = dict.fromkeys(self._liked() for _ in range(2))
        items = [i for i in drawn if i is not None and i not in self.last]
        if self.last and (not items or self.rng.random() < 0.3):
            items = [self._of(self.last)]  # more like what was named
        if not items:
            return None
        first, strange = items[0], self.rng.random() < 0.15  # or one of two that nobody knows
        near = self.shelf.beside([first])
        friend = int(np.argmax(np.where(self._open(), near, -1.0)))
        wanted = self._kept(friend) if way == "like-but" and self.rng.random() < 0.5 else ()
        unwanted: tuple[str, ...] = ()
        if way == "like-but" and not wanted:
            unwanted = self._shut(self.language.fitting(Understood()), self.language.attributes[friend])
        if way == "like-but" and not wanted and not unwanted:
            return None
        needed = "{attribute}" if wanted else "{without}"
        template = self._template(way, lambda t: (way == "like" or needed in t) and (len(items) > 1 or strange or "{other}" not in t))
        named = self._typed(first) if "{other}" in template else self._pointed(first)
        slots: dict[str, Slot] = {"title": [named], "other": [self._typed(None if strange or len(items) < 2 else items[1])]}
        k, text, mentions = self._asked(way, slots, wanted, unwanted, template)
        like = tuple(dict.fromkeys(m.item for m in mentions if m.item is not None))
        return self._named(text, mentions, Understood("like", wanted, unwanted, like=like), k)

    def _attribute(self, way: str) -> Exchange | None:
        wanted = self._kept(self._target())
        if not wanted:
            return None
        unwanted = self._shut(self.language.fitting(Understood(wanted=wanted)), wanted) if way == "attribute-without" else ()
        if way == "attribute-without" and not unwanted:
            return None
        k, text, _ = self._asked(way, {}, wanted, unwanted)
        return self._named(text, (), Understood("attribute", wanted, unwanted), k)

    def _narrow(self, way: str) -> Exchange | None:
        """One more attribute beside what was asked for before."""
        fits = self.language.fitting(self.standing) & self._open()
        if not self.last or not (self.standing.wanted or self.standing.like) or len(self.standing.wanted) > 2 or not fits.any():
            return None
        more = [w for w in self._kept(int(self.rng.choice(np.flatnonzero(fits))), one=True) if not self._clashes(w)]
        if not more:
            return None
        k, text, _ = self._asked(way, {}, tuple(more))
        skill: Skill = "like" if self.standing.like else "attribute"
        return self._named(text, (), self._kept_on(skill, wanted=(*self.standing.wanted, *more)), k)

    def _without(self, way: str) -> Exchange | None:
        standing = self.standing
        unwanted = self._shut(self.language.fitting(standing), standing.wanted)
        if not unwanted or len(standing.unwanted) > 2:
            return None
        k, text, _ = self._asked(way, {}, (), unwanted)
        skill: Skill = "like" if standing.like else "attribute" if standing.wanted else "without"
        return self._named(text, (), self._kept_on(skill, unwanted=(*standing.unwanted, *unwanted)), k)

    def _aside(self, way: str) -> Exchange | None:
        """Titles are rejected: named before, or any."""
        items = list(self.rng.permutation(self.last)[:2].tolist()) if self.last and self.rng.random() < 0.8 else []
        items = items or [i for i in dict.fromkeys([self._liked(), self._target()]) if i is not None]
        several = len(items) > 1 and self.rng.random() < 0.3
        template = self._template(way, lambda t: several or "{other}" not in t)
        first = self._typed(items[0]) if "{other}" in template else self._pointed(items[0])
        _, text, mentions = self._asked(way, {"title": [first], "other": [self._typed(items[-1])]}, template=template)
        rejected = tuple(dict.fromkeys(m.item for m in mentions if m.item is not None))
        self.gone |= set(rejected)
        kept = Understood("without", self.standing.wanted, self.standing.unwanted)
        return self._named(text, mentions, kept, USUAL, rejected)

    def _else(self, way: str) -> Exchange | None:
        if not self.last:
            return None
        k, text, _ = self._asked(way, {})
        return self._named(text, (), self._kept_on("else"), k)

    def _which(self, way: str) -> Exchange | None:
        target = self._target()
        year, genres = self.language.years[target], self.language.genres[target]
        if target in self.gone or year is None or not genres:
            return None
        chosen = tuple(genres[i] for i in sorted(self.rng.permutation(len(genres))[: 1 if self.rng.random() < 0.6 else 2].tolist()))
        _, text, _ = self._asked(way, {"year": [str(year)]}, chosen)
        return self._named(text, (), Understood("which", (*chosen, str(year))), 1)

    # what is answered in words

    def _would(self, way: str) -> Exchange | None:
        own = [i for i in self.moment.following if i not in self.gone] or list(self.moment.following)
        if not own:
            return None
        yes = self.rng.random() < 0.5
        item: int | None = self._of(own)
        if not yes and item is not None:
            item = self.shelf.stranger(item, self.moment, self.rng)
        if item is None:
            return None
        _, text, mentions = self._asked(way, {"title": [self._pointed(item)]})
        return self._said(text, mentions, YES if yes else NO, "would")

    def _why(self, way: str) -> Exchange | None:
        """A reason for what was named, or for what they take next."""
        if way == "why-bare":
            if not self.last:
                return None
            item, text = self.last[0], self._template(way)
            mentions = pointed(text, self.last)
        else:
            item = self._of(self.last) if self.last and self.rng.random() < 0.85 else self._target()
            _, text, mentions = self._asked(way, {"title": [self._pointed(item)]})
        found = self.shelf.reason(self.moment, item)
        if found is None:
            return self._said(text, mentions, NO_REASON, "why")
        cited = " and".join([MARK] * len(found.items))
        told = f": {', '.join(found.attributes)}" if found.attributes else ""
        return self._said(text, mentions, f"{BECAUSE}{cited}{told}", "why", found.items)

    def _what(self, way: str) -> Exchange | None:
        item = self._of(self.last) if self.last and self.rng.random() < 0.5 else self._target()
        _, text, mentions = self._asked(way, {"title": [self._pointed(item)]})
        return self._said(text, mentions, self.language.described(item), "what")

    def _taste(self, way: str) -> Exchange | None:
        return self._said(self._asked(way, {})[1], (), self.language.tasted(self.shelf.taste(self.moment.shown)), "taste")

    def _unknown(self, way: str) -> Exchange | None:
        _, text, mentions = self._asked(way, {"title": [self._typed(None)]})
        return self._said(text, mentions, asking.book()[way]["answer"], "talk")

    def _talk(self, way: str) -> Exchange:
        return self._said(*self._asked(way, {})[1:], asking.book()[way]["answer"], "talk")

    # parts

    def _named(
        self, text: str, mentions: tuple[Mention, ...], understood: Understood, k: int, rejected: Sequence[int] = ()
    ) -> Exchange | None:
        """An answer that names items; None where nothing is left that fits."""
        fits = self.language.fitting(understood) & self._open()
        fits[[m.item for m in mentions if m.item is not None and understood.skill != "list"]] = False
        among = understood.like or self.moment.history[-5:]
        items = self.shelf.chosen(self.moment, fits, among, k)
        if not items:
            return None
        said = self.language.opening(understood, rejected) + ",".join([MARK] * len(items)) + "."
        self.last, self.standing = items, understood
        self.gone |= {*items, *(m.item for m in mentions if m.item is not None)}
        return Exchange(text, mentions, said, items, understood)

    def _said(self, text: str, mentions: tuple[Mention, ...], said: str, skill: Skill, items: tuple[int, ...] = ()) -> Exchange:
        return Exchange(text, mentions, said, items, Understood(skill))

    def _kept_on(self, skill: Skill, wanted: Sequence[str] | None = None, unwanted: Sequence[str] | None = None) -> Understood:
        """What stood before, with one thing changed."""
        old = self.standing
        asked, barred = (tuple(o if new is None else new) for o, new in ((old.wanted, wanted), (old.unwanted, unwanted)))
        return Understood(skill, asked, barred, like=old.like)

    def _asked(
        self, way: str, slots: dict[str, Slot], wanted: Sequence[str] = (), unwanted: Sequence[str] = (), template: str | None = None
    ) -> tuple[int, str, tuple[Mention, ...]]:
        """How many items are asked for, and the message with its mentions."""
        template = self._template(way) if template is None else template
        k = int(self.rng.choice(COUNTS, p=OFTEN)) if "{k}" in template else USUAL
        if k == 1 and "{k} {things}" not in template:
            k = 3
        before = template.partition("{attribute}")[0]
        words: dict[str, Callable[[], str]] = {
            "k": lambda: asking.number(k, self.rng),
            "things": lambda: self.tongue.thing(self.rng, k > 1),
            "thing": lambda: self.tongue.thing(self.rng, plural=False),
            "see": lambda: self.tongue.see(self.rng),
            "attribute": lambda: self.tongue.things(wanted, self.rng, before),
            "kind": lambda: self.tongue.kind(wanted, self.rng),
            "without": lambda: self.tongue.matter(unwanted[0], self.rng),
        }
        filler: dict[str, Slot] = {name: [make()] for name, make in words.items() if f"{{{name}}}" in template}
        text, mentions = asking.filled(template, {**filler, **slots})
        return k, text, mentions or pointed(text, self.last)

    def _template(self, way: str, fits: Callable[[str], bool] = lambda _: True) -> str:
        some = [t for t in (asking.settled(p, self.rng) for p in asking.phrasings(way, self.unseen)) if fits(t)]
        template = self._of(some)
        return template if way == "why-bare" else asking.loosened(template, self.rng)

    def _typed(self, item: int | None) -> Mention:
        """A title as typed; None: one that the catalogue lacks, made of the words of others."""
        if item is not None:
            return Mention(asking.typed(self.language.titles[item], self.language.years[item], self.rng), item)
        words = [w for _ in range(2) for w in self._of(self.language.titles).split()[:2]]
        text = " ".join(words[at] for at in self.rng.permutation(len(words)).tolist())
        return Mention(text.lower() if self.rng.random() < 0.4 else text, None)

    def _pointed(self, item: int) -> Mention:
        """A title as typed, or where it stands in the last answer: "the second one"."""
        if item not in self.last or self.rng.random() < 0.5:
            return self._typed(item)
        place = self.last.index(item)
        if place >= len(asking.ORDINALS) and place < len(self.last) - 1:
            return self._typed(item)
        return Mention(asking.ordinal(place, place == len(self.last) - 1, self.rng), item)

    def _liked(self) -> int | None:
        """Something that they may speak of as liked: seen, or what they take later."""
        among = self.moment.history if self.rng.random() < 0.6 and self.moment.history else self.moment.following
        return self._of(among) if among else None

    def _target(self) -> int:
        """Something that they take next, or now and then anything, the often taken more often."""
        own = [i for i in self.moment.following if i not in self.gone]
        if own and self.rng.random() < 0.6:
            return self._of(own)
        return int(self.shelf.train.item[int(self.rng.integers(len(self.shelf.train)))])

    def _open(self) -> Mask:
        """What may still be recommended: (m,)."""
        out = np.ones(len(self.language.attributes), dtype=bool)
        out[list(self.gone)] = False
        return out

    def _kept(self, item: int, one: bool = False) -> tuple[str, ...]:
        """What may be asked for that an item has: a genre, a decade, both, two genres. Rare genres come up as well as common ones."""
        genres, words = self.language.genres[item], self.language.attributes[item]
        if not words:
            return ()
        decades = [w for w in words if w not in genres or DECADE.fullmatch(w)]
        if self.rng.random() < 0.2:
            return (self._of([w for w in self.language.bearers if not w.isdigit()]),)
        way = self.rng.random()
        if one or not genres or way < 0.55:
            return (self._of(decades if decades and (not genres or self.rng.random() < 0.25) else genres),)
        if decades and way < 0.88:
            return (self._of(genres), decades[0])
        return tuple(genres[i] for i in sorted(self.rng.permutation(len(genres))[:2].tolist()))

    def _shut(self, fits: Mask, kept: Sequence[str]) -> tuple[str, ...]:
        """An attribute to leave out: of something that fits otherwise, not of all that does."""
        some = np.flatnonzero(fits & self._open())
        if not len(some):
            return ()
        words = [w for w in self.language.attributes[int(self.rng.choice(some))] if w not in kept and w not in self.standing.unwanted]
        words = [w for w in words if not (DECADE.fullmatch(w) and any(DECADE.fullmatch(x) for x in kept))]
        chosen = self._of(words) if words else None
        left = fits & self._open() & ~self.language.bearers[chosen] if chosen else fits
        return (chosen,) if chosen and left.any() else ()

    def _clashes(self, word: str) -> bool:
        """Whether a further attribute says nothing new, or a second decade."""
        old = self.standing
        return word in (*old.wanted, *old.unwanted) or bool(DECADE.fullmatch(word) and any(DECADE.fullmatch(w) for w in old.wanted))

    def _of(self, choices: Sequence[T]) -> T:
        return choices[int(self.rng.integers(len(choices)))]
