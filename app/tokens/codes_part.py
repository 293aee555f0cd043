"""From codes back to items and users (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`. What it does not know: the map.
"""

from __future__ import annotations

import streamlit as st


def show(run: str) -> None:
    """From codes back to items and users."""
    st.caption("Not there yet.")
