"""The map of the Tokens page with its inspector beside it and the table of what was drawn around below (Streamlit code).

Where it stands: a part of the page, over `seam.MapsLike`. What it does not know: how areas, layouts and names are worked out.

A click or a lasso leaves the figure as it is, so that zoom and colours stay; only a search, a link or a row of the table draws it anew,
with a ring.
"""

from __future__ import annotations

import streamlit as st

from app import chips, frame, shared
from app.seam.maps import Area, Atlas, Lay
from app.tokens import hand, lasso, lay_part, pointing

CHART = "atlas"


def hear(run: str) -> None:
    """Take what was clicked or drawn since the page last looked. Called before any widget of the page is made."""
    done = pointing.news(CHART)
    if done is None:
        return
    if done.point is not None:
        hand.take(shared.backend().card(run, *done.point).node, ring=False)  # type: ignore[arg-type]
    else:
        frame.link(area=lasso.to_address(str(st.session_state.get("_shown", "")), done.areas))


def show(run: str, nodes: dict[str, str]) -> None:
    """The whole part."""
    chart, side = st.columns([3, 2], gap="medium")
    lay = lay_part.chosen()
    areas: tuple[Area, ...] = ()
    with chart, frame.told():
        lay_part.controls(lay)
        atlas = _atlas(run, lay)
        if atlas.figure is None:  # nothing of this run's space is there: neither map nor nearness
            _waiting(run, lay, True)
            return
        areas = _areas(run, lay, atlas)
        if atlas.waiting:
            _waiting(run, lay, False)
        _draw(run, lay, atlas, areas)
    with side, st.container(key="inspector"), frame.told():
        _inspector(run, nodes)
    with frame.told():
        _table(run, lay, areas)
    with frame.told():
        _twin(run, lay, atlas)


def _atlas(run: str, lay: Lay, outline: tuple[Area, ...] = ()) -> Atlas:
    return shared.backend().maps().atlas(run, st.session_state.get("focus"), frame.dark(), lay, outline)


def _areas(run: str, lay: Lay, atlas: Atlas) -> tuple[Area, ...]:
    """The areas of the address, for as long as this is the map they were drawn on."""
    st.session_state["_shown"] = atlas.how
    before, now = st.session_state.get("_area_of"), (run, lay)
    st.session_state["_area_of"] = now
    written = frame.linked("area")
    if before not in (None, now) or (written and not atlas.waiting and not lasso.from_address(written, atlas.how)):
        frame.link(area=None)
        return ()
    return lasso.from_address(written, atlas.how)


def _outlined(run: str, lay: Lay, atlas: Atlas, areas: tuple[Area, ...]) -> Atlas:
    """The figure to draw. An area drawn by hand is there already; one out of the address, or of a figure before this, is drawn into it."""
    new = pointing.drawn(CHART, (run, lay, atlas.how, st.session_state.get("focus"), frame.dark()))
    outline = st.session_state.get("_outline", ())
    if new or (outline and outline != areas):
        st.session_state["_outline"] = outline = areas
    return _atlas(run, lay, outline) if outline else atlas


def _draw(run: str, lay: Lay, atlas: Atlas, areas: tuple[Area, ...]) -> None:
    if atlas.trouble:
        st.warning(chips.text(atlas.trouble), icon=":material/info:")
    st.plotly_chart(
        _outlined(run, lay, atlas, areas).figure,
        key=CHART,
        theme=None,
        on_select="rerun",
        selection_mode=("points", "lasso", "box"),
        config=frame.chart("map", scrollZoom=True),
        alt=f"{atlas.how} map of users and items",
    )
    st.caption(chips.text(f"Dots are items, diamonds are users. {atlas.note}"))
    lay_part.quality(atlas.quality, lay)


@st.fragment(run_every=1.0)
def _waiting(run: str, lay: Lay, empty: bool) -> None:
    """The quick map now; one full rerun when the better one is there. empty: not even the quick one is."""
    with frame.told():
        atlas = _atlas(run, lay)
        if not atlas.waiting or (empty and atlas.figure is not None):
            st.rerun()
        said = f"UMAP is being made beside this page ({atlas.waiting}); until it is there you see PCA."
        if empty:
            said = f"This scheme names without vectors. A space of walks to show its names in is being made, once ({atlas.waiting})."
        st.caption(f":material/hourglass_top: {chips.text(said)}")


def _inspector(run: str, nodes: dict[str, str]) -> None:
    node = hand.held()
    if node is not None:
        from app.tokens import inspector

        inspector.show(run, node)
        return
    frame.html(
        '<div class="lm-card"><h3>Nothing chosen yet</h3><span class="facts">Click a point, search above, or draw around many with the '
        "lasso of the map&#39;s own bar.</span></div>"
    )
    tokens = {k: chips.text(v) for k, v in nodes.items() if k.startswith("token:")}
    hand.pills("Or start from a Token", dict(list(tokens.items())[:24]), "start_token", "Everyone whose name begins with this Token.")


def _table(run: str, lay: Lay, areas: tuple[Area, ...]) -> None:
    if not areas:
        return
    chosen = shared.backend().maps().within(run, lay, areas)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="area"):
        st.subheader(f"{len(chosen):,} inside what you drew", anchor=False)
        if st.button("Forget it", icon=":material/close:", type="tertiary", key="area_forget", help="Close this table; the map stays."):
            frame.link(area=None)
            st.rerun()
    if not chosen:
        st.caption("Nobody lies there: draw around some points.")
        return
    from app.tokens import selection

    selection.show(run, chosen)


def _twin(run: str, lay: Lay, atlas: Atlas) -> None:
    drawn = "Coordinates and names of every point"
    if len(atlas.table) < atlas.points:
        st.caption(f"The table below has the {len(atlas.table):,} points that are drawn; draw around any with the lasso for all of them.")
        drawn = "Coordinates and names of the points that are drawn"
    frame.twin("map", atlas.table, drawn)
