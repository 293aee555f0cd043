"""Data: any data set at a glance, one user's history, one item's takers; and files of one's own on their way in."""

import streamlit as st

from app import frame
from app.data import importer, shown

frame.head("Data", "Everything the model learns comes from a table of who took what, and when.")
PARTS = {
    "glance": ":material/insights: At a glance",
    "user": ":material/person: One user",
    "item": ":material/movie: One item",
    "import": ":material/upload_file: Your own data",
}
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", key="data_top"):
    shown.begin(PARTS)
    part = frame.sections("Part of the page", PARTS, "show", "Look at a data set, or bring your own.")
    data = shown.picker() if part != "import" else ""
if part == "import":
    importer.importer()
elif data is not None:
    shown.show(part, data)
