"""Behind `seam.IntakeLike`.

Where it stands: a room of the backend. What it does not know: Streamlit.
"""

from __future__ import annotations

from app.library import Library


class Intake:
    """See `seam.IntakeLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def close(self) -> None:
        """Nothing to end."""
