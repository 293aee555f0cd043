"""Two runs on one layout with what moved between them (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.MapsLike.change`. What it does not know: how movement is measured.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from app.seam.maps import Change, Lay
from app.tokens import find_part, hand, lay_part, pointing
from llmrec.report import spreadsheet

CHART = "both"


def hear(run: str) -> None:
    """Take what was clicked since the page last looked. Called before any widget of the page is made."""
    done = pointing.news(CHART)
    if done is not None and done.point is not None:
        hand.take(shared.backend().card(run, *done.point).node, ring=False)  # type: ignore[arg-type]


def show(run: str) -> None:
    """The whole part."""
    other = find_part.other()
    if other is None:
        st.info(
            "Choose a second run above, under **Compare with**: both are drawn on one map, and what changed company most is listed.",
            icon=":material/compare_arrows:",
        )
        return
    lay = lay_part.chosen()
    change = shared.backend().maps().change(run, other, st.session_state.get("focus"), frame.dark(), lay)
    for note in change.notes:
        st.caption(chips.text(f"{note[:1].upper()}{note[1:]}."))
    if change.waiting:
        _waiting(run, other, lay, change.figure is None)
    if change.figure is None:
        return
    pointing.drawn(CHART, (run, other, lay, change.how, st.session_state.get("focus"), frame.dark()))
    st.plotly_chart(
        change.figure,
        key=CHART,
        theme=None,
        on_select="rerun",
        selection_mode="points",
        config=frame.chart("moved", scrollZoom=True),
        alt="The same map twice, in the colours of either run's first Tokens",
    )
    st.caption(
        f"Both maps are the {change.how} of the first run's vectors, laid out as chosen on Map: zoom one and the other follows. "
        "Click a point to see it below."
    )
    _points(run, other, lay)
    _listed(run, change)
    _agreement(change)
    if change.flow is not None:
        frame.exhibit(change.flow)
    else:
        st.caption("There is no flow to draw: the names of one of these runs do not begin with a Token that items share.")


def _points(run: str, other: str, lay: Lay) -> None:
    """Every point of the map with both of its names, as a file: made when it is asked for, there may be many."""
    st.download_button(
        "Points as CSV",
        lambda: spreadsheet.to_csv(points(run, other, lay)),
        file_name=f"moved-{run}-{other}.csv",
        mime="text/csv",
        key="csv_moved_points",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
        help="Where each point lies, and what either run calls it.",
    )


def points(run: str, other: str, lay: Lay) -> pd.DataFrame:
    """Coordinates of every point, its name in the first run, and in the other ("" where that names it not)."""
    here = shared.backend().maps().coordinates(run, lay)
    there = shared.backend().names().listed(other, None)[["side", "key", "name"]]
    both = here.merge(there, on=["side", "key"], how="left", suffixes=(" here", " there")).fillna({"name there": ""})
    return both.rename(columns={"name here": f"name in {run}", "name there": f"name in {other}"})


@st.fragment(run_every=1.0)
def _waiting(run: str, other: str, lay: Lay, empty: bool) -> None:
    """The quick layout now; one full rerun when the better one is there. empty: not even that is."""
    with frame.told():
        change = shared.backend().maps().change(run, other, st.session_state.get("focus"), frame.dark(), lay)
        if not change.waiting or (empty and change.figure is not None):
            st.rerun()
        said = (
            f"A space of walks is being made, once ({change.waiting})."
            if empty
            else f"UMAP is being made ({change.waiting}); until then you see PCA."
        )
        st.caption(f":material/hourglass_top: {chips.text(said)}")


def _listed(run: str, change: Change) -> None:
    """The items that moved most at the left, the one in hand at the right."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("What moved most", anchor=False)
        st.caption("By their first piece. A row takes the item in hand; the map rings it.")
        st.dataframe(
            change.table,
            hide_index=True,
            key="moved_rows",
            on_select=lambda: _on_row(change.nodes),
            selection_mode="single-row",
            height=430,
            alt="The items whose companions changed most",
            column_config={
                "title": st.column_config.TextColumn(pinned=True, width=170),
                "moved": st.column_config.ProgressColumn(
                    min_value=0,
                    max_value=1,
                    format="percent",
                    help="Share of its companions in either run that are not its companions in both.",
                ),
                "kept": st.column_config.NumberColumn(width=50, help="Companions it has in both runs."),
                "lost": st.column_config.NumberColumn(width=50, help="Companions of the first run alone."),
                "new": st.column_config.NumberColumn(width=50, help="Companions of the second run alone."),
            },
        )
        frame.download("moved", change.table, "csv_moved")
    with right, st.container(key="inspector_low"), frame.told():
        node = hand.held()
        if node is None:
            frame.html(
                '<div class="lm-card"><h3>Nothing chosen yet</h3><span class="facts">Click a point of either map, or a row.</span></div>'
            )
        else:
            from app.tokens import inspector

            inspector.show(run, node)


def _on_row(nodes: tuple[str, ...]) -> None:
    rows = st.session_state["moved_rows"]["selection"]["rows"]
    if rows and rows[0] < len(nodes):
        hand.take(nodes[rows[0]])


def _agreement(change: Change) -> None:
    st.subheader("How far the two agree, level by level", anchor=False)
    st.caption(
        "Both numbers compare two ways of grouping the same items, however the groups are called. Mutual information: 0 where one says "
        "nothing of the other, 1 where they are the same; it is high for any two that cut into many small groups. "
        "Rand index: corrected for that, 0 by chance, 1 where they are the same."
    )
    st.dataframe(
        change.agreement,
        hide_index=True,
        key="levels",
        alt="Agreement of the two runs' names, level by level",
        height=min(320, 38 + 35 * max(1, len(change.agreement))),
        column_config={
            "mutual information": st.column_config.NumberColumn(format="%.3f", help="Normalised mutual information, 0 to 1."),
            "Rand index": st.column_config.NumberColumn(format="%.3f", help="Adjusted Rand index: 0 by chance, 1 where they are the same."),
        },
    )
    frame.download("levels", change.agreement, "csv_levels")
