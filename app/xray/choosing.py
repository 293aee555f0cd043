"""How the head chose, as charts with their tables: the beam as a tree, the neighbourhood of the state, or the softmax over items.

Where it stands: under the room `xray`, over `llmrec.view`. What it does not know: Streamlit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from app import exhibits
from app.seam.values import Exhibit
from app.xray import bushes
from app.xray.asking import Asked
from llmrec.ids.lookup import written
from llmrec.recommend.trace import whole
from llmrec.recommend.trace.beam import Beam
from llmrec.recommend.trace.looking import Trace
from llmrec.view import nearness, softmax

NEAR, TOP = 50, 12


def chosen(given: Asked, trace: Trace, dark: bool) -> tuple[Exhibit, ...]:
    """The charts that fit this run's head."""
    if isinstance(trace.evidence, Beam):
        way = (bushes.way(given, trace.evidence),) if trace.evidence.path else ()
        return (bushes.tree(given, trace, trace.evidence, dark), *way)
    if isinstance(trace.evidence, whole.Nearness):
        return (_neighbourhood(given, trace, trace.evidence, dark),)
    return _multinomial(given, trace, trace.evidence, dark)


def _neighbourhood(given: Asked, trace: Trace, near: whole.Nearness, dark: bool) -> Exhibit:
    told = list(dict.fromkeys(one.item for one in trace.reading.stretches if one.kind == "item"))
    listed = [int(i) for i in trace.items[:NEAR]]
    follow = [] if trace.target is None else [trace.target]
    items = list(dict.fromkeys([*listed, *told, *follow]))
    query, places = near.plane(items)
    spots = [nearness.Spot(float(query[0]), float(query[1]), "query", "where the prompt leads", 1.0)]
    rows = []
    for item, (x, y) in zip(items, places, strict=True):
        role: nearness.Role = "followed" if item == trace.target else "near" if item in listed else "history"
        cosine = float(near.cosines[item])
        spots.append(nearness.Spot(float(x), float(y), role, given.title(item), cosine))
        rank = int(trace.ranks[item]) if trace.ranks is not None else 0
        rows.append({"rank": rank or None, "title": given.title(item), "role": role, "cosine": cosine, "x": float(x), "y": float(y)})
    table = pd.DataFrame(rows).sort_values("cosine", ascending=False, ignore_index=True).astype({"rank": "Int64"})
    caption = (
        f"The {len(listed)} nearest of {trace.n_ranked:,} items, drawn on the plane where these points lie widest (PCA). "
        f"The ranking goes by cosine in all {len(near.query)} dimensions; the mean over all items is {near.mean:.3f}."
    )
    figure = exhibits.dressed(nearness.nearness(spots, dark), 520)
    return Exhibit("neighbourhood", "Where the prompt leads, and who lies there", caption, table, figure)


def _multinomial(given: Asked, trace: Trace, found: whole.Multinomial, dark: bool) -> tuple[Exhibit, ...]:
    items = [int(i) for i in trace.items[:TOP]]
    if trace.target is not None and trace.target not in items:
        items.append(trace.target)
    parts = {item: whole.shares(given.model, found, item) for item in items}
    bars, rows = [], []
    for item in items:
        card, log_p = given.world.card("item", item), float(found.log_p[item])
        rank = int(trace.ranks[item]) if trace.ranks is not None and trace.ranks[item] else None
        about = (f"log p {log_p:.3f}", f"place {rank:,}" if rank else "must not come back", written(card.pieces))
        bars.append(
            softmax.Bar(card.title, float(np.exp(log_p)), next(iter(card.tones), None), rank is not None, item == trace.target, about)
        )
        row = {"rank": rank, "title": card.title, "name": written(card.pieces), "probability": float(np.exp(log_p)), "log p": log_p}
        logits = {f"logit from piece {n}": amount for n, (_, amount) in enumerate(parts[item], 1)}
        rows.append({**row, "logit": sum(logits.values()), **logits, "followed": item == trace.target})
    table = pd.DataFrame(rows).astype({"rank": "Int64"})
    figure = softmax.bars(bars, dark=dark)
    caption = (
        f"One softmax over {len(found.log_p):,} items, those that must not come back included. The followed item is marked, and stands "
        "last where it is not among the first."
    )
    first = Exhibit("softmax", "The likeliest items", caption, table, exhibits.dressed(figure, softmax.height(figure)))
    return (first, _shares(given, items, parts, table, dark)) if any(len(p) > 1 for p in parts.values()) else (first,)


def _shares(given: Asked, items: list[int], parts: dict[int, list[tuple[int, float]]], table: pd.DataFrame, dark: bool) -> Exhibit:
    titles = [given.world.card("item", item).title for item in items]
    bits = [[(given.bit(row), amount) for row, amount in parts[item]] for item in items]
    figure = softmax.stacked(titles, [[(b.text, amount, b.tone) for b, amount in one] for one in bits], "part of the logit", dark)
    caption = "An item's row is the mean of its pieces' rows, so its logit is the sum of what each piece gives."
    return Exhibit("shares", "What each piece of a name gives", caption, table, exhibits.dressed(figure, softmax.height(figure)))


def score_name(given: Asked) -> str:
    """What the numbers beside a list are."""
    return "cosine" if type(given.model.head).__name__ == "Retrieve" else "log p"
