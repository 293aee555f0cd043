"""The real server over fake speakers, one of whom is slow: for tests that must act while an answer grows.

    python -m tests.browser.slow_speakers PORT

Each end of an answer is told at /ended, in the order of happening.
"""

from __future__ import annotations

import sys
import time
from typing import Any

SLOW = 0.8  # seconds between two events of beta


def main(port: int) -> None:
    """Serve until the process is ended."""
    import uvicorn
    from fastapi import FastAPI

    from app import server
    from tests.app.fake_backend import FakeBackend

    backend: Any = FakeBackend(names=("alpha", "beta"))
    talks = backend.talks()
    talks.pace = lambda model, n: time.sleep(SLOW if model == "beta" else 0.02)
    parent = FastAPI()
    parent.get("/ended")(lambda: talks.ended)
    inner = server.build(backend)
    parent.router.lifespan_context = inner.router.lifespan_context
    parent.mount("/", inner)
    uvicorn.run(parent, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
