"""Votes counted: for each model and for each pair of models, with intervals.

Where it stands: after `votes`. What it does not know: where votes are kept, pages.

For a pair, a vote counts where both were shown. Whose answer was chosen wins against every other that was shown; a tie is half a win for
each; "all bad" says nothing of who is better and is counted beside. Two that both lost to a third say nothing of each other.
The interval is Wilson's (1927) for a share of n votes, ties as half a win, at 95 %: it never leaves 0 to 1, and is honest for few votes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from app.chat.votes import BAD, TIE, Vote
from llmrec.report.compare import Interval

LEVEL = 0.95


@dataclass(frozen=True)
class Tally:
    """How often one won. other: against whom, "" against all it was shown with; share: of wins and half the ties, None without votes
    that tell; bad: votes that called all of them bad."""

    model: str
    other: str
    wins: int
    ties: int
    losses: int
    bad: int
    share: Interval | None


def models(votes: Iterable[Vote]) -> tuple[Tally, ...]:
    """Each model over all votes that showed it, the best share first. With four side by side, a quarter is chance."""
    votes = list(votes)
    names = dict.fromkeys(m for vote in votes for m in vote.models)
    found = [_counted(name, "", [_outcome(v, name) for v in votes if name in v.models]) for name in names]
    return tuple(sorted(found, key=lambda t: (-(t.share.mean if t.share else -1.0), t.model)))


def pairs(votes: Iterable[Vote]) -> tuple[Tally, ...]:
    """Each two models that were shown together, by their keys; `wins` are the first one's."""
    votes = list(votes)
    found = dict.fromkeys(tuple(sorted(pair)) for v in votes for pair in itertools.combinations(dict.fromkeys(v.models), 2))
    out = []
    for first, second in sorted(found):
        both = [v for v in votes if first in v.models and second in v.models]
        told = [_outcome(v, first) for v in both if v.chosen in (None, first, second)]
        out.append(_counted(first, second, told))
    return tuple(out)


def wilson(wins: float, n: int, level: float = LEVEL) -> Interval:
    """A share of n with its interval. ValueError without votes."""
    if n < 1 or not 0 <= wins <= n:
        raise ValueError(f"{wins} wins of {n} votes is no share")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, spread = wins / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half), level)


def _outcome(vote: Vote, model: str) -> str:
    if vote.winner in (TIE, BAD):
        return vote.winner
    return "win" if vote.chosen == model else "loss"


def _counted(model: str, other: str, outcomes: list[str]) -> Tally:
    wins, ties, losses, bad = (outcomes.count(what) for what in ("win", TIE, "loss", BAD))
    n = wins + ties + losses
    return Tally(model, other, wins, ties, losses, bad, wilson(wins + ties / 2, n) if n else None)
