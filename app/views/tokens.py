"""Tokens: the map of users and items, coloured by coarse Token, and the inspector of one point or one Token."""

import streamlit as st

from app import chips, frame, shared
from app.tokens import hand, inspector

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


def on_click() -> None:
    points = st.session_state["atlas"]["selection"]["points"]
    if points:
        side, index = points[0]["customdata"][:2]
        hand.take(backend.card(run, side, int(index)).node, ring=False)


asked = hand.asked()
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
    on_change=lambda: hand.take(st.session_state["find"]),
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


with side, st.container(key="inspector"):
    if node is None:
        frame.html('<div class="lm-card"><h3>Nothing chosen yet</h3><span class="facts">Click a point, or search above.</span></div>')
        tokens = {k: v for k, v in nodes.items() if k.startswith("token:")}
        hand.pills("Or start from a Token", dict(list(tokens.items())[:24]), "start_token", "Everyone whose name begins with this Token.")
    else:
        with frame.told():
            inspector.show(run, node)
