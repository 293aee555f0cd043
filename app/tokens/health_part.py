"""How healthy the names of a run are: what is wrong first, then every book, every collision and what names say (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`. What it does not know: the map, how anything is measured.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from app.seam.names import Health, Shared
from app.tokens import hand
from llmrec.ids.lookup import written

GROUPS, PICKED = 8, 6


def show(run: str) -> None:
    """The whole part."""
    seen = shared.backend().names().health(run)
    left, right = st.columns([2, 3], gap="large")
    with left:
        _findings(seen)
        _numbers(seen.numbers, "health_numbers")
        _meaning(run)
    with right:
        _books(run, seen)
    hand.show(run)
    _collisions(seen)
    for note in seen.notes:
        st.caption(chips.text(note))


def _findings(seen: Health) -> None:
    st.subheader("What the doctor says", anchor=False)
    graves = sorted(seen.findings, key=lambda one: not one.grave)
    frame.html(
        "".join(f'<div class="lm-finding{" grave" if f.grave else ""}"><i></i><span>{chips.text(f.text)}</span></div>' for f in graves)
    )
    known = {f.node: chips.text(f.node.partition(":")[2]) for f in graves if f.node is not None}
    hand.pills("Look at", known, "go_finding", "Take the code that holds too much into hand: the map shows who bears it.")


def _numbers(numbers: tuple[tuple[str, str, str], ...], key: str) -> None:
    with st.container(horizontal=True, key=key):
        for label, value, meaning in numbers:
            st.metric(chips.text(label), chips.text(value), help=chips.text(meaning), width="content")


def _meaning(run: str) -> None:
    st.subheader("What names say", anchor=False)
    st.caption("Whether names mirror behaviour, and whether the first piece is of one kind. Point at a number for its meaning.")
    with st.spinner("Comparing pairs of items"):
        found = shared.backend().names().semantics(run)
    if not found:
        st.caption("There is too little here to compare: fewer than three items were taken.")
        return
    _numbers(found, "semantics")
    frame.twin("semantics", pd.DataFrame(found, columns=["measure", "value", "meaning"]), "What names say of behaviour, genre and year")


def _books(run: str, seen: Health) -> None:
    known = dict(seen.books)
    if not known:
        st.subheader("No book of codes", anchor=False)
        st.caption("These names are text: there is no code that could die or collapse. The tree shows which beginnings they share.")
    else:
        if st.session_state.get("book") not in known:
            asked = frame.linked("book")
            st.session_state["book"] = asked if asked in known else next(iter(known))
        chosen = st.selectbox(
            "Book",
            list(known),
            key="book",
            persist_state="session",
            format_func=known.__getitem__,
            help="One place of the names and its alphabet of codes; users have books of their own under some schemes.",
        )
        frame.link(book=chosen)
        frame.exhibit(shared.backend().names().usage(run, str(chosen), frame.dark()))
    st.caption("Entropy is in bits; perplexity says how many equally used codes would be as varied.")
    st.dataframe(seen.levels, hide_index=True, key="levels", alt="Every place of the names and how its book is used")
    frame.download("levels", seen.levels, "csv_levels")


def _collisions(seen: Health) -> None:
    st.subheader("Who shares a whole name", anchor=False)
    if not seen.collisions:
        st.caption("Nobody: every name means one.")
        return
    more = f"; the {GROUPS} largest groups are listed, the table has more" if len(seen.collisions) > GROUPS else ""
    st.caption(f"Each line is one name and everyone who bears it{more}. Click one to take it into hand.")
    for n, group in enumerate(seen.collisions[:GROUPS]):
        with st.container(horizontal=True, vertical_alignment="center", key=f"collision_{n}"):
            frame.html(chips.name(group.pieces, group.tones))
            cards = (*group.items, *group.users)[:PICKED]
            rest = group.n_items + group.n_users - len(cards)
            hand.pills(
                f"{written(group.pieces)} is borne by {group.n_items + group.n_users}",
                {c.node: chips.text(chips.label(c)) for c in cards},
                f"go_collision_{n}",
                "Bearers of one name.",
                hidden=True,
            )
            if rest > 0:
                frame.html(f'<span class="quiet">and {rest:,} more</span>')
    rows = [_row(group, card.side, card.key, card.title) for group in seen.collisions for card in (*group.items, *group.users)]
    frame.twin("collisions", pd.DataFrame(rows), "Who shares a whole name with whom")


def _row(group: Shared, side: str, key: str, title: str) -> dict[str, object]:
    return {"name": written(group.pieces), "borne by": group.n_items + group.n_users, "side": side, "key": key, "title": title}
