"""A real server over a real small run, and the machine's own Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium as browser
from tests.browser import small_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; where there is none the test is skipped."""
    found = browser.find()
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, then the browser tests run")
    return found


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[str]:
    """The address of a server process over one small trained run."""
    runs = tmp_path_factory.mktemp("runs")
    environment = {**os.environ, "LLMREC_RUNS": str(runs), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-m", "tests.browser.small_run", str(runs)], cwd=ROOT, env=environment, check=True, timeout=120)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "app.server", "--port", str(port), "--no-first-run"], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _answers(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        small_run.end(runs)  # a training goes on without its server


@pytest.fixture
def tab(chromium: str, tmp_path: Path) -> Iterator[Any]:
    """A browser tab that remembers every request off this machine, every page error and every console error in `tab.faults`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=browser.FLAGS)
        page = opened.new_page(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
        page.faults = []
        page.on("request", lambda r: None if _local(r.url) else page.faults.append(f"request to {r.url}"))
        page.on("pageerror", lambda e: page.faults.append(f"page error {e}"))
        page.on("console", lambda m: page.faults.append(f"console {m.text} {m.location}") if m.type == "error" else None)
        page.set_default_timeout(30_000)
        yield page
        page.screenshot(path=tmp_path / "last.png")  # what was on the screen when the test ended
        opened.close()


def _local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:"))


def _answers(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        assert process.poll() is None, f"the server ended with code {process.returncode}"
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError("the server did not answer within 60 s")
