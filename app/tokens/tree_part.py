"""The names of a run as a tree: a sunburst or a treemap, and who stands below the branch that was clicked (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`. What it does not know: how names are read.
"""

from __future__ import annotations

import streamlit as st

from app import chips, frame, shared
from app.seam.names import Tree
from app.seam.values import Trouble
from app.tokens import hand

SHAPES = {"sunburst": "Sunburst", "treemap": "Treemap"}
SIZES = {"bearers": "Sized by bearers", "interactions": "Sized by interactions"}
DEEPEST, CHART = 4, "tree_chart"


def show(run: str) -> None:
    """The whole part."""
    names = shared.backend().names()
    with st.container(horizontal=True, vertical_alignment="bottom", key="tree_controls"):
        side = sides(run)
        shape = frame.sections("Shape", SHAPES, "shape", "Rings from the inside, or boxes in boxes.")
        by = frame.sections("Size", SIZES, "by", "What makes a branch large: how many bear it, or how often they were taken.")
        depth = _depth(names.tree(run, side, shape, by, 1, frame.dark()).depth)  # type: ignore[arg-type]
    tree = names.tree(run, side, shape, by, depth, frame.dark())  # type: ignore[arg-type]
    chart, below = st.columns([3, 2], gap="medium")
    with chart:
        _draw(tree)
    with below:
        _below(run, side, tree)
    frame.twin("tree", tree.exhibit.table, tree.exhibit.title)


def sides(run: str) -> str:
    """Whose names: items', or users' where the scheme names them."""
    known = {"item": "Items", "user": "Users"}
    given = {str(side): known[side] for side in shared.backend().names().sides(run)}
    return frame.sections("Whose names", given, "side", "Names of items, or of users where the scheme gives them any.")


def _depth(longest: int) -> int:
    """How many pieces deep; without a choice where names have one piece."""
    if longest < 2:
        return 1
    most = min(DEEPEST, longest)
    if not 1 <= int(st.session_state.get("tree_depth") or 0) <= most:
        asked = frame.linked("depth") or ""
        st.session_state["tree_depth"] = min(most, max(1, int(asked))) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 2
    chosen = st.slider(
        "Pieces deep",
        1,
        most,
        key="tree_depth",
        width=150,
        persist_state="session",
        help="How many pieces from the left are drawn; a click goes deeper into one branch.",
    )
    frame.link(depth=str(chosen))
    return int(chosen)


def _draw(tree: Tree) -> None:
    st.plotly_chart(
        tree.exhibit.figure,
        key=CHART,
        theme=None,
        on_select=_on_click,
        selection_mode="points",
        config=frame.chart("tree-of-names"),
        alt=f"{tree.exhibit.title}: {tree.exhibit.caption}",
    )
    st.caption(chips.text(f"{tree.exhibit.caption} {tree.note}"))


def _start(tree: Tree) -> None:
    """The largest branches to choose from, without a pointer."""
    known = dict(tree.branches)

    def on_pick() -> None:
        frame.link(branch=st.session_state["branch_pick"])

    if known:
        st.session_state["branch_pick"] = None
        st.pills(
            "Or start from one of the largest",
            list(known),
            format_func=lambda node: chips.text(known[node]),
            key="branch_pick",
            on_change=on_pick,
            help="The number says how many names begin so.",
        )


def _on_click() -> None:
    points = st.session_state[CHART]["selection"]["points"]
    if points and points[0].get("id"):
        node = str(points[0]["id"])
        frame.link(branch=None if node == "all" else node)


def _branch(of: tuple[str, str]) -> str | None:
    """The branch of the address. One that was chosen in the names of another run or side goes; one that a new link asks for stays."""
    linked = st.query_params.get("branch") not in (None, st.session_state.get("_link_branch"))
    if not linked and st.session_state.get("_branch_of", of) != of:
        frame.link(branch=None)
    st.session_state["_branch_of"] = of
    branch = frame.linked("branch")
    frame.link(branch=branch)
    return branch


def _below(run: str, side: str, tree: Tree) -> None:
    """Who stands below the branch of the address."""
    branch = _branch((run, side))
    if not branch:
        frame.html(
            '<div class="lm-card"><h3>No branch chosen yet</h3><span class="facts">Click a branch to see who is below it.</span></div>'
        )
        _start(tree)
        hand.show(run)
        return
    try:
        found = shared.backend().names().branch(run, side, branch)  # type: ignore[arg-type]
    except Trouble as trouble:
        st.warning(chips.text(str(trouble)), icon=":material/info:")
        frame.link(branch=None)
        return
    tones = shared.backend().names().tones(run, found.pieces)
    n = found.n_items + found.n_users
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="branch_head"):
        frame.html(f'<div class="lm-hand">{chips.name(*tones, big=True)}<span class="quiet">{n:,} below</span></div>')
        st.button(
            "Forget it",
            icon=":material/close:",
            type="tertiary",
            key="branch_forget",
            on_click=frame.link,
            kwargs={"branch": None},
            help="Close this list; the tree stays.",
        )
    if found.note:
        st.caption(chips.text(found.note))
    if n:
        hand.table(found.table, "branch_rows", "Who stands below this branch", f"branch-{branch}", narrow=True)
        hand.show(run)
    else:
        st.caption("Nobody in this run: choose another branch.")
