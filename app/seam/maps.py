"""What the Tokens page sees of the map: every user and item as a point.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd


@dataclass(frozen=True)
class Atlas:
    """The map of users and items. how: "UMAP" or "PCA"; waiting: a better map is being made; trouble: why none will come."""

    how: str
    figure: Any
    table: pd.DataFrame
    quality: tuple[tuple[str, float, str], ...] = ()
    note: str = ""
    waiting: bool = False
    trouble: str = ""


class MapsLike(Protocol):
    """What is asked about the map. Raises `Trouble`."""

    def atlas(self, run: str, focus: str | None = None, dark: bool = False) -> Atlas: ...
