"""Compare in a real browser on real runs: which runs, against whom, and a report that opens without a network."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest

from tests.browser import sight
from tests.browser.hands import address_holds, choose, download, go, section, settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
RUNS = ("metaid-checkerboard-run-1", "tokenrec-checkerboard-run-1", "cllm4rec-checkerboard-run-1")
TABLE = ".st-key-csv_scores button"


def measured(tab: Any) -> None:
    """Wait until nobody is being measured any more."""
    tab.locator(TABLE).first.wait_for()
    tab.locator(".st-key-compare_waiting [role=progressbar]").first.wait_for(state="detached", timeout=120_000)
    settle(tab)


def rows(tab: Any) -> list[str]:
    """The first column of the table's file, without its head."""
    table = csv.reader(download(tab, ".st-key-csv_scores button").read_text(encoding="utf-8-sig").splitlines())
    return [line[0] for line in table][1:]


def test_runs_differences_and_the_report(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUNS[0]}")
    go(tab, "Compare", TABLE)
    measured(tab)
    names = rows(tab)
    assert set(RUNS) <= set(names) and len(names) == len(set(names)) > 5  # and baselines
    section(tab, "show", "Differences", ".st-key-compare_against")
    choose(tab, "compare_against", "tokenrec", RUNS[1])
    address_holds(tab, f"against={RUNS[1]}")
    tab.locator("[data-testid=stMain] .js-plotly-plot .main-svg").first.wait_for()
    assert sight.hard_to_read(tab) == []
    deep = tab.url
    section(tab, "show", "Files", ".st-key-file_html button")
    report = download(tab, ".st-key-file_html button")
    page = report.with_name("report.html")
    page.write_bytes(report.read_bytes())
    asked: list[str] = []
    alone = visitor(offline=True)
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(page.as_uri())
    words = alone.locator("body").inner_text()
    assert all(run in words for run in RUNS) and alone.locator("table").count() >= 1
    assert [url for url in asked if not re.match("file:|data:|blob:", url)] == []

    again = reopened(deep, ".st-key-compare_against input", ".st-key-compare_runs")
    again.locator("[data-testid=stMain] .js-plotly-plot .main-svg").first.wait_for()
    assert again.locator(".st-key-compare_against input").first.input_value() == RUNS[1]


@pytest.mark.slow
def test_fewer_runs_stand_in_the_address(studio: str, visitor: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/compare?runs={RUNS[2]}&baselines=popularity")
    measured(tab)
    names = rows(tab)
    assert len(names) == 2 and RUNS[2] in names
