"""The row above the Tokens page: find a node, and choose a run to compare with (Streamlit code).

Where it stands: a part of the page, over `seam.MapsLike.find`. What it does not know: the map.
"""

from __future__ import annotations

import streamlit as st

from app import chips, frame, picking, shared
from app.tokens import hand

SHOWN = 12


def settle(nodes: dict[str, str]) -> None:
    """Agree on the node in hand: that of a new link, else what the session has, else what the address asks for; told where this run
    knows it not."""
    link = hand.followed()
    if link in nodes:
        st.session_state["node"] = st.session_state["focus"] = link
    if st.session_state.get("node") not in nodes:
        asked = hand.asked()
        st.session_state["node"] = st.session_state["focus"] = asked if asked in nodes else None
        if asked and asked not in nodes:
            said = f"This run knows no {asked.replace(':', ' ', 1)!r:.100}: search for a title, a key or a Token below."
            st.warning(chips.text(said), icon=":material/info:")
    if st.session_state.get("focus") not in nodes:
        st.session_state["focus"] = None


def follow() -> None:
    """Let the box say what is in hand. Set only where it says something else: set idly it would wipe what is being typed."""
    if st.session_state.get("find") != st.session_state["node"]:
        st.session_state["find"] = st.session_state["node"]


def show(run: str, nodes: dict[str, str]) -> None:
    """Find at the left, "Compare with" at the right."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _box(nodes) if len(nodes) <= picking.LISTED else _words(run, nodes)
    with right:
        _other(run)


def other() -> str | None:
    """The run to compare with."""
    chosen = st.session_state.get("with")
    return str(chosen) if chosen else None


def _on_find() -> None:
    # the browser tells back what the page itself wrote into the box: that is nobody's search, and the map is left as it is
    if st.session_state["find"] != st.session_state.get("node"):
        hand.take(st.session_state["find"])


def _box(nodes: dict[str, str]) -> None:
    st.selectbox(
        "Find",
        list(nodes),
        index=None,
        format_func=nodes.__getitem__,
        key="find",
        on_change=_on_find,
        persist_state="session",
        placeholder="a title, a user's key, or a Token such as <c3>",
        help="Type part of a title, a key or a Token; the map rings what you choose.",
    )


def _words(run: str, nodes: dict[str, str]) -> None:
    words = st.text_input(
        "Find",
        key="find_words",
        persist_state="session",
        placeholder=f"a title, a key or a Token among {len(nodes):,}",
        help="Type part of a title, a key or a Token and press Enter; then choose among what was found.",
    )
    if not words:
        return
    found = shared.backend().maps().find(run, words, SHOWN)
    if not found.nodes:
        st.caption("Nothing has all of these words: try fewer letters, or a key.")
        return
    more = f"Found, and {found.more:,} more" if found.more else "Found"
    hand.pills(more, {node: chips.text(label) for node, label in found.nodes.items()}, "found", "The map rings what you choose.")


def _other(run: str) -> None:
    names = [r.name for r in shared.backend().runs() if r.ready and r.name != run]
    asked = frame.linked("with")
    if st.session_state.get("with") not in names:
        st.session_state["with"] = asked if asked in names else None

    def on_choose() -> None:
        if st.session_state["with"]:
            st.session_state["section_part"] = "moved"

    chosen = st.selectbox(
        "Compare with",
        names,
        index=None,
        key="with",
        on_change=on_choose,
        persist_state="session",
        placeholder="another run over the same data" if names else "there is one run only",
        disabled=not names,
        help="Shows both runs' names on one map, and what moved between them.",
    )
    frame.link(**{"with": chosen})
