"""Which recommendation is looked into: person, template, masking, and the item to follow. Streamlit; its choices live in the address.

Where it stands: the top of the X-ray page. What it does not know: what is found.
"""

from __future__ import annotations

from urllib.parse import unquote

import streamlit as st

from app import chips, frame, picking, shared
from app.seam import Person
from app.seam.xray import Question

BY_KEY, BY_TITLES = "A user of the data", "Titles you like"
NAMES = ("user", "items", "template", "seen", "follow")
MOST = 50


def asked(run: str) -> Question | None:
    """The question in hand, or None while nothing can be asked; then the page has said why."""
    backend = shared.backend()
    titles, keys = backend.titles(run), backend.user_keys(run)
    templates = backend.xray().templates(run)
    _begin(run, keys, templates)
    with st.container(horizontal=True, vertical_alignment="bottom", key="xray_question"):
        who = st.segmented_control(
            "For whom",
            [BY_KEY, BY_TITLES],
            key="xray_who",
            required=True,
            persist_state="session",
            help="Somebody of the data, or a new person known by a few titles.",
        )
        offered = picking.offered(run, titles, "xray_words")
        person = _user(run, keys) if who == BY_KEY else _liked(titles, offered)
        seen = st.toggle(
            "Seen items too", key="xray_seen", persist_state="session", help="Off: what the person knows may not come back. On: it may."
        )
    with st.container(horizontal=True, vertical_alignment="bottom", key="xray_more"):
        follow = _follow(run, person, titles, offered)
        template = st.selectbox(
            "Template",
            list(templates),
            key="xray_template",
            persist_state="session",
            format_func=lambda key: f"{templates[key].strip()}{'  (never trained on)' if key.startswith('unseen') else ''}",
            help="The words around the history; rankings use the first. The last was never trained on.",
        )
    _remember(run, person, who == BY_KEY, seen, template, follow)
    if who == BY_TITLES and not person.history:
        st.info("Pick one or more titles above, for example three films you like.", icon=":material/movie:")
        return None
    return Question(person, template, seen, follow)


def _begin(run: str, keys: list[str], templates: dict[str, str]) -> None:
    """The address decides what is asked first, and again when a link changes it."""
    backend, state = shared.backend(), st.session_state
    wanted = {name: frame.linked(name) for name in NAMES}
    # what is held are numbers of one run's items; the address has their keys, by which another run finds them again
    if wanted != state.get("_xray_asked") or "xray_who" not in state or run != state.get("_xray_asked_of"):
        named = [unquote(key) for key in (wanted["items"] or "").split(",")[:MOST] if key]
        items = {key: backend.index(run, "item", key) for key in named}
        state["_xray_asked_of"], state["xray_items"] = run, [i for i in items.values() if i is not None]
        state["xray_who"] = BY_TITLES if state["xray_items"] else BY_KEY
        lost = [key for key in (*named, *([wanted["follow"]] if wanted["follow"] else [])) if backend.index(run, "item", key) is None]
        if lost:
            said = f"The data of this run has no item with the key {lost[0]!r:.100}{', and others' if len(lost) > 1 else ''}: left out."
            st.warning(chips.text(said), icon=":material/info:")
        state["xray_seen"] = wanted["seen"] == "1"
        state["xray_template"] = wanted["template"]
        state["xray_follow"] = backend.index(run, "item", wanted["follow"] or "")
        state["xray_user"] = wanted["user"]
    if state.get("xray_template") not in templates:
        state["xray_template"] = next(iter(templates))
    picking.settle(keys, "xray_user", lambda: keys[backend.xray().first(run)])
    size = len(backend.titles(run))
    state["xray_items"] = [i for i in state.get("xray_items") or [] if i < size]
    if (state.get("xray_follow") or 0) >= size:
        state["xray_follow"] = None


def _user(run: str, keys: list[str]) -> Person:
    key = picking.user("User", keys, "xray_user", 180, _follow_anew)
    return shared.backend().person(run, keys.index(key))


def _liked(titles: list[str], offered: list[int]) -> Person:
    meaning = "Pick a few titles you like, in the order you saw them."
    return Person(history=picking.several("Titles, oldest first", titles, offered, "xray_items", MOST, meaning))


def _follow_anew() -> None:
    st.session_state["xray_follow"] = None


def _follow(run: str, person: Person, titles: list[str], offered: list[int]) -> int | None:
    held = [card.index for card in shared.backend().xray().held_out(run, person.user)] if person.user >= 0 else []
    if st.session_state.get("xray_follow") is None and held:
        st.session_state["xray_follow"] = held[0]
    mine = st.session_state.get("xray_follow")
    kept = [mine] if mine is not None and len(titles) > picking.LISTED else []
    follow: int | None = st.selectbox(
        "Follow",
        list(dict.fromkeys([*held, *kept, *offered])),
        index=None,
        key="xray_follow",
        persist_state="session",
        format_func=lambda i: f"{titles[i]}{'  (held out)' if i in held else ''}",
        placeholder="an item whose way you want to see",
        help="The item whose way through the model is shown: the held-out one, or any other.",
    )
    if person.user >= 0 and not held:
        st.caption("Nothing was held out for this user: choose an item to follow, or look at the list alone.")
    return follow


def _escaped(key: str) -> str:
    """A key in a list of the address, which commas part."""
    return key.replace("%", "%25").replace(",", "%2C")


def _remember(run: str, person: Person, by_key: bool, seen: bool, template: str, follow: int | None) -> None:
    backend = shared.backend()
    held = [card.index for card in backend.xray().held_out(run, person.user)] if person.user >= 0 else []
    values = {
        "user": st.session_state["xray_user"] if by_key else None,
        "items": None if by_key else ",".join(_escaped(backend.card(run, "item", i).key) for i in person.history) or None,
        "template": None if template == "0" else template,
        "seen": "1" if seen else None,
        "follow": None if follow is None or follow in held[:1] else backend.card(run, "item", follow).key,
    }
    frame.link(**values)
    st.session_state["_xray_asked"] = values
