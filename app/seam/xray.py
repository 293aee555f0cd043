"""What the X-ray page sees: what a model reads and how it chooses.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from typing import Protocol


class XrayLike(Protocol):
    """What the page asks for. Raises `Trouble`."""

    def close(self) -> None: ...
