"""The studio's entry: navigation and the frame around every page.

Where it stands: Streamlit runs it for each visit. What it does not know: what the pages show; they lie in `views/`.
"""

from pathlib import Path

import streamlit as st

from app import frame, pages

HERE = Path(__file__).parent
st.set_page_config(page_title="llmrec studio", page_icon=str(HERE / "icon.svg"), layout="wide")

built = [
    st.Page(f"views/{file}.py", title=title, icon=f":material/{icon}:", url_path=path, default=n == 0, help=meaning)
    for n, (file, title, icon, path, meaning) in enumerate(pages.VIEWS)
]
page = st.navigation(built, position="top")

st.logo(str(HERE / "icon.svg"), size="large")
frame.styles()
frame.first_run()
page.run()
