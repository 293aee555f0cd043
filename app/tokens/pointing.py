"""What was done on a chart since the page last looked (Streamlit code).

Where it stands: under the parts of the Tokens page that have a map. What it does not know: what follows from a click.

A page asks at its top, before it draws anything: what the chart's state says now is compared with what it said last time. So whatever is
drawn afterwards already knows, one run of the page is enough, and no callback has to be called for a test to see it.
"""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from app.tokens import lasso


def news(chart: str) -> lasso.Done | None:
    """What was done on the chart of this key, once; None where nothing is new. An empty `Done`: what was chosen there no longer is."""
    if chart not in st.session_state:  # another part of the page was open
        return None
    done = lasso.read(st.session_state[chart])
    if done == st.session_state.get(f"_seen_{chart}", lasso.Done()):
        return None
    st.session_state[f"_seen_{chart}"] = done
    return done


def drawn(chart: str, figure: Hashable) -> bool:
    """Say which figure is drawn under this key; whether it is another than before. Such a one begins with nothing chosen, and that is no
    deed of anybody's."""
    if chart not in st.session_state or st.session_state.get(f"_figure_{chart}") != figure:
        st.session_state[f"_figure_{chart}"] = figure
        st.session_state[f"_seen_{chart}"] = lasso.Done()
        return True
    return False
