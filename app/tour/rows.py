"""The eight names as lines of safe HTML and as a table: what a scheme is called, its chips, its numbers.

Where it stands: last before the page. What it does not know: Streamlit, where the values come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from app import chips
from app.seam.tour import Company, Making, Naming, Score, Written
from llmrec.contracts import Token
from llmrec.ids.lookup import written

_CSS = Path(__file__).parent / "tour.css"
COLUMNS = ("pieces", "new rows", "collisions", "H@10")
MEANS = {
    "pieces": "Rows of the vocabulary that the model reads for one name, on average over all items.",
    "new rows": "Tokens that the vocabulary gains: each is a row that the model must learn.",
    "collisions": "Items whose whole name another item bears too.",
    "H@10": "Share of users whose held-out item is among the run's first ten, with its 95 % interval.",
}


def style() -> str:
    """The style sheet of the Tour."""
    return _CSS.read_text(encoding="utf-8")


def hero(title: str, facts: str) -> str:
    """The chosen item, large."""
    return f'<div class="t-hero"><h2>{chips.text(title)}</h2><p>{chips.text(facts)}</p></div>'


def heads() -> str:
    """What the numbers are, over wide lines; narrow ones say it beside each number."""
    cells = "".join(f'<span title="{chips.text(MEANS[name])}">{chips.text(name)}</span>' for name in COLUMNS)
    return f'<div class="t-row t-heads" aria-hidden="true"><span></span><span></span><span class="t-numbers">{cells}</span></div>'


def line(given: Naming, best: float) -> str:
    """One scheme. best: the upper end of the scores' common scale."""
    who = f'<span class="t-who"><b>{chips.text(given.called)}</b><span>{chips.text(given.says)}</span></span>'
    if given.written is None:
        return f'<div class="t-row">{who}{_waiting(given.making or Making())}</div>'
    name = f'<span class="t-name">{_name(given.written)}{_company(given.company)}</span>'
    return f'<div class="t-row">{who}{name}{_numbers(given, best)}</div>'


def name(given: Written) -> str:
    """A name as it is spelled, and under text how the model cuts it."""
    return _name(given)


def _name(given: Written) -> str:
    if all(isinstance(piece, Token) for piece in given.pieces):
        return chips.name(given.pieces, given.tones, big=True)
    cut = "".join(
        f'<span class="chip sub big{" begins" if r.startswith(" ") else ""}">{chips.text(r.strip() or r)}</span>' for r in given.read
    )
    return f'<span class="t-cut" title="{chips.text(written(given.pieces))}: {len(given.read)} subwords of the model">{cut}</span>'


def _company(given: Company | None) -> str:
    if given is None:
        return ""
    if not given.n:
        return '<span class="t-with">No other item’s name begins with that piece.</span>'
    titles = " · ".join(chips.text(chips.label(card)) for card in given.first) + (" …" if given.n > len(given.first) else "")
    others = f"<b>{given.n:,}</b> other{'s' if given.n > 1 else ''}"
    return f'<span class="t-with">begins like {others}: {titles}</span>'


def _numbers(given: Naming, best: float) -> str:
    assert given.habits is not None
    habits = given.habits
    values = (f"{habits.pieces:.1f}", f"{habits.new_rows:,}", f"{habits.collisions:,}")
    cells = "".join(f"<span>{_label(n)}<b>{v}</b></span>" for n, v in zip(COLUMNS, values, strict=False))
    return f'<span class="t-numbers">{cells}<span class="t-score">{_label(COLUMNS[3])}{_score(given.score, best)}</span></span>'


def _label(name: str) -> str:
    return f'<i title="{chips.text(MEANS[name])}">{chips.text(name)}</i>'


def _score(given: Score | None, best: float) -> str:
    if given is None:
        return '<span class="t-none">not trained yet</span>'
    told = _said(given)
    if given.low is None or given.high is None or best <= 0:
        return f'<b title="{chips.text(told)}">{given.value:.3f}</b>'
    left, right, at = (100 * max(0.0, min(1.0, x / best)) for x in (given.low, given.high, given.value))
    bar = f'<span class="t-bar"><span style="left:{left:.1f}%;width:{right - left:.1f}%"></span><i style="left:{at:.1f}%"></i></span>'
    other = "" if given.metric == "hit@10" else f"<small>{chips.text(given.metric)}</small>"
    return f'<b title="{chips.text(told)}">{given.value:.3f}</b>{other}<small>{given.low:.3f}–{given.high:.3f}</small>{bar}'


def _said(given: Score) -> str:
    between = "" if given.low is None or given.high is None else f", interval {given.low:.3f} to {given.high:.3f}"
    return f"{given.metric} {given.value:.3f}{between}: run {given.run}"


def _waiting(given: Making) -> str:
    if given.trouble:
        return f'<span class="t-name"><span class="t-none">These names could not be made: {chips.text(given.trouble)}</span></span>'
    what = given.stage or "a process of its own starts"
    far = f"waits for {given.ahead} before it" if given.ahead and not given.stage else what
    share = "" if given.share is None else f" · {given.share:.0%}"
    full = 0.0 if given.share is None else 100 * min(1.0, max(0.0, given.share))
    chip = '<span class="chips"><span class="chip big t-ghost">&nbsp;</span><span class="chip big t-ghost">&nbsp;</span></span>'
    bar = f'<span class="t-bar t-making"><span style="left:0;width:{full:.1f}%"></span></span>'
    return f'<span class="t-name">{chip}<span class="t-with">being fitted: {chips.text(far)}{share}</span>{bar}</span>'


def table(rows: Sequence[Naming], title: str) -> pd.DataFrame:
    """The same as a table: one line a scheme."""
    out = []
    for given in rows:
        line: dict[str, object] = {"scheme": given.called, "item": title}
        if given.written is not None:
            line |= {"name": written(given.written.pieces), "read as": " | ".join(given.written.read)}
        if given.habits is not None:
            habits = given.habits
            line |= {"pieces per item": round(habits.pieces, 3), "new rows": habits.new_rows, "collisions": habits.collisions}
        if given.company is not None:
            line |= {"share its first piece": given.company.n, "among them": " · ".join(c.title for c in given.company.first)}
        if given.score is not None:
            line |= {"metric": given.score.metric, "value": given.score.value, "low": given.score.low, "high": given.score.high}
        out.append({**line, "run": given.written.run if given.written is not None else "", "what it is": given.says})
    return pd.DataFrame(out)


def scale(rows: Sequence[Naming]) -> float:
    """The upper end of the scores' bars."""
    return max((g.score.high or g.score.value for g in rows if g.score is not None), default=0.0)
