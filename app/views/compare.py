"""Compare: runs and baselines on the same held-out items, as a table, as differences, as charts, as files."""

import streamlit as st

from app import chips, frame, shared
from app.compare import controls, shown

frame.head(
    "Compare",
    "Runs and baselines on the same held-out items, each number with its interval.",
    runs=False,
)
PARTS = {
    "table": ":material/table: Table",
    "differences": ":material/compare_arrows: Differences",
    "segments": ":material/stacked_bar_chart: Popular and rare",
    "cuts": ":material/show_chart: Cuts",
    "cost": ":material/speed: Cost",
    "matrix": ":material/grid_on: Names × heads",
    "files": ":material/download: Files",
}
grounds = ()
with frame.told():
    grounds = shared.backend().scores().grounds()
if not grounds:
    st.info(
        "There is no finished run to compare yet. Train one on the **Train** page, or with `llmrec train metaid-ml-100k-sketch` "
        "(about a minute); then it stands here beside the baselines.",
        icon=":material/school:",
    )
    st.page_link(
        "views/train.py", label="Train a run", icon=":material/model_training:", help="Opens Train, where a recipe is chosen and started."
    )
    st.stop()

with frame.told():
    ground, asked = controls.ask(grounds)
    board = shared.backend().scores().board(asked)
    with st.container(key="said"):
        st.markdown(chips.text(board.said))
        if len(asked.runs) == 1 and not asked.baselines:
            st.caption("One run alone: add baselines above, or train a second run, to see what its numbers are worth.")
    with st.container(key="compare_waiting"):
        shown.waiting(asked, board)
    part = frame.sections("Part of the page", PARTS, "show", "The table, its differences and charts, and files to take along.")
    if part == "table":
        shown.table(board)
    elif part == "matrix":
        shown.matrix(ground)
    elif part == "files":
        shown.downloads(asked, board)
    else:
        shown.chart(ground, asked, board, part)
