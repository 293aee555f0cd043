"""The studio's server as a process of its own, on a free port, over a folder of runs; and the browser that visits it.

Where it stands: under `benchmarks.studio`. What it does not know: pages, and what is measured on them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.browser import chromium

ROOT = Path(__file__).resolve().parents[2]
BARE = Path(__file__).with_name("bare.py")
SIZE = {"width": 1280, "height": 900}
PATIENCE = 120.0  # seconds that a server may take to listen


@dataclass(frozen=True)
class Served:
    """A server that listens. began: `time.perf_counter()` when its process was started."""

    address: str
    began: float


@contextmanager
def served(runs: Path, log: IO[bytes] | None = None) -> Iterator[Served]:
    """The studio over these runs, ended when the block is left. RuntimeError where it ends by itself or never listens."""
    with _listening("app.server", "--no-first-run", "--port", environment={"LLMREC_RUNS": str(runs)}, log=log) as server:
        yield server


@contextmanager
def bare() -> Iterator[Served]:
    """Streamlit alone, over `bare.py`."""
    with _listening("streamlit", "run", str(BARE), "--server.headless", "true", "--server.port") as server:
        yield server


@contextmanager
def _listening(module: str, *words: str, environment: Mapping[str, str] | None = None, log: IO[bytes] | None = None) -> Iterator[Served]:
    """A module's process, whose last word is the port, once it listens there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    whole = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", **(environment or {})}
    command = [sys.executable, "-m", module, *words, str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=whole, stdout=log or subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        while not _listens(port):
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with code {process.returncode}")
            if time.perf_counter() - began > PATIENCE:
                raise RuntimeError(f"the server did not listen within {PATIENCE:.0f} s")
            time.sleep(0.02)
        yield Served(f"http://127.0.0.1:{port}", began)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def browser() -> Iterator[Any]:
    """The machine's own Chromium. RuntimeError where there is none."""
    from playwright.sync_api import sync_playwright

    found = chromium.find()
    if found is None:
        raise RuntimeError("there is no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=chromium.FLAGS)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def tab(window: Any) -> Iterator[Any]:
    """A fresh visitor's tab."""
    context = window.new_context(viewport=SIZE)
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    try:
        yield page
    finally:
        context.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
