"""The inspector of the Tokens page: one item or user, or one Token (Streamlit code).

Where it stands: a part of the page, over `seam.NamesLike`. What it does not know: the map.
"""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from app.seam.names import Inspection, Neighbour, Predicted, Shared, Telling
from app.tokens import hand
from llmrec.ids.lookup import written

LISTED, PICKED = 30, 10
CHAIN = "Begin a chain of recommendations with this item."


def show(run: str, node: str) -> None:
    """One item or user: its name, its card, who shares what of it, and its nearest; or one Token, who carries it and what they are."""
    seen = shared.backend().names().inspect(run, node)
    _head(run, seen)
    if seen.card.side == "token":
        _token(run, seen)
        return
    labels = {"shares": "Shares", "near": "Nearest"}
    part = frame.sections("Inspector", labels, "look", "Who shares pieces of this name, or who is nearest in the original space.")
    if part == "near":
        _nearest(seen)
    else:
        _agreement(seen)
        _sharers(seen)


def _head(run: str, seen: Inspection) -> None:
    card = seen.card
    kind = {"item": "item", "user": "user", "token": "Token"}[card.side]
    facts = chips.text(" · ".join(x for x in (kind, "" if card.side == "token" else f"key {card.key}", *card.genres, *card.facts) if x))
    title, numbers = chips.text(chips.label(card)), _facts(seen)
    frame.html(f'<div class="lm-card"><h3>{title}</h3><span class="facts">{facts}</span>{chips.chips(card, big=True)}{numbers}</div>')
    if seen.neighbours is None:
        _walking(run, card.node)
    elif seen.note:
        st.caption(chips.text(seen.note))
    with st.container(horizontal=True, gap="medium", key="inspector_links"):
        if card.side == "item":
            known = {"run": run, "item": card.key}
            st.page_link("views/recommend.py", label="Recommend from here", icon=":material/thumb_up:", query_params=known, help=CHAIN)
            told = "See on the Tour how each of the eight schemes writes this item."
            st.page_link("views/tour.py", label="Its eight names", icon=":material/signpost:", query_params=known, help=told)
        elif card.side == "user":
            known = {"run": run, "user": card.key}
            told = "See what the model reads of this user, and how it comes to an item."
            st.page_link("views/xray.py", label="X-ray", icon=":material/biotech:", query_params=known, help=told)
            told = "See what the models recommend to this user."
            st.page_link("views/recommend.py", label="Recommend", icon=":material/thumb_up:", query_params=known, help=told)


@st.fragment(run_every=1.0)
def _walking(run: str, node: str) -> None:
    """While the space is made that nearness is measured in; one full rerun when it is there."""
    seen = shared.backend().names().inspect(run, node)
    if seen.neighbours is not None:
        st.rerun()
    st.caption(chips.text(seen.note))


def _facts(seen: Inspection) -> str:
    told = (
        f'<div title="{chips.text(why)}"><span>{chips.text(label)}</span><b>{chips.text(value)}</b></div>'
        for label, value, why in seen.facts
    )
    return f'<div class="lm-facts">{"".join(told)}</div>' if seen.facts else ""


def _agreement(seen: Inspection) -> None:
    """Whether those who share more of the name are nearer: one line per piece and beginning, and everybody as the measure."""
    lines = [one for one in (*seen.shared[:6], *seen.beginnings) if one.kind != "name" or len(one.pieces) > 1]
    if not lines:
        return
    said = "Do alike names mean alike behaviour? Mean cosine, in the original space, to those who share:"
    told = "".join(_line(one, 1 + (seen.shared.index(one) if one.kind == "piece" else 0)) for one in lines)
    frame.html(f'<p class="quiet">{said}</p><div class="lm-share">{told}{_everybody(seen)}</div>')
    st.caption(chips.text(_verdict(seen)))
    table = pd.DataFrame([_row(one) for one in lines] + [{"shares": "nothing in particular", "mean cosine": seen.cosine}])
    frame.twin("agreement", table, "Who shares what of this name, and how near they are")


def _line(one: Shared, level: int) -> str:
    """level: where a single piece stands in the name, which decides how pale it is."""
    value = '<span class="bar"></span><span class="v">–</span>' if one.cosine is None else _bar(one.cosine, "")
    drawn = chips.chip(one.pieces[0], one.tones[0], level=level) if one.kind == "piece" else chips.name(one.pieces, one.tones)
    return f"<span>{drawn}</span><span class='who'>{_counted(one)}</span>{value}"


def _everybody(seen: Inspection) -> str:
    if seen.cosine is None:
        return ""
    return f'<span class="quiet">all others</span><span class="who">every other {seen.card.side}</span>{_bar(seen.cosine, "all")}'


def _bar(cosine: float, kind: str) -> str:
    width = 100 * min(1.0, max(0.0, cosine))
    return f'<span class="bar"><i class="{kind}" style="width:{width:.0f}%"></i></span><span class="v">{cosine:.2f}</span>'


def _row(one: Shared) -> dict[str, object]:
    return {"shares": written(one.pieces), "as": one.kind, "items": one.n_items, "users": one.n_users, "mean cosine": one.cosine}


def _counted(one: Shared) -> str:
    what = {"piece": "", "beginning": " begin so", "name": " bear the whole name"}[one.kind]
    both = [f"{n:,} {word}{'s' if n != 1 else ''}" for n, word in ((one.n_items, "item"), (one.n_users, "user")) if n]
    return (" and ".join(both) + what) if both else f"nobody else{what.replace(' bear', ' bears').replace(' begin', ' begins')}"


def _verdict(seen: Inspection) -> str:
    """The table in one sentence."""
    first = seen.shared[0]
    if first.n_items + first.n_users == 0:
        return "Nobody shares its first piece, so its name says nothing of who is alike."
    if seen.neighbours is None:
        return "How near they are is told when the space of walks is there."
    if seen.cosine is None:
        return "It has no vector, so nearness cannot be told."
    if first.cosine is None:
        return f"No {seen.card.side} that has a vector shares its first piece, so nearness cannot be told."
    more = (
        "clearly nearer than"
        if first.cosine > seen.cosine + 0.1
        else "no nearer than"
        if first.cosine <= seen.cosine + 0.02
        else "a little nearer than"
    )
    side = f"{seen.card.side}s"
    return f"{side.capitalize()} that share its first piece are {more} others: {first.cosine:.2f} against {seen.cosine:.2f} on average."


def _sharers(seen: Inspection) -> None:
    """The list of one piece or beginning, chosen by what it spells."""
    given = [*seen.shared, *(one for one in seen.beginnings if len(one.pieces) > 1)]
    if not given:
        return
    labels = [f"{written(one.pieces)}{'…' if one.kind == 'beginning' else ''}  {one.n_items + one.n_users:,}" for one in given]
    if (st.session_state.get("sharers") or 0) >= len(given):
        st.session_state["sharers"] = 0
    st.pills(
        "Who shares",
        range(len(given)),
        default=None if "sharers" in st.session_state else 0,
        required=True,
        key="sharers",
        format_func=lambda n: chips.text(labels[n]),
        help="A piece of the name, a beginning of it, or the whole; the number says how many others have it.",
    )
    chosen = given[st.session_state["sharers"] or 0]
    _members(chosen, "Nobody else has it.")


def _members(one: Shared, empty: str) -> None:
    st.caption(chips.text(_said(one)))
    frame.html(chips.listing((chips.row(c) for c in one.items[:LISTED]), "" if one.users else empty))
    if one.users:
        frame.html('<p class="quiet">Users: ' + ", ".join(chips.text(c.key) for c in one.users[:60]) + "</p>")
    known = {c.node: chips.text(chips.label(c)) for c in (*one.items[:PICKED], *one.users[:4])}
    hand.pills("Go to", known, "go_shared", "Take one of them into hand.")


def _said(one: Shared) -> str:
    if one.kind == "piece":
        word = "Token" if written(one.pieces).startswith("<") else "piece"
        return f"{one.n_items:,} items and {one.n_users:,} users carry this {word}."
    if one.kind == "name":
        return f"{_counted(one)}." if one.n_items + one.n_users else "Nobody else bears this whole name: it means one."
    return f"{one.n_items:,} items and {one.n_users:,} users have names that begin so."


def _nearest(seen: Inspection) -> None:
    if seen.neighbours is None:
        st.caption("The nearest are told when the space of walks is there.")
        return
    if not seen.neighbours:
        st.caption("Nothing was learned of this one, so it has no place in the space and no neighbours.")
        return
    st.caption("By cosine in the original vectors, before anything was flattened to two dimensions; beside it what the names share.")
    frame.html(chips.listing(chips.row(n.card, str(i), aside(n)) for i, n in enumerate(seen.neighbours, 1)))
    known = {n.card.node: chips.text(chips.label(n.card)) for n in seen.neighbours[:PICKED]}
    hand.pills("Go to", known, "go_near", "Take one of them into hand.")
    frame.twin("nearest", neighbours(seen.neighbours), "The nearest in the original space")


def aside(near: Neighbour) -> str:
    """How near, and what the two names have in common, as a person says it; nothing where names have no pieces to share."""
    said = "" if near.of < 1 else "the whole name" if near.shared == near.of else f"{near.shared} of {near.of} pieces"
    return " · ".join(x for x in (said, "" if math.isnan(near.cosine) else f"{near.cosine:.2f}") if x)


def neighbours(given: tuple[Neighbour, ...]) -> pd.DataFrame:
    """The nearest as a table."""
    return pd.DataFrame(
        [
            {
                "rank": i,
                "side": n.card.side,
                "key": n.card.key,
                "title": n.card.title,
                "cosine": n.cosine,
                "pieces shared": n.shared,
                "name": written(n.card.pieces),
            }
            for i, n in enumerate(given, 1)
        ]
    )


def _token(run: str, seen: Inspection) -> None:
    """What stands out among the bearers of a Token, how often it is predicted, and who they are."""
    for kind, tags in seen.telling:
        told = "".join(_telling(tag) for tag in tags)
        frame.html(f'<div class="lm-telling"><b>{chips.text(kind)}</b>{told}</div>')
    if seen.telling:
        st.caption("How many of its items have it, and how many times more often than items in general.")
        table = pd.DataFrame(
            [
                {"kind": kind, "tag": t.tag, "items": t.count, "of all": t.everywhere, "times as often": t.lift}
                for kind, tags in seen.telling
                for t in tags
            ]
        )
        frame.twin("telling", table, "What stands out among its items")
    if seen.shared[0].n_items:
        _predicted(run, seen.card.key)
    _members(seen.shared[0], "No item carries it.")
    everyone = shared.backend().names().bearers(run, seen.card.key).table.drop(columns="node")
    frame.twin("bearers", everyone, "Everyone who carries this Token")


def _telling(tag: Telling) -> str:
    why = f"{tag.count} of its items, {tag.everywhere} of all"
    return f'<span class="chip film" title="{why}">{chips.text(tag.tag)}<i>{tag.count} · ×{tag.lift:.1f}</i></span>'


def _predicted(run: str, token: str) -> None:
    again = st.session_state.pop("predict_again", False)
    found = shared.backend().names().predicted(run, token, again)
    if found.state == "waiting":
        _counting(run, token)
    elif found.state == "failed":
        st.caption(chips.text(f"How often it is predicted could not be counted: {found.reason}."))
        st.button("Count again", key="count_again", on_click=_again, type="tertiary", help="Asks the model once more, beside this page.")
    else:
        frame.html(f'<div class="lm-card">{_prediction(found)}</div>')


def _again() -> None:
    st.session_state["predict_again"] = True


@st.fragment(run_every=1.0)
def _counting(run: str, token: str) -> None:
    """While the model is asked; one full rerun when it has answered."""
    with frame.told():
        found = shared.backend().names().predicted(run, token)
        if found.state != "waiting":
            st.rerun()
        told = f"The model is being asked what it recommends, to count this Token ({chips.text(found.reason)})."
        st.caption(f":material/hourglass_top: {told}")


def _prediction(found: Predicted) -> str:
    """Predicted against held out against the catalogue, as bars."""
    rows = (
        ("recommended", found.share, ""),
        ("held out", found.targets, "all"),
        ("of all items", found.catalogue, "all"),
    )
    top = max(0.01, *(share for _, share, _ in rows))
    lines = "".join(
        f"<span>{label}</span><span></span><span class='bar'><i class='{kind}' style='width:{100 * share / top:.0f}%'></i></span>"
        f"<span class='v'>{share:.1%}</span>"
        for label, share, kind in rows
    )
    asked = f"{found.users * found.slots:,} recommendations to {found.users:,} test users"
    said = f"How often it is predicted, of {asked}; {found.people:,} of them got it."
    return f'<span class="facts">{said}</span><div class="lm-share">{lines}</div>'
