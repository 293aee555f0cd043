"""The part "CLLM4Rec" of the Tour: two rows for each item, pulled together under lambda. Streamlit draws here.

Where it stands: under `views/tour`. What it does not know: language models, how rows learn.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from app.seam import Card
from app.seam.stories import PullingLike
from app.tour import rows, telling

ABOUT = (
    "CLLM4Rec gives every item one Token of its own with two rows: one learns from who took the item, one from the words that are said of "
    "it. Both read through the same language model, and lambda pulls them towards each other."
)
PLAIN = 1.0  # the plan's own lambda


def story(run: str | None) -> None:
    """All of it."""
    frame.html(rows.hero("Two rows that pull on each other", ABOUT))
    st.caption(
        "Both sides are really trained when this page is first opened, on the most taken items and the most active users: about a minute "
        "for all lambdas together, once."
    )
    room: PullingLike = shared.backend().tour().pulling()
    strength = _strength(room)
    dark = frame.dark()
    seen = room.scene(run, strength, dark)
    if seen.pending is not None:
        had = bool(seen.exhibits)
        telling.wait(lambda: None if bool((now := room.scene(run, strength, dark)).exhibits) != had else now.pending, room.retry)
    telling.scene(seen, "pulling")
    if seen.exhibits:
        _near(room, run, strength)


def _strength(room: PullingLike) -> float:
    """Lambda, from the slider or the address."""
    options = room.strengths()
    if st.session_state.get("pull_lambda") not in options:
        told = frame.linked("lambda") or ""
        st.session_state["pull_lambda"] = next((s for s in options if f"{s:g}" == told), PLAIN if PLAIN in options else options[0])
    chosen = st.select_slider(
        "lambda",
        options,
        format_func=lambda s: f"{s:g}",
        key="pull_lambda",
        persist_state="session",
        width=420,
        help="How strongly the two rows of an item pull on each other; 0: not at all. Each position is a training of its own.",
    )
    frame.link(**{"lambda": f"{chosen:g}"})
    return float(chosen)


def _near(room: PullingLike, run: str | None, strength: float) -> None:
    """One item's nearest by each of its two rows."""
    films = {card.key: card for card in room.films(run)}
    asked = frame.linked("item")
    if asked in films:
        st.session_state["pull_item"] = asked
    elif st.session_state.get("pull_item") not in films:
        st.session_state["pull_item"] = next(iter(films))
    st.subheader("Who is near, by each row", anchor=False)
    key = st.selectbox(
        "Item",
        list(films),
        format_func=lambda k: chips.label(films[k]),
        key="pull_item",
        on_change=_on_item,
        persist_state="session",
        width=420,
        help="One of the items that were trained here; type part of a title.",
    )
    near = room.near(run, strength, films[key].index)
    n = len(near.collaborative)
    told = f"Of the {n} nearest, {near.both} stand in both lists. By cosine of the rows, less the mean row."
    frame.html(f'<p class="t-says">{chips.text(told)}</p>')
    sides = (("By who took it", near.collaborative), ("By what is said of it", near.content))
    for column, (name, found) in zip(st.columns(2, gap="large"), sides, strict=True):
        with column:
            frame.html(f"<p><b>{name}</b></p>{chips.listing(_row(card, rank, cosine) for rank, (card, cosine) in enumerate(found, 1))}")
    table = pd.DataFrame(
        [
            {"row": name, "rank": rank, "title": chips.label(card), "genres": ", ".join(card.genres), "cosine": round(cosine, 3)}
            for name, found in sides
            for rank, (card, cosine) in enumerate(found, 1)
        ]
    )
    frame.download(f"nearest-two-rows-{key}", table, "csv_pull_near")


def _on_item() -> None:
    # on a pick alone: the item in hand may be one that was not trained here, and stays in hand for the other pages
    frame.link(item=st.session_state["pull_item"])


def _row(card: Card, rank: int, cosine: float) -> str:
    plain = Card(card.side, card.index, card.key, card.title, card.year, card.genres)
    return chips.row(plain, str(rank), f"{cosine:.2f}")
