"""Recommend: one person, the run's recommendations with their Tokens, and the baselines' beside them."""

import pandas as pd
import streamlit as st

from app import chips, frame, picking, shared
from app.seam import Answer, Person
from llmrec.ids.lookup import written

frame.head(
    "Recommend",
    "The same question to the model and to the classical recommenders. A model that cannot beat these has learned nothing.",
)
run = frame.run()
backend = shared.backend()

titles = backend.titles(run)
keys = backend.user_keys(run)
by_key, by_titles = "A user of the data", "Titles you like"


def begin() -> None:
    """The address decides what is asked first."""
    item = backend.index(run, "item", st.query_params.get("item") or "")  # not what another page had in hand
    user = frame.linked("user")
    st.session_state["who"] = by_key if item is None else by_titles
    st.session_state["liked"] = [] if item is None else [item]
    st.session_state["rec_user"] = user if user in keys else keys[0]
    if user and user not in keys:
        st.warning(chips.text(f"No user of this data has the key {user!r:.100}; showing {keys[0]}."), icon=":material/info:")


if "who" not in st.session_state or st.query_params.get("item", st.session_state.get("_rec_item")) != st.session_state.get("_rec_item"):
    begin()
    st.session_state["_rec_item"] = st.query_params.get("item")

if any(i >= len(titles) for i in st.session_state["liked"]):
    begin()  # another run with other data

with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
    who = st.segmented_control(
        "For whom",
        [by_key, by_titles],
        key="who",
        required=True,
        persist_state="session",
        help="Somebody of the data, or a new person known by a few titles.",
    )
    k = st.slider("How many", 1, 50, 10, key="k", width=180, persist_state="session", help="How many items each model names.")
    seen = st.toggle(
        "Seen items too",
        key="seen",
        persist_state="session",
        help="Off: what the person already knows is left out. On: the model may name it again.",
    )
if who == by_key:
    key = picking.user("User", keys, "rec_user")
    frame.link(user=key, item=None)
    st.session_state["_rec_item"] = None
    person = backend.person(run, keys.index(key))
    st.caption(
        f"{len(person.history)} items of this user are known to the models; the last one is held out and marked where a model finds it."
    )
    with st.expander("The whole history of this user, held-out item last", icon=":material/history:"):
        st.dataframe(backend.history(run, keys.index(key)), hide_index=True, key="rec_history", alt=f"History of user {key}", height=280)
else:
    meaning = "Pick a few titles you like, in the order you saw them; the last one counts most for models that read order."
    liked = picking.several("Titles, oldest first", titles, picking.offered(run, titles, "rec_words"), "liked", 50, meaning)
    if not liked:
        st.info("Pick one or more titles above, for example three films you like.", icon=":material/movie:")
        st.stop()
    person = Person(history=tuple(liked))


def column(model: str | None) -> Answer | None:
    """One model's answer, or the sentence why there is none."""
    with frame.told(), st.spinner("Asking …"):
        answer = backend.recommend(run, model, person, k, seen)
        note = f" · {answer.note}" if answer.note else ""
        st.caption(chips.text(f"{answer.seconds * 1000:.0f} ms · at the right the model's own score, comparable within a list only{note}"))
        frame.html(chips.answer(answer))
        return answer
    return None


left, right = st.columns(2, gap="large")
with left, st.container(key="model_side"):
    st.subheader(chips.text(run or "No trained run yet"), anchor=False)
    if run is None:
        st.info("The trained model will stand here; the baselines answer already.", icon=":material/hourglass_top:")
    answers = [a for a in [column(None) if run is not None else None] if a]
with right, st.container(key="baseline_side"):
    st.session_state.setdefault("baseline", "itemknn-last3")
    baseline = st.selectbox(
        "Baseline",
        backend.baselines(),
        key="baseline",
        persist_state="session",
        help="A classical recommender, fitted on the same training interactions.",
    )
    other = column(baseline)
    answers += [other] if other else []

table = pd.DataFrame(
    [
        {
            "model": a.model,
            "rank": n,
            "key": p.card.key,
            "title": p.card.title,
            "year": p.card.year,
            "score": p.score,
            "name": written(p.card.pieces),
            "held-out item": p.target,
        }
        for a in answers
        for n, p in enumerate(a.picks, 1)
    ]
)
if len(table):
    frame.twin("recommendations", table, "Recommendations of every model")
