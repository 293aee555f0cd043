"""What a person does on the studio's pages, and what they see there: for browser tests, for pictures, and for `benchmarks.studio`.

A page of Streamlit runs anew at each act, and on a cold, busy machine a rerun may swallow a click or what is being typed: `insist` acts
again where nothing came of it. Nothing here sleeps in place of waiting for something that can be seen, but for `settle`, which must notice
a rerun that begins a moment later.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.browser.chromium import READY

T = TypeVar("T")
PATIENCE = 60_000  # milliseconds that anything may take on a busy machine
DRAWN = ".js-plotly-plot .main-svg"


def settle(tab: Any) -> None:
    """Wait until the page runs no more."""
    tab.wait_for_selector(READY, timeout=PATIENCE)
    tab.wait_for_timeout(300)
    tab.wait_for_selector(READY, timeout=PATIENCE)


def insist(tab: Any, act: Callable[[int], T]) -> T:
    """Do it again where nothing came of it. act: takes the milliseconds that it may wait."""
    from playwright.sync_api import TimeoutError as TooLate

    for patience in (6_000, 12_000):
        settle(tab)
        try:
            return act(patience)
        except TooLate:
            continue
    settle(tab)
    return act(PATIENCE // 2)


def visit(tab: Any, address: str) -> None:
    """Open an address and wait until the page stands."""
    tab.goto(address, timeout=PATIENCE)
    settle(tab)


def go(tab: Any, page: str, sign: str) -> None:
    """To another page by the bar above, until its sign is there."""

    def act(patience: int) -> None:
        tab.get_by_role("link", name=page, exact=True).first.click(timeout=patience)
        tab.locator(sign).first.wait_for(timeout=patience)

    insist(tab, act)


def choose(tab: Any, key: str, typed: str, option: str | None = None) -> None:
    """Type into a selectbox and take the first option that says so. key: how its own begins."""

    def act(patience: int) -> None:
        box = tab.locator(f"[class*='st-key-{key}'] input").first
        box.click(timeout=patience)
        box.fill(typed, timeout=patience)
        tab.get_by_role("option", name=option or typed).first.click(timeout=patience)

    insist(tab, act)


def section(tab: Any, key: str, label: str, sign: str) -> None:
    """One part of a page, by the row of buttons that `frame.sections` draws, until its sign is there."""

    def act(patience: int) -> None:
        if not tab.locator(sign).count():
            tab.locator(f".st-key-section_{key} button", has_text=label).first.click(timeout=patience)
        tab.locator(sign).first.wait_for(state="attached", timeout=patience)

    insist(tab, act)


def press(tab: Any, button: str, then: Callable[[int], Any]) -> None:
    """Press a button until what comes of it is there. then: waits for it, for so many milliseconds."""

    def act(patience: int) -> None:
        tab.locator(button).first.click(timeout=patience)
        then(patience)

    insist(tab, act)


def download(tab: Any, button: str, settled: bool = True) -> Path:
    """What a download button gives. settled: on a page of Streamlit, which may swallow a click."""

    def act(patience: int) -> Path:
        with tab.expect_download(timeout=patience) as begun:
            tab.locator(button).first.click(timeout=patience)
        return Path(begun.value.path())

    return insist(tab, act) if settled else act(PATIENCE // 2)


def address_holds(tab: Any, words: str, patience: int = PATIENCE // 2) -> None:
    """Wait until the address names what is in hand."""
    tab.wait_for_function("words => location.search.includes(words)", arg=words, timeout=patience)


def tabbed_to(tab: Any, control: str, most: int = 60) -> bool:
    """Whether the Tab key comes to a control, from the top of the page."""
    tab.evaluate("document.activeElement && document.activeElement.blur()")
    for _ in range(most):
        tab.keyboard.press("Tab")
        if tab.evaluate("s => !!document.activeElement.closest(s)", control):
            return True
    return False


POINTS = """chart => {
    const plot = document.querySelector(chart + ' .js-plotly-plot'), box = plot.getBoundingClientRect();
    const {xaxis, yaxis} = plot._fullLayout, size = plot._fullLayout._size, trace = plot._fullData[0];
    const at = i => [box.left + size.l + xaxis.d2p(trace.x[i]), box.top + size.t + yaxis.d2p(trace.y[i])];
    const inside = [...trace.x.keys()].map(at);
    const [left, right, top, bottom] = [box.left + size.l, box.right - size.r, box.top + size.t, box.bottom - size.b];
    return inside.filter(([x, y]) => x > left && x < right && y > top && y < bottom);
}"""
AREA = """chart => {
    const plot = document.querySelector(chart + ' .js-plotly-plot'), box = plot.getBoundingClientRect(), size = plot._fullLayout._size;
    return [box.left + size.l, box.top + size.t, box.right - size.r, box.bottom - size.b];
}"""
VIEW = "chart => { const l = document.querySelector(chart + ' .js-plotly-plot')._fullLayout; return [...l.xaxis.range, ...l.yaxis.range]; }"


def points(tab: Any, chart: str) -> list[list[float]]:
    """Where on the screen plotly drew the points of the first trace that are in view. chart: a selector around it."""
    tab.locator(f"{chart} .js-plotly-plot").scroll_into_view_if_needed()
    found: list[list[float]] = tab.evaluate(POINTS, chart)
    return found


def view(tab: Any, chart: str) -> list[float]:
    """The part of the plane that a chart shows: its zoom."""
    found: list[float] = tab.evaluate(VIEW, chart)
    return found


Box = tuple[float, float, float, float]  # left, top, right, bottom, in shares of a chart's width and height
MIDDLE: Box = (0.3, 0.3, 0.7, 0.7)


class Lasso:
    """An area of a map, drawn with the mouse by plotly's own lasso."""

    def __init__(self, tab: Any, chart: str, box: Box = MIDDLE) -> None:
        self._tab, self._chart, self._box = tab, chart, box

    def begin(self) -> None:
        """Take the lasso and draw, the button of the mouse still down."""
        tab = self._tab
        tab.locator(f"{self._chart} .js-plotly-plot").scroll_into_view_if_needed()
        tab.locator(f"{self._chart} .js-plotly-plot").hover()
        tab.locator(f'{self._chart} .modebar-btn[data-val="lasso"]').first.click()
        left, top, right, bottom = tab.evaluate(AREA, self._chart)
        x0, x1 = (left + share * (right - left) for share in self._box[::2])
        y0, y1 = (top + share * (bottom - top) for share in self._box[1::2])
        tab.mouse.move(x0, y0)
        tab.mouse.down()
        for x, y in ((x1, y0), (x1, y1), (x0, y1), (x0, y0)):
            tab.mouse.move(x, y, steps=8)

    def end(self) -> None:
        """Let go."""
        self._tab.mouse.up()


def lasso(tab: Any, chart: str, box: Box = MIDDLE) -> None:
    """Draw around an area of a map."""
    drawn = Lasso(tab, chart, box)
    drawn.begin()
    drawn.end()
