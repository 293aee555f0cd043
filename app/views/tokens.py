"""Tokens: the map of users and items, what moved between two schemes, the health of names, their tree, their codes, and newcomers."""

import streamlit as st

from app import frame, shared
from app.tokens import find_part, lay_part, map_part, moved_part

PARTS = {
    "map": "Map",
    "moved": "What moved",
    "health": "Health",
    "tree": "Tree of names",
    "codes": "Codes",
    "newcomer": "Newcomers",
}

frame.head(
    "Tokens",
    "Every point is a user or an item. Points that behave alike lie together, and share the coloured Token their name begins with.",
)
run = frame.need_run()
nodes: dict[str, str] = {}
with frame.told():
    nodes = shared.backend().names().nodes(run)
if not nodes:
    st.stop()

frame.html(lay_part.STYLE)
find_part.settle(nodes)
with frame.told():
    map_part.hear(run)
    moved_part.hear(run)
find_part.follow()
find_part.show(run, nodes)
part = frame.sections("Part", PARTS, "part", "What this page shows of the run's names.")

with frame.told():
    if part == "map":
        map_part.show(run, nodes)
    elif part == "moved":
        moved_part.show(run)
    elif part == "health":
        from app.tokens import health_part

        health_part.show(run)
    elif part == "tree":
        from app.tokens import tree_part

        tree_part.show(run)
    elif part == "codes":
        from app.tokens import codes_part

        codes_part.show(run)
    else:
        from app.tokens import newcomer_part

        newcomer_part.show(run)
