"""Boxes that hold one user, or titles, of data sets of any size: of many they list what is held and what was searched for.

Where it stands: under the pages (Streamlit). A box of a hundred thousand entries would send megabytes before its page shows anything.
What it does not know: what is asked about whom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app import chips, shared

LISTED = 5_000  # entries that one box can hold


def settle(keys: Sequence[str], key: str, first: Callable[[], str] | None = None) -> str:
    """Whom the session holds under `key`. Where that is nobody of `keys` (typed, or asked for by an address) it is told, and whom it held
    before is held again, else `first`, else the first of `keys`."""
    held, before = st.session_state.get(key), st.session_state.get(f"_settled_{key}")
    if held not in keys:
        shown = before if before in keys else first() if first else keys[0]
        if held:
            said = f"No user of this data has the key {held!r:.100}; showing {shown}."
            st.warning(chips.text(said), icon=":material/info:")
        held = st.session_state[key] = shown
    st.session_state[f"_settled_{key}"] = held
    return str(held)


def user(label: str, keys: Sequence[str], key: str, width: int | None = None, on_change: Callable[[], None] | None = None) -> str:
    """One user by their key. key: of the session, settled here unless it was before."""
    many = len(keys) > LISTED
    held = settle(keys, key)
    chosen = st.selectbox(
        label,
        list(dict.fromkeys([held, *keys[:LISTED]])) if many else keys,
        key=key,
        persist_state="session",
        on_change=on_change,
        width=width or "stretch",
        accept_new_options=many,
        help="A user's key in the source; type to find one." + (f" The first {LISTED:,} of {len(keys):,} are listed." if many else ""),
    )
    return str(chosen)


def offered(run: str | None, titles: Sequence[str], key: str) -> list[int]:
    """The items that boxes of titles hold: all, or of a large catalogue those whose title has the words typed here. key: of the words."""
    if len(titles) <= LISTED:
        return list(range(len(titles)))
    backend = shared.backend()
    words = st.text_input(
        "Find a title",
        key=key,
        persist_state="session",
        width=220,
        placeholder=f"words of one of {len(titles):,}",
        help="Type words of a title and press Enter: the boxes of titles then offer what was found.",
    )
    found = [backend.index(run, "item", known) for known, _ in backend.intake().find(run, "", words)]
    return [i for i in found if i is not None]


def several(label: str, titles: Sequence[str], offered: Sequence[int], key: str, most: int, meaning: str) -> tuple[int, ...]:
    """Several titles, in the order they were chosen. key: of the session, which may hold some; offered: what the box lists beside those."""
    held = st.session_state.get(key) or [] if len(titles) > LISTED else []
    chosen = st.multiselect(
        label,
        list(dict.fromkeys([*held, *offered])),
        format_func=titles.__getitem__,
        key=key,
        persist_state="session",
        max_selections=most,
        placeholder="type a few letters",
        help=meaning,
    )
    return tuple(int(i) for i in chosen)
