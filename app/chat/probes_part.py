"""The probes on the Chat page: whom to ask, how far it is, the tables, and what failed, to be read.

Where it stands: under `views/chat`, over `backend.probes()`; this file draws with Streamlit. What it does not know: how probes are asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import chips, frame
from app.seam import BackendLike
from app.seam.chat import Model
from app.seam.probes import Ask, Board, Failure, ProbesLike

FIRST, MOST = 2, 8  # models that are chosen to begin with, and that may be
SHOWN = 30  # failures on the page; the file has all
PEOPLE = 10
MEANING = (
    "The same shipped messages, over every skill, are asked of every model by the same people of the data, each with an item held out. The "
    "answers are held against the catalogue, the person's history and what training knew."
)


def show(backend: BackendLike, models: Sequence[Model]) -> None:
    """The whole part. models: who can answer; those of one data set may be asked together."""
    st.caption(MEANING)
    if not models:
        st.info("Nobody can answer yet: train a run first.", icon=":material/school:")
        return
    probes: ProbesLike = backend.probes()  # type: ignore[attr-defined]
    with frame.told():
        asked = _choose(probes, models)
        if asked is None:
            return
        on = st.session_state.get("probes_on") == asked
        board = probes.board(asked, start=on)
        _start(asked, board, on)
        if on and (board.going.waiting or board.going.trouble):
            _progress(probes, asked, board)
        _tables(board)
        _failures(board)
        _files(probes, asked, board)


def _choose(probes: ProbesLike, models: Sequence[Model]) -> Ask | None:
    known = {one.key: one for one in models}
    held = "probes_models"
    if held not in st.session_state:
        linked = [key for key in (frame.linked("probe") or "").split(",") if key in known]
        first = [one.key for one in models if one.data == models[0].data][:FIRST]
        st.session_state[held] = list(dict.fromkeys(linked))[:MOST] or first
    st.session_state[held] = [key for key in st.session_state[held] if key in known]
    chosen = st.multiselect(
        "Who is asked",
        list(known),
        key=held,
        persist_state="session",
        format_func=lambda key: known[key].label,
        max_selections=MOST,
        help="Models of one data set. A baseline speaks in fixed sentences, and is asked only what it claims to do.",
    )
    frame.link(probe=",".join(chosen) or None)
    with st.container(horizontal=True, vertical_alignment="bottom", key="probes_how"):
        users = st.number_input(
            "People who ask",
            1,
            PEOPLE,
            2,
            key="probes_users",
            persist_state="session",
            width=140,
            help="Each asks every probe. More people make the intervals narrower, and take longer.",
        )
        only = st.pills(
            "Skills",
            [name for name, _ in probes.skills()],
            selection_mode="multi",
            key="probes_only",
            persist_state="session",
            format_func=dict(probes.skills()).__getitem__,
            help="Probes of these skills alone, with how many turns each has; none chosen asks all.",
        )
    if not chosen:
        st.info("Choose at least one model above.", icon=":material/info:")
        return None
    other = next((known[key] for key in chosen if known[key].data != known[chosen[0]].data), None)
    if other is not None:
        st.warning(
            chips.text(
                f"{other.label} is of other data than {known[chosen[0]].label}: they would be asked different things. Take one out."
            ),
            icon=":material/info:",
        )
        return None
    return Ask(tuple(chosen), int(users), tuple(only))


def _start(asked: Ask, board: Board, on: bool) -> None:
    done, whole = sum(n for _, n in board.asked), len(board.asked) * asked.users
    with st.container(horizontal=True, vertical_alignment="center", key="probes_go"):
        if done < whole and not board.going.waiting:
            st.button(
                "Ask them" if not done else "Ask the rest",
                icon=":material/play_arrow:",
                type="primary",
                key="probes_start",
                on_click=_on_start,
                args=(asked,),
                help="Starts in the background, model after model; who is done is kept, and you may look at other pages meanwhile.",
            )
        elif on and board.going.waiting:
            st.button(
                "No more",
                icon=":material/stop:",
                key="probes_stop",
                on_click=_on_stop,
                help="The model at work is finished; those that wait are not asked. What was heard is kept.",
            )
        st.caption(chips.text(f"{board.said} {done} of {whole} rounds are done; in one of them a person asks a model everything."))


def _on_start(asked: Ask) -> None:
    st.session_state["probes_on"] = asked


def _on_stop() -> None:
    st.session_state.pop("probes_on", None)


def _progress(probes: ProbesLike, asked: Ask, board: Board) -> None:
    if board.going.trouble:
        st.warning(chips.text(board.going.trouble), icon=":material/info:")
    if board.going.waiting:
        _live(probes, asked, sum(n for _, n in board.asked))


@st.fragment(run_every=2.0)
def _live(probes: ProbesLike, asked: Ask, stood: int) -> None:
    with frame.told():
        board = probes.board(asked, start=True)
        if sum(n for _, n in board.asked) != stood or not board.going.waiting:
            st.rerun()  # the tables have more to say
        now = f" {chips.text(board.going.stage)}" if board.going.stage else " waiting for its turn"
        st.progress(min(1.0, max(0.0, board.going.share or 0.0)), text=f"{chips.text(board.going.waiting[0])}:{now}")


def _tables(board: Board) -> None:
    from llmrec.report.probes.checks import MEANINGS

    for sheet in board.sheets:
        with st.container(key=f"probes_{sheet.name}"):
            st.subheader(chips.text(sheet.title), anchor=False)
            config: dict[str, Any] = {"model": st.column_config.TextColumn("", pinned=True)}
            asks = {name: meaning for name, meaning in MEANINGS.items() if name in sheet.table.columns}
            config |= {name: st.column_config.TextColumn(name, help=f"Whether {meaning}.") for name, meaning in asks.items()}
            height = 40 + 35 * max(1, len(sheet.table))
            st.dataframe(
                sheet.table, hide_index=True, key=f"table_probes_{sheet.name}", column_config=config, height=height, alt=sheet.about
            )
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.caption(chips.text(sheet.about))
                frame.download(f"probes-{sheet.name}", sheet.table, f"csv_probes_{sheet.name}")


def _failures(board: Board) -> None:
    if not board.failures:
        return
    st.subheader("What failed", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="probes_which"):
        model = st.selectbox(
            "Of",
            [None, *dict.fromkeys(f.model for f in board.failures)],
            key="probes_failed_model",
            format_func=lambda key: "every model" if key is None else str(key),
            width=320,
            help="Whose failures are shown.",
        )
        skill = st.selectbox(
            "In",
            [None, *dict.fromkeys(f.skill for f in board.failures)],
            key="probes_failed_skill",
            format_func=lambda key: "every skill" if key is None else str(key),
            width=200,
            help="Which skill was asked for.",
        )
    found = [f for f in board.failures if model in (None, f.model) and skill in (None, f.skill)]
    for failure in found[:SHOWN]:
        _failure(failure)
    if len(found) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(found):,}; the file below has every turn.")


def _failure(one: Failure) -> None:
    with st.container(border=True):
        st.caption(chips.text(f"{one.model} · {one.skill}, {one.wording} words · {one.probe} · user {one.user}"))
        st.markdown(f"**{chips.text(_short(one.message)) or '(an empty message)'}**")
        st.markdown(chips.text(_short(one.answer)) or "(nothing was said)")
        for fault in one.faults:
            st.markdown(f":material/close: {chips.text(fault)}")


def _short(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]} …"


def _files(probes: ProbesLike, asked: Ask, board: Board) -> None:
    if board.sheets:
        st.download_button(
            "Every turn, as JSON",
            lambda: json.dumps(probes.result(asked), ensure_ascii=False),
            file_name="probes.json",
            mime="application/json",
            key="probes_json",
            icon=":material/download:",
            on_click="ignore",
            help="Messages, answers, what each check found, timings; `llmrec probe --from` makes the tables of it anew.",
        )
    runs = [key for key in asked.models if "@" not in key] or [asked.models[0].partition("@")[2]]
    more = [f"--baseline {key.partition('@')[0]}" for key in asked.models if "@" in key]
    words = ["llmrec probe", *runs, *more, f"--users {asked.users}", *(f"--only {name}" for name in asked.only), "--out probes.json"]
    st.caption("The same from the command line:")
    st.code(" ".join(words), language="bash", wrap_lines=True)
