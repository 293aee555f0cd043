"""Tokens in a real browser on real runs: search, a click, colours inside the figure, an area drawn by hand, what moved, the address."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.browser import hands, sight
from tests.browser.hands import address_holds, choose, download, go, lasso, points, section, settle, view, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
RUN, OTHER = "metaid-checkerboard-run-1", "tokenrec-checkerboard-run-1"
MAP, NAME = ".st-key-atlas", ".st-key-inspector h3"
DRAWN = f"{MAP} .main-svg"


def open_map(tab: Any, studio: str, query: str = "") -> None:
    """The map by PCA, which waits for no process beside the page."""
    visit(tab, f"{studio}/tokens?run={RUN}&how=pca{query}")
    tab.locator(DRAWN).first.wait_for()
    settle(tab)


def click_a_point(tab: Any) -> None:
    """Click where plotly drew a point that is not the one in hand; the inspector follows."""
    before = tab.locator(NAME).first.inner_text()
    for x, y in points(tab, MAP)[:8]:
        tab.mouse.move(x, y)
        tab.wait_for_timeout(150)  # plotly takes a click for what it hovers over, and looks for that now and then
        tab.mouse.click(x, y)
        settle(tab)
        if tab.locator(NAME).first.inner_text() != before:
            return
    raise AssertionError("no click on the map moved the inspector")


def inside(tab: Any) -> int:
    """How many points the page counts in what was drawn."""
    heading = tab.locator(".st-key-area h3")
    heading.wait_for()
    return int(heading.inner_text().split()[0].replace(",", ""))


def test_search_click_and_colours(studio: str, visitor: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUN}")
    go(tab, "Tokens", DRAWN)
    open_map(tab, studio)
    choose(tab, "find", "Even 6 (", "Even 6 (")
    tab.locator(f"{NAME}:has-text('Even 6')").wait_for()
    address_holds(tab, "item=i6")
    assert tab.locator(".st-key-inspector .lm-card .chip.tok").count() >= 2
    settle(tab)
    tab.locator(f"{MAP} .js-plotly-plot").scroll_into_view_if_needed()
    tab.locator(f"{MAP} .nsewdrag").first.hover()
    tab.mouse.wheel(0, -400)  # closer
    tab.wait_for_timeout(700)
    zoom = view(tab, MAP)
    click_a_point(tab)
    assert view(tab, MAP) == pytest.approx(zoom), "a click moved the map"
    assert sight.hard_to_read(tab) == []
    colours = "chart => JSON.stringify(document.querySelector(chart + ' .js-plotly-plot')._fullData[0].marker.color).slice(0, 400)"
    before = tab.evaluate(colours, MAP)
    tab.locator(f"{MAP} .updatemenu-header").first.click()
    tab.locator(f"{MAP} .updatemenu-dropdown-button", has_text="Colour by year").first.click()
    tab.wait_for_function(f"before => ({colours})('{MAP}') !== before", arg=before)
    settle(tab)
    span = zoom[1] - zoom[0]  # a longer legend takes some room from the map, which must not lose its zoom for it
    assert view(tab, MAP) == pytest.approx(zoom, abs=0.1 * span), "another colouring moved the map"


def test_an_area_drawn_by_hand(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    open_map(tab, studio)
    lasso(tab, MAP, (0.01, 0.01, 0.5, 0.99))
    some = inside(tab)
    assert some == 50  # the map's left half is one half of the checkerboard: of 60 users and 40 items
    address_holds(tab, "area=pca")
    rows = list(csv.DictReader(download(tab, ".st-key-csv_sel_rows button").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == some and len({int(row["key"][1:]) % 2 for row in rows}) == 1
    again = reopened(tab.url, ".st-key-area h3", ".st-key-find")
    assert inside(again) == some


@pytest.mark.slow
def test_what_moved_between_two_runs(studio: str, visitor: Any) -> None:
    tab = visitor()
    open_map(tab, studio)
    choose(tab, "with", "tokenrec", OTHER)
    tab.locator(".st-key-both .main-svg").first.wait_for(timeout=hands.PATIENCE)
    assert tab.evaluate("document.querySelector('.st-key-both .js-plotly-plot')._fullLayout._subplots.xaxis.length") == 2
    moved = download(tab, ".st-key-csv_moved button").read_text(encoding="utf-8-sig").splitlines()
    assert len(moved) > 10 and "moved" in moved[0]
    address_holds(tab, f"with={OTHER}")


@pytest.mark.slow
def test_health_and_tree(studio: str, visitor: Any) -> None:
    tab = visitor()
    open_map(tab, studio, "&item=i6")
    section(tab, "part", "Health", ".st-key-csv_levels button")
    levels = download(tab, ".st-key-csv_levels button").read_text(encoding="utf-8-sig").splitlines()
    assert len(levels) == 3  # a line for the clusters, one for the ranks
    section(tab, "part", "Tree of names", ".st-key-tree_controls")
    tab.locator("[data-testid=stMain] .js-plotly-plot .main-svg").first.wait_for()
    settle(tab)
    assert tab.locator(".js-plotly-plot .slice, .js-plotly-plot .treemaplayer path").count() > 6  # six clusters and what is in them
    address_holds(tab, "part=tree")
