"""A data set on the page: which one, its counts and charts, one user's history, one item's takers. Streamlit code.

Where it stands: under `views/data`. What it does not know: where data comes from; the intake room says.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, picking, shared
from app.seam.intake import DataSet, Wait
from app.train import new_run

KINDS = {"run": "of the run in hand", "named": "by name", "own": "imported"}


def begin(parts: dict[str, str]) -> None:
    """An address that names a user or an item, and no part, opens that part. What another page of this session wrote there does not."""
    if "show" not in st.query_params:
        named = next((name for name in ("user", "item") if _followed(name)), None)
        if named in parts:
            st.session_state["section_show"] = named


def _followed(name: str) -> bool:
    """Whether a link brought this value, and not this session itself."""
    fresh = st.query_params.get(name)
    return fresh is not None and fresh != st.session_state.get(f"_link_{name}")


def picker() -> str | None:
    """Choose the data set; `?data=` in the address does too. None where there is nothing to choose from."""
    chosen: str | None = None
    with frame.told():
        sets = {s.name: s for s in shared.backend().intake().sets(frame.run())}
        wanted = frame.linked("data") or ""
        if st.session_state.get("data_set") not in sets:
            st.session_state["data_set"] = wanted if wanted in sets else next(iter(sets))
        if wanted and wanted not in sets and wanted != st.session_state.get("_data_refused"):
            st.session_state["_data_refused"] = wanted
            st.toast(chips.text(f"There is no data set {wanted!r:.100} on this machine; showing another."))
        name = st.selectbox(
            "Data set",
            list(sets),
            key="data_set",
            persist_state="session",
            width=320,
            format_func=lambda n: f"{sets[n].title} · {KINDS[sets[n].kind]}" if n in sets else str(n),
            help="What to look at: the data of the run in hand, a data set by name, or one that was imported on this machine.",
        )
        frame.link(data=name or None)
        st.session_state["_data_about"] = sets[name]
        chosen = str(name)
    return chosen


def show(part: str, data: str) -> None:
    """The part of the page that was chosen, or how far reading is."""
    with frame.told():
        waiting = shared.backend().intake().waiting(frame.run(), data)
        if waiting is not None:
            _wait(data)
            return
        with st.spinner("Reading the data …"):
            {"glance": _glance, "user": _user, "item": _item}[part](data)


@st.fragment(run_every=1.0)
def _wait(data: str) -> None:
    with frame.told():
        waiting = shared.backend().intake().waiting(frame.run(), data)
        if waiting is None:
            st.rerun()
        else:
            progress(waiting)


def progress(waiting: Wait) -> None:
    """Something that is read elsewhere, as a line."""
    said = f"{waiting.stage} · {frame.clock(waiting.seconds)}"
    if waiting.ahead:
        said = f"{waiting.stage} · waits for {waiting.ahead} other piece{'s' if waiting.ahead > 1 else ''} of work"
    st.progress(waiting.share or 0.0, text=chips.text(said))


def _glance(data: str) -> None:
    about: DataSet = st.session_state["_data_about"]
    overview = shared.backend().intake().overview(frame.run(), data, frame.dark())
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="data_head"):
        with st.container(width="stretch"):
            st.header(chips.text(overview.name), anchor=False)
            if about.about:
                st.caption(chips.text(about.about))
        _acts(about)
    with st.container(horizontal=True, key="counts"):
        for label, value, meaning in overview.counts:
            st.metric(label, value, help=meaning, border=True)
    if overview.notes:
        with st.expander(
            f"What was repaired or left out: {len(overview.notes)}", icon=":material/build:", expanded=len(overview.notes) <= 3
        ):
            for note in overview.notes:
                st.markdown(f"- {chips.text(note)}")
    left, right = st.columns(2, gap="large")
    for number, exhibit in enumerate(overview.exhibits):
        with (left, right)[number % 2]:
            frame.exhibit(exhibit)


def _acts(about: DataSet) -> None:
    """What can be done with a set: train on it, or throw one's own away."""
    if about.kind == "run":
        return
    with st.container(horizontal=True, width="content", key="data_acts"):
        if st.button(
            "Train on this data",
            key="train_on",
            icon=":material/model_training:",
            type="primary",
            help="Opens Train with a recipe on it.",
        ):
            take(about.name)
        if about.kind == "own":
            with st.popover("Delete", icon=":material/delete:", help="Throw this data set away; asks first."):
                _deleting(about.name)


def take(data: str) -> None:
    """Hand a recipe on this set to the Train page, in the smallest preset."""
    workshop, room = shared.backend().workshop(), shared.backend().intake()
    with frame.told():
        new_run.take(workshop.changed(workshop.plan(room.recipe(data)), {"preset": "sketch"}))
        st.session_state["part"] = "new"
        st.switch_page("views/train.py")


def _deleting(data: str) -> None:
    runs = shared.backend().intake().readers(data)
    st.markdown(f"Delete **{chips.text(data)}** from this machine? The files it was made of stay where you have them.")
    if runs:
        st.warning(chips.text(f"These runs learned from it and cannot be opened without it: {', '.join(runs)}."), icon=":material/warning:")
    st.button("Delete it", key="delete_data", type="primary", on_click=_on_delete, args=(data,), help="This cannot be undone.")


def _on_delete(data: str) -> None:
    with frame.told():
        st.toast(chips.text(shared.backend().intake().delete(data)), icon=":material/delete:")
        st.session_state.pop("data_set", None)
        frame.link(data=None)


def _user(data: str) -> None:
    backend, run = shared.backend(), frame.run()
    keys = backend.intake().users(run, data)
    wanted = frame.linked("user")
    if not keys:
        st.info("This data set has no users.", icon=":material/info:")
        return
    if "data_user" not in st.session_state or (wanted and _followed("user")):
        st.session_state["data_user"] = wanted
    picking.settle(keys, "data_user")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = picking.user("User", keys, "data_user", 220)
        words = st.text_input(
            "Search in this history",
            key="data_search",
            type="search",
            width=320,
            placeholder="a title, a year or a genre",
            help="Keep the lines that hold these words.",
        )
    frame.link(user=key)
    history = backend.intake().history(run, data, key)
    _table(
        history,
        words,
        "history",
        f"History of user {key}",
        "newest last. The part says what each is for: learned from, chosen by, or held out.",
    )
    if run is not None and not data:
        user = backend.card(run, "user", keys.index(key))
        frame.html(f"<p>In this run the model calls user {chips.text(key)} &nbsp;{chips.chips(user)}</p>")


def _table(table: pd.DataFrame, words: str, name: str, title: str, said: str) -> None:
    kept = frame.matching(table, words)
    if kept.empty:
        missed = f"Nothing here matches {words!r:.100}: clear the search to see all {len(table)} lines."
        st.info(chips.text(missed), icon=":material/search_off:")
        return
    st.caption(f"{len(kept):,} of {len(table):,} interactions, {said}")
    st.dataframe(kept, hide_index=True, key=name, alt=title, height=420)
    frame.download(title, kept, f"csv_{name}")


def _item(data: str) -> None:
    room, run = shared.backend().intake(), frame.run()
    wanted, followed = frame.linked("item"), _followed("item")
    if followed:
        st.session_state["data_item_words"] = ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Find an item",
            key="data_item_words",
            type="search",
            width=320,
            placeholder="words of its title, or its year",
            help="Items whose title holds every one of these words, the most taken first.",
        )
        found = dict(room.find(run, data, words))
        if not words and wanted and wanted not in found:
            with frame.told():
                found = {wanted: room.takers(run, data, wanted)[0], **found}
        if st.session_state.get("data_item") not in found or (followed and wanted in found):
            st.session_state["data_item"] = wanted if wanted in found else next(iter(found), None)
        key = st.selectbox(
            "Item",
            list(found),
            key="data_item",
            persist_state="session",
            width=420,
            format_func=lambda k: found.get(k, str(k)),
            help="The items found, the most taken first.",
        )
    if not found:
        st.info(chips.text(f"No title holds {words!r:.100}: try fewer words."), icon=":material/search_off:")
        return
    frame.link(item=key)
    title, takers = room.takers(run, data, key)
    st.subheader(chips.text(title), anchor=False)
    _table(takers, "", "takers", f"Who took {title}", "first to last.")
