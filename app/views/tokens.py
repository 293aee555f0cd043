"""Tokens: the map of users and items, coloured by coarse Token, and the inspector of one point or one Token."""

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from llmrec.ids.lookup import written

frame.head(
    "Tokens",
    "Every point is a user or an item. Points that behave alike lie together, and share the coloured Token their name begins with. "
    "Click one to see its name.",
)
run = frame.need_run()
backend = shared.backend()
nodes: dict[str, str] = {}
with frame.told():
    nodes = backend.names().nodes(run)
if not nodes:
    st.stop()


def from_address() -> str | None:
    """The node that the address asks for."""
    for side in ("item", "user", "token"):
        key = frame.linked(side)
        if key is not None:
            return f"{side}:{key}"
    return None


def choose(node: str | None, searched: bool) -> None:
    """Take a node into hand. Only a search moves the ring on the map: a new figure would lose the zoom of whoever clicked."""
    st.session_state["node"] = node
    if searched:
        st.session_state["focus"] = node
    for side in ("item", "user", "token"):
        mine = node is not None and node.startswith(f"{side}:")
        frame.link(**{side: node.partition(":")[2] if mine else None})


def on_find() -> None:
    choose(st.session_state["find"], searched=True)


def on_click() -> None:
    points = st.session_state["atlas"]["selection"]["points"]
    if points:
        side, index = points[0]["customdata"][:2]
        clicked = backend.card(run, side, int(index)).node
        st.session_state["find"] = clicked
        choose(clicked, searched=False)


def on_link(key: str) -> None:
    picked = st.session_state.get(key)
    if picked:
        st.session_state["find"] = picked
        choose(picked, searched=True)


asked = from_address()
if st.session_state.get("node") not in nodes:
    st.session_state["node"] = asked if asked in nodes else None
    st.session_state["focus"] = st.session_state["node"]
    if asked and asked not in nodes:
        said = f"This run knows no {asked.replace(':', ' ', 1)!r:.100}: search for a title, a key or a Token below."
        st.warning(chips.text(said), icon=":material/info:")
found = st.session_state.get("find")
# a first visit, or another run with other data; set idly it would wipe what is being typed
if found not in nodes and found != st.session_state["focus"]:
    st.session_state["find"] = st.session_state["focus"]

st.selectbox(
    "Find",
    list(nodes),
    index=None,
    format_func=nodes.__getitem__,
    key="find",
    on_change=on_find,
    persist_state="session",
    placeholder="a title, a user's key, or a Token such as <c3>",
    help="Type part of a title, a key or a Token; the map rings what you choose.",
)
node = st.session_state.get("node")
chart, side = st.columns([3, 2], gap="medium")


def draw() -> None:
    """The map with its quality beside it."""
    atlas = backend.maps().atlas(run, st.session_state.get("focus"), frame.dark())
    if atlas.trouble:
        st.warning(chips.text(atlas.trouble), icon=":material/info:")
    st.plotly_chart(
        atlas.figure,
        key="atlas",
        theme=None,
        on_select=on_click,
        selection_mode="points",
        config=frame.chart("map", scrollZoom=True),
        alt=f"{atlas.how} map of users and items",
    )
    st.caption(chips.text(f"{atlas.how} of the original vectors. {atlas.note}"))
    if atlas.quality:
        with st.container(horizontal=True, key="quality"):
            for label, value, meaning in atlas.quality:
                st.metric(label, f"{value:.3f}", help=meaning, width="content")
    frame.twin("map", atlas.table, "Coordinates and names of every point")


@st.fragment(run_every=2.0)
def waiting() -> None:
    """The quick map now; one full rerun when the better one is there."""
    atlas = backend.maps().atlas(run, st.session_state.get("focus"), frame.dark())
    if not atlas.waiting:
        st.rerun()
    st.caption(":material/hourglass_top: UMAP is being computed beside this page; until it is there you see PCA.")


with chart, frame.told():
    if backend.maps().atlas(run, st.session_state.get("focus"), frame.dark()).waiting:
        waiting()
    draw()


def pills(label: str, options: dict[str, str], key: str, meaning: str) -> None:
    """Names to click on; each takes that node into hand."""
    if options:
        st.session_state[key] = None
        st.pills(label, list(options), format_func=options.__getitem__, key=key, on_change=on_link, args=(key,), help=meaning)


def inspector(name: str) -> None:
    """One item or user: its name, its card, whom it shares Tokens with, and its nearest."""
    seen = backend.names().inspect(run, name)
    card = seen.card
    kind = {"item": "item", "user": "user", "token": "Token"}[card.side]
    facts = chips.text(" · ".join(x for x in (kind, "" if card.side == "token" else f"key {card.key}", *card.genres, *card.facts) if x))
    title = chips.text(chips.label(card))
    frame.html(f'<div class="lm-card"><h3>{title}</h3><span class="facts">{facts}</span>{chips.chips(card, big=True)}</div>')
    if card.side == "item":
        st.page_link(
            "views/recommend.py", label="Recommend from here", icon=":material/thumb_up:", query_params={"run": run, "item": card.key}
        )
    labels = [*(chips.text(s.token) for s in seen.shared), *(["Nearest"] if seen.neighbours else [])]
    if not labels:
        st.caption("This name is text: the model reads it by its own subwords, and nobody shares a Token of it.")
        return
    tabs = st.tabs(labels)
    for tab, shared_by in zip(tabs, seen.shared, strict=False):
        with tab:
            st.caption(f"{shared_by.n_items} items and {shared_by.n_users} users carry this Token.")
            if card.side == "token" and seen.genres:
                st.caption(chips.text("Most frequent genres: " + ", ".join(f"{genre} ({count})" for genre, count in seen.genres)))
            frame.html(chips.listing((chips.row(c) for c in shared_by.items[:30]), "No item carries it."))
            if shared_by.users:
                frame.html('<p class="quiet">Users: ' + ", ".join(chips.text(c.key) for c in shared_by.users[:60]) + "</p>")
    if seen.neighbours:
        with tabs[-1]:
            st.caption("By cosine in the original vectors, before anything was flattened to two dimensions.")
            frame.html(chips.listing(chips.row(n.card, str(i), f"{n.cosine:.2f}") for i, n in enumerate(seen.neighbours, 1)))
            table = pd.DataFrame(
                [
                    {
                        "rank": i,
                        "side": n.card.side,
                        "key": n.card.key,
                        "title": n.card.title,
                        "cosine": n.cosine,
                        "name": written(n.card.pieces),
                    }
                    for i, n in enumerate(seen.neighbours, 1)
                ]
            )
            frame.download(f"nearest-{card.key}", table, "csv_nearest")


with side, st.container(key="inspector"):
    if node is None:
        frame.html('<div class="lm-card"><h3>Nothing chosen yet</h3><span class="facts">Click a point, or search above.</span></div>')
        tokens = {k: v for k, v in nodes.items() if k.startswith("token:")}
        pills("Or start from a Token", dict(list(tokens.items())[:24]), "start_token", "Everyone whose name begins with this Token.")
    else:
        with frame.told():
            inspector(node)
