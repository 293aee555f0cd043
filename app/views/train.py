"""Train: a recipe in three forms, the queue, and every run with its curves."""

import streamlit as st

from app import chips, frame
from app.train import new_run, runs

frame.head(
    "Train",
    "Choose how users and items are named, and everything else. Runs started here, from the command line or from Python are the same.",
    runs=False,
)
PARTS = {"new": ":material/add: A new run", "runs": ":material/list: Queue and runs"}
if st.session_state.get("part") not in PARTS:
    st.session_state["part"] = "runs" if frame.linked("job") else "new"
with frame.told():
    new_run.handed()
part = st.segmented_control(
    "What to do",
    list(PARTS),
    key="part",
    required=True,
    persist_state="session",
    format_func=PARTS.__getitem__,
    label_visibility="collapsed",
    help="Put a recipe together and start it, or see what is being trained and what ended.",
)
if st.session_state.get("_problem"):
    st.error(chips.text(st.session_state.pop("_problem")), icon=":material/error:")
if part == "new":
    with frame.told():
        new_run.form()
else:
    frame.link(scheme=None)
    runs.runs()
