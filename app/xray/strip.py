"""The prompt and a verdict as safe HTML: pieces as chips, names held together by a bracket with whose they are.

Where it stands: last before the browser, for the X-ray page; titles and pieces are escaped by `chips.text`. What it does not know: models.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from app.chips import text
from app.seam.xray import Bit, Look, Prompt, Stretch

_CSS = Path(__file__).with_name("xray.css")


def style() -> str:
    """The style sheet of this page, once per page."""
    return f"<style>{_CSS.read_text(encoding='utf-8')}</style>"


def verdict(look: Look) -> str:
    """What became of the followed item."""
    kind = look.fate if look.fate in ("found", "lost", "below") else "other"
    return f'<div class="lm-verdict {kind}"><h2>{text(look.short)}</h2><p>{text(look.text)}</p></div>'


def prompt(given: Prompt, followed: str = "") -> str:
    """All pieces in reading order. followed: a title that is marked where it stands."""
    bits = [bit for one in given.stretches for bit in one.bits]
    tokens = sum(bit.kind == "token" for bit in bits)
    share = 100 * tokens / len(bits) if bits else 0.0
    said = f"{tokens} of {len(bits)} pieces are Tokens"
    ratio = f'<div class="lm-ratio" role="img" aria-label="{said}" title="{said}"><span style="width:{share:.1f}%"></span></div>'
    body = "".join(_stretch(one, followed) for one in given.stretches)
    return f'{ratio}<div class="lm-prompt">{body}<span class="answer">the answer begins here</span></div>'


def trail(bits: Sequence[Bit]) -> str:
    """The pieces of a name chosen so far."""
    inside = "".join(_bit(bit, n + 1) for n, bit in enumerate(bits)) or '<span class="quiet">nothing yet: the name begins here</span>'
    return f'<div class="lm-trail"><span class="quiet">after the prompt:</span>{inside}</div>'


def table(given: Prompt) -> pd.DataFrame:
    """The same as a table: a row per piece."""
    rows = [
        {
            "place": bit.place,
            "piece": bit.text,
            "row": bit.row,
            "kind": "Token" if bit.kind == "token" else bit.kind,
            "part of": {"words": "words", "person": "the person's name", "item": "an item's name"}[one.kind],
            "whose": one.title,
        }
        for one in given.stretches
        for bit in one.bits
    ]
    return pd.DataFrame(rows)


def _stretch(one: Stretch, followed: str) -> str:
    if one.kind == "words":
        return "".join(f'<span class="run">{_bit(bit, 1)}</span>' for bit in one.bits)
    inside = "".join(_bit(bit, n + 1) for n, bit in enumerate(one.bits))
    kind = f"{one.kind}{' followed' if followed and one.title == followed else ''}"
    whose = text(one.title)
    return f'<span class="whole {kind}" title="{whose}"><span class="run">{inside}</span><span class="whose">{whose}</span></span>'


def _bit(bit: Bit, level: int) -> str:
    kind = {"token": "fine" if bit.tone is None else f"tok tone{bit.tone} lv{min(3, level)}", "text": "sub", "special": "special"}[bit.kind]
    what = {"token": "Token", "text": "subword", "special": "special mark"}[bit.kind]
    return f'<span class="chip {kind}" title="{what} · place {bit.place} · row {bit.row}">{text(bit.text)}</span>'
