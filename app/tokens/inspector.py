"""The inspector of the Tokens page: one item or user, or one Token (Streamlit code).

Where it stands: a part of the page, over `seam.NamesLike`. What it does not know: the map.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import chips, frame, shared
from llmrec.ids.lookup import written


def show(run: str, node: str) -> None:
    """One item or user: its name, its card, whom it shares Tokens with, and its nearest; or one Token and who carries it."""
    seen = shared.backend().names().inspect(run, node)
    card = seen.card
    kind = {"item": "item", "user": "user", "token": "Token"}[card.side]
    facts = chips.text(" · ".join(x for x in (kind, "" if card.side == "token" else f"key {card.key}", *card.genres, *card.facts) if x))
    title = chips.text(chips.label(card))
    frame.html(f'<div class="lm-card"><h3>{title}</h3><span class="facts">{facts}</span>{chips.chips(card, big=True)}</div>')
    if card.side == "item":
        st.page_link(
            "views/recommend.py", label="Recommend from here", icon=":material/thumb_up:", query_params={"run": run, "item": card.key}
        )
    labels = [*(chips.text(s.token) for s in seen.shared), *(["Nearest"] if seen.neighbours else [])]
    if not labels:
        st.caption("This name is text: the model reads it by its own subwords, and nobody shares a Token of it.")
        return
    tabs = st.tabs(labels)
    for tab, shared_by in zip(tabs, seen.shared, strict=False):
        with tab:
            st.caption(f"{shared_by.n_items} items and {shared_by.n_users} users carry this Token.")
            if card.side == "token" and seen.genres:
                st.caption(chips.text("Most frequent genres: " + ", ".join(f"{genre} ({count})" for genre, count in seen.genres)))
            frame.html(chips.listing((chips.row(c) for c in shared_by.items[:30]), "No item carries it."))
            if shared_by.users:
                frame.html('<p class="quiet">Users: ' + ", ".join(chips.text(c.key) for c in shared_by.users[:60]) + "</p>")
    if seen.neighbours:
        with tabs[-1]:
            st.caption("By cosine in the original vectors, before anything was flattened to two dimensions.")
            frame.html(chips.listing(chips.row(n.card, str(i), f"{n.cosine:.2f}") for i, n in enumerate(seen.neighbours, 1)))
            table = pd.DataFrame(
                [
                    {
                        "rank": i,
                        "side": n.card.side,
                        "key": n.card.key,
                        "title": n.card.title,
                        "cosine": n.cosine,
                        "name": written(n.card.pieces),
                    }
                    for i, n in enumerate(seen.neighbours, 1)
                ]
            )
            frame.download(f"nearest-{card.key}", table, "csv_nearest")
