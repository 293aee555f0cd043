"""A fake that speaks `seam.TourLike`, over the fake backend's films."""

from __future__ import annotations

from typing import Any


class FakeTour:
    """`backend`: the fake backend, for its films and names."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def close(self) -> None: ...
