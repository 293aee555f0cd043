"""Tour: one item and its eight names, and the three papers as live stories."""

import importlib.util

import streamlit as st

from app import frame
from app.tour import eight, metaid, rows

PARTS = {"names": "Eight names", "metaid": "META ID", "tokenrec": "TokenRec", "cllm4rec": "CLLM4Rec"}

frame.head("Tour", "One item, eight names: what a language model is given to learn from, and three ways to choose it.")
run = frame.run()
st.html(f"<style>{rows.style()}</style>")
part = frame.sections("Part", PARTS, "story", "The names beside each other, or the story of one paper, live on this data.")

with frame.told():
    if part == "names":
        eight.show(run)
    elif part == "metaid":
        metaid.show(run)
    else:
        module = {"tokenrec": "app.tour.masking", "cllm4rec": "app.tour.pulling"}[part]
        if importlib.util.find_spec(module) is None:
            st.caption("This story is not told yet.")
        else:
            importlib.import_module(module).story(run)
