"""The one backend of this process, which every page and the chat ask.

Where it stands: between the pages and `backend`. What it does not know: what a backend does; tests put a fake here.
"""

from __future__ import annotations

import threading

from app.seam import BackendLike

_lock = threading.Lock()
_held: list[BackendLike] = []


def backend() -> BackendLike:
    """The backend, made when first asked for."""
    with _lock:
        if not _held:
            from app.backend import Backend

            _held.append(Backend())
        return _held[0]


def use(other: BackendLike | None) -> None:
    """Put another backend in its place (None: make the real one again when asked)."""
    with _lock:
        _held[:] = [] if other is None else [other]


def close() -> None:
    """End what the backend started, if there is one."""
    with _lock:
        for held in _held:
            held.close()
