"""What the Tour page sees: the eight names of one item, and the three stories.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from typing import Protocol


class TourLike(Protocol):
    """What the page asks for. Raises `Trouble`."""

    def close(self) -> None: ...
