"""Behind `seam.XrayLike`.

Where it stands: a room of the backend. What it does not know: Streamlit.
"""

from __future__ import annotations

from app.library import Library


class Xray:
    """See `seam.XrayLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def close(self) -> None:
        """Nothing to end."""
