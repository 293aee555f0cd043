"""The five tasks of docs/guide.md, done by what a visitor sees: words on the screen, no knowledge of the code.

    python -m tests.browser.guide http://127.0.0.1:8501

The server should hold runs of META ID and TokenRec on MovieLens-100K. Prints what was read and the seconds each task took.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from tests.browser import chromium

SCHEMES = ("rid", "sid", "cid", "title", "metaid", "tokenrec", "tiger", "cllm4rec")
META_ID, TOKENREC = "metaid-ml-100k-sketch-1", "tokenrec-ml-100k-sketch-1"


def names(tab: Any, address: str) -> str:
    """Star Wars under each scheme."""
    tab.goto(address)
    tab.get_by_text("Star Wars (1977)").first.wait_for()
    for scheme in SCHEMES:
        tab.locator(f".st-key-name_{scheme} .chip").first.wait_for()
    return " | ".join(" ".join(line.split())[:110] for line in tab.locator("[class*='st-key-name_']").all_inner_texts())


def sharing(tab: Any, address: str) -> str:
    """Who shares its coarse Token."""
    tab.goto(address)
    tab.locator(".st-key-name_metaid .chip").first.click(force=True)  # the whole line is a link, which lies over the chips
    tab.get_by_text("carry this Token").first.wait_for()
    return tab.get_by_text("carry this Token").first.inner_text()


def colliding(tab: Any, address: str) -> str:
    """A collapsed or colliding code."""
    tab.goto(f"{address}/tokens?run={TOKENREC}")
    tab.get_by_role("radio", name="Health").or_(tab.get_by_text("Health", exact=True)).first.click()
    tab.get_by_text("Who shares a whole name").wait_for()
    return tab.get_by_text("so some share").first.inner_text()


def moved(tab: Any, address: str) -> str:
    """What moved between META ID and TokenRec."""
    tab.goto(f"{address}/tokens?run={META_ID}")
    tab.locator(".st-key-with input").first.click()
    tab.get_by_role("option", name=TOKENREC).click()
    tab.get_by_text("What moved", exact=True).first.click()
    tab.get_by_text("of their companions on average").wait_for()
    return tab.get_by_text("of their companions on average").inner_text()


def missed(tab: Any, address: str) -> str:
    """Why user 42's held-out film was missed."""
    tab.goto(f"{address}/xray?run={META_ID}")
    tab.locator(".st-key-xray_user input").first.click()
    tab.keyboard.type("42")
    tab.get_by_role("option", name="42", exact=True).click()
    tab.locator(".st-key-xray_verdict").get_by_text("Halloween").first.wait_for()
    return " ".join(tab.locator(".st-key-xray_verdict").inner_text().split())


TASKS: tuple[Callable[[Any, str], str], ...] = (names, sharing, colliding, moved, missed)


def main(address: str) -> None:
    """Do all five, each in a browser that was never here before."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for task in TASKS:
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.set_default_timeout(60_000)
            began = time.monotonic()
            read = task(tab, address)
            print(f"{task.__doc__} {time.monotonic() - began:.1f} s: {read}", flush=True)
            tab.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2 or chromium.find() is None:
        sys.exit("usage: python -m tests.browser.guide ADDRESS (needs Chromium and a running studio)")
    main(sys.argv[1].rstrip("/"))
