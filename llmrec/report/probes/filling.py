"""A probe as one person asks it: slots filled out of the catalogue by a seed, and what must hold of each answer.

Where it stands: between the shipped probes and the walk. What it does not know: models; it hears what they named, to point at it.
What a catalogue cannot fill (no genres, no years, too few items that fit) is said, and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from llmrec import rng
from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.asking import Slot, Tongue
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import Conversation, Mention, Understood
from llmrec.report.probes.book import NAMING, USUAL, Probe, Step
from llmrec.report.probes.naming import Titles
from llmrec.report.probes.people import Person
from llmrec.report.probes.plain import Plain

T = TypeVar("T")
PADDING = 10_000  # letters
NEEDS = {"genre": "genres", "decade": "years", "year": "years"}


class Unfilled(ValueError):
    """This catalogue, or this person, cannot fill a slot; `Unnamed`: the answers before do not."""


class Unnamed(Unfilled):
    """There is nothing to point at: a fault of the answer before, which counts there."""


@dataclass(frozen=True)
class Asked:
    """One message and what must hold of its answer. about: the items it names; meant: what is to be understood; out: items that must not be
    named; k: how many are asked for, 0 no number; open: how many items may be named; person: who asks."""

    text: str
    step: Step
    about: tuple[int, ...]
    meant: Understood
    out: frozenset[int]
    k: int
    open: int
    person: Person


class Filler:
    """`knowledge`: of the data set, for titles and words; `seed`: for everything drawn."""

    def __init__(self, knowledge: Knowledge, seed: int = 0) -> None:
        self.knowledge, self.seed = knowledge, seed
        self.plain = Plain(knowledge.catalog, knowledge.train)
        self.titles = Titles(knowledge, self.plain)
        self.tongue = Tongue(knowledge.language)

    def scene(self, probe: Probe, person: Person) -> Scene:
        """A probe about to be asked by somebody."""
        return Scene(self, probe, person, rng.stream(self.seed, "probes", probe.name, probe.wording, person.key))


@dataclass
class Scene:
    """A probe as it is asked. last: what the last answer named; gone: what may not be named any more; standing: what was asked to hold."""

    filler: Filler
    probe: Probe
    person: Person
    draw: np.random.Generator
    last: tuple[int, ...] = ()
    standing: Understood = field(default_factory=Understood)

    def __post_init__(self) -> None:
        self.talk = Conversation() if self.probe.new else self.person.talk
        self.gone: set[int] = set(self.talk.history)
        self.known: list[int] = list(self.talk.history)

    def ask(self, place: int) -> Asked:
        """The message of one turn. `Unfilled` says what is missing."""
        step = self.probe.steps[place]
        about = self._about(step)
        if step.way == "why-bare":  # asks for the first
            about = [self._bound("ordinal", ["1"], ())]
        known = tuple(i for i in about if i is not None)
        meant = self._meant(step, known, self._needed(place))
        text = self._text(step, about, meant)
        if step.way == "without-title":
            self.gone |= set(known)
        spoken = set(known) if step.group in ("recommend", "like", "attribute", "without", "else") else set()
        out = frozenset() if step.group in ("list", "which") else frozenset(self.gone | spoken)
        fitting = list(meant.among or self.plain.fitting(meant.wanted, meant.unwanted, out))
        k = len(known) if step.way == "list-all" else 1 if step.way == "list" else step.k
        return Asked(text, step, known, meant, out, k, len(fitting), self.person)

    def heard(self, asked: Asked, items: Sequence[int]) -> None:
        """What an answer named. Items that there are not cannot be pointed at."""
        group, items = asked.step.group, [i for i in items if 0 <= i < self.plain.n_items]
        if group == "like":
            self.gone |= set(asked.about)
            self.known += [i for i in asked.about if i not in self.known]
        if group in NAMING:
            self.last = tuple(items)
            self.standing = asked.meant
        if group in NAMING and group != "which":
            self.gone |= set(items)

    @property
    def plain(self) -> Plain:
        return self.filler.plain

    def _needed(self, place: int) -> int:
        """Items that must be left for this turn and those that go on from it."""
        later = [s for s in self.probe.steps[place:] if s.group in NAMING]
        return sum(s.k or USUAL for s in later)

    # titles

    def _about(self, step: Step) -> list[int | None]:
        found: list[int | None] = []
        for binding in step.about:
            found.append(self._bound(binding.split()[0], binding.split()[1:], [i for i in found if i is not None]))
        return found

    def _bound(self, which: str, more: Sequence[str], taken: Sequence[int]) -> int | None:
        titles = self.filler.titles
        if which == "unknown":
            return None
        if which in ("named", "ordinal"):
            at = int(more[0]) - 1
            if at >= len(self.last):
                raise Unnamed("the answer before named too few items to point at")
            return self.last[at]
        if which == "target":
            return self.person.target
        if which == "liked":
            some = [i for i in self.talk.history[-20:] if titles.speakable[i] and i not in taken]
        elif which == "stranger":
            some = titles.alike(self.person.target, {*self.talk.history, *taken})
        else:
            some = [i for i in titles.often if i not in self.gone and i not in taken and i != self.person.target]
        if not some:
            raise Unfilled(f"no title ({which}) that means one item alone")
        return self._of(some)

    def _typed(self, item: int | None, binding: str) -> Mention:
        how = binding.split()
        if item is None:
            return Mention(self.filler.titles.unknown(self.draw, "famous" in how), None)
        if how[0] == "ordinal":
            return Mention(f"the {asking.ORDINALS[int(how[1]) - 1]} one", item)
        return Mention(self.filler.titles.typed(item, how[-1], self.draw), item)

    # what is meant

    def _meant(self, step: Step, about: tuple[int, ...], needed: int) -> Understood:
        group, old = step.group, self.standing
        if group == "refuse" or group not in NAMING:
            return Understood("talk" if group == "refuse" else group)  # type: ignore[arg-type]
        if group == "list":
            return Understood("list", among=about)
        kept = step.way in ("narrow", "else", "without", "without-title")
        wanted, unwanted = (old.wanted, old.unwanted) if kept else ((), ())
        like = about if group == "like" else old.like if kept else None
        if step.attribute:
            wanted = (*wanted, *self._wanted(step, wanted, unwanted, needed))
        if step.without:
            unwanted = (*unwanted, self._unwanted(step, wanted, unwanted, needed))
        return Understood(group, wanted, unwanted, like=like)  # type: ignore[arg-type]

    def _wanted(self, step: Step, wanted: tuple[str, ...], unwanted: tuple[str, ...], needed: int) -> tuple[str, ...]:
        """Attributes of the kinds asked for that enough items have which may still be named."""
        kinds, fits = step.attribute.split(), self.plain.fitting(wanted, unwanted, self.gone)
        self._demand(kinds)
        if step.of == "target":
            fits = [i for i in fits if i == self.person.target]
        bearing = [i for i in fits if self.filler.titles.speakable[i] or "year" not in kinds]
        for at in self.draw.permutation(len(bearing)).tolist()[:200]:
            found = self._drawn(bearing[at], kinds, (*wanted, *self.standing.wanted))
            enough = 1 if "year" in kinds else min(needed, 10) if step.of == "target" else needed
            if found and len(self.plain.fitting((*wanted, *found), unwanted, self.gone)) >= enough:
                return found
        raise Unfilled(f"no {step.attribute} that {needed} items have which this person has not seen")

    def _demand(self, kinds: Sequence[str]) -> None:
        lacking = [NEEDS[k] for k in kinds if not any(self.plain.genres if k == "genre" else self.plain.years)]
        if lacking:
            raise Unfilled(f"the catalogue has no {lacking[0]}")

    def _drawn(self, item: int, kinds: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
        year = self.plain.years[item]
        genres = [g for g in self.plain.genres[item] if g not in taken and g[0].isalpha() and g.lower() != "unknown"]
        out: list[str] = []
        for kind in kinds:
            if kind == "genre":
                some = [g for g in genres if g not in out]
            else:
                some = [] if year is None else [f"{year // 10}0s" if kind == "decade" else str(year)]
            if not some:
                return ()
            out.append(self._of(some))
        return tuple(out)

    def _unwanted(self, step: Step, wanted: tuple[str, ...], unwanted: tuple[str, ...], needed: int) -> str:
        """An attribute that some of what fits has, and enough of it has not."""
        self._demand([step.without])
        fits = self.plain.fitting(wanted, unwanted, self.gone)
        for at in self.draw.permutation(len(fits)).tolist()[:200]:
            found = self._drawn(fits[at], [step.without], (*wanted, *unwanted))
            if found and len(self.plain.fitting(wanted, (*unwanted, *found), self.gone)) >= needed:
                return found[0]
        raise Unfilled(f"no {step.without} to leave out of what this person has not seen")

    # words

    def _text(self, step: Step, about: Sequence[int | None], meant: Understood) -> str:
        template = step.say if step.say is not None else self._phrasing(step)
        typed = [self._typed(item, binding) for item, binding in zip(about, step.about, strict=False)]  # what is not said is not typed
        new = [w for w in meant.wanted if w not in self.standing.wanted] if step.way in ("narrow", "without") else list(meant.wanted)
        tongue, before = self.filler.tongue, template.partition("{attribute}")[0]
        words: dict[str, Callable[[], str]] = {
            "k": lambda: asking.number(step.k, self.draw),
            "things": lambda: tongue.thing(self.draw, step.k != 1),
            "thing": lambda: tongue.thing(self.draw, plural=False),
            "see": lambda: tongue.see(self.draw),
            "attribute": lambda: tongue.things(new, self.draw, before),
            "kind": lambda: tongue.kind([w for w in new if not w.isdigit()], self.draw),
            "year": lambda: next(w for w in new if w.isdigit()),
            "decade": lambda: new[-1],
            "without": lambda: tongue.matter(meant.unwanted[-1], self.draw),
            "padding": lambda: ("so much to tell, and on it goes, " * (PADDING // 30))[:PADDING],
        }
        slots: dict[str, Slot] = {name: [make()] for name, make in words.items() if f"{{{name}}}" in template}
        if "{titles}" in template:
            slots["titles"] = asking.listed([typed[i] for i in self.draw.permutation(len(typed)).tolist()], self.draw)
        slots |= {name: [mention] for name, mention in zip(("title", "other"), typed, strict=False)}
        return asking.filled(template, slots)[0]

    def _phrasing(self, step: Step) -> str:
        """One that says all that this turn says, and no more."""
        said = {"k": bool(step.k), "other": len(step.about) == 2, "attribute": bool(step.attribute), "without": bool(step.without)}
        if step.way in ("narrow", "which"):
            said.pop("attribute")
        some = [asking.settled(p, self.draw) for p in asking.phrasings(step.way, self.probe.wording == "unseen")]
        fits = [t for t in some if all((f"{{{slot}}}" in t) == there for slot, there in said.items())]
        if not fits:
            raise Unfilled(f"no {self.probe.wording} phrasing of {step.way!r} says {', '.join(s for s, there in said.items() if there)}")
        return self._of(fits)

    def _of(self, choices: Sequence[T]) -> T:
        return choices[int(self.draw.integers(len(choices)))]
