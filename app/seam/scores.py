"""What the Compare page sees: runs and baselines as numbers beside each other.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from typing import Protocol


class ScoresLike(Protocol):
    """What the page asks for. Raises `Trouble`."""

    def close(self) -> None: ...
