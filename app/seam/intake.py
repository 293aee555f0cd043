"""What the Data page sees: files on their way to a data set.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from typing import Protocol


class IntakeLike(Protocol):
    """What the page asks for. Raises `Trouble`."""

    def close(self) -> None: ...
