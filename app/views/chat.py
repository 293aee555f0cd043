"""Chat: the panel inside the page, opened as the address says, and the probes below it."""

from urllib.parse import urlencode

import streamlit as st

from app import frame, shared
from app.chat import addresses, probes_part
from app.seam.chat import Model

frame.head(
    "Chat",
    "Up to four models answer one message. Runs tuned on dialogues speak in words of their own, all others in fixed sentences; each "
    "model's own ranking chooses the items.",
    runs=False,
)
backend = shared.backend()
models: tuple[Model, ...] = ()
asked = {name: value for name in (*addresses.KEYS, "run") if (value := st.query_params.get(name))}
if not asked.get("models") and not asked.get("run") and (held := frame.linked("run")):
    asked["run"] = held
wanted = addresses.read(asked)
told = addresses.write(wanted.models, wanted.user, wanted.blind, wanted.message)
with frame.told():
    models = backend.talks().models()
own = urlencode({"__theme": st.context.theme.type or "light", **({} if models else {"empty": "1"})})  # opened anew with the first model
st.iframe(f"/chat/?{told}{'&' if told else ''}{own}", height=790, alt="Chat with several models side by side")
st.caption(
    "**Copy link**, at the top right of the panel, gives an address that opens the same models, person and message: "
    "`/talk?models=a,b&user=196&blind=1&message=...`"
)
with frame.told():
    if not models:
        st.info(
            "There is no trained run yet. Start one on the **Train** page, or with `llmrec train metaid-ml-100k-sketch` (about a minute).",
            icon=":material/school:",
        )
    st.subheader("Probes", anchor=False)
    probes_part.show(backend, models)
