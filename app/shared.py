"""The one backend of this process, which every page and the chat ask.

Where it stands: between the pages and `backend`. What it does not know: what a backend does; tests put a fake here.
"""

from __future__ import annotations

import threading
from typing import Any

from app.seam import BackendLike

_lock = threading.Lock()
_backend: Any = None


def backend() -> Any:
    """The backend, made when first asked for."""
    global _backend
    with _lock:
        if _backend is None:
            from app.backend import Backend

            _backend = Backend()
        return _backend


def use(other: BackendLike | None) -> None:
    """Put another backend in its place (None: make the real one again when asked)."""
    global _backend
    with _lock:
        _backend = other


def close() -> None:
    """End what the backend started, if there is one."""
    with _lock:
        if _backend is not None and hasattr(_backend, "close"):
            _backend.close()
