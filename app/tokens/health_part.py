"""How healthy the names of a run are (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`. What it does not know: the map.
"""

from __future__ import annotations

import streamlit as st


def show(run: str) -> None:
    """How healthy the names of a run are."""
    st.caption("Not there yet.")
