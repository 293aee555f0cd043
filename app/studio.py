"""The studio's entry: navigation and the frame around every page.

Where it stands: Streamlit runs it for each visit. What it does not know: what the pages show; they lie in `views/`.
"""

from pathlib import Path

import streamlit as st

from app import frame

st.set_page_config(page_title="llmrec studio", page_icon=str(Path(__file__).parent / "icon.svg"), layout="wide")

pages = [
    st.Page(
        "views/data.py",
        title="Data",
        icon=":material/table_chart:",
        url_path="data",
        default=True,
        help="The data set: counts, long tail, histories.",
    ),
    st.Page(
        "views/train.py",
        title="Train",
        icon=":material/model_training:",
        url_path="train",
        help="Put a recipe together, start it, and watch it learn.",
    ),
    st.Page("views/tokens.py", title="Tokens", icon=":material/scatter_plot:", url_path="tokens", help="The map of users and items."),
    st.Page(
        "views/recommend.py", title="Recommend", icon=":material/thumb_up:", url_path="recommend", help="The model beside the baselines."
    ),
    st.Page("views/chat.py", title="Chat", icon=":material/chat:", url_path="talk", help="Tell the model what you liked."),
]
page = st.navigation(pages, position="top")

frame.styles()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="frame"):
    with st.container(width="content"):
        frame.html('<div class="lm-brand"><b>llmrec studio</b><span>How a language model names what it recommends</span></div>')
    with st.container(width=340):
        frame.picker()
frame.first_run()
page.run()
