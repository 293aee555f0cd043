"""X-ray in a real browser on real runs: a person, the verdict, the prompt, the beam, the other heads, the address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import sight
from tests.browser.hands import address_holds, choose, go, section, settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
RUN = "metaid-checkerboard-run-1"
VERDICT, CHARTS = ".st-key-xray_verdict h2", "[data-testid=stMain] .js-plotly-plot .main-svg"


def test_a_person_the_verdict_and_the_beam(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUN}")
    go(tab, "X-ray", VERDICT)
    choose(tab, "xray_user", "u7")
    address_holds(tab, "user=u7")
    settle(tab)
    assert tab.locator(".lm-prompt .chip.tok").count() >= 2 * 10  # a person and their items, two Tokens each
    assert tab.locator(".lm-prompt .whole.item").count() >= 10
    section(tab, "part", "How it chose", ".st-key-xray_list ol.lm-list li")
    tab.locator(CHARTS).first.wait_for()
    settle(tab)
    said = tab.locator(VERDICT).inner_text()
    titles = tab.locator(".st-key-xray_list ol.lm-list .title").all_inner_texts()
    assert len(titles) == len(set(titles)) >= 5
    address_holds(tab, "part=chose")
    if said.startswith("Found at place"):  # then the list says so too, at that place
        assert "held-out item" in tab.locator(".st-key-xray_list ol.lm-list li").nth(int(said.split()[-1]) - 1).inner_text()
    assert sight.hard_to_read(tab) == []
    again = reopened(tab.url, ".st-key-xray_list ol.lm-list li", ".st-key-xray_user")
    assert again.locator(VERDICT).inner_text() == said
    assert again.locator(".st-key-xray_list ol.lm-list .title").all_inner_texts() == titles


@pytest.mark.slow
def test_every_head_says_how_it_chose(studio: str, visitor: Any) -> None:
    tab = visitor()
    for run in ("tokenrec-checkerboard-run-1", "cllm4rec-checkerboard-run-1"):
        visit(tab, f"{studio}/xray?run={run}&user=u3&part=chose")
        tab.locator(".st-key-xray_list ol.lm-list li").first.wait_for()
        tab.locator(CHARTS).first.wait_for()
        assert tab.locator("[data-testid=stException]").count() == 0
