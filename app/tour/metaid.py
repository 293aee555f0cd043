"""The part "META ID" of the Tour: walk the graph, watch the space form, move K. Streamlit draws here.

Where it stands: under `views/tour`. What it does not know: how walks, vectors and clusters are made.
"""

from __future__ import annotations

import streamlit as st

from app import chips, frame, shared
from app.seam import Card
from app.seam.tour import Clusters, Making
from app.tour import eight, rows

SAYS = (
    "META ID walks from people to what they took and on to others who took it, lets a skip-gram turn walks into vectors, cuts the space "
    "into K clusters, and names everybody by a cluster and a rank in it."
)
STEPS = {"walk": "1 · Walk the graph", "space": "2 · A space forms", "k": "3 · Move K"}


def show(run: str | None) -> None:
    """All of it."""
    frame.html(
        rows.hero(
            "Named by the company it keeps",
            SAYS,
        )
    )
    step = frame.sections("Step", STEPS, "step", "The three steps from interactions to META ID's names.")
    if step == "walk":
        _walk(run)
    elif step == "space":
        _space(run)
    else:
        _clusters(run)


def _walk(run: str | None) -> None:
    tour = shared.backend().tour()
    people = tour.people(run)
    if not people:
        st.info("Nobody took anything here, so there is nothing to walk on: load other data on the **Data** page.", icon=":material/info:")
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        wanted = frame.linked("user")
        if st.session_state.get("tour_user") not in people:
            st.session_state["tour_user"] = wanted if wanted in people else people[0]
        key = st.selectbox(
            "Start from user", people, key="tour_user", persist_state="session", help="A user's key in the source; type to find one."
        )
        seed = _seed()
        st.button(
            "Walk again",
            key="walk_again",
            icon=":material/directions_walk:",
            type="primary",
            on_click=_again,
            help="The same start, other turns: the next seed.",
        )
        st.caption(f"Seed {seed}. The address keeps user and seed.")
        frame.link(user=key, walk=str(seed))
        seen = tour.walk(run, key, seed, frame.dark())
        st.metric(
            "Pairs it teaches",
            f"{seen.pairs:,}",
            help="Pairs of nodes of this one walk that lie within the window: for each, the skip-gram pulls two vectors together.",
        )
        st.caption(
            f"In META ID's recipe every user and every item starts {seen.per_node:,} such walk{'s' if seen.per_node != 1 else ''}. "
            "Who is often met on the same walks ends up near in the space."
        )
    with right:
        frame.exhibit(seen.exhibit)


def _seed() -> int:
    told = frame.linked("walk") or "0"
    return int(told) % 100_000 if told.isascii() and told.isdigit() else 0


def _again() -> None:
    frame.link(walk=str(_seed() + 1))


def _space(run: str | None) -> None:
    card = _item(run)
    seen = shared.backend().tour().forming(run, card.index, frame.dark())
    if seen.exhibit is None:
        _forming(run, card)
        return
    frame.exhibit(seen.exhibit)


def _item(run: str | None) -> Card:
    """The item in hand, the same as on the first part of the page."""
    with st.container(key="story_item", width=340):
        return eight.chosen(run)


@st.fragment(run_every=1.0)
def _forming(run: str | None, card: Card) -> None:
    with frame.told():
        seen = shared.backend().tour().forming(run, card.index, frame.dark())
        if seen.exhibit is not None:
            st.rerun()
        _made(seen.making, "The skip-gram reads real walks on this data, and stops eight times to look")


def _clusters(run: str | None) -> None:
    card = _item(run)
    tour = shared.backend().tour()
    first = tour.clusters(run, card.index, _asked(), frame.dark())
    if first.exhibit is None:
        _clustering(run, card)
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        wanted = _asked()
        k = _k(first, wanted)
        frame.link(k=str(k))
        seen = first if k == (wanted or first.own) else tour.clusters(run, card.index, k, frame.dark())
        assert seen.name is not None and seen.exhibit is not None and seen.near is not None
        frame.html(f'<div class="t-hero"><p>{chips.text(chips.label(card))} is called</p>{rows.name(seen.name)}</div>')
        frame.html(f'<p class="t-says">{chips.text(seen.says)}</p>')
        with st.container(horizontal=True, key="k_numbers"):
            for label, value, meaning in seen.numbers:
                st.metric(label, value, help=meaning, width="content")
        _nearest(seen, card.key)
    with right:
        frame.exhibit(seen.exhibit)


def _k(first: Clusters, wanted: int | None) -> int:
    """K, from the slider or the address; a link to another K than the one in hand is followed."""
    if first.most <= 2:
        st.caption("So few items have a vector here that there is no K but 2.")
        return 2
    followed = wanted is not None and st.query_params.get("k") not in (None, st.session_state.get("_link_k"))
    if followed or not 2 <= st.session_state.get("tour_k", 0) <= first.most:
        st.session_state["tour_k"] = min(wanted or first.own, first.most)
    return int(
        st.slider(
            "K, the number of clusters",
            2,
            first.most,
            key="tour_k",
            persist_state="session",
            help="Where its recipe sets no K, META ID takes three times the cube root of how many it clusters. "
            f"Its own names have K = {first.own} here.",
        )
    )


def _nearest(seen: Clusters, key: str) -> None:
    """Who is near the item in the space, and whom this K takes from it or brings."""
    assert seen.near is not None
    st.subheader("Its nearest in the space", anchor=False)
    about = f"“came” and “left” compare with META ID's own K = {seen.own}: who is in its cluster now and was not then, or was and is not."
    st.caption(chips.text(about))
    st.dataframe(seen.near, hide_index=True, key="table_near", alt="The item's nearest and who is in its cluster")
    frame.download(f"nearest-{key}", seen.near, "csv_near")


def _asked() -> int | None:
    """The K of the address; nothing where it asks for less than two clusters, or for no number."""
    told = frame.linked("k") or ""
    k = int(told) if told.isascii() and told.isdigit() and len(told) < 7 else 0
    return k if k >= 2 else None


@st.fragment(run_every=1.0)
def _clustering(run: str | None, card: Card) -> None:
    with frame.told():
        seen = shared.backend().tour().clusters(run, card.index, _asked(), frame.dark())
        if seen.exhibit is not None:
            st.rerun()
        _made(seen.making, "META ID's vectors are fitted on this data first")


def _made(given: Making | None, what: str) -> None:
    """How far something is that is computed beside the page."""
    if given is not None and given.trouble:
        st.warning(chips.text(f"It could not be made: {given.trouble}"), icon=":material/info:")
        return
    stage = "waiting for its turn" if given is None or not given.stage else given.stage
    with st.container(border=True, key="making"):
        st.markdown(f"**{chips.text(what)}**")
        st.progress(min(1.0, max(0.0, (given.share if given else None) or 0.0)), text=chips.text(stage))
        st.caption("It takes some seconds, once; it is kept on this machine.")
