"""Names, cards and lists as safe HTML, alike in the pages and in the chat.

Where it stands: last before the browser. Everything that comes from data or from a person is escaped here and nowhere else; `<c3>` is text.
What it does not know: where the values come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.seam import Answer, Card, Job
from llmrec.contracts import Id, Piece, Token
from llmrec.view.palette import DARK, LIGHT

_CSS = Path(__file__).parent / "chips.css"
STATES = ("new", "queued", "running", "stopping", "stopped", "done", "failed", "interrupted", "broken")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # nor what turns the line
_SPECIAL = re.compile(r"[^\w\s,]|_", re.ASCII)  # every sign that HTML or markdown could read as its own


def text(value: str) -> str:
    """Text that stays text inside HTML and inside markdown, in one direction and without what is not seen."""
    return _SPECIAL.sub(lambda m: f"&#{ord(m[0])};", _UNSEEN.sub("", str(value)))


def style() -> str:
    """The style sheet of everything here, with the map's colours for light and dark."""
    tones = "".join(
        f".tone{n} {{ --c: light-dark({a}, {b}); }}\n" for n, (a, b) in enumerate(zip(LIGHT.categories, DARK.categories, strict=True))
    )
    return _CSS.read_text(encoding="utf-8") + tones


def chip(piece: Piece, tone: int | None = None, big: bool = False, level: int = 1) -> str:
    """One piece of a name: a Token in its colour or plain, text in grey. level: 1 for a name's first piece, which is filled; later ones
    are paler."""
    kind = "sub" if not isinstance(piece, Token) else "fine" if tone is None else f"tok tone{tone} lv{min(3, level)}"
    return f'<span class="chip {kind}{" big" if big else ""}">{text(piece)}</span>'


def chips(card: Card, big: bool = False) -> str:
    """A whole name, piece after piece, each in the colour that the map and the tree give it."""
    return name(card.pieces, card.tones, big)


def name(pieces: Id, tones: Sequence[int | None] = (), big: bool = False) -> str:
    """Pieces as chips, levels counted from the first; pieces without a tone stay plain."""
    told = (*tones, *[None] * len(pieces))
    return '<span class="chips">' + "".join(chip(p, told[n], big, n + 1) for n, p in enumerate(pieces)) + "</span>"


def label(card: Card) -> str:
    """Title and year as text."""
    return card.title if card.year is None or str(card.year) in card.title else f"{card.title} ({card.year})"


def small(card: Card) -> str:
    """What is known of it, in one line."""
    return text(" · ".join([*card.genres, *card.facts]))


def row(card: Card, rank: str = "", aside: str = "", marked: str = "") -> str:
    """One line of a list: rank, title, genres, name, and a number at the end."""
    mark = f'<span class="mark">{text(marked)}</span>' if marked else ""
    number = f'<span class="rank">{text(rank)}</span>' if rank else ""
    end = f'<span class="aside">{text(aside)}</span>' if aside else ""
    facts = f'<span class="facts">{small(card)}</span>' if card.genres or card.facts else ""
    body = f'<span class="body"><span class="title">{text(label(card))}</span>{mark}{facts}{chips(card) if card.pieces else ""}</span>'
    return f'<li class="{"hit" if marked else ""}">{number}{body}{end}</li>'


def listing(rows: Iterable[str], empty: str = "Nothing to show.") -> str:
    """Lines as a list, or a sentence."""
    inside = "".join(rows)
    return f'<ol class="lm-list">{inside}</ol>' if inside else f'<p class="quiet">{text(empty)}</p>'


def state(name: str) -> str:
    """What state a run is in, as a chip with its colour; a dot breathes in those that change by themselves."""
    kind = name if name in STATES else "broken"
    return f'<span class="chip state {kind}"><i aria-hidden="true"></i>{text(name)}</span>'


def job(given: Job, chosen: bool = False) -> str:
    """One line of the list of runs: its state, what it is, and how far or how good."""
    place = "" if not given.ahead else "next" if given.ahead == 1 else f"{given.ahead - 1} before it"
    numbers = " · ".join(f"{name} {value:.3f}" for name, value in list(given.measured.items())[:2])
    share = "" if given.share is None else f"{given.share:.0%}"
    end = " · ".join(x for x in (place, given.now, share, numbers) if x)
    bar = (
        "" if given.share is None else f'<span class="bar"><span style="width:{100 * min(1.0, max(0.0, given.share)):.1f}%"></span></span>'
    )
    return (
        f'<div class="lm-job{" on" if chosen else ""}">{state(given.state)}<span class="what">{text(given.what)}</span>'
        f'<span class="aside">{text(end)}</span>{bar}</div>'
    )


def answer(given: Answer, scores: bool = True) -> str:
    """A model's recommendations."""
    return listing(
        (
            row(p.card, str(n), f"{p.score:.2f}" if scores else "", "held-out item" if p.target else "")
            for n, p in enumerate(given.picks, 1)
        ),
        "This model found nothing to recommend here.",
    )
