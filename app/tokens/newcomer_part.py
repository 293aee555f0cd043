"""A newcomer: which name a new person or a new item gets, and beside whom it lands, with nothing trained anew (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`. What it does not know: which schemes can (the room says why not).
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, picking, shared
from app.seam import Side
from app.seam.names import Landed, Neighbour, Ways
from app.tokens import hand
from app.tokens.inspector import aside
from llmrec.ids.lookup import written

KINDS = {"user": "A new person, by what they took", "item": "A new item, by who took it", "text": "A new item, by its title or text"}
MOST = 40  # of a list in the address


def show(run: str) -> None:
    """The whole part."""
    ways = shared.backend().names().ways(run)
    kind = frame.sections("Newcomer", KINDS, "new", "Who comes: a person known by titles, or an item known by its users or its text.")
    why = {"user": ways.user, "item": ways.item_users, "text": ways.item_text}[kind]
    if why:
        st.warning(chips.text(f"{why[0].upper()}{why[1:]}."), icon=":material/info:")
        can = [KINDS[k] for k, no in (("user", ways.user), ("item", ways.item_users), ("text", ways.item_text)) if not no]
        st.caption(
            chips.text(f"This run can name: {'; '.join(can).lower()}." if can else "This run can name nobody new: choose another run.")
        )
        return
    found = {"user": _person, "item": _taken, "text": _text}[kind](run, ways)
    if found is not None:
        _landed(run, found)
    hand.show(run)


def _person(run: str, ways: Ways) -> Landed | None:
    titles = shared.backend().titles(run)
    _recall(run, "liked", "item")
    offered = picking.offered(run, titles, "new_words")
    meaning = "Choose a few titles, oldest first: the order is the history's."
    chosen = _kept(run, "liked", "item", picking.several("Titles they took", titles, offered, "new_liked", MOST, meaning))
    return shared.backend().names().name_user(run, chosen) if chosen else None


def _taken(run: str, ways: Ways) -> Landed | None:
    keys = [f"user {key}" for key in shared.backend().user_keys(run)]
    _recall(run, "takers", "user")
    offered = range(min(len(keys), picking.LISTED))
    meaning = "Choose a few users: the item lands where what they take lies."
    meaning += f" The first {picking.LISTED:,} of {len(keys):,} are listed." if len(keys) > picking.LISTED else ""
    chosen = _kept(run, "takers", "user", picking.several("Users who took it", keys, offered, "new_takers", MOST, meaning))
    return shared.backend().names().name_item(run, chosen) if chosen else None


def _recall(run: str, key: str, side: Side) -> None:
    """What the address asks for, when the part is first shown or another run is."""
    held = f"new_{key}"
    if st.session_state.get(f"{held}_of") != run:
        st.session_state[f"{held}_of"] = run
        asked = [shared.backend().index(run, side, k) for k in (frame.linked(key) or "").split(",")[:MOST] if k]
        st.session_state[held] = [i for i in asked if i is not None]


def _kept(run: str, key: str, side: Side, chosen: tuple[int, ...]) -> tuple[int, ...]:
    """What was chosen, put into the address by its keys."""
    keys = [shared.backend().card(run, side, i).key for i in chosen]
    frame.link(**{key: ",".join(keys) if keys and not any("," in k for k in keys) else None})
    if not chosen:
        st.caption("Choose one or more: a name follows at once.")
    return chosen


def _text(run: str, ways: Ways) -> Landed | None:
    if "new_text" not in st.session_state:
        st.session_state["new_text"] = (frame.linked("text") or "")[:400]
    text = st.text_input(
        "Its title, or a text that begins with Title:",
        key="new_text",
        persist_state="session",
        max_chars=400,
        placeholder="The Matrix",
        help="A bare title, or all fields as the catalogue has them: Title: The Matrix. Year: 1999. Genres: Action, Sci-Fi.",
    ).strip()
    if ways.slow:
        st.caption(chips.text(ways.slow))
    frame.link(text=text or None)
    if not text:
        return None
    again = bool(st.session_state.pop("read_again", False))
    state, said = shared.backend().names().text_read(run, text, again)
    if state == "ready":
        return shared.backend().names().name_item(run, (), text)
    if state == "waiting":
        _reading(run, text)
    else:
        st.warning(chips.text(f"The text could not be read: {said}."), icon=":material/info:")
        st.button("Read it again", key="read_again_button", on_click=_again, help="Starts the model that reads texts once more.")
    return None


def _again() -> None:
    st.session_state["read_again"] = True


@st.fragment(run_every=1.0)
def _reading(run: str, text: str) -> None:
    """While a language model reads; one full rerun when it has."""
    with frame.told():
        state, said = shared.backend().names().text_read(run, text)
        if state != "waiting":
            st.rerun()
        st.caption(f":material/hourglass_top: The text is being read beside this page ({chips.text(said)}).")


def _landed(run: str, found: Landed) -> None:
    what = "person" if found.side == "user" else "item"
    note = f'<p class="quiet">{chips.text(found.note)}.</p>' if found.note else ""
    took = f"Named in {found.seconds:.2f} s, with nothing trained anew."
    frame.html(
        f'<div class="lm-card"><h3>The new {what} is named</h3><span class="facts">{took}</span>'
        f"{chips.name(found.pieces, found.tones, big=True)}{note}</div>"
    )
    near, alike = st.columns(2, gap="large")
    with near:
        _near(found)
    with alike:
        _alike(found)


def _near(found: Landed) -> None:
    st.subheader("Beside whom it lands", anchor=False)
    if not found.nearest:
        st.caption("This scheme finds a name without a vector, so there is no distance to tell.")
        return
    st.caption(
        "By cosine to its folded-in vector. The map itself is laid once, over those who were there: a newcomer has no coordinates of its "
        "own, and its nearest show best where it would lie."
    )
    frame.html(chips.listing(chips.row(n.card, str(i), aside(n)) for i, n in enumerate(found.nearest[:8], 1)))
    node = found.nearest[0].card.node
    st.button(
        "Ring the nearest on the map",
        icon=":material/explore:",
        key="ring_nearest",
        on_click=_ring,
        args=(node,),
        help="Opens the map with the nearest known one ringed.",
    )
    frame.twin("landed", _table(found.nearest), "The nearest known ones")


def _alike(found: Landed) -> None:
    st.subheader("Whose names begin alike", anchor=False)
    if not found.alike:
        st.caption("Nobody's name begins with the same piece, or names of this scheme share nothing.")
        return
    st.caption("Most pieces in common first: what the model will take the newcomer for before it has learned anything.")
    frame.html(chips.listing(chips.row(n.card, "", aside(n)) for n in found.alike))
    hand.pills("Go to", {n.card.node: chips.text(chips.label(n.card)) for n in found.alike[:8]}, "go_alike", "Take one into hand.")
    frame.twin("alike", _table(found.alike), "Known ones whose names begin alike")


def _ring(node: str) -> None:
    hand.take(node)
    st.session_state["section_part"] = "map"


def _table(given: tuple[Neighbour, ...]) -> pd.DataFrame:
    rows = [
        {
            "side": n.card.side,
            "key": n.card.key,
            "title": n.card.title,
            "cosine": n.cosine,
            "pieces shared": n.shared,
            "name": written(n.card.pieces),
        }
        for n in given
    ]
    return pd.DataFrame(rows)
