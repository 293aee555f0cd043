"""The node in hand on the Tokens page: what every part of it reads and takes (Streamlit code).

Where it stands: under the page and its parts. What it does not know: what a node is shown as.

`node` is in hand, `focus` has the ring on the map, `find` is what the search box says: all three in the session, the first in the address.
A widget's callback calls `take`; nothing else changes them.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app import chips, frame, shared

SIDES = ("item", "user", "token")
ROWS = 5_000  # of a table in the page; its file has all
NARROW = ("title", "year", "name", "taken")
COLUMNS = {
    "title": st.column_config.TextColumn("title", width="medium"),
    "genres": st.column_config.TextColumn("genres", width="medium"),
    "year": st.column_config.NumberColumn("year", format="%d"),
    "taken": st.column_config.NumberColumn("taken", help="How many interactions it has in the whole data set."),
    "same name": st.column_config.NumberColumn("same name", help="How many others of its side bear the same whole name."),
}


def asked() -> str | None:
    """The node that the address asks for, else the one that another page of this session had in its own."""
    return _read(st.query_params.get) or _read(frame.linked)


def followed() -> str | None:
    """The node of a link to another one than the session has in hand; told once, so that what is taken later is not undone by it."""
    told = _read(st.query_params.get)
    if told is None or told == st.session_state.get("_tokens_asked"):
        return None
    st.session_state["_tokens_asked"] = told
    return told if told != held() else None


def _read(get: Callable[[str], str | None]) -> str | None:
    return next((f"{side}:{key}" for side in SIDES if (key := get(side)) is not None), None)


def take(node: str | None, ring: bool = True) -> None:
    """Take a node into hand. ring: whether the ring on the map moves: a new figure would lose the zoom of whoever clicked on the map."""
    st.session_state["node"] = st.session_state["find"] = st.session_state["_tokens_asked"] = node
    if ring:
        st.session_state["focus"] = node
    for side in SIDES:
        mine = node is not None and node.startswith(f"{side}:")
        frame.link(**{side: node.partition(":")[2] if mine and node is not None else None})


def held() -> str | None:
    """The node in hand."""
    node = st.session_state.get("node")
    return str(node) if node is not None else None


def pills(label: str, options: dict[str, str], key: str, meaning: str, hidden: bool = False) -> None:
    """Names to click on; each takes that node into hand. options: node -> how it is written; hidden: the label is for readers aloud."""

    def on_pick() -> None:
        picked = st.session_state.get(key)
        if picked:
            take(picked)

    if options:
        st.session_state[key] = None
        st.pills(
            label,
            list(options),
            format_func=options.__getitem__,
            key=key,
            on_change=on_pick,
            help=meaning,
            label_visibility="collapsed" if hidden else "visible",
        )


def table(rows: pd.DataFrame, key: str, title: str, name: str, narrow: bool = False) -> None:
    """Users and items as rows; choosing one takes it into hand. rows: with a column `node`; name: of the file that is downloaded;
    narrow: only the columns that matter are shown, the file has all."""
    shown = rows.head(ROWS)

    def on_pick() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        if chosen and chosen[0] < len(shown):
            take(str(shown["node"].iloc[chosen[0]]))

    if len(rows) > ROWS:
        st.caption(f"The first {ROWS:,} of {len(rows):,} rows are shown; the file has all.")
    st.dataframe(
        shown.drop(columns="node"),
        hide_index=True,
        key=key,
        on_select=on_pick,
        selection_mode="single-row",
        alt=title,
        height=min(420 if narrow else 380, 38 + 35 * max(1, len(shown))),
        column_order=NARROW if narrow else None,
        column_config=COLUMNS,
    )
    frame.download(name, rows.drop(columns="node"), f"csv_{key}")


def show(run: str) -> None:
    """What is in hand, in one line, where the map is not beside it."""
    node = held()
    if node is None:
        return
    seen = shared.backend().names().inspect(run, node)
    with st.container(horizontal=True, vertical_alignment="center", key="in_hand"):
        with st.container(width="stretch"):
            frame.html(f'<div class="lm-hand"><b>{chips.text(chips.label(seen.card))}</b>{chips.chips(seen.card)}</div>')
        st.button(
            "Show it on the map",
            icon=":material/explore:",
            type="tertiary",
            key="to_map",
            on_click=_to_map,
            help="Opens the map with this one ringed and its inspector beside it.",
        )


def _to_map() -> None:
    st.session_state["section_part"] = "map"
