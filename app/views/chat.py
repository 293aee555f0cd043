"""Chat: the Gradio panel inside the page, with the run and the person of the address."""

from urllib.parse import urlencode

import streamlit as st

from app import frame, shared

frame.head(
    "Chat",
    "Say what you liked. In this version the sentences are fixed; which items you get, and in which order, the trained model decides.",
)
run = frame.need_run()
keys = shared.backend().user_keys(run)
asked = {"run": run, "__theme": st.context.theme.type or "light"}
user = frame.linked("user")
if user in keys and st.query_params.get("user") == user:
    asked["user"] = user
st.iframe(f"/chat/?{urlencode(asked)}", height=640, alt="Chat with the trained model")
