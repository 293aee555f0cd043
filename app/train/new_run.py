"""The form of the Train page: five choices, every setting, the recipe's text and the command line, kept in step; estimate and start.

Where it stands: under `views/train`. What it does not know: what settings mean; the workshop reads and refuses. What is chosen lives in
one plan in the session; every control shows a part of it and asks the workshop for the next.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import chips, frame, shared
from app.seam import Choice, Forecast, Plan, Setting, Trouble

SECTIONS = {
    "data": "Data",
    "filter": "Filter",
    "split": "Split",
    "embed": "Vectors",
    "scheme": "Names",
    "lm": "Model",
    "head": "Head",
    "train": "Training",
}
OWN = "your own settings"
LONGEST = 64 * 1024
NOTHING = object()


def form() -> None:
    """All of it."""
    plan = current()
    scheme = plan.plain.get("scheme")
    frame.link(scheme=str(scheme["name"]) if isinstance(scheme, dict) and scheme.get("name") else None)
    _choices(plan)
    left, right = st.columns([6, 5], gap="large")
    with left:
        _settings(plan)
        _begin(plan)
    with right:
        _text(plan)


def current() -> Plan:
    """The plan in hand; the first visit gets the one to begin with."""
    if "_plan" not in st.session_state:
        take(shared.backend().workshop().plan())
    plan: Plan = st.session_state["_plan"]
    return plan


def take(plan: Plan) -> None:
    """Take a plan into hand: every control follows."""
    st.session_state["_plan"] = plan
    st.session_state["_unread"] = ""
    st.session_state["recipe_text"] = plan.text


def handed() -> None:
    """A link to this page may name the scheme (`?scheme=`): the form opens with it. What the form itself wrote there is no such link."""
    asked = st.query_params.get("scheme")
    if not asked or asked == st.session_state.get("_link_scheme"):
        return
    st.session_state["part"] = "new"
    workshop = shared.backend().workshop()
    known = next(choice.names for choice in workshop.choices() if choice.where == "scheme.name")
    if asked in known:
        take(workshop.changed(current(), {"scheme.name": asked}))
    else:
        said = f"No scheme is called {asked!r:.100}: choose one of those in the form."
        st.warning(chips.text(said), icon=":material/info:")


def _choices(plan: Plan) -> None:
    offered = shared.backend().workshop().choices()
    values = {s.where: s.value for s in plan.settings}
    values.update(
        {f"{section}.name": body.get("name") for section, body in plan.plain.items() if isinstance(body, dict) and "name" in body}
    )
    values["preset"] = plan.preset or OWN
    for column, choice in zip(st.columns(len(offered), gap="small"), offered, strict=True):
        with column:
            _choice(choice, values.get(choice.where) or next(iter(choice.names)))
    if plan.note:
        st.caption(plan.note)


def _choice(choice: Choice, value: Any) -> None:
    names = dict(choice.names) if value in choice.names else {**choice.names, value: "As the recipe says."}
    key = f"top_{choice.where}"
    _show(key, value)
    st.selectbox(choice.label, list(names), key=key, on_change=_on_choice, args=(choice.where, key), help=choice.help)
    st.caption(names[value])


def _settings(plan: Plan) -> None:
    st.subheader("All settings", anchor=False)
    there = [s for s in SECTIONS if any(setting.where.startswith(f"{s}.") for setting in plan.settings)]
    changed = {s: sum(x.where.startswith(f"{s}.") and not x.needed and x.value != x.default for x in plan.settings) for s in there}
    if st.session_state.get("section") not in there:
        st.session_state["section"] = "train" if "train" in there else there[0]
    section = st.segmented_control(
        "Part of the recipe",
        there,
        key="section",
        required=True,
        persist_state="session",
        label_visibility="collapsed",
        format_func=lambda s: f"{SECTIONS[s]} · {changed[s]}" if changed.get(s) else SECTIONS[s],
        help="The parts of a recipe in the order of the flow; the number counts what differs from the defaults.",
    )
    mine = [s for s in plan.settings if s.where.startswith(f"{section}.") or (section == "train" and s.where == "seed")]
    if not mine:
        st.caption("Nothing to set here.")
    with st.container(key="settings"):
        for start in range(0, len(mine), 3):
            for column, setting in zip(st.columns(3, gap="small"), mine[start : start + 3], strict=False):
                with column:
                    _control(setting, str(plan.plain.get(section or "", {}).get("name", "")))


def _control(setting: Setting, stage: str) -> None:
    """One setting: its label is bold where it differs from the default."""
    key = f"set_{stage}_{setting.where}"
    name = setting.where.rpartition(".")[2]
    label = f"**{name}**" if setting.value != setting.default or setting.needed else name
    shown: dict[str, Any] = {"key": key, "on_change": _on_setting, "args": (setting, key), "help": setting.help}
    empty: dict[str, Any] = {"placeholder": "none"}
    if setting.kind == "switch":
        _show(key, bool(setting.value))
        st.toggle(label, **shown)
    elif setting.kind == "choice":
        names = list(setting.choices) if setting.value in (None, *setting.choices) else [*setting.choices, setting.value]
        _show(key, setting.value)
        st.selectbox(label, names, index=None if setting.optional else 0, **shown, **empty)
    elif setting.kind in ("whole", "number") and isinstance(setting.value, (int, float, type(None))):
        whole = setting.kind == "whole"
        _show(key, setting.value)
        step: Any = 1 if whole else _step(setting)
        st.number_input(label, value=None, step=step, format="%d" if whole else "%g", **shown, **empty)
    else:
        _show(key, "" if setting.value is None else str(setting.value))
        st.text_input(label, placeholder="needed" if setting.needed else "none", **shown)


def _step(setting: Setting) -> float:
    """A tenth of what stands there, in a round number."""
    size = abs(setting.value or setting.default or 1.0)
    return float(f"{size / 10:.0e}") or 0.1


def _show(key: str, value: Any) -> None:
    """Put the plan's value into a control. Set idly it would wipe what is being typed."""
    if st.session_state.get(key, NOTHING) != value:
        st.session_state[key] = value


def _text(plan: Plan) -> None:
    st.subheader("The same as a recipe", anchor=False)
    if "recipe_text" not in st.session_state:
        st.session_state["recipe_text"] = plan.text
    st.text_area(
        "Recipe (TOML)",
        key="recipe_text",
        height=330,
        on_change=_on_text,
        persist_state="session",
        max_chars=LONGEST,
        help="What differs from the defaults. Edit it, and the form follows; a change in the form writes it anew, without comments.",
    )
    if st.session_state.get("_unread"):
        st.error(chips.text(st.session_state["_unread"]), icon=":material/error:")
        st.caption("The form still shows the last recipe that could be read; nothing of your text is lost.")
    with st.expander("Take a recipe from a file", icon=":material/upload_file:"):
        st.file_uploader(
            "A recipe (.toml)", type=["toml"], key="recipe_file", on_change=_on_file, help="The file's text goes into the box above."
        )
    st.markdown("**The same from the command line**")
    st.code(plan.command or "# none: the recipe is refused", language="bash", wrap_lines=True)
    last = plan.command.rpartition(" ")[2]
    named = last if last.endswith(".toml") else "recipe.toml"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            named, plan.text, named, "application/toml", key="save_recipe", icon=":material/download:", on_click="ignore", type="tertiary",
            help="Save the recipe as a file.",
        )  # fmt: skip
        if named == last:
            st.caption("Save it first: the command reads it from the folder you stand in.")


def _begin(plan: Plan) -> None:
    workshop = shared.backend().workshop()
    blocked = bool(plan.trouble or st.session_state.get("_unread"))
    if plan.trouble:
        st.error(chips.text(plan.trouble), icon=":material/block:")
    if st.session_state.get("_refused_start"):
        st.error(chips.text(st.session_state.pop("_refused_start")), icon=":material/block:")
    with st.container(horizontal=True, vertical_alignment="center", key="begin"):
        st.button(
            "Start training",
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=blocked,
            on_click=_on_start,
            help="Put this recipe into the queue; it starts as soon as a place is free.",
        )
        st.button(
            "Estimate first",
            key="estimate",
            icon=":material/timer:",
            disabled=blocked,
            on_click=_on_estimate,
            help="Measure for some seconds what this recipe would take: time, memory and disk.",
        )
    if not blocked:
        with frame.told():
            known = workshop.forecast(plan)
            if known is not None and known.state == "measuring":
                _waiting()
            elif known is not None:
                _forecast(known)


@st.fragment(run_every=1.0)
def _waiting() -> None:
    with frame.told():
        known = shared.backend().workshop().forecast(st.session_state["_plan"])
        if known is None or known.state != "measuring":
            st.rerun()
        st.info("Measuring on this machine; it takes some seconds …", icon=":material/hourglass_top:")


def _forecast(known: Forecast) -> None:
    with st.container(border=True, key="forecast"):
        if known.state == "failed":
            st.warning(f"No estimate: {known.trouble}", icon=":material/info:")
            return
        with st.container(horizontal=True):
            for label, value, meaning in known.numbers:
                st.metric(label, value, help=meaning, width="content")
        for line in known.advice:
            st.caption(line)
        if known.table is not None and len(known.table):
            st.dataframe(known.table, hide_index=True, key="forecast_table", alt="The estimate stage by stage")


def _on_choice(where: str, key: str) -> None:
    value = st.session_state[key]
    if value != OWN:
        take(shared.backend().workshop().changed(current(), {where: value}))


def _on_setting(setting: Setting, key: str) -> None:
    value = st.session_state[key]
    if value == "" and setting.kind in ("text", "toml"):
        value = None
    if value is None and not setting.optional:
        value = setting.default  # emptied: back to the default
    if value is None and not setting.optional:
        return
    take(shared.backend().workshop().changed(current(), {setting.where: value}))


def _on_text() -> None:
    read(st.session_state["recipe_text"])


def read(text: str) -> None:
    """Take a text into hand; one that cannot be read stays in its box with the reason."""
    try:
        take(shared.backend().workshop().plan(text))
    except Trouble as trouble:
        st.session_state["recipe_text"] = text
        st.session_state["_unread"] = str(trouble)


def _on_file() -> None:
    file = st.session_state["recipe_file"]
    if file is None:
        return
    raw = file.getvalue()
    if len(raw) > LONGEST:
        st.session_state["_unread"] = (
            f"{file.name} has {len(raw):,} bytes, and a recipe has at most {LONGEST:,}: choose the recipe's own file"
        )
        return
    try:
        read(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        st.session_state["_unread"] = f"{file.name} is not a text in UTF-8: save it as one, or choose another file"


def _settled() -> Plan | None:
    """The plan, after what was being typed when the button was pressed; None where that cannot be read."""
    if st.session_state.get("recipe_text") != current().text:
        _on_text()
    return None if st.session_state.get("_unread") or current().trouble else current()


def _on_estimate() -> None:
    plan = _settled()
    if plan is not None:
        with frame.told():
            shared.backend().workshop().forecast(plan, begin=True)


def _on_start() -> None:
    plan = _settled()
    if plan is None:
        return
    try:
        name = shared.backend().workshop().start(plan)
    except Trouble as trouble:
        st.session_state["_refused_start"] = str(trouble)
        return
    st.session_state["_job"] = name
    st.session_state["part"] = "runs"
