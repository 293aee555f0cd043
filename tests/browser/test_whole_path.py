"""The whole path in a real browser on a real server over a real small run: Data, Tokens, Recommend, Chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import READY

pytestmark = pytest.mark.browser


def settle(tab: Any) -> None:
    tab.wait_for_selector(READY)
    tab.wait_for_timeout(300)
    tab.wait_for_selector(READY)


def test_from_the_data_to_a_recommendation(studio: str, tab: Any) -> None:
    tab.goto(studio)
    tab.wait_for_selector("text=Median history")
    settle(tab)
    tab.locator(".js-plotly-plot").nth(2).wait_for()
    tab.get_by_text("The same as a table").first.click()
    table = download(tab, ".st-key-csv_longtail button").read_text().splitlines()
    assert table[0].startswith("rank,title,interactions") and len(table) == 41

    tab.get_by_role("link", name="Tokens", exact=True).click()
    tab.wait_for_selector(".st-key-atlas .js-plotly-plot")
    settle(tab)
    find(tab, "Even 6")
    assert tab.locator(".st-key-inspector .lm-card .chip.tok").count() == 1
    assert "item=i6" in tab.url
    settle(tab)
    _click_a_point(tab)

    find(tab, "Even 6")
    settle(tab)
    tab.get_by_role("link", name="Recommend from here").click()
    tab.wait_for_selector(".st-key-model_side ol.lm-list li")
    tab.wait_for_selector(".st-key-baseline_side ol.lm-list li")
    assert tab.locator(".st-key-model_side ol.lm-list li").count() == 10
    assert tab.locator(".st-key-model_side .chip.tok").count() == 10

    settle(tab)
    tab.get_by_role("link", name="Chat", exact=True).click()
    chat = tab.frame_locator("iframe")
    box = chat.locator("#message textarea")
    box.fill("I liked Even 0 and Even 2, what next? <c1>")
    box.press("Enter")
    chat.locator(".lm-timing").first.wait_for()
    first = chat.locator(".lm-say ol.lm-list").nth(0).locator(".title").all_inner_texts()
    assert len(first) == 5 and chat.locator(".lm-say ol.lm-list .chip.tok").count() == 5
    chat.locator("#more").click()
    chat.locator(".lm-timing").nth(1).wait_for()
    second = chat.locator(".lm-say ol.lm-list").nth(1).locator(".title").all_inner_texts()
    assert len(second) == 5 and not set(first) & set(second)
    assert tab.faults == []


def insist(tab: Any, act: Any) -> Any:
    """Do it again where nothing came of it: on a cold, busy machine a rerun of the page may swallow a click or what is being typed."""
    from playwright.sync_api import TimeoutError as TooLate

    for _ in range(2):
        settle(tab)
        try:
            return act(12_000)
        except TooLate:
            continue
    settle(tab)
    return act(30_000)


def download(tab: Any, button: str) -> Path:
    def act(timeout: int) -> Path:
        with tab.expect_download(timeout=timeout) as begun:
            tab.locator(button).first.click()
        return Path(begun.value.path())

    return insist(tab, act)


def find(tab: Any, title: str) -> None:
    def act(timeout: int) -> None:
        tab.get_by_role("combobox", name="Find").fill(f"{title} (")
        tab.get_by_role("option", name=f"{title} (").first.click(timeout=timeout)

    insist(tab, act)
    tab.wait_for_selector(f".st-key-inspector h3:has-text('{title}')")


def _click_a_point(tab: Any) -> None:
    """Click where plotly drew a point that is not the one in hand; the inspector follows."""
    where = """() => {
        const plot = document.querySelector('.st-key-atlas .js-plotly-plot'), box = plot.getBoundingClientRect();
        const {xaxis, yaxis} = plot._fullLayout, size = plot._fullLayout._size, trace = plot.data[0];
        const data = v => v && v.bdata !== undefined ? plot._fullData[0][v === trace.x ? 'x' : 'y'] : v;
        const x = data(trace.x), y = data(trace.y);
        return [...x.keys()].map(i => [box.left + size.l + xaxis.d2p(x[i]), box.top + size.t + yaxis.d2p(y[i])]);
    }"""
    tab.locator(".st-key-atlas .js-plotly-plot").scroll_into_view_if_needed()
    before = tab.locator(".st-key-inspector h3").inner_text()
    for x, y in tab.evaluate(where)[:6]:
        tab.mouse.move(x, y)
        tab.wait_for_timeout(150)
        tab.mouse.click(x, y)
        tab.wait_for_timeout(700)
        settle(tab)
        if tab.locator(".st-key-inspector h3").inner_text() != before:
            return
    raise AssertionError("no click on the map moved the inspector")


def test_a_deep_link_opens_what_it_names(studio: str, tab: Any) -> None:
    tab.goto(f"{studio}/tokens?user=u3")
    tab.wait_for_selector(".st-key-inspector h3:has-text('user u3')")
    # on a page under its own address Streamlit asks for its root in two places, and one of them is not there
    assert [f for f in tab.faults if "_stcore" not in f] == []
