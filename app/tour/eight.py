"""The part "Eight names" of the Tour: choose an item, see it as each scheme writes it. Streamlit draws here.

Where it stands: under `views/tour`. What it does not know: where names come from.
"""

from __future__ import annotations

import streamlit as st

from app import chips, frame, shared
from app.seam import Card
from app.seam.tour import Naming
from app.tour import rows


def show(run: str | None) -> None:
    """All of it."""
    card = hero(run)
    frame.html(
        '<p class="t-says">To a language model an item is nothing but its name. Here it is as eight schemes write it: coloured chips are '
        "Tokens, new rows of the vocabulary; grey ones are the model’s own subwords. "
        "A line opens its run on Tokens, or Train where there is none.</p>"
    )
    found = shared.backend().tour().names(run, card.index)
    if pending(found):
        _waiting(run, card)
    else:
        ledger(found, card)


def hero(run: str | None) -> Card:
    """The item in hand, large, with the search beside it."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", key="hero"):
        place = st.container(width="stretch", key="hero_item")
        with st.container(width=340, key="hero_find"):
            card = chosen(run)
        n, of = shared.backend().tour().taken(run, card.index)
        with place:
            frame.html(rows.hero(chips.label(card), " · ".join([*card.genres, f"taken by {n:,} of {of:,} users", f"key {card.key}"])))
    return card


def chosen(run: str | None) -> Card:
    """The item in hand, from the search or the address; `?item=` keeps it."""
    tour = shared.backend().tour()
    wanted = frame.linked("item")
    card = tour.item(run, wanted)
    options = tour.items(run)
    if card.key not in options:
        options = {card.key: chips.label(card), **options}
    asked = st.query_params.get("item")
    followed = asked == card.key and asked != st.session_state.get("_tour_item")  # a link to another item than the one in hand
    if followed or st.session_state.get("tour_find") not in options:
        st.session_state["tour_find"] = card.key
    key = st.selectbox(
        "Item",
        list(options),
        format_func=options.__getitem__,
        key="tour_find",
        persist_state="session",
        label_visibility="collapsed",
        placeholder="type a title",
        help="Type part of a title; the most taken come first.",
    )
    if wanted and wanted != card.key:
        st.warning(chips.text(f"No item here has the key {wanted!r:.100}: showing {chips.label(card)}."), icon=":material/info:")
    st.session_state["_tour_item"] = key
    frame.link(item=key)
    return card if key == card.key else tour.item(run, key)


def pending(found: tuple[Naming, ...]) -> bool:
    """Whether some names are still on their way."""
    return any(given.written is None and (given.making is None or not given.making.trouble) for given in found)


@st.fragment(run_every=1.0)
def _waiting(run: str | None, card: Card) -> None:
    """The lines that are there, and how far the others are; once all are there the page is drawn for good."""
    with frame.told():
        found = shared.backend().tour().names(run, card.index)
        if not pending(found):
            st.rerun()
        ledger(found, card)


def ledger(found: tuple[Naming, ...], card: Card) -> None:
    """One line a scheme, and the table behind them."""
    best = rows.scale(found)
    with st.container(key="names", gap=None):
        frame.html(rows.heads())
        for given in found:
            with st.container(key=f"name_{given.scheme}", gap=None):
                frame.html(rows.line(given, best))
                _onward(given, card)
    frame.twin("names", rows.table(found, chips.label(card)), f"{chips.label(card)} in eight schemes")


def _onward(given: Naming, card: Card) -> None:
    """Where a line leads: to its name on the Tokens page, or to Train."""
    if given.written is not None and given.written.run:
        st.page_link(
            "views/tokens.py",
            label=chips.text(given.written.run),
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params={"run": given.written.run, "item": card.key},
            help="See on the Tokens page who shares this name’s pieces.",
        )
    elif given.written is not None:
        st.page_link(
            "views/train.py",
            label="Train it",
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params={"scheme": given.scheme},
            help="No run of this scheme is here yet: opens Train with it.",
        )
