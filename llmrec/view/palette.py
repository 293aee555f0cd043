"""Every colour of every figure: safe for the colour-blind, one set on light and one on dark ground.

Where it stands: under all of `view`. What it does not know: what a colour stands for.
Sources: Paul Tol's schemes "muted" (light ground) and "light" (dark ground); cividis (Nunez et al. 2018) for ordered values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Palette:
    """categories: a cycle of hex colours; sequence: low to high; missing: where there is no value; ink and ground: text and paper."""

    categories: tuple[str, ...]
    sequence: tuple[str, ...]
    missing: str
    accent: str
    ink: str
    ground: str


_CIVIDIS = ("#00224e", "#2a3f6d", "#575d6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838")

LIGHT = Palette(
    categories=("#332288", "#cc6677", "#117733", "#88ccee", "#882255", "#44aa99", "#aa4499", "#999933", "#ddcc77"),
    sequence=_CIVIDIS[:-1],  # the last yellow drowns on white
    missing="#c8c8c8",
    accent="#d55e00",
    ink="#1f1f24",
    ground="#fbfaf6",
)
DARK = Palette(
    categories=("#77aadd", "#ee8866", "#44bb99", "#ffaabb", "#eedd88", "#99ddff", "#bbcc33", "#aaaa00", "#dddddd"),
    sequence=_CIVIDIS[2:],  # the first blues drown on black
    missing="#55555c",
    accent="#ffb000",
    ink="#f0f0f2",
    ground="#141917",
)


def palette(dark: bool = False) -> Palette:
    """The palette for this ground."""
    return DARK if dark else LIGHT


def pale(colour: str, share: float, dark: bool = False) -> str:
    """A hex colour laid over the ground: 1 is the colour itself, 0 the ground. For levels of names that grow paler."""
    one, other = (tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (colour, palette(dark).ground))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in zip(one, other, strict=True))


def stepped(colours: tuple[str, ...]) -> list[list[float | str]]:
    """A plotly colour scale of equal flat steps: value i of 0..n-1 gets colour i when cmin is -0.5 and cmax n - 0.5."""
    n = len(colours)
    return [[edge / n, colour] for i, colour in enumerate(colours) for edge in (i, i + 1)]


def smooth(colours: tuple[str, ...], missing: str, missing_share: float) -> list[list[float | str]]:
    """A plotly colour scale from low to high whose lowest `missing_share` is flat, for points without a value."""
    top: list[list[float | str]] = [
        [missing_share + (1 - missing_share) * i / (len(colours) - 1), colour] for i, colour in enumerate(colours)
    ]
    return [[0.0, missing], [missing_share, missing], *top]


def frame(dark: bool = False) -> dict[str, Any]:
    """Layout that all figures share: font, ground, margins, and a revision that keeps zoom and selection between redraws."""
    p = palette(dark)
    return {
        "template": "plotly_dark" if dark else "plotly_white",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": p.ink},
        "margin": {"l": 8, "r": 8, "t": 48, "b": 8},
        "uirevision": "keep",
    }
