"""X-ray: one recommendation looked into, from the prompt to the place where the followed item was lost."""

import streamlit as st

from app import chips, frame, shared
from app.seam.xray import Look
from app.xray import parts, question, strip

frame.head(
    "X-ray",
    "What the model really reads, how it chooses, and where the held-out item was lost.",
)
run = frame.need_run()
st.html(strip.style())
asked = None
with frame.told():
    asked = question.asked(run)
if asked is None:
    st.stop()

look: Look | None = None
with frame.told(), st.spinner("Looking into the model …"):
    look = shared.backend().xray().look(run, asked, frame.dark())
if look is None:
    st.stop()

with st.container(key="xray_verdict"):
    st.html(strip.verdict(look))
    parts.numbers(look.numbers, "xray_numbers")

part = frame.sections("Part", parts.PARTS, "part", "One look at a time: what is read, what may come next, how the head chose, and what if.")
followed = "" if asked.follow is None else chips.label(shared.backend().card(run, "item", asked.follow))
if part == "prompt":
    parts.prompt(look, followed)
elif part == "next":
    parts.following(run, asked)
elif part == "chose":
    parts.chose(look)
else:
    parts.what_if(run, asked)
