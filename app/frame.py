"""What every page shares: styles, the run in hand, deep links, the first run's progress, tables with their download.

Where it stands: under every view. What it does not know: what a view shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import streamlit as st

from app import chips, shared
from app.seam import Exhibit, Progress, RunInfo, Trouble
from llmrec.report import spreadsheet

FORMATS = ("PNG", "SVG")
ROWS = 5_000  # of a table that a page shows; its file has all
_NO_NAME = re.compile(r"[^\w.-]+")  # what a file is not called


def run() -> str | None:
    """The run in hand, or None where there is none yet."""
    return st.session_state.get("_run")


def head(title: str, caption: str, runs: bool = True) -> None:
    """The top of a page: its title, one sentence, and at the right the run in hand. runs: whether the page shows one run at a time."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="head"):
        with st.container(width="stretch", key="head_title"):
            st.title(title, anchor=False)
            st.caption(caption)
        with st.container(width=340 if runs else "content", key="head_run"):
            if runs:
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    with st.container(width="stretch"):
                        picker()
                    _looks()
            else:
                _looks()


def _looks() -> None:
    """How pictures are saved. Kept small: it is needed once in a while."""
    with st.popover("", icon=":material/tune:", type="tertiary", help="How pictures are saved from the bar above each chart."):
        st.segmented_control(
            "Save pictures as",
            FORMATS,
            default=None if "pictures" in st.session_state else FORMATS[0],
            required=True,
            key="pictures",
            persist_state="session",
            help="The camera above each chart saves it in this format: PNG for slides, SVG for print.",
        )


def chart(name: str, **more: Any) -> dict[str, Any]:
    """The settings of a plotly chart: its bar saves the picture under this name, in the format that was chosen."""
    chosen = str(st.session_state.get("pictures") or FORMATS[0]).lower()
    saved = {"format": chosen, "filename": _NO_NAME.sub("-", name)[:80], "scale": 2}
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["sendDataToCloud", "autoScale2d"],
        "toImageButtonOptions": saved,
        "responsive": True,
        **more,
    }


def sections(label: str, options: dict[str, str], key: str, meaning: str) -> str:
    """Parts of a page, one shown at a time; the address keeps which (`?key=`). options: part -> how it is written."""
    held = f"section_{key}"
    if st.session_state.get(held) not in options:
        asked = linked(key)
        st.session_state[held] = asked if asked in options else next(iter(options))
    chosen = st.segmented_control(
        label,
        list(options),
        key=held,
        required=True,
        persist_state="session",
        format_func=options.__getitem__,
        label_visibility="collapsed",
        help=meaning,
    )
    link(**{key: chosen})
    return str(chosen)


def picker() -> None:
    """Choose the run; `?run=` in the address does too."""
    ready = [r for r in shared.backend().runs() if r.ready]
    names = [r.name for r in ready]
    if not names:
        st.session_state["_run"] = None
        return
    wanted = linked("run")
    if wanted and wanted not in names and wanted != st.session_state.get("_refused"):
        st.session_state["_refused"] = wanted
        st.toast(chips.text(f"There is no run {wanted!r:.100} here; showing {names[0]!r}."))
    fresh = st.query_params.get("run")
    held = st.session_state.get("run_picker")
    followed = fresh in names and fresh != st.session_state.get("_run")  # a link to another run than the one in hand
    if followed or held not in names:
        held = wanted if wanted in names else names[0]
    st.session_state["run_picker"] = held  # written each time: a page that is opened anew would start at the first run
    chosen = st.selectbox(
        "Run",
        names,
        key="run_picker",
        label_visibility="collapsed",
        help="The trained run that every page shows. A run is one recipe, taken through.",
    )
    if chosen != st.session_state.get("_run"):
        st.session_state["_run"] = chosen
    link(run=chosen)
    _facts(next(r for r in ready if r.name == chosen))


def _facts(info: RunInfo) -> None:
    measured = " · ".join(f"{name} {value:.3f}" for name, value in list(info.metrics.items())[:2])
    st.caption(chips.text(" · ".join(x for x in (info.data, info.scheme, measured) if x)))


def linked(name: str) -> str | None:
    """A value of the address, or what this session last held under that name."""
    value = st.query_params.get(name)
    if value is None:
        value = st.session_state.get(f"_link_{name}")
    return value


def link(**values: str | None) -> None:
    """Write values into the address, so that it can be shared; None takes one out. They survive a change of page."""
    for name, value in values.items():
        st.session_state[f"_link_{name}"] = value
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def dark() -> bool:
    """Whether this visitor's page is dark."""
    return st.context.theme.type == "dark"


def html(body: str) -> None:
    """Safe HTML out of `chips`."""
    st.html(body)


def download(name: str, table: pd.DataFrame, key: str) -> None:
    """A table as CSV, in which no cell is a formula."""
    st.download_button(
        "CSV",
        lambda: spreadsheet.to_csv(table),
        file_name=f"{_NO_NAME.sub('-', name)[:80]}.csv",
        mime="text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
        help="Download this table as a CSV file.",
    )


def exhibit(given: Exhibit, moves: bool = False) -> None:
    """A chart with the sentence that reads it, its table twin and its download. moves: it is drawn again every second or two."""
    st.subheader(chips.text(given.title), anchor=False)
    if given.caption:
        st.caption(chips.text(given.caption))
    if moves and given.moving is not None:
        with st.container(key=f"moving_{given.name}"):
            st.vega_lite_chart(given.moving[0], given.moving[1], height=300, alt=given.caption or given.title)
    elif given.figure is not None:
        st.plotly_chart(given.figure, key=f"figure_{given.name}", config=chart(given.name), theme=None, alt=given.caption or given.title)
    twin(given.name, given.table, given.title)


def twin(name: str, table: pd.DataFrame, title: str) -> None:
    """The table behind a chart, folded away."""
    with st.expander("The same as a table", icon=":material/table:"):
        st.dataframe(table[:ROWS], hide_index=True, key=f"table_{name}", alt=title, height=min(320, 38 + 35 * max(1, len(table))))
        if len(table) > ROWS:
            st.caption(f"The first {ROWS:,} of {len(table):,} lines; the file has all of them.")
        download(name, table, f"csv_{name}")


def matching(table: pd.DataFrame, words: str) -> pd.DataFrame:
    """The rows that hold every one of these words, in any column."""
    wanted = words.casefold().split()
    if not wanted:
        return table
    lines = [" ".join("" if pd.isna(v) else str(v) for v in row).casefold() for row in table.itertuples(index=False)]
    return table[[all(word in line for word in wanted) for line in lines]]


@contextmanager
def told() -> Iterator[None]:
    """A `Trouble` becomes a sentence on the page, and the page goes on."""
    try:
        yield
    except Trouble as trouble:
        st.warning(chips.text(str(trouble)), icon=":material/info:")


def first_run() -> None:
    """How far the first run is, live; nothing where none is under way."""
    progress = shared.backend().first_run()
    if progress is None:
        return
    if progress.state == "running":
        _live()
    elif progress.state == "failed":
        st.error(chips.text(progress.message or "The first run stopped with an error."), icon=":material/error:")
    elif not st.session_state.get("_welcomed"):
        st.session_state["_welcomed"] = True
        st.toast("The first run is trained: every page is open now.", icon=":material/check:")


@st.fragment(run_every=1.0)
def _live() -> None:
    progress = shared.backend().first_run()
    if progress is None or progress.state != "running":
        st.rerun()  # once, the whole page: the run is there
    with st.container(border=True, key="first_run"):
        st.markdown(f"**The first models of this machine are on their way** · {chips.text(progress.stage)}")
        left = "" if progress.seconds_left is None else f"about {clock(progress.seconds_left)} left"
        st.progress(min(1.0, max(0.0, progress.fraction or 0.0)), text=left or "getting ready")
        _curve(progress)
        st.caption(
            "It takes about a minute, once. The Data page and the baselines on Recommend work already; Tokens and Chat open by themselves. "
            "It goes on when this page or the server is closed; Train shows it in full."
        )


def _curve(progress: Progress) -> None:
    if len(progress.losses) >= 3:
        st.line_chart(
            progress.losses,
            x="step",
            y="loss",
            height=150,
            x_label="step",
            y_label="training loss",
            alt="Training loss by step, falling as it learns",
        )


def clock(seconds: float) -> str:
    """Seconds as a person says them."""
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < 90 else f"{whole / 60:.0f} min"


def need_run() -> str:
    """The run in hand; without one the page says the next step and stops."""
    name = run()
    if name is not None:
        return name
    progress = shared.backend().first_run()
    if progress is None or progress.state != "running":
        st.info(
            "There is no trained run yet. Start one on the **Train** page, or with `llmrec train metaid-ml-100k-sketch` (about a minute).",
            icon=":material/school:",
        )
    else:
        st.info("This page opens as soon as the first run is there. Meanwhile, have a look at **Data**.", icon=":material/hourglass_top:")
    st.stop()
    raise AssertionError("st.stop does not return")


def styles() -> None:
    """Chips and lists, once per page."""
    st.html(f"<style>{chips.style()}{PAGE}</style>")


PAGE = """
[data-testid="stMainBlockContainer"] { max-width: 1320px; }
[data-testid="stMainBlockContainer"] h1 { padding-bottom: 0; }
.st-key-head { border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent); padding-bottom: .7rem; margin-bottom: .3rem; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: .74; } /* Streamlit's own grey is too pale to read on paper */
.st-key-head [data-testid="stCaptionContainer"] { margin-top: -.35rem; }
[data-testid="stHeaderLogo"] { height: 1.7rem; }
:has(> [data-testid="stHeaderLogo"])::after { content: "llmrec"; font: 600 1.15rem "Source Serif", Georgia, serif; margin-left: .5rem; }
[data-testid="stMetricLabel"] { opacity: .75; }
/* Streamlit writes the chosen one in its green, which is too dark to read at night */
[data-testid="stButtonGroup"] button[data-selected="true"]:not([data-disabled]) { color: inherit; font-weight: 600; }
[class*="st-key-row_"] { border-radius: .6rem; padding: .15rem .6rem .45rem; border: 1px solid transparent; }
[class*="st-key-row_"]:hover { background: color-mix(in srgb, currentColor 5%, transparent); }
[class*="st-key-row_on_"] { background: color-mix(in srgb, currentColor 6%, transparent);
  border-color: color-mix(in srgb, currentColor 16%, transparent); }
[class*="st-key-row_"] button { justify-content: flex-start; min-height: 1.9rem; padding: .1rem 0; }
[class*="st-key-row_"] button > * { justify-content: flex-start; text-align: left; width: 100%; overflow-wrap: anywhere; }
[class*="st-key-row_"] button p { font-weight: 600; }
.st-key-part { margin-top: .5rem; }
.st-key-recipe_text textarea { font-family: "Source Code Pro", ui-monospace, monospace; font-size: .84rem; line-height: 1.5; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; } }
"""
