"""Two Streamlit pages of one line each: what a page switch takes where there is nothing to show.

Where it stands: a script that Streamlit runs, started by `benchmarks.studio`. What it does not know: the studio.
"""

import streamlit as st


def _page(name: str) -> None:
    st.title(name)


pages = [st.Page(lambda name=name: _page(name), title=name, url_path=name.lower()) for name in ("One", "Two")]
st.navigation(pages, position="top").run()
