"""A selection of nodes as a table (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`. What it does not know: the map.
"""

from __future__ import annotations

import streamlit as st


def show(run: str, nodes: list[str]) -> None:
    """A selection of nodes as a table."""
    st.caption("Not there yet.")
