"""Data in a real browser: a data set at a glance, a person's history, and a file of one's own from its columns to its deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser import sight
from tests.browser.conftest import UPLOAD
from tests.browser.hands import address_holds, choose, download, go, insist, press, section, settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
RUN = "metaid-checkerboard-run-1"
CHARTS = "[data-testid=stMain] .js-plotly-plot .main-svg"
FILES = "[class*='st-key-files_'] input[type=file]"


def test_a_data_set_and_a_person_of_it(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUN}")
    go(tab, "Data", ".st-key-counts")
    tab.locator(CHARTS).nth(2).wait_for()
    tab.get_by_text("The same as a table").first.click()
    table = download(tab, ".st-key-csv_longtail button").read_text(encoding="utf-8-sig").splitlines()
    assert table[0].startswith("rank,title,interactions") and len(table) == 41
    section(tab, "show", "One user", ".st-key-csv_history button")
    choose(tab, "data_user", "u7")
    address_holds(tab, "user=u7")
    lines = download(tab, ".st-key-csv_history button").read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 20 and sum(line.endswith(",test") for line in lines) == 1  # 19 of the 20 odd items, the last held out
    assert all("Odd" in line for line in lines[1:])
    assert sight.hard_to_read(tab) == []
    again = reopened(tab.url, ".st-key-csv_history button", ".st-key-data_user")
    assert download(again, ".st-key-csv_history button").read_text(encoding="utf-8-sig").splitlines() == lines


@pytest.mark.slow
def test_a_file_of_ones_own(studio: str, visitor: Any, tmp_path: Path) -> None:
    tab = visitor()
    visit(tab, f"{studio}/data?show=import")
    poor = tmp_path / "poor.csv"
    poor.write_text("one column alone\nx\ny\n")
    tab.locator(FILES).set_input_files(poor)
    tab.locator("[data-testid=stAlert]").first.wait_for()
    assert tab.locator(".st-key-import").count() == 0

    visit(tab, f"{studio}/data?show=import")
    good = tmp_path / "evenings.csv"
    rows = [f"p{p},f{(p + f) % 12},2024-01-{1 + f:02d},{1 + f % 5}" for p in range(15) for f in range(8)]
    good.write_text("\n".join(["watcher,film,evening,stars", *rows, ""]))
    tab.locator(FILES).set_input_files(good)
    for role, column in (("user", "watcher"), ("item", "film"), ("time", "evening"), ("rating", "stars")):
        choose(tab, f"role_{role}_", column)
    tab.locator(".lm-preview").first.wait_for()
    tab.get_by_text("15 users, 12 items, 120 interactions").wait_for()

    def named(patience: int) -> None:
        box = tab.locator("[class*='st-key-name_'] input").first
        box.fill(UPLOAD, timeout=patience)
        tab.keyboard.press("Tab")

    insist(tab, named)
    head = f".st-key-data_head h2:has-text('{UPLOAD}')"

    there = tab.get_by_text("is a data set of this machine now").first

    def kept(patience: int) -> None:
        if not there.count():
            tab.locator(".st-key-import button").first.click(timeout=patience)
        there.wait_for(timeout=patience)

    insist(tab, kept)
    press(tab, ".st-key-look_at button", lambda patience: tab.locator(head).wait_for(timeout=patience))
    address_holds(tab, f"data={UPLOAD}")
    settle(tab)
    there_was = tab.url
    assert "15" in tab.locator(".st-key-counts").inner_text() and "120" in tab.locator(".st-key-counts").inner_text()

    def gone(patience: int) -> None:
        if tab.locator(head).count():
            if not tab.locator(".st-key-delete_data button").count():
                tab.locator(".st-key-data_acts button", has_text="Delete").first.click(timeout=patience)
            tab.locator(".st-key-delete_data button").first.click(timeout=patience)
        tab.locator(head).wait_for(state="detached", timeout=patience)

    insist(tab, gone)
    visit(tab, there_was)  # an address to what is no more shows something else
    tab.locator(".st-key-counts").wait_for()
    assert tab.locator(head).count() == 0
