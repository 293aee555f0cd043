"""Turns to numbers: what share of them holds, skill by skill and check by check, each with its interval.

Where it stands: after the walk. What it does not know: how a turn was asked; it reads what was kept, so that tables can be made anew.

Source of the intervals: Wilson 1927, for a share of independent turns. Turns of one person lean on each other, so read them as a least.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmrec.report.probes.book import GROUPS
from llmrec.report.probes.checks import MEANINGS

Turn = Mapping[str, Any]
Z = 1.959964  # of a 95 % interval
FOUND = ("recommend", "attribute", "list", "would")  # skills for which something held out can be found


@dataclass(frozen=True)
class Rate:
    """How many of n hold, and the 95 % interval of their share."""

    n: int
    good: int

    @property
    def share(self) -> float:
        return self.good / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's."""
        if not self.n:
            return math.nan, math.nan
        p, z2 = self.share, Z * Z
        middle, half = p + z2 / (2 * self.n), Z * math.sqrt(p * (1 - p) / self.n + z2 / (4 * self.n * self.n))
        return max(0.0, (middle - half) / (1 + z2 / self.n)), min(1.0, (middle + half) / (1 + z2 / self.n))

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        low, high = self.interval
        return {"n": self.n, "good": self.good, "share": self.share, "low": low, "high": high} if self.n else {"n": 0, "good": 0}


def again(plain: Mapping[str, Any]) -> Rate:
    """A rate out of its plain form."""
    return Rate(int(plain["n"]), int(plain["good"]))


def rate(holds: Iterable[bool]) -> Rate:
    """The rate of some answers to one question."""
    told = list(holds)
    return Rate(len(told), sum(told))


def passed(turn: Turn) -> bool:
    """Whether all checks of a turn hold."""
    return all(turn["checks"].values())


@dataclass(frozen=True)
class Found:
    """How often the held-out item was found, or a yes or no was right. alone: the same of the head asked without words, where there is one;
    chance: of chance."""

    rate: Rate
    alone: Rate
    chance: float

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**self.rate.plain(), "alone": self.alone.plain(), "chance": self.chance}


@dataclass(frozen=True)
class Tally:
    """The turns of one model."""

    model: str
    turns: tuple[Turn, ...]

    @property
    def asked(self) -> list[Turn]:
        """Those that were asked."""
        return [t for t in self.turns if t["state"] == "asked"]

    @property
    def cannot(self) -> frozenset[str]:
        """The skills that it does not claim."""
        return frozenset(t["skill"] for t in self.turns if t["state"] == "cannot")

    def skill(self, name: str, wording: str | None = None) -> Rate:
        """The share of turns of a skill that pass every check. wording: "seen", "unseen", None both."""
        return rate(passed(t) for t in self.asked if t["skill"] == name and wording in (None, t["wording"]))

    def whole(self, wording: str | None = None, paired: bool = False) -> Rate:
        """The same over all skills. paired: without those written by hand, so that seen and unseen ask for the same."""
        return rate(passed(t) for t in self.asked if wording in (None, t["wording"]) and not (paired and t["own"]))

    def check(self, name: str) -> Rate:
        """The share of turns, among those it was asked of, where a check holds."""
        return rate(t["checks"][name] for t in self.asked if name in t["checks"])

    def found(self, skill: str) -> Found:
        """What was found of what was held out."""
        told = [t["measures"] for t in self.asked if t["skill"] == skill and t["measures"]]
        chance = statistics.fmean(m["chance"] for m in told) if told else math.nan
        return Found(rate(m["right" if "right" in m else "hit"] for m in told), rate(m["alone"] for m in told if "alone" in m), chance)

    def latency(self) -> dict[str, float | None]:
        """Medians: seconds to the first word and in all, tokens a second of a model's own words."""
        told = [t["timing"] for t in self.asked if t["timing"]]
        speeds = [t["tokens"] / (t["total"] - t["first"]) for t in told if t["tokens"] > 1 and t["total"] > t["first"]]
        return {
            "first": _median([t["first"] for t in told]),
            "total": _median([t["total"] for t in told]),
            "tokens": _median(speeds),
        }

    def failures(self, skill: str | None = None) -> list[Turn]:
        """The turns that fail, in order."""
        return [t for t in self.asked if not passed(t) and skill in (None, t["skill"])]

    def plain(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        skills = {
            name: "cannot" if name in self.cannot else {w: self.skill(name, w).plain() for w in ("seen", "unseen")}
            for name in GROUPS
            if name in self.cannot or self.skill(name).n
        }
        return {
            "skills": skills,
            "whole": {w: self.whole(w).plain() for w in ("seen", "unseen")},
            "paired": {w: self.whole(w, paired=True).plain() for w in ("seen", "unseen")},
            "checks": {name: self.check(name).plain() for name in MEANINGS if self.check(name).n},
            "found": {name: self.found(name).plain() for name in FOUND if self.found(name).rate.n},
            "latency": self.latency(),
            "turns": len(self.asked),
            "failed": len(self.failures()),
        }


def tallies(result: Mapping[str, Any]) -> list[Tally]:
    """The models of a result, in its order."""
    names = [m["name"] for m in result["models"]]
    return [Tally(name, tuple(t for t in result.get("turns", ()) if t["model"] == name)) for name in names]


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
