"""Tour in a real browser on real runs: another item, its names, and a story that is worked out while one looks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import sight
from tests.browser.hands import PATIENCE, address_holds, choose, insist, press, section, settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
RUN = "metaid-checkerboard-run-1"
NAME = ".st-key-name_metaid .t-name .chip.tok"
SLIDER = ".st-key-tour_k input[type=range]"


def test_another_item_and_its_names(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUN}")
    tab.locator(NAME).first.wait_for(timeout=PATIENCE)
    choose(tab, "tour_find", "Even 6", "Even 6 (")
    address_holds(tab, "item=i6")
    tab.locator(".st-key-hero_item h2:has-text('Even 6')").wait_for()
    for scheme in ("metaid", "tokenrec", "cllm4rec"):  # those that have a run here
        tab.locator(f".st-key-name_{scheme} .chip.tok").first.wait_for(timeout=PATIENCE)
    settle(tab)
    assert sight.hard_to_read(tab) == []
    name = tab.locator(NAME).all_inner_texts()
    assert len(name) >= 2

    again = reopened(tab.url, NAME, ".st-key-tour_find")
    again.locator(".st-key-hero_item h2:has-text('Even 6')").wait_for()
    assert again.locator(NAME).all_inner_texts() == name


@pytest.mark.slow
def test_a_walk_and_a_slider_of_meta_id(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUN}")
    section(tab, "story", "META ID", ".st-key-section_step")
    section(tab, "step", "Walk the graph", ".st-key-walk_again button")
    tab.locator("[data-testid=stMain] .js-plotly-plot .main-svg").first.wait_for()
    press(tab, ".st-key-walk_again button", lambda patience: tab.wait_for_function("/walk=[1-9]/.test(location.search)", timeout=patience))
    section(tab, "step", "Move K", SLIDER)
    settle(tab)
    before = int(tab.locator(SLIDER).input_value())

    def moved(patience: int) -> None:
        tab.locator(SLIDER).focus(timeout=patience)
        tab.keyboard.press("ArrowRight")
        tab.wait_for_function("k => Number(new URLSearchParams(location.search).get('k')) > k", arg=before, timeout=patience)

    insist(tab, moved)
    settle(tab)
    assert tab.locator("[data-testid=stException]").count() == 0
    now = tab.locator(SLIDER).input_value()
    tab.get_by_text(f"K = {now}", exact=True).first.wait_for()  # the figure's own title
    again = reopened(tab.url, SLIDER, SLIDER)
    assert again.locator(SLIDER).input_value() == now
