"""The shipped probes as values: talks of a few turns, each turn with what is expected of its answer.

Where it stands: first in this room; probes.toml holds what is asked. What it does not know: catalogues, speakers.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from llmrec.lm.dialogue import asking

Wording = Literal["seen", "unseen"]
REFUSED = ("talk-scope", "talk-foreign", "talk-injection", "talk-unclear", "talk-unknown")  # ways of asking for what nobody here gives
GROUPS = ("recommend", "list", "like", "attribute", "without", "else", "would", "why", "what", "which", "taste", "talk", "refuse")
NAMING = ("recommend", "list", "like", "attribute", "without", "else", "which")  # groups that are answered with items at marks
USUAL = 5  # items of an answer where the message says no number


@dataclass(frozen=True)
class Expected:
    """What is expected beyond what the way of asking says. See probes.toml."""

    says: str = ""
    barred: tuple[str, ...] = ()
    hit: bool = False
    free: bool = False


@dataclass(frozen=True)
class Step:
    """One turn. say: written by hand, None: a phrasing of its way. See probes.toml."""

    way: str
    say: str | None = None
    about: tuple[str, ...] = ()
    attribute: str = ""
    without: str = ""
    of: str = ""
    k: int = 0
    expect: Expected = Expected()

    @property
    def group(self) -> str:
        """The skill that it asks for, or that it is to be refused."""
        return "refuse" if self.way in REFUSED else str(asking.skill(self.way))

    @property
    def column(self) -> str:
        """Where it counts: what is only to be survived is no matter of skill."""
        return "refuse" if self.expect.free else self.group


@dataclass(frozen=True)
class Probe:
    """A talk. wording: whether training knows its phrasings; own: there is no other wording of it, as it was written by hand; new: asked by
    a person without a history."""

    name: str
    steps: tuple[Step, ...]
    wording: Wording
    own: bool = False
    new: bool = False


def probes(only: Collection[str] = ()) -> tuple[Probe, ...]:
    """The shipped probes in their order. only: those with a turn of one of these groups. ValueError names the groups."""
    for name in only:
        if name not in GROUPS:
            raise ValueError(f"no probe asks for {name!r}: there are {', '.join(GROUPS)}")
    return tuple(p for p in _all() if not only or any(s.column in only for s in p.steps))


@functools.cache
def text() -> str:
    """The shipped file."""
    return resources.files("llmrec.report.probes").joinpath("probes.toml").read_text(encoding="utf-8")


@functools.cache
def _all() -> tuple[Probe, ...]:
    return read(text())


def read(given: str) -> tuple[Probe, ...]:
    """Probes out of TOML: those of phrasings twice, seen and unseen, those written by hand once."""
    found: list[Probe] = []
    for body in tomllib.loads(given)["probe"]:
        steps = tuple(_step(turn) for turn in body["turns"])
        own = any(s.say is not None for s in steps)
        wordings: tuple[Wording, ...] = ("unseen",) if own else tuple(body.get("wordings", ("seen", "unseen")))
        found += [Probe(body["name"], steps, wording, own or len(wordings) < 2, bool(body.get("new"))) for wording in wordings]
    return tuple(found)


def _step(turn: dict[str, Any]) -> Step:
    given = dict(turn)
    expect = dict(given.pop("expect", {}))
    if "barred" in expect:
        expect["barred"] = tuple(expect["barred"])
    given["about"] = tuple(given.get("about", ()))
    if given["way"] not in asking.ways():
        raise ValueError(f"nobody asks by the way {given['way']!r}: there are {', '.join(asking.ways())}")
    return Step(**given, expect=Expected(**expect))
