"""What a person does and waits for, each timed in the page itself, with the budget it has.

Where it stands: under `python -m benchmarks.studio`, over `stopwatch`. What it does not know: servers, files.
An act yields one sample after the other, so that what is measured is kept even where a later one fails. Each has a sign: what must stand
on the page before a person would say that it is there.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.studio.stopwatch import STILL, seconds, still
from tests.browser import hands

Samples = Iterator[tuple[str, float]]  # what it was about, seconds


@dataclass(frozen=True)
class World:
    """What is served. address: of the server; run: the one that is open; titles: some of the catalogue's; user: somebody's key; words: of
    titles in their history, one each."""

    address: str
    run: str
    titles: tuple[str, ...]
    user: str
    words: tuple[str, ...]

    def at(self, path: str, query: str = "") -> str:
        """An address on this run."""
        return f"{self.address}/{path}?run={self.run}{query}"


@dataclass(frozen=True)
class Act:
    """title: as the table calls it; budget: seconds, None where there is none; work: does it a number of times."""

    title: str
    budget: float | None
    work: Callable[[Any, World, int], Samples]


# page -> its path and the sign that its content stands, besides a page at rest
PAGES = {
    "Tour": ("", ".st-key-hero_item h2"),
    "Data": ("data", ".st-key-counts"),
    "Train": ("train", ".st-key-recipe_text textarea"),
    "Tokens": ("tokens", ".st-key-atlas .gl-canvas"),
    "Compare": ("compare", ".st-key-csv_scores"),
    "X-ray": ("xray", ".st-key-xray_verdict h2"),
    "Recommend": ("recommend", ".st-key-model_side ol.lm-list li"),
    "Chat": ("talk", "iframe"),
}


def opened(page: str) -> str:
    """The sign of a page: its title, its content, at rest."""
    return f"document.querySelector('h1')?.innerText.trim() === '{page}' && !!document.querySelector('{PAGES[page][1]}') && {STILL}"


def first_page(tab: Any, address: str, began: float) -> float:
    """Seconds from the start of the server's process to the first page's content, for a visitor who comes as soon as it listens.

    began: `time.perf_counter()` when the process was started.
    """
    tab.goto(address)
    tab.wait_for_selector(PAGES["Tour"][1])
    return time.perf_counter() - began


def switches(tab: Any, world: World, repeats: int) -> Samples:
    """Every page to each next by the bar above, round after round; the round before the first is not counted."""
    _open(tab, world, "Chat")
    pages = list(PAGES)
    for turn in range(repeats + 1):
        for page in pages:
            still(tab)
            link = tab.get_by_role("link", name=page, exact=True).first
            took = seconds(tab, link.click, opened(page))
            if turn:
                yield page, took


def bare_switches(tab: Any, address: str, repeats: int) -> Samples:
    """From one page of `bare.py` to the other and back; the first round is not counted."""
    tab.goto(address)
    tab.wait_for_selector("h1")
    for turn in range(repeats + 1):
        for page in ("Two", "One"):
            still(tab)
            sign = f"document.querySelector('h1')?.innerText.trim() === '{page}' && {STILL}"
            took = seconds(tab, tab.get_by_role("link", name=page, exact=True).first.click, sign)
            if turn:
                yield page, took


def first_visits(tab: Any, world: World, repeats: int) -> Samples:
    """The same in a session and a server that have not seen the pages: models and tables are loaded. Once, whatever `repeats` says."""
    _open(tab, world, "Tour")
    for page in list(PAGES)[1:]:
        still(tab)
        yield page, seconds(tab, tab.get_by_role("link", name=page, exact=True).first.click, opened(page), longest=300)


def maps(tab: Any, world: World, repeats: int) -> Samples:
    """From the click on Tokens to the drawn points, in a session that was elsewhere before."""
    for _ in range(repeats):
        _open(tab, world, "Chat")
        drawn = "(document.querySelector('.st-key-atlas .js-plotly-plot')?._fullData?.[0]?.x?.length ?? 0) > 0"
        yield "map", seconds(tab, tab.get_by_role("link", name="Tokens", exact=True).first.click, f"{opened('Tokens')} && {drawn}")


def searches(tab: Any, world: World, repeats: int) -> Samples:
    """From the last letter of a title to the title among what was found."""
    _open(tab, world, "Tokens")
    for title in itertools.islice(itertools.cycle(world.titles), repeats):
        still(tab)
        words = tab.locator(".st-key-find_words input")
        if words.count():
            words.fill("")
            words.press("Enter")
            still(tab)
            words.press_sequentially(title)
            yield "search", seconds(tab, partial(words.press, "Enter"), listed(".st-key-found button", title))
            continue
        box = tab.locator(".st-key-find input").first
        box.click()
        box.fill("qqqq")  # nothing is listed, so that what comes is new
        tab.get_by_text("No results").first.wait_for()
        yield "search", seconds(tab, partial(box.fill, title), listed("[role=option]", title), touch="input")
        tab.keyboard.press("Escape")


def lassos(tab: Any, world: World, repeats: int) -> Samples:
    """From letting the mouse go to the table of all points inside."""
    _open(tab, world, "Tokens")
    for n in range(repeats):
        still(tab)
        sign = f"!!document.querySelector('.st-key-area h3') && !!document.querySelector('.st-key-csv_sel_rows') && {STILL}"
        edge = 0.35 - 0.02 * (n % 10)
        drawn = hands.Lasso(tab, ".st-key-atlas", (edge, edge, 1 - edge, 1 - edge))
        drawn.begin()
        yield "lasso", seconds(tab, drawn.end, sign, touch="pointerup")
        still(tab)
        tab.locator(".st-key-area_forget button").first.click()
        tab.locator(".st-key-area").first.wait_for(state="detached")


def filters(tab: Any, world: World, repeats: int) -> Samples:
    """From Enter to the filtered lines: a user's history on Data, by words."""
    tab.goto(world.at("data", f"&show=user&user={world.user}"))
    box = tab.locator(".st-key-data_search input")
    box.wait_for()
    for n in range(repeats):
        still(tab)
        box.fill("" if n % 2 else world.words[n % len(world.words)])
        told = changed(tab, "[data-testid=stCaptionContainer], [data-testid=stAlert]")
        yield "filter", seconds(tab, partial(box.press, "Enter"), f"{told} && {STILL}")


def reclusters(tab: Any, world: World, repeats: int) -> Samples:
    """From a key on the slider K of META ID's story to the new clusters, names and figure."""
    tab.goto(world.at("", "&story=metaid&step=k"))
    tab.wait_for_selector(".st-key-tour_k input[type=range]", state="attached", timeout=900_000)  # vectors are fitted first, once
    slider = tab.locator(".st-key-tour_k input[type=range]")
    for n in range(repeats):
        still(tab)
        slider.focus()
        now = int(slider.input_value())
        key, then = ("ArrowRight", now + 1) if n % 4 < 3 else ("ArrowLeft", now - 1)
        sign = f"new URLSearchParams(location.search).get('k') === '{then}' && {STILL}"
        yield f"K = {then}", seconds(tab, partial(tab.keyboard.press, key), sign)


def listed(what: str, words: str) -> str:
    """The sign that one of some elements has these words."""
    return f"[...document.querySelectorAll({json.dumps(what)})].some(n => n.innerText.includes({json.dumps(words)}))"


def changed(tab: Any, what: str) -> str:
    """The sign that the words of some elements are others than now."""
    words = f"[...document.querySelectorAll({json.dumps(what)})].map(n => n.innerText).join('|')"
    return f"{words} !== {json.dumps(tab.evaluate(f'() => {words}'))}"


def _open(tab: Any, world: World, page: str) -> None:
    tab.goto(world.at(PAGES[page][0]))
    tab.wait_for_selector(PAGES[page][1])
    still(tab)


ACTS: dict[str, Act] = {
    "first visits": Act("first visit of a page in a new session", None, first_visits),
    "switch": Act("page switch, every page to the next", 0.3, switches),
    "filter": Act("filter a history by words", 0.3, filters),
    "recluster": Act("new clusters after a move of the slider K", 0.5, reclusters),
    "map": Act("map drawn", 2.0, maps),
    "search": Act("search a title", 0.1, searches),
    "lasso": Act("lasso to the table of what is inside", 0.3, lassos),
}
FIRST = Act("first page after the server's start", 8.0, lambda tab, world, repeats: iter(()))  # a server each: `__main__` does it
BARE = Act(
    "the same between two empty pages of Streamlit, for comparison", None, lambda tab, world, repeats: iter(())
)  # a server of its own
