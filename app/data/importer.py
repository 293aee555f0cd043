"""Files on their way to a data set: what they are, which column is what, what filter and split leave, and a name. Streamlit code.

Where it stands: under `views/data`. What it does not know: formats; the intake room recognises, reads and refuses. Nothing is kept before
Import is pressed, and a choice that is refused leaves all others as they are.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import chips, frame, shared
from app.data import shown
from app.seam.intake import Draft, Parts, Reading, Wait
from app.seam.train import Setting
from app.seam.values import Trouble

NONE = "— none —"
ROLES = {
    "user": ("User", "The column that says who took something."),
    "item": ("Item", "The column that says what was taken."),
    "time": ("Time", "Seconds since 1970 or dates; without it the order of the lines is the order of time."),
    "rating": ("Rating", "Numbers; models learn who took what, and read ratings only where a split or a task asks for them."),
    "title": ("Title", "What a person reads; without it items are called by their key."),
}
ABOUT = """
| what | files |
|---|---|
| a table of your own | one CSV, TSV or Parquet file with a line per interaction; a second one with items and titles if you have it |
| RecBole | `name.inter`, with `name.item` and `name.user` |
| MovieLens | `u.data` and `u.item`, or `ratings.dat` and `movies.dat`, or `ratings.csv` and `movies.csv` |
| Amazon | reviews as JSON lines (2014, 2018 or 2023), and the metadata with the titles; or the table of ratings |
| histories | a `.txt` with a line per user: `user item item …`, oldest first |

Text may be packed as `.gz`, and all files of a set may come in one `.zip`. Larger sets than 20 MB, or sets that lie on this machine
already, are imported from the command line, with the same checks:
"""
COMMAND = "llmrec data import ratings.csv movies.csv --name my-films --set filter.user=5 --set filter.item=5"


def importer() -> None:
    """All of it, one step after the other; each shows when the one before it is through."""
    st.caption("Files become a data set of this machine: look at it here, train on it under Train. They never leave this machine.")
    if not files_in_hand() and st.session_state.get("_imported"):
        _done(st.session_state["_imported"])
    _told()
    left, right = st.columns([3, 2], gap="large")
    with left:
        files = st.file_uploader(
            "Files of one data set, 20 MB each at most",
            accept_multiple_files=True,
            key=f"files_{st.session_state.setdefault('_files_turn', 0)}",
            help="CSV, TSV, Parquet, RecBole, MovieLens or Amazon files; several at once, or one zip.",
        )
    with right, st.expander("What can be read, and larger sets", icon=":material/help:", expanded=not files):
        st.markdown(ABOUT)
        st.code(COMMAND, language="bash", wrap_lines=True)
    if not files:
        return
    try:
        draft = shared.backend().intake().open([(file.name, file.getvalue()) for file in files])
    except Trouble as trouble:
        _refused(str(trouble))
        return
    _steps(draft)


def files_in_hand() -> bool:
    """Whether somebody has chosen files since the last import."""
    return bool(st.session_state.get(f"files_{st.session_state.get('_files_turn', 0)}"))


def _steps(draft: Draft) -> None:
    room = shared.backend().intake()
    roles, encoding = _mapping(draft)
    try:
        reading = room.read(draft, roles, encoding)
        if isinstance(reading, Wait):
            _waiting(draft, roles, encoding)
            return
        _read(reading)
        sections = _sections(draft)
        parts = room.parts(reading, sections)
    except Trouble as trouble:
        _refused(str(trouble))
        return
    _left(reading, parts)
    _ending(draft, reading, sections, parts)


def _done(name: str) -> None:
    """What was imported a moment ago, and where to go from here."""
    with st.container(border=True, key="imported"):
        st.markdown(f":material/check_circle: **{chips.text(name)}** is a data set of this machine now.")
        with st.container(horizontal=True):
            st.button("Look at it", key="look_at", on_click=_on_look, args=(name,), help="Its counts, charts and histories.")
            if st.button("Train on it", key="train_imported", type="primary", help="Opens Train with a recipe on it."):
                shown.take(name)


def _on_look(name: str) -> None:
    st.session_state.pop("_imported", None)
    st.session_state["data_set"] = name
    st.session_state["section_show"] = "glance"
    frame.link(data=name)


def _told() -> None:
    if st.session_state.get("_import_told"):
        st.error(chips.text(st.session_state.pop("_import_told")), icon=":material/error:")


def _refused(why: str) -> None:
    st.error(chips.text(why), icon=":material/error:")
    st.caption("Nothing was kept. Mend the file and choose it again, or choose otherwise above.")


def _mapping(draft: Draft) -> tuple[dict[str, str], str]:
    """Which column is what, as chosen: role -> column or "", and the encoding."""
    st.subheader("1 · What the columns are", anchor=False)
    st.success(chips.text(draft.said), icon=":material/check:")
    if draft.aside:
        st.caption(chips.text(f"Not read: {', '.join(draft.aside)}."))
    chosen = {role: column for column, role in draft.roles.items()}
    encoding = "utf-8"
    if draft.open or draft.encodings:
        with st.container(horizontal=True, key="roles"):
            for role in draft.open:
                chosen[role] = _role(draft, role, chosen.get(role, ""))
            if draft.encodings:
                encoding = st.selectbox(
                    "Encoding",
                    draft.encodings,
                    key=f"encoding_{draft.id}",
                    width=172,
                    help="How letters are written as bytes; an error that names a byte means another one.",
                )
    frame.html(_preview(draft, {column: role for role, column in chosen.items() if column}))
    return {role: chosen.get(role, "") for role in draft.open}, str(encoding)


def _role(draft: Draft, role: str, guessed: str) -> str:
    label, meaning = ROLES[role]
    needed = role in ("user", "item")
    options = [*([] if needed else [""]), *(c for c in draft.seen.columns if c)]
    key = f"role_{role}_{draft.id}"
    found = st.selectbox(
        label,
        options,
        index=options.index(guessed) if guessed in options else (None if needed else 0),
        key=key,
        width=172,
        placeholder="choose a column",
        format_func=lambda c: c or NONE,
        help=meaning,
    )
    return str(found or "")


def _preview(draft: Draft, roles: dict[str, str]) -> str:
    """The first rows under their roles, as a table; what is not read is pale. Everything in it comes from the file."""
    order = sorted(range(len(draft.seen.columns)), key=lambda n: (_rank(roles.get(draft.seen.columns[n], "")), n))[:12]
    heads = "".join(_head(draft.seen.columns[n], roles.get(draft.seen.columns[n], "")) for n in order)
    lines = [
        "".join(f'<td class="{"" if draft.seen.columns[n] in roles else "idle"}">{chips.text(row[n])}</td>' for n in order)
        for row in draft.seen.rows
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    more = len(draft.seen.columns) - len(order)
    rest = f'<p class="quiet">and {more} more columns that are not read</p>' if more > 0 else ""
    title = f"The first rows of {chips.text(draft.seen.file)}"
    table = f"<table><caption>{title}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="lm-preview" tabindex="0" role="region" aria-label="{title}">{table}</div>{rest}'


def _rank(role: str) -> int:
    return list(ROLES).index(role) if role in ROLES else len(ROLES)


def _head(column: str, role: str) -> str:
    named = f'<span class="role">{ROLES[role][0]}</span>' if role in ROLES else '<span class="role none">not read</span>'
    return f'<th scope="col" class="{"" if role else "idle"}">{named}<br>{chips.text(column) or "(no name)"}</th>'


@st.fragment(run_every=1.0)
def _waiting(draft: Draft, roles: dict[str, str], encoding: str) -> None:
    with frame.told():
        found = shared.backend().intake().read(draft, roles, encoding)
        if not isinstance(found, Wait):
            st.rerun()
        else:
            shown.progress(found)


def _read(reading: Reading) -> None:
    users, items, taken = reading.sizes
    st.caption(f"Read to the end: {users:,} users, {items:,} items, {taken:,} interactions.")
    for note in reading.notes:
        st.caption(f":material/build: {chips.text(note)}")


def _sections(draft: Draft) -> dict[str, dict[str, Any]]:
    """Filter and split as chosen."""
    st.subheader("2 · What is kept, and what is held out", anchor=False)
    splits = shared.backend().intake().splits()
    with st.container(horizontal=True, vertical_alignment="bottom", key="cutting"):
        user = _least("A user keeps at least", "kcore_user", "Users with fewer are left out, until nothing changes any more.")
        item = _least("An item keeps at least", "kcore_item", "Items with fewer are left out, until nothing changes any more.")
        name = st.selectbox(
            "Split", list(splits), key="split_name", persist_state="session", width=200, help="How a part is held out to measure on."
        )
        settings = splits[str(name)][1]
        body = {"name": name, **{key: value for s in settings if (key := s.where.partition(".")[2]) and (value := _setting(s)) is not None}}
    st.caption(splits[str(name)][0])
    return {"filter": {k: v for k, v in (("user", user), ("item", item)) if v}, "split": body}


def _least(label: str, key: str, meaning: str) -> int:
    if key not in st.session_state:
        st.session_state[key] = 0
    return int(st.number_input(label, min_value=0, max_value=1_000_000, step=1, key=key, persist_state="session", width=190, help=meaning))


def _setting(setting: Setting) -> Any:
    """One setting of the split; None where it is at its default."""
    whole = setting.kind == "whole"
    label = setting.where.rpartition(".")[2].replace("_", " ")
    value = st.number_input(
        label,
        value=setting.value,
        step=1 if whole else 0.05,
        format="%d" if whole else "%g",
        key=f"split_{setting.where}",
        width=150,
        placeholder="none",
        help=setting.help,
    )
    return None if value == setting.default else value


def _left(reading: Reading, parts: Parts) -> None:
    """What stays, live."""
    with st.container(horizontal=True, key="left"):
        for label, now, before in zip(("Users", "Items", "Interactions"), parts.left, reading.sizes, strict=True):
            gone, said = before - now, f"Of {before:,} in the files."
            delta = f"{gone:,} left out" if gone else "all of them"
            st.metric(label, f"{now:,}", delta, delta_color="off", delta_arrow="off", help=said, border=True)
    with st.container(horizontal=True, key="parts"):
        for label, value, meaning in parts.sizes:
            st.metric(label, value, help=meaning, border=True)
    if parts.trouble:
        st.error(chips.text(parts.trouble), icon=":material/block:")


def _ending(draft: Draft, reading: Reading, sections: dict[str, dict[str, Any]], parts: Parts) -> None:
    st.subheader("3 · A name", anchor=False)
    key = f"name_{draft.id}"
    if key not in st.session_state:
        st.session_state[key] = draft.name
    with st.container(horizontal=True, vertical_alignment="bottom", key="ending"):
        st.text_input(
            "Name of the data set",
            key=key,
            width=320,
            max_chars=60,
            help="Letters, digits, '-', '_' and '.'; recipes name it so.",
        )
        st.button(
            "Import",
            key="import",
            type="primary",
            icon=":material/download_done:",
            disabled=bool(parts.trouble),
            on_click=_on_import,
            args=(key, reading, sections),
            help="Keep these files as a data set of this machine. It is there whole or not at all.",
        )


def _on_import(key: str, reading: Reading, sections: dict[str, dict[str, Any]]) -> None:
    try:
        name = shared.backend().intake().keep(reading, str(st.session_state[key]).strip(), sections)
    except Trouble as trouble:
        st.session_state["_import_told"] = str(trouble)
        return
    st.session_state["_files_turn"] += 1
    st.session_state["data_set"] = name
    st.session_state["_imported"] = name
