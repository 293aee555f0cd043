"""The checks of a page's look can fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import sight

pytestmark = pytest.mark.browser


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
