"""The parts of the X-ray page: prompt, next piece, how the head chose, what if. Streamlit.

Where it stands: under the view. What it does not know: models.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from app.seam import Exhibit
from app.seam.xray import Following, Look, Question
from app.xray import strip

PARTS = {"prompt": "What it reads", "next": "What may come next", "chose": "How it chose", "if": "What if"}
SCORES = {"retrieve": "cosine", "trie": "log p", "items": "log p"}


def numbers(given: tuple[tuple[str, str, str], ...], key: str) -> None:
    """Small numbers in a row, each with what it means."""
    with st.container(horizontal=True, key=key):
        for label, value, meaning in given:
            st.metric(label, value, help=meaning, width="content")


def prompt(look: Look, followed: str) -> None:
    """The prompt, piece by piece."""
    st.caption(chips.text(f"Template: {look.prompt.template.strip()} · {look.prompt.note}"))
    numbers(look.prompt.counts, "xray_counts")
    st.html(strip.prompt(look.prompt, followed))
    st.caption(
        "Tokens are coloured, by the same colours as on the map; subwords are grey, a dot stands for a blank. Point at one for its row."
    )
    frame.twin("prompt", strip.table(look.prompt), "The prompt, piece by piece")


def following(run: str, question: Question) -> None:
    """What may come after the prompt, or after the first pieces of a name."""
    prefix = _prefix(run)
    given: list[Following] = []
    with frame.told(), st.spinner("Reading …"):
        given.append(shared.backend().xray().after(run, question, prefix, frame.dark()))
    if not given:
        st.button("From the first piece", key="xray_again", on_click=_go, args=("",), help="Leave the chosen beginning.")
        return
    found = given[0]
    with st.container(horizontal=True, vertical_alignment="center", key="xray_trail"):
        st.html(strip.trail(found.trail))
        if found.trail:
            back = prefix.rpartition("-")[0]
            st.button("Back", key="xray_back", icon=":material/undo:", on_click=_go, args=(back,), help="Take the last piece away.")
        if found.followed:
            st.button(
                "On along the followed name",
                key="xray_on",
                icon=":material/arrow_forward:",
                on_click=_go,
                args=(found.followed,),
                help="Choose the piece that the followed item's name has here.",
            )
    if found.deeper:
        st.session_state["xray_deeper"] = None
        st.pills(
            "Go on with",
            list(found.deeper),
            format_func=lambda key: chips.text(found.deeper[key]),
            key="xray_deeper",
            on_change=_deeper,
            help="Choose a piece and see what may come after it.",
        )
    numbers(found.numbers, "xray_masses")
    st.caption(chips.text(found.note))
    for column, one in zip(st.columns(2, gap="large"), found.exhibits, strict=True):
        with column:
            frame.exhibit(one)


def chose(look: Look) -> None:
    """The list and how it came about. A tree wants the whole width."""
    wide = look.exhibits[:1] if look.head == "trie" else ()
    for one in wide:
        _shown(one)
    left, right = st.columns([2, 3], gap="large")
    with left, st.container(key="xray_list"):
        _list(look)
    with right:
        for one in look.exhibits[len(wide) :]:
            _shown(one)


def _list(look: Look) -> None:
    st.subheader("The list", anchor=False)
    score = SCORES.get(look.head, "score")
    st.caption(f"By the {look.head} head; at the right {score}.")
    rows = (chips.row(p.card, str(n), f"{p.score:.2f}", "held-out item" if p.target else "") for n, p in enumerate(look.picks, 1))
    frame.html(chips.listing(rows, "This model found nothing to recommend here."))
    table = [
        {"rank": n, "key": p.card.key, "title": p.card.title, score: p.score, "held-out item": p.target}
        for n, p in enumerate(look.picks, 1)
    ]
    frame.twin("xray_list", pd.DataFrame(table), "The list")


def what_if(run: str, question: Question) -> None:
    """Another past, on demand: a ranking a line."""
    st.caption("One of the ten newest items is taken out, or the order is turned, and the whole catalogue is ranked anew each time.")
    pressed = st.button("Rank anew", key="xray_if", icon=":material/replay:", help="Some ten rankings: a second or two on a small model.")
    if pressed:
        st.session_state["_xray_if"] = (run, question)
    if st.session_state.get("_xray_if") == (run, question):
        with frame.told(), st.spinner("Ranking with other pasts …"):
            frame.exhibit(shared.backend().xray().what_if(run, question, frame.dark()))


def _shown(given: Exhibit) -> None:
    if given.figure is not None:
        frame.exhibit(given)
        return
    st.subheader(chips.text(given.title), anchor=False)
    st.caption(chips.text(given.caption))
    st.dataframe(given.table, hide_index=True, key=f"table_{given.name}", alt=given.title)
    frame.download(given.name, given.table, f"csv_{given.name}")


def _prefix(run: str) -> str:
    state = st.session_state
    if state.get("_xray_run", run) != run:
        frame.link(prefix=None)  # row numbers mean other pieces there
    state["_xray_run"] = run
    return frame.linked("prefix") or ""


def _go(prefix: str) -> None:
    frame.link(prefix=prefix or None)


def _deeper() -> None:
    if st.session_state.get("xray_deeper"):
        _go(st.session_state["xray_deeper"])
