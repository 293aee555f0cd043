"""The machine's own Chromium, and the flags that keep it quiet and drawing without a screen."""

from __future__ import annotations

import shutil

READY = "[data-testid=stApp][data-test-script-state=notRunning]"
FLAGS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--use-angle=swiftshader --enable-unsafe-swiftshader"
).split()


def find() -> str | None:
    """Its path, or None where there is none."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
