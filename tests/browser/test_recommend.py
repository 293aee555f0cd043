"""Recommend in a real browser on a real run: a person, the model's items beside a baseline's, the list as a file, the address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import sight
from tests.browser.hands import choose, download, go, insist, visit

pytestmark = pytest.mark.browser
MODEL = ".st-key-model_side ol.lm-list li"
RUN = "metaid-checkerboard-run-1"


def named(tab: Any, side: str) -> list[str]:
    titles: list[str] = tab.locator(f".st-key-{side} ol.lm-list .title").all_inner_texts()
    return titles


def test_the_model_beside_a_baseline(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/?run={RUN}")
    go(tab, "Recommend", MODEL)
    person = ".st-key-rec_user input"  # the item of the Tour came along: ask for somebody of the data instead

    def asked(patience: int) -> None:
        if not tab.locator(person).count():
            tab.locator(".st-key-who button", has_text="A user of the data").first.click(timeout=patience)
        tab.locator(person).first.wait_for(timeout=patience)

    insist(tab, asked)
    choose(tab, "rec_user", "u7")
    tab.wait_for_url("**user=u7*")

    def answered(patience: int) -> None:
        tab.locator(MODEL).nth(9).wait_for(timeout=patience)
        tab.locator(".st-key-baseline_side ol.lm-list li").first.wait_for(timeout=patience)

    insist(tab, answered)
    titles = named(tab, "model_side")
    assert len(titles) == len(set(titles)) == 10 and tab.locator(".st-key-model_side .chip.tok").count() == 20
    tab.get_by_text("The same as a table").first.click()
    lines = download(tab, ".st-key-csv_recommendations button").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("model,rank,key,title") and len(lines) == 11 + len(named(tab, "baseline_side"))
    assert [line.split(",")[3] for line in lines[1:11]] == [title.rpartition(" (")[0] for title in titles]

    assert sight.hard_to_read(tab) == []
    again = reopened(tab.url, MODEL, ".st-key-rec_user")
    again.locator(MODEL).nth(9).wait_for()
    assert named(again, "model_side") == titles
