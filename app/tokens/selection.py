"""A selection of users and items as a table with their names, and as files (Streamlit code).

Where it stands: a part of the Tokens page, over `seam.NamesLike`; the map gives it what was drawn around.
What it does not know: how anything was selected.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from app import chips, shared
from app.seam.names import Form
from app.tokens import hand

FORMS: dict[Form, tuple[str, str]] = {
    "json": ("JSON", "application/json"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
    "csv": ("CSV", "text/csv"),
}


def show(run: str, nodes: list[str]) -> None:
    """The rows of these nodes, with a filter; choosing a row takes it into hand."""
    chosen = tuple(nodes)
    words = st.text_input(
        "Filter",
        key="sel_filter",
        placeholder="words of a title, a genre, a Token, a key",
        help="Only rows that have all of these words somewhere are shown.",
    )
    rows = shared.backend().names().listed(run, chosen, words)
    if rows.empty:
        st.caption(chips.text(f"None of the {len(chosen):,} has all of these words: clear the filter."))
    else:
        said = f"{len(rows):,} of {len(chosen):,}" if words else f"{len(rows):,}"
        st.caption(f"{said} users and items. Choose a row to take it into hand.")
        hand.table(rows, "sel_rows", "The selection with its names", "selection")
    files(run, chosen, "selection")


def files(run: str, nodes: tuple[str, ...] | None, key: str) -> None:
    """Names as files: a selection's, or all (None). The project's own forms go back in by `llmrec ids`."""
    some = nodes is None or any(node.startswith("item:") for node in nodes)
    with st.container(horizontal=True, vertical_alignment="center", key=f"files_{key}"):
        for form, (label, mime) in FORMS.items():
            st.download_button(
                f"{'All names' if nodes is None else 'These names'} as {label}",
                partial(shared.backend().names().export, run, nodes, form),
                file_name=f"names-{run}.{form}",
                mime=mime,
                key=f"{key}_{form}",
                icon=":material/download:",
                on_click="ignore",
                type="tertiary",
                disabled=form != "csv" and not some,
                help="A table for a spreadsheet." if form == "csv" else "Names with codes, books and keys, as `llmrec ids` reads them.",
            )
    if not some:
        st.caption("Only items make a file of names: select some items for JSON or Parquet.")
    st.caption("Codebooks and centres are left out of these files; `llmrec ids export` writes them too.")
