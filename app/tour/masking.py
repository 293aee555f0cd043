"""The part "TokenRec" of the Tour: mask, encode, snap, reconstruct; the claim tested; sizes tried; a race. Streamlit draws here.

Where it stands: under `views/tour`. What it does not know: quantizers, models, errands.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, picking, shared
from app.seam import Card
from app.seam.stories import MaskingLike, Pending, Race
from app.tour import eight, rows, telling

STEPS = {
    "mask": "1 · Mask",
    "encode": "2 · Encode",
    "snap": "3 · Snap",
    "back": "4 · Reconstruct",
    "claim": "5 · The claim",
    "sizes": "6 · Sizes",
    "race": "7 · The race",
}
ABOUT = (
    "TokenRec hides part of each vector while it learns, so that a name says what is typical and not every detail: encoders look at a "
    "vector with holes, each snaps to a codeword of its book, and the codewords together are the name. It then retrieves by vector instead "
    "of spelling names."
)
LEAST = {
    "mask": "Hide some numbers of an item's vector.",
    "encode": "What each encoder makes of the numbers it still sees.",
    "snap": "Each encoder's word is replaced by the nearest codeword of its book: that is the code.",
    "back": "The decoder reads the codewords alone and tells the whole vector.",
    "claim": "Does masking make names steadier? Four of one size under the same masks; three are fitted first: about 25 s, once.",
    "sizes": "More books or more codes? Each size is really fitted, quickly, the first time it is chosen: about 10 s, once.",
    "race": "Retrieval by vector against beam search through names, on one model and one person, by the clock.",
}


def story(run: str | None) -> None:
    """All of it."""
    frame.html(rows.hero("Names that survive holes", ABOUT))
    step = frame.sections("Step", STEPS, "step", "From a vector to a name and back; then what masks, sizes and the trie cost.")
    st.caption(LEAST[step])
    room: MaskingLike = shared.backend().tour().masking()
    if step == "race":
        _race(room, run)
        return
    origin = room.origin(run)
    if origin.pending is not None:
        telling.wait(lambda: room.origin(run).pending, room.retry)
        return
    if step == "sizes":
        _sizes(room, run)
    else:
        _masked(room, run, step)
    st.caption(chips.text(origin.sentence))


def _masked(room: MaskingLike, run: str | None, step: str) -> None:
    """The steps that look at one item under one mask."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="mask_controls"):
        with st.container(width=340):
            card = eight.chosen(run)
        share, draw = _mask()
    dark = frame.dark()

    def pending() -> Pending | None:
        return room.step(run, step, card.index, share, draw, dark).pending

    given = room.step(run, step, card.index, share, draw, dark)
    telling.scene(given, step)
    telling.wait(pending, room.retry)


def _mask() -> tuple[float, int]:
    """How much is hidden, and which draw: from the controls or the address."""
    if "mask_percent" not in st.session_state:
        st.session_state["mask_percent"] = min(90, max(0, round(_whole("mask", 20) / 5) * 5))
    percent = st.slider(
        "Hidden",
        0,
        90,
        step=5,
        format="%d %%",
        key="mask_percent",
        persist_state="session",
        width=320,
        help="The chance of each number to be hidden from the encoders; TokenRec learns with 20 %.",
    )
    draw = _whole("draw", 0)
    st.button(
        "Another draw",
        key="mask_draw",
        icon=":material/casino:",
        on_click=_redraw,
        help=f"Hide other numbers, about as many; this is draw {draw}.",
    )
    frame.link(mask=str(percent), draw=str(draw))
    return percent / 100, draw


def _redraw() -> None:
    frame.link(draw=str(_whole("draw", 0) + 1))


def _whole(name: str, otherwise: int) -> int:
    told = frame.linked(name) or ""
    return int(told) % 100_000 if told.isascii() and told.isdigit() else otherwise


def _sizes(room: MaskingLike, run: str | None) -> None:
    books, codes = room.choices(run)
    for name, among, usual in (("books", books, 3), ("codes", codes, 128)):
        if st.session_state.get(f"size_{name}") not in among:
            asked = _whole(name, usual)
            st.session_state[f"size_{name}"] = asked if asked in among else among[len(among) // 2]
    with st.container(horizontal=True, key="size_controls"):
        k = st.select_slider(
            "K, books", books, key="size_books", persist_state="session", width=300, help="How many Tokens a name has: one of each book."
        )
        n = st.select_slider(
            "L, codes in a book", codes, key="size_codes", persist_state="session", width=300, help="How many Tokens each book has."
        )
    frame.link(books=str(k), codes=str(n))
    dark = frame.dark()
    given = room.sizes(run, k, n, dark)
    telling.wait(lambda: room.sizes(run, k, n, dark).pending, room.retry)
    telling.scene(given, "sizes")


def _race(room: MaskingLike, run: str | None) -> None:
    ways = room.racers(run)
    if not ways:
        st.info(
            "Nobody can race yet: this needs a TokenRec run with a retrieve head, trained on this data. Choose that scheme on the "
            "**Train** page (the sketch takes about a minute).",
            icon=":material/school:",
        )
        st.page_link("views/train.py", label="Train one", icon=":material/model_training:", help="Choose TokenRec there and start it.")
        return
    user = _runner(run)
    held = ("race", run, user, frame.dark())
    with st.container(horizontal=True, vertical_alignment="center", key="race_start"):
        begun = st.button(
            "Start the race",
            key="race_go",
            type="primary",
            icon=":material/timer:",
            help="Rank for this person by every way in turn, seven times each; a few seconds, more where a model is loaded first.",
        )
        frame.html(f'<p class="quiet">{chips.text(" · ".join(ways))}</p>')
    if begun:
        place = st.empty()
        place.caption(":material/hourglass_top: Loading what is not loaded yet, and one call each that is not counted.")
        for race in room.race(run, user, frame.dark()):
            st.session_state["_race"] = (held, race)
            if race.exhibit.moving is not None:
                with place.container():
                    st.caption(f"{race.done} of {race.of} calls each")
                    st.vega_lite_chart(race.exhibit.moving[0], race.exhibit.moving[1], height=240, alt=race.sentence)
        place.empty()
    of, race = st.session_state.get("_race", (None, None))
    if race is not None and of == held:
        _ended(race)


def _runner(run: str | None) -> int:
    keys = shared.backend().user_keys(run)
    if "race_user" not in st.session_state:
        asked = frame.linked("user")
        st.session_state["race_user"] = asked if asked in keys else keys[0]
    key = picking.user("Rank for user", keys, "race_user", 260)
    frame.link(user=key)
    return keys.index(key)


def _ended(race: Race) -> None:
    """Who was how quick, and what each found."""
    with st.container(key="scene_race"):
        frame.html(f'<p class="t-says">{chips.text(race.sentence)}</p>')
        frame.exhibit(race.exhibit)
        for note in race.notes:
            st.caption(chips.text(note))
        if not race.answers:
            return
        st.subheader("What each found", anchor=False)
        for column, answer in zip(st.columns(len(race.answers), gap="medium"), race.answers, strict=True):
            with column:
                frame.html(f"<p><b>{chips.text(answer.model)}</b></p>{chips.answer(answer, scores=False)}")
                if answer.note:
                    st.caption(chips.text(answer.note))
        table = pd.DataFrame(
            [
                {"way": answer.model, "rank": rank, "title": _title(pick.card), "held out": "yes" if pick.target else ""}
                for answer in race.answers
                for rank, pick in enumerate(answer.picks, 1)
            ]
        )
        frame.download("race-found", table, "csv_race_found")


def _title(card: Card) -> str:
    return chips.label(card)
