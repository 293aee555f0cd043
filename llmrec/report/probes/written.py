"""Tables of probes: models against skills with seen beside unseen wording, what holds of every answer, what was found, how fast it was.

Where it stands: last; a terminal, a page and a Markdown file show what is made here. What it does not know: how a turn was asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmrec.report.probes.book import GROUPS
from llmrec.report.probes.checks import MEANINGS
from llmrec.report.probes.tally import FOUND, Found, Rate, Tally, tallies

CANNOT = "cannot"
MARK = "probes"
TITLES = {
    "recommend": "recommend: held-out among ten",
    "attribute": "of its genre: held-out among ten",
    "list": "list: held-out first of four",
    "would": "would: yes or no is right",
}


@dataclass(frozen=True)
class Table:
    """One table as texts. about: the sentence that reads it; meanings: column -> what it asks, where its name is too short for that."""

    title: str
    about: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    meanings: Mapping[str, str] = field(default_factory=dict)


def tables(result: Mapping[str, Any]) -> tuple[Table, ...]:
    """Every table of a result."""
    found = tallies(result)
    return tuple(t for t in (skills(found), promises(found), held_out(found), speed(found)) if t.lines)


def skills(found: Sequence[Tally]) -> Table:
    """Models against skills."""
    names = [g for g in GROUPS if any(t.skill(g).n or g in t.cannot for t in found)]
    lines = [
        (
            t.model,
            *(_pair(t, name) for name in names),
            f"{_percent(t.whole('seen', paired=True))} / {_percent(t.whole('unseen', paired=True))}",
        )
        for t in found
    ]
    about = (
        "Percent of turns that pass every check, in phrasings that training reads / in others, those written by hand among them. "
        "“all” has the same probes on both sides. “cannot”: a speaker of fixed sentences, which does not claim the skill."
    )
    return Table("Skills", about, ("model", *names, "all"), tuple(lines))


def promises(found: Sequence[Tally]) -> Table:
    """Models against what must hold of every answer."""
    names = [c for c in MEANINGS if any(t.check(c).n for t in found)]
    lines = [(t.model, *(_sure(t.check(name)) for name in names)) for t in found]
    about = "Percent of the turns that can show it, with 95 % intervals."
    return Table("What holds", about, ("model", *names), tuple(lines), {name: MEANINGS[name] for name in names})


def held_out(found: Sequence[Tally]) -> Table:
    """Models against what was held out of them."""
    names = [n for n in FOUND if any(t.found(n).rate.n for t in found)]
    lines = [(t.model, *(_against(t.found(name)) for name in names)) for t in found]
    about = "Percent, with 95 % intervals; then the same head asked without any words, and chance."
    return Table("What was held out", about, ("model", *(TITLES[n] for n in names)), tuple(lines if names else ()))


def speed(found: Sequence[Tally]) -> Table:
    """Models against the clock."""
    lines = []
    for t in found:
        told = t.latency()
        cells = [_number(told["first"], 2), _number(told["total"], 2), _number(told["tokens"], 0)]
        lines.append((t.model, *cells, f"{len(t.asked):,}", f"{len(t.failures()):,}"))
    head = ("model", "first word, s", "whole answer, s", "tokens/s", "turns", "failed")
    return Table("Speed", "Medians over all turns.", head, tuple(lines))


def markdown(result: Mapping[str, Any]) -> str:
    """All tables as Markdown, each under its sentence."""
    blocks = [f"{_plain(told(result))}"]
    for table in tables(result):
        head, *lines = [" | ".join(map(_plain, line)) for line in (table.head, *table.lines)]
        rows = [head, " | ".join(["---"] * len(table.head)), *lines]
        blocks.append("\n".join([f"**{table.title}.** {_plain(table.about)}\n", *(f"| {row} |" for row in rows)]))
        if table.meanings:
            blocks.append("; ".join(f"*{name}*: {_plain(meaning)}" for name, meaning in table.meanings.items()) + ".")
    return "\n\n".join(blocks)


def within(text: str, result: Mapping[str, Any], mark: str = MARK) -> str:
    """A page with the tables written anew between `<!-- mark -->` and `<!-- end of mark -->`. ValueError where it lacks those."""
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, first, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"the page lacks the lines {begin} and {end}: write them where the tables are to stand")
    return f"{before}{begin}\n\n{markdown(result)}\n\n{end}{after}"


def told(result: Mapping[str, Any]) -> str:
    """What was asked, in a sentence."""
    n, users = len(result["probes"]), len(result["users"])
    who = f"{users} user{'s' * (users != 1)} of {result['data']}"
    lacking = sorted({t["why"] for t in result["skipped"]})
    kept = f" Left out: {'; '.join(lacking)}." if lacking else ""
    return f"{n} probes by {who}, each with an item held out, drawn by seed {result['seed']}.{kept}"


def _pair(tally: Tally, skill: str) -> str:
    return CANNOT if skill in tally.cannot else f"{_percent(tally.skill(skill, 'seen'))} / {_percent(tally.skill(skill, 'unseen'))}"


def _percent(one: Rate) -> str:
    return f"{100 * one.share:.0f}" if one.n else "–"


def _sure(one: Rate) -> str:
    low, high = one.interval
    return f"{100 * one.share:.1f} [{100 * low:.0f}, {100 * high:.0f}]" if one.n else "–"


def _against(one: Found) -> str:
    if not one.rate.n:
        return "–"
    alone = f"alone {_percent(one.alone)}, " if one.alone.n else ""
    return f"{_sure(one.rate)}; {alone}chance {100 * one.chance:.1f}"


def _number(value: float | None, places: int) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{places}f}"


def _plain(text: str) -> str:
    """A text that Markdown shows as it is written."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|" else c for c in text)
