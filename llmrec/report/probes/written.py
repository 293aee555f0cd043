"""Tables of probes: models against skills with seen beside unseen wording, what holds of every answer, what was found, how fast it was.

Where it stands: last; a terminal, a page and a Markdown file show what is made here. What it does not know: how a turn was asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmrec.report.probes.book import GROUPS
from llmrec.report.probes.checks import MEANINGS
from llmrec.report.probes.tally import FOUND, Rate, again

MARK = "probes"
Told = Mapping[str, Any]  # what one model comes to
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
    """Every table of a result; what it comes to is all that they need."""
    found = {m["name"]: result["tallies"][m["name"]] for m in result["models"]}
    return tuple(t for t in (skills(found), promises(found), held_out(found), speed(found)) if t.lines)


def skills(found: Mapping[str, Told]) -> Table:
    """Models against skills."""
    names = [g for g in GROUPS if any(g in told["skills"] for told in found.values())]
    lines = [(model, *(_pair(told["skills"].get(name)) for name in names), _pair(told["paired"])) for model, told in found.items()]
    about = (
        "Percent of turns that pass every check, in phrasings that training reads / in others, those written by hand among them. "
        "“all” has the same probes on both sides. “cannot”: a speaker of fixed sentences, which does not claim the skill."
    )
    return Table("Skills", about, ("model", *names, "all"), tuple(lines))


def promises(found: Mapping[str, Told]) -> Table:
    """Models against what must hold of every answer."""
    names = [c for c in MEANINGS if any(c in told["checks"] for told in found.values())]
    lines = [(model, *(_sure(told["checks"].get(name)) for name in names)) for model, told in found.items()]
    about = "Percent of the turns that can show it, with 95 % intervals."
    return Table("What holds", about, ("model", *names), tuple(lines), {name: MEANINGS[name] for name in names})


def held_out(found: Mapping[str, Told]) -> Table:
    """Models against what was held out of them."""
    names = [n for n in FOUND if any(n in told["found"] for told in found.values())]
    lines = [(model, *(_against(told["found"].get(name)) for name in names)) for model, told in found.items()]
    about = "Percent, with 95 % intervals; then the same head asked without any words, and chance."
    return Table("What was held out", about, ("model", *(TITLES[n] for n in names)), tuple(lines if names else ()))


def speed(found: Mapping[str, Told]) -> Table:
    """Models against the clock."""
    lines = []
    for model, told in found.items():
        took = told["latency"]
        cells = [_number(took["first"], 2), _number(took["total"], 2), _number(took["tokens"], 0)]
        lines.append((model, *cells, f"{told['turns']:,}", f"{told['failed']:,}"))
    head = ("model", "first word, s", "whole answer, s", "tokens/s", "turns", "failed")
    return Table("Speed", "Medians over all turns.", head, tuple(lines))


def markdown(result: Mapping[str, Any]) -> str:
    """All tables as Markdown, each under its sentence."""
    blocks = [f"{_plain(said(result))}"]
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


def said(result: Mapping[str, Any]) -> str:
    """What was asked, in a sentence."""
    users = len(result["users"])
    who = f"{users} user{'s' * (users != 1)} of {result['data']}"
    kept = f" Left out: {'; '.join(result['left_out'])}." if result["left_out"] else ""
    return f"{result['n_probes']} probes by {who}, each with an item held out, drawn by seed {result['seed']}.{kept}"


def _pair(told: Told | str | None) -> str:
    if told is None or isinstance(told, str):
        return told or "– / –"
    return f"{_percent(again(told['seen']))} / {_percent(again(told['unseen']))}"


def _percent(one: Rate) -> str:
    return f"{100 * one.share:.0f}" if one.n else "–"


def _sure(told: Told | None) -> str:
    if told is None or not told["n"]:
        return "–"
    low, high = again(told).interval
    return f"{100 * again(told).share:.1f} [{100 * low:.0f}, {100 * high:.0f}]"


def _against(told: Told | None) -> str:
    if told is None or not told["n"]:
        return "–"
    alone = f"alone {_percent(again(told['alone']))}, " if told["alone"]["n"] else ""
    return f"{_sure(told)}; {alone}chance {100 * told['chance']:.1f}"


def _number(value: float | None, places: int) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{places}f}"


def _plain(text: str) -> str:
    """A text that Markdown shows as it is written."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|" else c for c in text)
