"""What is compared, chosen: data and split, runs, baselines, the part and what was seen. Every choice stands in the address.

Where it stands: under `views/compare`; this file draws with Streamlit. What it does not know: how anything is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import chips, frame, shared
from app.compare.drawing import told
from app.seam.scores import Ask, Ground, Offer

PARTS = {"test": "Test", "valid": "Validation"}
SEEN = {"masked": "Seen items out", "unmasked": "Seen items allowed"}


def ask(grounds: Sequence[Ground]) -> tuple[Ground, Ask]:
    """The controls, and what they ask for."""
    ground = _ground(grounds)
    with st.container(key="compare_who"):
        left, right = st.columns([3, 2], gap="medium")
        with left:
            runs = _runs(ground)
        with right:
            offers = shared.backend().scores().offers(ground.key)
            baselines = _baselines(offers)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_how"):
        part = _switch("Part", "part_of_data", "part", PARTS, "Which held-out items are looked for.")
        seen = _switch("Seen items", "seen_items", "seen", SEEN, "Whether what a person already took may be recommended again.")
        _trained(offers, baselines)
    if part == "valid":
        st.info(
            "Validation is for choosing: settings that were chosen by it look better here than they are. "
            "Test is read once, for what is reported.",
            icon=":material/info:",
        )
    return ground, Ask(ground.key, tuple(runs), tuple(baselines), part, seen == "masked", frame.linked("against") or "")


def _ground(grounds: Sequence[Ground]) -> Ground:
    """On what: only what was asked the same questions stands in one table."""
    known = {one.key: one for one in grounds}
    wanted = frame.linked("on")
    named = [name for name in (frame.linked("runs") or "").split(",") if name]
    if st.session_state.get("compare_on") not in known:
        of_runs = next((one.key for one in grounds if set(named) & set(one.runs)), None)
        st.session_state["compare_on"] = wanted if wanted in known else of_runs or grounds[0].key
        if wanted and wanted not in known:
            st.toast("No run here stands on the data and split of that address; showing those of the newest run.")
    if len(grounds) > 1:
        key = st.selectbox(
            "Data and split",
            list(known),
            key="compare_on",
            persist_state="session",
            format_func=lambda one: known[one].label,
            help="Runs of other data, another split or another protocol were asked other questions, so they get a table of their own.",
        )
    else:
        key = grounds[0].key
    chosen = known[str(key)]
    frame.link(on=chosen.key)
    alone = "" if len(grounds) > 1 else f"**{chips.text(chosen.label)}.** "
    others = f" {len(grounds) - 1} more with runs of their own: numbers of different data or splits are never put in one table."
    st.caption(alone + chips.text(chosen.rules) + (others if len(grounds) > 1 else ""))
    return chosen


def _runs(ground: Ground) -> list[str]:
    held = "compare_runs"
    wanted = [name for name in dict.fromkeys((frame.linked("runs") or "").split(",")) if name]  # a box refuses what stands twice
    kept = [name for name in st.session_state.get(held, []) if name in ground.runs]
    if not kept:
        kept = [name for name in wanted if name in ground.runs] or list(ground.usual)
        lost = [name for name in wanted if name not in ground.runs]
        if lost:
            said = f"No finished run on this data and split is called {lost[0]!r:.100}; the others are shown."
            st.warning(chips.text(said), icon=":material/info:")
    if st.session_state.get(held) != kept:
        st.session_state[held] = kept
    chosen = st.multiselect(
        "Runs",
        list(ground.runs),
        key=held,
        persist_state="session",
        placeholder="choose runs",
        help="Finished runs on this data and split; at first the newest of each scheme.",
    )
    if not chosen:
        chosen = list(ground.usual)[:1]
        st.caption(chips.text(f"Nothing chosen: showing {chosen[0]}, beside the baselines."))
    frame.link(runs=",".join(chosen) if tuple(chosen) != ground.usual else None)
    return list(chosen)


def _baselines(offers: Sequence[Offer]) -> list[str]:
    held, known = "compare_baselines", {one.name: one for one in offers}
    quick = [one.name for one in offers if one.quick]
    if held not in st.session_state or not set(st.session_state[held]) <= set(known):
        asked = frame.linked("baselines")
        st.session_state[held] = quick if asked is None else [name for name in dict.fromkeys(asked.split(",")) if name in known]
    chosen = list(st.session_state[held])
    options = [one.name for one in offers if one.quick or one.kept or one.name in chosen]
    chosen = st.multiselect(
        "Baselines",
        options,
        key=held,
        persist_state="session",
        format_func=lambda name: known[name].title,
        placeholder="none",
        help="Classical recommenders with their default settings, fitted on the same training interactions.",
    )
    frame.link(baselines=",".join(chosen) if list(chosen) != quick else None)
    return list(chosen)


def _trained(offers: Sequence[Offer], chosen: Sequence[str]) -> None:
    """Baselines that must be trained come when somebody asks, with what it takes said before."""
    rest = [one for one in offers if not one.quick and not one.kept and one.name not in chosen]
    if not rest:
        return
    with st.popover(
        "Train a baseline", icon=":material/add:", type="tertiary", help="Strong baselines that need training first.", key="more"
    ):
        st.caption("Fitted on this machine beside the page, once; you can go on meanwhile. Scaled from MovieLens-100K on two cores.")
        for one in rest:
            st.button(
                f"{one.title} · {told(one.seconds)}",
                key=f"train_{one.name}",
                on_click=_on_train,
                args=(one.name,),
                width="stretch",
                help=f"Fit {one.title} and put it into the table.",
            )


def _on_train(name: str) -> None:
    st.session_state["compare_baselines"] = [*st.session_state.get("compare_baselines", []), name]


def _switch(label: str, key: str, name: str, options: dict[str, str], meaning: str) -> str:
    if st.session_state.get(key) not in options:
        asked = frame.linked(name)
        st.session_state[key] = asked if asked in options else next(iter(options))
    chosen = st.segmented_control(
        label, list(options), key=key, required=True, persist_state="session", format_func=options.__getitem__, help=meaning
    )
    frame.link(**{name: str(chosen) if chosen != next(iter(options)) else None})
    return str(chosen)


def metric(ground: Ground) -> str:
    """The metric of charts and differences; the protocol's headline unless another is chosen."""
    held = "compare_metric"
    if st.session_state.get(held) not in ground.metrics:
        asked = frame.linked("metric")
        st.session_state[held] = asked if asked in ground.metrics else next(iter(ground.metrics))
    chosen = st.selectbox(
        "Metric",
        list(ground.metrics),
        key=held,
        persist_state="session",
        width=160,
        format_func=ground.metrics.__getitem__,
        help="What is measured: of the protocol's own metrics, the headline first.",
    )
    frame.link(metric=str(chosen) if chosen != next(iter(ground.metrics)) else None)
    return str(chosen)


def reference(names: Sequence[str], titles: dict[str, str], now: str) -> None:
    """Whom the others are compared with; a change runs the page again, as the table stands above."""
    held = "compare_against"
    asked = frame.linked("against")
    st.session_state[held] = asked if asked in names else now  # nobody chose: it follows the table, which may still grow
    st.selectbox(
        "Against",
        list(names),
        key=held,
        width=320,
        format_func=titles.__getitem__,
        on_change=_on_reference,
        help="The others are compared with this one, user by user.",
    )


def _on_reference() -> None:
    frame.link(against=st.session_state["compare_against"])
