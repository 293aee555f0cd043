"""The runs of the Train page: the queue and all that ended, and one run in full with its curves, live while it is worked on.

Where it stands: under `views/train`. What it does not know: where runs lie and how they are worked off. Everything shown is read from the
workshop each time, so that a reload, a second tab and another server show the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app import chips, frame, shared
from app.seam import Job, Training, Trouble

MOVING = ("queued", "running", "stopping")  # states that change by themselves
LISTED = 8  # ended runs shown at first


def runs() -> None:
    """The list, and the run in hand beside it."""
    with frame.told():
        jobs = shared.backend().workshop().jobs()
        name = _in_hand(jobs)
        left, right = st.columns([4, 7], gap="large")
        with left:
            _list(name)
        with right, st.container(key="job"):
            if name is None:
                frame.html('<div class="lm-card"><h3>No run yet</h3><span class="facts">Start one under “A new run”.</span></div>')
            else:
                _one(next(j for j in jobs if j.name == name), [j.name for j in jobs if j.name != name])


def choose(name: str | None) -> None:
    """Take a run into hand; the address follows."""
    st.session_state["_job"] = name
    st.session_state["_deleting"] = None
    frame.link(job=name)


def _in_hand(jobs: tuple[Job, ...]) -> str | None:
    """The run that was chosen, or that the address names, or else the first of the list."""
    names = [j.name for j in jobs]
    wanted = st.session_state.get("_job") or frame.linked("job")
    if wanted and wanted not in names:
        st.warning(chips.text(f"There is no run {wanted!r:.100} here: it may have been deleted. Choose another."), icon=":material/info:")
        wanted = None
    name = wanted or next(iter(names), None)
    st.session_state["_job"] = name
    frame.link(job=name)
    return name


@st.fragment(run_every=4.0)
def _list(name: str | None) -> None:
    with frame.told():
        jobs = shared.backend().workshop().jobs()
        if name is not None and name not in [j.name for j in jobs]:
            st.rerun()  # deleted from elsewhere
        for title, mine in (
            ("At work", [j for j in jobs if j.state in ("running", "stopping")]),
            ("Waiting", [j for j in jobs if j.state == "queued"]),
        ):
            if mine:
                st.markdown(f"**{title}**")
                for job in mine:
                    _row(job, name)
        ended = [j for j in jobs if j.state not in MOVING]
        if ended:
            st.markdown("**Ended**")
        every = st.session_state.get("every_run", False)
        for number, job in enumerate(ended):
            if every or number < LISTED or job.name == name:
                _row(job, name)
        if len(ended) > LISTED:
            st.toggle(f"All {len(ended)}", key="every_run", persist_state="session", help="Show every run that ended, newest first.")


def _row(job: Job, chosen: str | None) -> None:
    on = job.name == chosen
    with st.container(key=f"row_{'on_' if on else ''}{job.name}", gap=None):
        if st.button(job.name, key=f"job_{job.name}", type="tertiary", width="stretch", help=chips.text(job.reason) or None):
            choose(job.name)
            st.rerun()
        frame.html(chips.job(job, on))


def _one(job: Job, others: list[str]) -> None:
    """One run: what is pressed, then what is live."""
    seen = shared.backend().workshop().training(job.name, frame.dark())
    job = seen.job
    facts = f'<span class="facts">{chips.text(job.what)}</span>' if job.what else ""
    reason = f'<span class="reason">{chips.text(job.reason)}</span>' if job.reason else ""
    frame.html(f'<div class="lm-head"><h2>{chips.text(job.name)}</h2>{chips.state(job.state)}{facts}{reason}</div>')
    _acts(seen)
    with st.container(key="asking"):  # there also when it is empty, so that nothing below moves into its place
        if st.session_state.get("_deleting") == job.name:
            _ask(job.name)
    if job.state in MOVING:
        _live(job.name, (job.state, job.reason))
    else:
        _shown(seen)
    if others:
        _compared(job.name, others)


@st.fragment(run_every=2.0)
def _live(name: str, stood: tuple[str, str]) -> None:
    with frame.told():
        seen = shared.backend().workshop().training(name, frame.dark())
        if (seen.job.state, seen.job.reason) != stood:
            st.rerun()  # once, the whole page: buttons, the list and the picker change with it
        _shown(seen)


def _shown(seen: Training) -> None:
    job = seen.job
    if job.share is not None:
        st.progress(min(1.0, max(0.0, job.share)), text=chips.text(job.now or "getting ready"))
    for line in seen.warnings:
        st.warning(chips.text(line), icon=":material/warning:")
    if seen.numbers:
        with st.container(horizontal=True, key="job_numbers"):
            for label, value, meaning in seen.numbers:
                st.metric(label, value, help=meaning, width="content")
    if seen.exhibits:
        for column, exhibit in zip(st.columns(2, gap="medium"), seen.exhibits, strict=False):
            with column:
                frame.exhibit(exhibit, moves=job.state in MOVING)
    _log(seen)


def _log(seen: Training) -> None:
    if seen.log:
        needed = seen.job.state in ("failed", "interrupted")
        with st.expander("The end of the log", icon=":material/article:", expanded=needed):
            st.code(seen.log, language=None, wrap_lines=True, height=240)


def _acts(seen: Training) -> None:
    name = seen.job.name
    buttons = {
        "stop": ("Stop", ":material/stop:", _on_stop, "Ends it and keeps a usable model; it can be resumed."),
        "resume": ("Resume", ":material/play_arrow:", _on_resume, "Goes on where it was; the result is the same as without the break."),
        "again": ("Again with changes", ":material/edit:", _on_again, "Puts its recipe into the form, to start a new run from."),
        "delete": ("Delete …", ":material/delete:", _on_delete, "Asks first, and says what it frees."),
    }
    with st.container(horizontal=True, vertical_alignment="center", key="acts"):
        for act, (label, icon, on_click, about) in buttons.items():
            if act in seen.acts:
                st.button(label, icon=icon, key=act, on_click=on_click, args=(name,), help=about)
        if "open" in seen.acts:
            st.page_link(
                "views/tokens.py",
                label="Open its Tokens",
                icon=":material/scatter_plot:",
                query_params={"run": name},
                help="See its names.",
            )


def _ask(name: str) -> None:
    """Before anything is deleted."""
    freed = shared.backend().workshop().freed(name)
    with st.container(border=True, key="ask_delete"):
        st.markdown(f"**Delete {chips.text(name)}?** {chips.text(freed)}")
        with st.container(horizontal=True):
            st.button("Delete it", key="delete_yes", type="primary", on_click=_on_delete_yes, args=(name,), help="This cannot be undone.")
            st.button("Keep it", key="delete_no", on_click=choose, args=(name,), help="Nothing happens.")


def _compared(name: str, others: list[str]) -> None:
    with st.expander("Compare its recipe with another's", icon=":material/compare_arrows:"):
        other = st.selectbox("Another run", others, index=None, key="other", placeholder="a run", help="Which settings differ.")
        if other is None:
            return
        table = shared.backend().workshop().differences(name, other)
        if table.empty:
            st.caption("The two recipes are the same.")
        else:
            st.dataframe(table, hide_index=True, key="differences", alt=f"Settings in which {name} and {other} differ")
            frame.download(f"{name}-against-{other}", table, "csv_differences")


@contextmanager
def _or_told() -> Iterator[None]:
    """Inside a callback: a refusal is shown by the page that follows."""
    try:
        yield
    except Trouble as trouble:
        st.session_state["_problem"] = str(trouble)


def _on_stop(name: str) -> None:
    with _or_told():
        st.toast(shared.backend().workshop().stop(name))


def _on_resume(name: str) -> None:
    with _or_told():
        st.toast(shared.backend().workshop().resume(name))


def _on_delete(name: str) -> None:
    st.session_state["_deleting"] = name


def _on_delete_yes(name: str) -> None:
    choose(None)
    with _or_told():
        st.toast(shared.backend().workshop().delete(name))


def _on_again(name: str) -> None:
    from app.train import new_run

    with _or_told():
        new_run.take(shared.backend().workshop().again(name))
        st.session_state["part"] = "new"
