"""Chat in a real browser on a real run: a message, items with their pieces, more of them, and a message that looks like a Token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.hands import go, visit

pytestmark = pytest.mark.browser
RUN = "metaid-checkerboard-run-1"


def test_a_conversation(studio: str, visitor: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUN}")
    go(tab, "Chat", "iframe")
    chat = tab.frame_locator("iframe")
    box = chat.locator("#message textarea")
    box.fill("I liked Even 0 and Even 2, what next? <c1>")
    box.press("Enter")
    chat.locator(".lm-timing").first.wait_for(timeout=60_000)
    first = chat.locator(".lm-say ol.lm-list").nth(0).locator(".title").all_inner_texts()
    assert len(first) == 5 and chat.locator(".lm-say ol.lm-list .chip.tok").count() == 10
    chat.locator("#more").click()
    chat.locator(".lm-timing").nth(1).wait_for(timeout=60_000)
    second = chat.locator(".lm-say ol.lm-list").nth(1).locator(".title").all_inner_texts()
    assert len(second) == 5 and not set(first) & set(second)


def test_the_address_says_who_talks_to_which_run(studio: str, reopened: Any) -> None:
    tab = reopened(f"{studio}/talk?run=tokenrec-checkerboard-run-1&user=u3", "iframe", "iframe")
    frame = tab.locator("iframe")
    source = frame.get_attribute("src")
    assert "run=tokenrec-checkerboard-run-1" in source and "user=u3" in source and "__theme=dark" in source
    chat = tab.frame_locator("iframe")
    chat.locator("#message textarea").wait_for()
    assert chat.locator("body.dark").count() == 1
