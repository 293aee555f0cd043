"""One real server over small real runs and one of the machine's own Chromium for all browser tests; a fresh context for each visitor."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium as browser
from tests.browser import hands, sight, small_run

ROOT = Path(__file__).resolve().parents[2]
UPLOAD = "of-a-browser-test"  # the data set that a test imports
DARK, PHONE = 0.05, 420  # luminance; pixels
Visitor = Callable[..., Any]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; where there is none the test is skipped."""
    found = browser.find()
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, then the browser tests run")
    return found


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[str]:
    """The address of a server process over three small trained runs."""
    runs = tmp_path_factory.mktemp("runs")
    environment = {**os.environ, "LLMREC_RUNS": str(runs), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-m", "tests.browser.small_run", str(runs)], cwd=ROOT, env=environment, check=True, timeout=180)
    port = _free()
    process = subprocess.Popen([sys.executable, "-m", "app.server", "--port", str(port), "--no-first-run"], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _answers(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        small_run.end(runs)  # a training goes on without its server
        small_run.forget(UPLOAD)  # where the test that imported it did not come to its end


@pytest.fixture(scope="session")
def pace(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[str]:
    """The address of a server whose speakers are fakes: alpha's words come at once, beta's slowly. Votes have a folder of their own."""
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "LLMREC_HOME": str(home), "LLMREC_RUNS": str(home / "runs"), "OMP_NUM_THREADS": "1"}
    port = _free()
    process = subprocess.Popen([sys.executable, "-m", "tests.browser.slow_speakers", str(port)], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _answers(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def window(chromium: str) -> Iterator[Any]:
    """The browser itself, started once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=browser.FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visitor(window: Any, tmp_path: Path) -> Iterator[Visitor]:
    """Opens tabs, each in a fresh context that knows nothing of the others: `visitor(dark=True, width=420)`.

    When the test ends, every request off this machine, every page error and every console error in any of them fails it.
    """
    tabs: list[Any] = []
    faults: list[str] = []

    def open_tab(dark: bool = False, width: int = 1280, height: int = 1000, offline: bool = False) -> Any:
        look = {"viewport": {"width": width, "height": height}, "color_scheme": "dark" if dark else "light"}
        context = window.new_context(**look, accept_downloads=True, offline=offline)
        tab = context.new_page()
        watch(tab, faults)
        tab.set_default_timeout(30_000)
        tabs.append(tab)
        return tab

    yield open_tab
    for number, tab in enumerate(tabs):
        if not tab.is_closed():
            tab.screenshot(path=tmp_path / f"last-{number}.png")  # what was on the screen when the test ended
            tab.context.close()
    assert faults == []


@pytest.fixture
def reopened(visitor: Visitor) -> Visitor:
    """`reopened(address, sign, control)`: what somebody sees who was sent an address: in a browser that knows nothing, in the dark.

    The page must be dark, its words must be legible, the Tab key must come to the control, and a phone must show it without scrolling
    sideways. sign: what stands when the page stands. Returns the tab, wide again.
    """

    def look(address: str, sign: str, control: str) -> Any:
        tab = visitor(dark=True)
        hands.visit(tab, address)
        tab.locator(sign).first.wait_for(state="attached", timeout=hands.PATIENCE)
        hands.settle(tab)
        assert tab.locator("[data-testid=stException]").count() == 0
        assert sight.brightness(tab) < DARK
        assert sight.hard_to_read(tab) == []
        assert hands.tabbed_to(tab, control), f"the Tab key does not come to {control}"
        tab.set_viewport_size({"width": PHONE, "height": 900})
        hands.settle(tab)
        assert sight.too_wide(tab) == ""
        tab.set_viewport_size({"width": 1280, "height": 1000})
        return tab

    return look


def watch(tab: Any, faults: list[str]) -> None:
    """Note every request off this machine, every page error and every console error."""
    tab.on("request", lambda r: None if _local(r.url) else faults.append(f"request to {r.url}"))
    tab.on("pageerror", lambda e: faults.append(f"page error {e}"))
    tab.on("console", lambda m: faults.append(f"console {m.text} {m.location}") if m.type == "error" else None)


def _local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "file:", "data:", "blob:", "about:"))


def _free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
