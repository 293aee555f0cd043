"""From codes back to items and users: choose pieces, or paste a name, and see who has them (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`. What it does not know: how names are written (`codes` reads them).
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from app import chips, frame, shared
from app.seam.names import Found, Place
from app.seam.values import Side, Trouble
from app.tokens import hand, selection, tree_part

Codes = tuple[int | None, ...]
HELD, PASTED = "codes_held", "name_text"


def show(run: str) -> None:
    """The whole part."""
    names = shared.backend().names()
    st.caption("From a name back to who bears it: choose pieces, leave any open, or paste a whole name or a part of one.")
    refused = _settle(run)
    side: Side = tree_part.sides(run)  # type: ignore[assignment]
    places = names.places(run, side)
    if places and st.session_state.get("_codes_side", side) != side:  # codes of one side mean nothing in the names of the other
        st.session_state[HELD], st.session_state[PASTED] = (), ""
    st.session_state["_codes_side"] = side
    if places:
        found = names.invert(run, side, _chosen(run, side, places))
        name = "".join(piece or "*" for piece in found.pieces).rstrip("*")
    else:
        name = _typed()
        found = names.beginning(run, side, name)
    frame.link(name=name or None)
    if refused:
        st.warning(chips.text(refused), icon=":material/info:")
    _answer(run, found, bool(name))
    hand.show(run)
    with st.expander("All names of this run as a file", icon=":material/download:"):
        selection.files(run, None, "all_names")


def _settle(run: str) -> str:
    """What the address asks for when the part is first shown, or another run is. Returns what was refused."""
    if st.session_state.get("codes_of") == run:
        return str(st.session_state.pop("codes_refused", ""))
    st.session_state["codes_of"] = run
    st.session_state.pop("_codes_side", None)
    st.session_state[HELD] = ()
    asked = frame.linked("name")
    st.session_state[PASTED] = asked or ""
    if asked:
        _read(run, asked)
    return str(st.session_state.pop("codes_refused", ""))


def _read(run: str, name: str) -> None:
    """Take a written name apart; a text name stays as it is typed."""
    names = shared.backend().names()
    if not any(names.places(run, side) for side in names.sides(run)):
        return
    try:
        side, codes = names.read(run, name)
    except Trouble as trouble:
        st.session_state["codes_refused"] = str(trouble)
        return
    st.session_state["section_side"] = st.session_state["_codes_side"] = side
    st.session_state[HELD] = codes


def _chosen(run: str, side: Side, places: tuple[Place, ...]) -> Codes:
    """One box per place, and one to paste a name into."""

    def on_paste() -> None:
        _read(run, st.session_state[PASTED]) if st.session_state[PASTED].strip() else st.session_state.update({HELD: ()})

    def on_pick() -> None:
        st.session_state[HELD] = tuple(st.session_state[f"code_{side}_{n}"] for n in range(len(places)))
        st.session_state[PASTED] = ""

    held = (*st.session_state[HELD], *[None] * len(places))[: len(places)]
    columns = st.columns([*[2] * len(places), 3], gap="small", vertical_alignment="bottom")
    for n, (column, place) in enumerate(zip(columns, places, strict=False)):
        borne = {code: f"{piece}  ·  {bearers:,}" for code, piece, bearers in place.codes}
        key = f"code_{side}_{n}"
        if held[n] is not None and held[n] not in borne:
            borne[int(held[n] or 0)] = "one that nobody bears"
        if st.session_state.get(key) != held[n]:
            st.session_state[key] = held[n]
        options: list[int | None] = [None, *borne]
        column.selectbox(
            chips.text(place.label),
            options,
            key=key,
            format_func=partial(_said, borne),
            on_change=on_pick,
            help="One piece of the name and how many bear it; any leaves the place open.",
        )
    columns[-1].text_input(
        "Or paste a name",
        key=PASTED,
        on_change=on_paste,
        placeholder="such as <a_5><b_12>, or *<b_12>",
        max_chars=400,
        help="The pieces as they are written, from the left; * stands for any.",
    )
    return held


def _said(borne: dict[int, str], code: int | None) -> str:
    return "any" if code is None else borne.get(code, "")


def _typed() -> str:
    """The beginning of a name that is text."""
    return str(
        st.text_input(
            "How the name begins",
            key=PASTED,
            max_chars=400,
            placeholder="the first letters of a title, or the first digits of a number",
            help="These names are text, so there are no codes to choose: type how one begins and press Enter.",
        )
    ).strip()


def _answer(run: str, found: Found, asked: bool) -> None:
    n = found.n_items + found.n_users
    pieces = [piece for piece in found.pieces if piece]
    told = chips.name(*shared.backend().names().tones(run, tuple(pieces)), big=True) if pieces else ""
    counted = " · ".join(f"{count:,} {word}" for count, word in ((found.n_items, "items"), (found.n_users, "users")) if count) or "nobody"
    frame.html(f'<div class="lm-hand">{told}<span class="quiet">{counted}</span></div>')
    st.caption(chips.text(found.note))
    if n and asked:
        hand.table(found.table, "code_rows", "Who has these pieces", "codes")
    elif n:
        st.caption("Choose a piece above to see who has it.")
