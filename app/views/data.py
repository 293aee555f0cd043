"""Data: what the model learns from, at a glance, and one user's history as titles."""

import streamlit as st

from app import chips, frame, shared

frame.head("Data", "Everything the model learns comes from this table of who took what, and when.")
run = frame.run()
backend = shared.backend()

with st.spinner("Reading the data …"):
    try:
        overview = backend.overview(run, frame.dark())
    except ValueError as problem:
        st.error(chips.text(f"{problem}"), icon=":material/error:")
        st.stop()

st.header(chips.text(overview.name), anchor=False)
with st.container(horizontal=True, key="counts"):
    for label, value, meaning in overview.counts:
        st.metric(label, value, help=meaning, border=True, width=148)
for note in overview.notes:
    st.info(chips.text(note), icon=":material/info:")

left, right = st.columns(2, gap="large")
for number, exhibit in enumerate(overview.exhibits):
    with (left, right)[number % 2]:
        frame.exhibit(exhibit)

st.header("One user's history", anchor=False)
keys = backend.user_keys(run)
wanted = frame.linked("user")
with st.container(horizontal=True, vertical_alignment="bottom"):
    if st.session_state.get("data_user") not in keys:
        st.session_state["data_user"] = wanted if wanted in keys else (keys[0] if keys else None)
    key = st.selectbox(
        "User", keys, key="data_user", persist_state="session", width=220, help="A user's key in the source; type to find one."
    )
    words = st.text_input(
        "Search in this history",
        key="data_search",
        type="search",
        width=320,
        placeholder="a title, a year or a genre",
        help="Keep the lines that hold these words.",
    )
if wanted and wanted not in keys and wanted != key:
    st.warning(chips.text(f"No user has the key {wanted!r:.100}; showing {key}."), icon=":material/info:")
if key is None:
    st.info("This data set has no users.", icon=":material/info:")
    st.stop()
frame.link(user=key)
history = backend.history(run, keys.index(key))
kept = frame.matching(history, words)
if kept.empty:
    said = f"Nothing in this history matches {words!r:.100}: clear the search to see all {len(history)} lines."
    st.info(chips.text(said), icon=":material/search_off:")
else:
    st.caption(
        f"{len(kept)} of {len(history)} interactions, newest last. The last one is the test item, the one before it the validation item."
    )
    st.dataframe(kept, hide_index=True, key="history", alt=f"History of user {key}", height=420)
    frame.download(f"history-{key}", kept, "csv_history")
if run is not None:
    user = backend.card(run, "user", keys.index(key))
    frame.html(f"<p>In this run the model calls user {chips.text(key)} &nbsp;{chips.chips(user)}</p>")
