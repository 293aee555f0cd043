"""How the stories of TokenRec and CLLM4Rec are drawn: a scene with its numbers and charts, and what it waits for. Streamlit draws here.

Where it stands: under `masking` and `pulling`. What it does not know: what a scene shows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import streamlit as st

from app import chips, frame
from app.seam.stories import Pending, Scene


def scene(given: Scene, name: str) -> None:
    """All of a scene but what it waits for. name: of the container, in the page's own words."""
    with st.container(key=f"scene_{name}"):
        for word, card in given.names:
            frame.html(f'<p class="t-says">{chips.text(word)}: {chips.chips(card, big=True)}</p>')
        if given.sentence:
            frame.html(f'<p class="t-says">{chips.text(given.sentence)}</p>')
        if given.numbers:
            with st.container(horizontal=True, key=f"numbers_{name}"):
                for label, value, meaning in given.numbers:
                    st.metric(chips.text(label), value, help=meaning, width="content")
        if given.beside and len(given.exhibits) > 1:
            for column, exhibit in zip(st.columns(len(given.exhibits), gap="medium"), given.exhibits, strict=True):
                with column:
                    frame.exhibit(exhibit)
        else:
            for exhibit in given.exhibits:
                frame.exhibit(exhibit)


def wait(ask: Callable[[], Pending | None], retry: Callable[[Hashable], None]) -> None:
    """How far something is, live, with one rerun of the page at its end; or why it will not come, and a button to try again."""
    given = ask()
    if given is None:
        return
    if not given.trouble:
        _live(ask)
        return
    st.warning(chips.text(f"{given.what}: it could not be done, {given.trouble}."), icon=":material/info:")
    if given.key is not None:
        st.button(
            "Try again", key="story_again", icon=":material/refresh:", on_click=retry, args=(given.key,), help="Start this work once more."
        )


@st.fragment(run_every=1.0)
def _live(ask: Callable[[], Pending | None]) -> None:
    with frame.told():
        given = ask()
        if given is None or given.trouble:
            st.rerun()
        _far(given)


def _far(given: Pending) -> None:
    with st.container(border=True, key="story_waits"):
        st.markdown(f"**{chips.text(given.what)}** · {chips.text(given.cost)}")
        before = "its turn comes after what is computed before it" if given.ahead else "getting ready"
        told = f"{given.share:.0%} · {frame.clock(given.seconds)} so far" if given.share is not None else before
        st.progress(min(1.0, max(0.0, given.share or 0.0)), text=told)
        st.caption("It is computed beside this page and kept, so it is there at once the next time. You can look elsewhere meanwhile.")
