"""The node in hand on the Tokens page: what every part of it reads and takes (Streamlit code).

Where it stands: under the page and its parts. What it does not know: what a node is shown as.

`node` is in hand, `focus` has the ring on the map, `find` is what the search box says: all three in the session, the first in the address.
A widget's callback calls `take`; nothing else changes them.
"""

from __future__ import annotations

import streamlit as st

from app import frame

SIDES = ("item", "user", "token")


def asked() -> str | None:
    """The node that the address asks for."""
    for side in SIDES:
        key = frame.linked(side)
        if key is not None:
            return f"{side}:{key}"
    return None


def take(node: str | None, ring: bool = True) -> None:
    """Take a node into hand. ring: whether the ring on the map moves: a new figure would lose the zoom of whoever clicked on the map."""
    st.session_state["node"] = st.session_state["find"] = node
    if ring:
        st.session_state["focus"] = node
    for side in SIDES:
        mine = node is not None and node.startswith(f"{side}:")
        frame.link(**{side: node.partition(":")[2] if mine and node is not None else None})


def held() -> str | None:
    """The node in hand."""
    node = st.session_state.get("node")
    return str(node) if node is not None else None


def pills(label: str, options: dict[str, str], key: str, meaning: str) -> None:
    """Names to click on; each takes that node into hand. options: node -> how it is written."""

    def on_pick() -> None:
        picked = st.session_state.get(key)
        if picked:
            take(picked)

    if options:
        st.session_state[key] = None
        st.pills(label, list(options), format_func=options.__getitem__, key=key, on_change=on_pick, help=meaning)
