"""What may come next, as the X-ray shows it: over the whole vocabulary, and among what may follow.

Where it stands: under the room `xray`. What it does not know: Streamlit.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from app import exhibits
from app.seam.values import Exhibit, Trouble
from app.seam.xray import Following
from app.xray.asking import Asked
from llmrec.lm.heads.trie import Trie
from llmrec.recommend.trace import pieces
from llmrec.view import softmax

TOP, DEEPER, TITLES = 14, 12, 3
TRIE = "The head uses the second chart alone. Training never compared names with text, so nothing pushed the rest of the vocabulary down."
OTHER = "This head does not choose by these: it reads the same state in its own way. They show what the model itself would write here."


def rows_of(prefix: str) -> tuple[int, ...]:
    """Row numbers out of an address. `Trouble` where it is none."""
    parts = prefix.split("-") if prefix else []
    if len(parts) > 200 or not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        raise Trouble("The address holds no row numbers: start again from the first piece.")
    return tuple(int(part) for part in parts)


def following(given: Asked, prompt: list[int], prefix: tuple[int, ...], dark: bool) -> Following:
    """What may come after these first pieces of a name."""
    found = pieces.after(given.model, prompt, prefix)
    allowed = set(found.allowed.tolist())
    way = _way(given)
    marked = way[len(prefix)] if way[: len(prefix)] == prefix and len(way) > len(prefix) else None
    whole = [(row, float(found.log_p[row])) for row in found.top(TOP)]
    chosen = found.top_allowed(TOP)
    leads = {row: _leads(given, (*prefix, row)) if row in allowed else (0, "no name goes on like this") for row, _ in (*whole, *chosen)}
    trie = isinstance(given.model.head, Trie)
    deeper = {_joined(prefix, row): given.written(row) for row, _ in chosen[:DEEPER] if trie and _goes_on(given, (*prefix, row))}
    on_way = marked is not None and trie and _goes_on(given, (*prefix, marked))
    return Following(
        tuple(given.bit(row, place) for place, row in enumerate(prefix)),
        _numbers(found.tokens, found.legal, len(found.allowed), float(np.exp(found.log_p[marked])) if marked is not None else None),
        (
            _exhibit(given, "next_whole", "Over the whole vocabulary", whole, allowed, leads, marked, dark),
            _exhibit(given, "next_allowed", "Among the pieces that may follow", chosen, allowed, leads, marked, dark),
        ),
        deeper,
        _joined(prefix, marked) if on_way and marked is not None else "",
        TRIE if trie else OTHER,
    )


def _way(given: Asked) -> tuple[int, ...]:
    follow = given.question.follow
    return () if follow is None else tuple(int(i) for i in given.model.compiled.names[follow])


def _joined(prefix: tuple[int, ...], row: int) -> str:
    return "-".join(str(one) for one in (*prefix, row))


def _goes_on(given: Asked, rows: tuple[int, ...]) -> bool:
    names = given.model.compiled.names
    return any(len(names[int(i)]) > len(rows) for i in pieces.leads_to(given.model, rows)[:2])


def _leads(given: Asked, rows: tuple[int, ...]) -> tuple[int, str]:
    items = pieces.leads_to(given.model, rows)
    told = ", ".join(given.title(int(i)) for i in items[:TITLES])
    return len(items), told + (f" and {len(items) - TITLES:,} more" if len(items) > TITLES else "")


def _numbers(tokens: float, legal: float, n: int, marked: float | None) -> tuple[tuple[str, str, str], ...]:
    out = [
        ("On Tokens", f"{tokens:.1%}", "The share of the whole belief that lies on Tokens; the rest lies on text."),
        ("On what may follow", f"{legal:.1%}", f"The share on the {n:,} pieces that go on with some item's name."),
        ("Thrown away", f"{max(0.0, 1 - legal):.1%}", "What is left aside when only names that exist may be written."),
    ]
    if marked is not None:
        out.append(("Followed piece", f"{marked:.2%}", "The share on the piece that the followed item's name has here."))
    return tuple(out)


def _exhibit(
    given: Asked,
    name: str,
    title: str,
    chosen: list[tuple[int, float]],
    allowed: set[int],
    leads: dict[int, tuple[int, str]],
    marked: int | None,
    dark: bool,
) -> Exhibit:
    bits = [given.bit(row) for row, _ in chosen]
    drawn = [
        softmax.Bar(
            bit.text,
            math.exp(p),
            bit.tone,
            bit.row in allowed,
            bit.row == marked,
            (f"log p {p:.3f}", f"{leads[bit.row][0]:,} items", leads[bit.row][1]),
        )
        for bit, (_, p) in zip(bits, chosen, strict=True)
    ]
    table = pd.DataFrame(
        [
            {
                "piece": bit.text,
                "row": bit.row,
                "kind": "Token" if bit.kind == "token" else bit.kind,
                "probability": math.exp(p),
                "log p": p,
                "may follow": bit.row in allowed,
                "items": leads[bit.row][0],
                "leads to": leads[bit.row][1],
                "followed": bit.row == marked,
            }
            for bit, (_, p) in zip(bits, chosen, strict=True)
        ]
    )
    figure = softmax.bars(drawn, dark=dark)
    caption = _caption(drawn)
    return Exhibit(name, title, caption, table, exhibits.dressed(figure, softmax.height(figure)))


def _caption(drawn: list[softmax.Bar]) -> str:
    if not drawn:
        return "Nothing may follow."
    first = drawn[0]
    barred = sum(not bar.legal for bar in drawn)
    said = f"Likeliest is {first.label} with {first.p:.1%}."
    return f"{said} Hatched: {barred} of these {len(drawn)} that no item's name has here." if barred else said
