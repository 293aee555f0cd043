"""The studio's entry: navigation and the frame around every page.

Where it stands: Streamlit runs it for each visit. What it does not know: what the pages show; they lie in `views/`.
"""

from pathlib import Path

import streamlit as st

from app import frame

HERE = Path(__file__).parent
st.set_page_config(page_title="llmrec studio", page_icon=str(HERE / "icon.svg"), layout="wide")

VIEWS = (  # file, title, icon, address, what it is for
    ("tour", "Tour", "explore", "tour", "One item, eight names; and the three papers as live stories."),
    ("data", "Data", "table_chart", "data", "The data set: counts, long tail, histories; upload your own."),
    ("train", "Train", "model_training", "train", "Put a recipe together, start it, and watch it learn."),
    ("tokens", "Tokens", "scatter_plot", "tokens", "The map of users and items, and who shares which Token."),
    ("compare", "Compare", "leaderboard", "compare", "Runs and baselines in one table, with intervals."),
    ("xray", "X-ray", "radiology", "xray", "What the model really reads, and where an item was lost."),
    ("recommend", "Recommend", "thumb_up", "recommend", "The model beside the baselines."),
    ("chat", "Chat", "chat", "talk", "Tell the model what you liked."),
)
pages = [
    st.Page(f"views/{file}.py", title=title, icon=f":material/{icon}:", url_path=path, default=n == 0, help=meaning)
    for n, (file, title, icon, path, meaning) in enumerate(VIEWS)
]
page = st.navigation(pages, position="top")

st.logo(str(HERE / "icon.svg"), size="large")
frame.styles()
frame.first_run()
page.run()
