"""Pictures of every page, light and dark, from a server that runs.

    python -m tests.browser.screenshots http://127.0.0.1:8501 assets/screenshots

The server should hold a trained run on MovieLens-100K; the pictures in the README are made by this command and by nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.browser import chromium

MESSAGE = "I liked Alien and Blade Runner, what next?"


def shoot(address: str, folder: Path, scheme: str) -> list[Path]:
    """One picture per page; returns the files."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        tab = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        for name, steps in (("data", _data), ("train", _train), ("tokens", _tokens), ("recommend", _recommend), ("chat", _chat)):
            steps(tab, address)
            tab.wait_for_selector(chromium.READY)
            tab.wait_for_timeout(2500)
            made.append(folder / f"{name}-{scheme}.png")
            tab.screenshot(path=made[-1])
        browser.close()
    return made


def _data(tab: Any, address: str) -> None:
    tab.goto(address)
    tab.locator(".js-plotly-plot").nth(2).wait_for()


def _train(tab: Any, address: str) -> None:
    tab.goto(f"{address}/train")
    tab.wait_for_selector(".st-key-recipe_text textarea")


def _tokens(tab: Any, address: str) -> None:
    tab.goto(f"{address}/tokens?item=89")  # Blade Runner
    tab.wait_for_selector(".st-key-atlas .js-plotly-plot")
    tab.get_by_text("UMAP of the original vectors").wait_for(timeout=120_000)


def _recommend(tab: Any, address: str) -> None:
    tab.goto(f"{address}/recommend?user=1")
    tab.wait_for_selector(".st-key-model_side ol.lm-list li", timeout=60_000)
    tab.wait_for_selector(".st-key-baseline_side ol.lm-list li")


def _chat(tab: Any, address: str) -> None:
    tab.goto(f"{address}/talk")
    chat = tab.frame_locator("iframe")
    chat.locator("#message textarea").fill(MESSAGE)
    chat.locator("#message textarea").press("Enter")
    chat.locator(".lm-timing").first.wait_for(timeout=60_000)


if __name__ == "__main__":
    if len(sys.argv) != 3 or chromium.find() is None:
        sys.exit("usage: python -m tests.browser.screenshots ADDRESS FOLDER (needs Chromium and a running studio)")
    for scheme in ("light", "dark"):
        for file in shoot(sys.argv[1].rstrip("/"), Path(sys.argv[2]), scheme):
            print(file)
