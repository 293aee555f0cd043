"""How the map is laid out, as the person chooses it, and how far each layout can be trusted (Streamlit code).

Where it stands: a part of the Tokens page. What it does not know: names, figures.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import frame
from app.seam.maps import Lay, Quality

NEIGHBORS, DIST, SEEDS = (2, 200), (0.0, 0.99), (0, 9999)


def chosen() -> Lay:
    """What the controls say, or else the address, or else the usual."""
    usual = Lay()
    how = st.session_state.get("lay_how") or (frame.linked("how") or usual.how).upper()
    return Lay(
        "PCA" if how == "PCA" else "UMAP",
        int(_number("neighbors", usual.neighbors, NEIGHBORS)),
        round(_number("dist", usual.dist, DIST), 2),
        int(_number("seed", usual.seed, SEEDS)),
    )


def _number(name: str, usual: float, ends: tuple[float, float]) -> float:
    """A number of the controls or of the address, within its ends; nonsense in the address is the usual one."""
    held = st.session_state.get(f"lay_{name}")
    try:
        value = float(held if held is not None else frame.linked(name) or usual)
    except ValueError:
        value = usual
    return min(max(value, ends[0]), ends[1]) if value == value else usual


def controls(lay: Lay) -> None:
    """The method, and UMAP's settings; each change goes into the address, so that a map can be sent to somebody."""
    first = {"lay_how": lay.how, "lay_neighbors": lay.neighbors, "lay_dist": lay.dist, "lay_seed": lay.seed}
    for key, value in first.items():
        if st.session_state.get(key) is None:
            st.session_state[key] = value
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="lay"):
        st.segmented_control(
            "Layout",
            ["UMAP", "PCA"],
            key="lay_how",
            required=True,
            persist_state="session",
            label_visibility="collapsed",
            help="UMAP keeps neighbours together and bends the rest; PCA is a straight shadow of the space, made at once.",
        )
        with st.popover(
            "Settings", icon=":material/tune:", type="tertiary", disabled=lay.how == "PCA", help="How UMAP lays the points out."
        ):
            _settings()
    usual = Lay()
    frame.link(
        how="pca" if lay.how == "PCA" else None,
        neighbors=None if lay.neighbors == usual.neighbors else str(lay.neighbors),
        dist=None if lay.dist == usual.dist else f"{lay.dist:g}",
        seed=None if lay.seed == usual.seed else str(lay.seed),
    )


def _settings() -> None:
    st.number_input(
        "Neighbours",
        *NEIGHBORS,
        key="lay_neighbors",
        persist_state="session",
        help="n_neighbors: how many of the nearest count. Few show small groups, many the whole.",
    )
    st.number_input(
        "Least distance",
        *DIST,
        step=0.05,
        key="lay_dist",
        persist_state="session",
        help="min_dist: how tightly points may lie. Small packs groups, large spreads them.",
    )
    st.number_input("Seed", *SEEDS, key="lay_seed", persist_state="session", help="The same seed draws the same map again.")
    st.caption("Each setting is worked out once beside this page and kept; until it is there you see PCA.")


def quality(given: Sequence[Quality], lay: Lay) -> None:
    """Trustworthiness and neighbours kept of each layout, with what they mean."""
    rows = "".join(
        f"<tr><th>{q.how}{_how(q, lay)}</th><td>{q.trustworthiness:.3f}</td><td>{q.kept:.3f}</td><td>{q.scored:,}</td></tr>" for q in given
    )
    frame.html(
        '<table class="lm-quality"><thead><tr><th>Can this map be trusted?</th><th>Trustworthiness</th><th>Neighbours kept</th>'
        f"<th>Points scored</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    st.caption(
        "Trustworthiness: 1 where nobody is near on the map who is not near in the vectors, 0.5 by chance. Neighbours kept: the share of "
        "the 15 nearest in the vectors that are among the 15 nearest on the map."
    )


def _how(q: Quality, lay: Lay) -> str:
    if q.how == "PCA":
        return ""
    return f'<span class="quiet"> {lay.neighbors} neighbours, distance {lay.dist:g}, seed {lay.seed}</span>'


STYLE = """<style>
@media (min-width: 641px) { .st-key-inspector { max-height: 1010px; overflow-y: auto; }
  .st-key-inspector_low { max-height: 560px; overflow-y: auto; } }
.lm-quality { border-collapse: collapse; font-size: .86rem; width: 100%; margin: .2rem 0; }
.lm-quality th { text-align: left; font-weight: 600; } .lm-quality thead th { opacity: .66; font-weight: 500; }
.lm-quality td, .lm-quality thead th + th { text-align: right; font-variant-numeric: tabular-nums; }
.lm-quality td, .lm-quality th { padding: .25rem .5rem; border: 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
</style>"""
