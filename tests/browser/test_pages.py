"""What holds for every page: its address opens it in a fresh browser, dark is dark and can be read, a phone shows it, keys reach it.

That a light page can be read is looked at where each page's own test ends.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import sight
from tests.browser.hands import settle, tabbed_to, visit

pytestmark = pytest.mark.browser
RUN = "run=metaid-checkerboard-run-1"
# address, what shows that its content stands, the control that a page is about
PAGES = {
    "tour": (f"?{RUN}&item=i6", ".st-key-name_metaid .t-name .chip", ".st-key-tour_find"),
    "data": (f"data?{RUN}", ".js-plotly-plot .main-svg", ".st-key-data_set"),
    "train": (f"train?{RUN}", ".st-key-recipe_text textarea", ".st-key-recipe_text"),
    "tokens": (f"tokens?{RUN}&item=i6", ".st-key-atlas .main-svg", ".st-key-find"),
    "compare": (f"compare?{RUN}", ".st-key-csv_scores", ".st-key-compare_runs"),
    "xray": (f"xray?{RUN}&user=u3", ".lm-prompt", ".st-key-xray_user"),
    "recommend": (f"recommend?{RUN}&user=u3", ".st-key-model_side ol.lm-list li", ".st-key-rec_user"),
    "chat": (f"talk?{RUN}", "iframe", "iframe"),
}
DARK = 0.05  # luminance
PHONE = 420


@pytest.mark.parametrize("page", PAGES)
def test_a_page_in_the_dark_on_a_phone_and_by_keyboard(studio: str, visitor: Any, page: str) -> None:
    query, sign, control = PAGES[page]
    tab = visitor(dark=True)
    visit(tab, f"{studio}/{query}")
    tab.locator(sign).first.wait_for()
    settle(tab)
    assert tab.locator("[data-testid=stException]").count() == 0
    assert sight.brightness(tab) < DARK
    assert sight.hard_to_read(tab) == []
    assert tabbed_to(tab, control), f"the Tab key does not come to {control}"
    tab.set_viewport_size({"width": PHONE, "height": 900})
    settle(tab)
    assert sight.too_wide(tab) == ""


def test_sight_can_fail(visitor: Any) -> None:
    tab = visitor()
    tab.set_content(
        "<div data-testid=stApp><div data-testid=stMainBlockContainer style='background:#fff'>"
        "<p style='color:#ddd'>pale</p><p style='color:#222'>black</p><p style='opacity:.2'>faint</p>"
        "<p style='width:4000px'>wide</p><div style='background:#000;color:#222'>lost</div></div></div>"
    )
    assert [said.split(" ", 1)[1] for said in sight.hard_to_read(tab, patience=0)] == ["pale", "faint", "lost"]
    assert "too wide" in sight.too_wide(tab) and sight.brightness(tab) == 1.0
    tab.set_content("<div data-testid=stMainBlockContainer style='background:#111'></div>")
    assert sight.brightness(tab) < 0.01 and sight.too_wide(tab) == ""
