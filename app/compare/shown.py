"""The parts of the Compare page: the table, a chart with its metric and reference, the matrix with its gaps, and the files.

Where it stands: under `views/compare`; this file draws with Streamlit. What it does not know: how anything is measured.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from app.compare import controls
from app.compare.drawing import BEST
from app.seam.scores import Ask, Board, Gap, Ground
from app.train import new_run
from llmrec.report import files
from llmrec.view.palette import palette

GROUPS = {
    "accuracy": "Accuracy",
    "segments": "Popular and rare, coverage",
    "cuts": "More cuts",
    "names": "Names",
    "cost": "Cost",
}
USUAL = ("accuracy", "names", "cost")
COLUMNS: dict[str, tuple[str, str, str]] = {  # column -> label, format, what it means
    "coverage": ("coverage", "percent", "Share of the catalogue that is shown to anybody among ten."),
    "pieces": ("pieces per name", "%.1f", "Rows of the vocabulary that the model reads for an item's name, on average."),
    "new rows": ("new rows", "localized", "Rows that the names add to the vocabulary."),
    "parameters": ("parameters", "compact", "Weights the model holds."),
    "steps": ("steps", "localized", "Training steps."),
    "training": ("training, s", "%.1f", "Seconds from the data to the trained model; what came from the cache is not counted again."),
    "latency": ("latency, ms", "%.2f", "Milliseconds for one person and ten items: the median of real calls on this machine."),
    "size": ("size, MB", "%.1f", "Megabytes of the run's folder."),
}
FORMS = {"csv": "CSV", "latex": "LaTeX", "markdown": "Markdown", "html": "HTML report"}
ABOUT = {
    "csv": "Every number in full, with low and high ends of its interval.",
    "latex": "A booktabs table for a paper.",
    "markdown": "A table for a README or an issue.",
    "html": "One page with tables, charts, protocol and recipes that opens without a network.",
}


def table(board: Board) -> None:
    """The whole comparison, columns by group."""
    groups = _groups()
    parts = [board.sheet.shown["who"], *(board.sheet.shown[name] for name in GROUPS if name in groups)]
    whole = pd.concat([part.reset_index(drop=True) for part in parts], axis=1)
    marked = {column: line for column, line in board.sheet.best.items() if column in whole.columns}
    for column, line in marked.items():
        if whole[column].dtype == object or pd.api.types.is_string_dtype(whole[column]):
            whole[column] = [f"{cell}{BEST}" if n == line else cell for n, cell in enumerate(whole[column])]
    whole = whole.loc[:, [c for c in whole.columns if c == "name" or not (whole[c].isna() | (whole[c].astype(str) == "")).all()]]
    config: dict[str, Any] = {"name": st.column_config.TextColumn("", pinned=True, width="medium")}
    config |= {n: st.column_config.NumberColumn(label, format=form, help=words) for n, (label, form, words) in COLUMNS.items()}
    st.dataframe(
        whole.style.apply(lambda column: _styles(column, marked), axis=0),
        hide_index=True,
        key="scores",
        column_config=config,
        height=min(620, 40 + 35 * max(1, len(whole))),
        placeholder="",
        alt="Runs and baselines with their numbers and intervals",
    )
    st.caption(
        "Numbers in brackets are 95 % bootstrap intervals over users; ★ marks the best of a column, ▲ and ▼ a paired difference whose "
        "interval excludes 0. Click a heading to sort."
    )
    frame.download("comparison", board.sheet.numbers, "csv_scores")


def _groups() -> list[str]:
    held = "compare_columns"
    if held not in st.session_state:
        asked = [name for name in (frame.linked("columns") or "").split(",") if name in GROUPS]
        st.session_state[held] = asked or list(USUAL)
    chosen = st.pills(
        "Columns",
        list(GROUPS),
        selection_mode="multi",
        key=held,
        persist_state="session",
        format_func=GROUPS.__getitem__,
        label_visibility="collapsed",
        help="Which groups of columns the table shows.",
    )
    frame.link(columns=",".join(chosen) if set(chosen) != set(USUAL) else None)
    return list(chosen)


def _styles(column: pd.Series[Any], marked: dict[str, int]) -> list[str]:
    green = palette(frame.dark()).categories[2]
    return [f"font-weight: 700; color: {green}" if marked.get(str(column.name)) == n else "" for n in range(len(column))]


def chart(ground: Ground, asked: Ask, board: Board, kind: str) -> None:
    """One chart with what it can be asked."""
    titles = dict(zip(board.names, board.titles, strict=True))
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_chart"):
        metric = controls.metric(ground)
        if kind == "differences" and board.measured:
            controls.reference(board.measured, titles, board.against)
    frame.exhibit(shared.backend().scores().exhibit(asked, kind, metric, frame.dark()))


def matrix(ground: Ground) -> None:
    """Schemes and heads, here and in the book, and what would fill the gaps."""
    with st.container(horizontal=True, key="compare_chart"):
        metric = controls.metric(ground)
    found = shared.backend().scores().matrix(ground.key, metric, frame.dark())
    if found.shipped is None:
        frame.exhibit(found.own)
    else:
        left, right = st.columns(2, gap="large")
        with left:
            frame.exhibit(found.own)
        with right:
            frame.exhibit(found.shipped)
    open_gaps = [gap for gap in found.gaps if not gap.refused]
    if open_gaps:
        _gaps(open_gaps)


def _gaps(gaps: list[Gap]) -> None:
    known = {f"{gap.scheme} · {gap.head}": gap for gap in gaps}
    with st.container(horizontal=True, vertical_alignment="bottom", key="gaps"):
        chosen = st.selectbox(
            "Fill an empty cell",
            list(known),
            index=None,
            key="gap",
            width=260,
            placeholder="a scheme and a head",
            help="A run with the settings of the nearest one here, and this head.",
        )
        go = st.button(
            "Open in Train",
            icon=":material/model_training:",
            key="gap_train",
            disabled=chosen is None,
            help="Puts the recipe into the form of the Train page; nothing starts by itself.",
        )
    if chosen is None:
        return
    gap = known[chosen]
    st.code(gap.words.partition(": ")[2], language="bash", wrap_lines=True)
    if go:
        _to_train(gap)


def _to_train(gap: Gap) -> None:
    workshop = shared.backend().workshop()
    plan = workshop.again(gap.run) if gap.run is not None else workshop.changed(workshop.plan(), {"scheme.name": gap.scheme})
    new_run.take(workshop.changed(plan, {"head.name": gap.head}))
    st.session_state["part"] = "new"
    st.switch_page("views/train.py")


def downloads(asked: Ask, board: Board) -> None:
    """The comparison as files."""
    if board.going.waiting:
        st.info("Some rows are still being measured: a file written now lacks them.", icon=":material/hourglass_top:")
    scores = shared.backend().scores()
    with st.container(horizontal=True, key="files"):
        for form, label in FORMS.items():
            st.download_button(
                label,
                lambda form=form: scores.file(asked, form),  # type: ignore[misc]
                file_name=f"comparison.{files.ENDING[form]}",
                mime=files.MIME[form],
                key=f"file_{form}",
                icon=":material/download:",
                on_click="ignore",
                help=ABOUT[form],
            )
    words = "llmrec compare " + " ".join(asked.runs) + "".join(f" --baseline {name}" for name in asked.baselines)
    st.caption("The same from the command line:")
    st.code(f"{words}{_more(asked)} --html comparison.html", language="bash", wrap_lines=True)
    with st.expander("How it looks in LaTeX", icon=":material/code:"):
        st.code(scores.file(asked, "latex").decode(), language="latex", height=320)


def _more(asked: Ask) -> str:
    return "".join(
        word
        for word, said in (
            (f" --against {asked.against}", asked.against),
            (" --part valid", asked.part == "valid"),
            (" --seen unmasked", not asked.masked),
        )
        if said
    )


def waiting(asked: Ask, board: Board) -> None:
    """Who is being measured, live; one full rerun whenever somebody is done."""
    if board.going.trouble:
        st.warning(chips.text(board.going.trouble), icon=":material/info:")
        st.button("Try again", key="measure_again", on_click=_on_again, args=(asked,), help="Measure once more what could not be measured.")
    if board.going.waiting:
        _live(asked, len(board.going.waiting))


def _on_again(asked: Ask) -> None:
    shared.backend().scores().board(asked, again=True)


@st.fragment(run_every=2.0)
def _live(asked: Ask, stood: int) -> None:
    with frame.told():
        board = shared.backend().scores().board(asked)
        if len(board.going.waiting) != stood or board.going.trouble:
            st.rerun()  # the table, the charts and the sentence have more to say
        now = f" Now: {chips.text(board.going.stage)}." if board.going.stage else ""
        st.progress(
            min(1.0, max(0.0, board.going.share or 0.0)), text=f"Measuring {len(board.going.waiting)} of {len(board.names)}, once.{now}"
        )
