"""Pictures of every page and its main states, light and dark, from a studio that runs.

    make screenshots ADDRESS=http://127.0.0.1:8501        # into assets/figures
    python -m tests.browser.screenshots ADDRESS FOLDER [tokens-map compare ...]

The studio should hold META ID's and TokenRec's runs on MovieLens-100K (others as well, where they are to be seen); the pictures in the
README are made by this command and by nothing else. What is worked out beside a page is waited for, however long it takes.
"""

from __future__ import annotations

import fnmatch
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import chromium, hands

LONGEST = 600_000  # milliseconds that a story may be worked out
SIZE = {"width": 1280, "height": 900}
RUN, OTHER = "metaid-ml-100k-sketch-1", "tokenrec-ml-100k-sketch-1"
STAR_WARS, BLADE_RUNNER, PERSON = "50", "89", "42"
MESSAGE = "I liked Alien and Blade Runner, what next?"
CHART = "[data-testid=stMain] .js-plotly-plot .main-svg"
FILE = "\n".join(
    ["watcher,film,evening,stars", *(f"p{p},f{(p * p + f) % 40},2024-02-{1 + f:02d},{1 + f % 5}" for p in range(60) for f in range(12))]
)


def _nothing(tab: Any) -> None:
    """A state that its address opens."""


def _lasso(tab: Any) -> None:
    hands.lasso(tab, ".st-key-atlas")
    tab.locator(".st-key-area h3").wait_for(timeout=LONGEST)


def _upload(tab: Any) -> None:
    files = tab.locator("[class*='st-key-files_'] input[type=file]")
    files.set_input_files({"name": "evenings.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
    for role, column in (("user", "watcher"), ("item", "film"), ("time", "evening"), ("rating", "stars")):
        hands.choose(tab, f"role_{role}_", column)
    tab.locator(".st-key-import button").first.wait_for()


def _talk(tab: Any) -> None:
    chat = tab.frame_locator("iframe")
    chat.locator("#message textarea").fill(MESSAGE)
    chat.locator("#message textarea").press("Enter")
    chat.locator(".lm-timing").first.wait_for(timeout=LONGEST)


def _race(tab: Any) -> None:
    tab.locator(".st-key-race_go button").first.click()
    tab.locator(".st-key-scene_race .main-svg").first.wait_for(timeout=LONGEST)


@dataclass(frozen=True)
class Picture:
    """name: of the file; address: below the studio's, `{run}` and `{other}` filled in; sign: what must stand; act: what is done then."""

    name: str
    address: str
    sign: str
    act: Callable[[Any], None] = _nothing


PICTURES = (
    Picture("tour", f"?run={{run}}&item={STAR_WARS}", ".st-key-name_metaid .t-name .chip"),
    Picture("tour-walk", "?run={run}&story=metaid&step=walk", CHART),
    Picture("tour-space", f"?run={{run}}&story=metaid&step=space&item={STAR_WARS}", CHART),
    Picture("tour-k", f"?run={{run}}&story=metaid&step=k&item={STAR_WARS}", ".st-key-tour_k input[type=range]"),
    Picture("tour-mask", f"?run={{other}}&story=tokenrec&step=mask&item={STAR_WARS}", CHART),
    Picture("tour-snap", f"?run={{other}}&story=tokenrec&step=snap&item={STAR_WARS}", CHART),
    Picture("tour-claim", f"?run={{other}}&story=tokenrec&step=claim&item={STAR_WARS}", CHART),
    Picture("tour-race", f"?run={{other}}&story=tokenrec&step=race&user={PERSON}", ".st-key-race_go button", _race),
    Picture("tour-pull", "?run={run}&story=cllm4rec", CHART),
    Picture("data", "data?run={run}", CHART),
    Picture("data-user", f"data?run={{run}}&show=user&user={PERSON}", ".st-key-csv_history"),
    Picture("data-upload", "data?run={run}&show=import", "[class*='st-key-files_']", _upload),
    Picture("train", "train?run={run}", ".st-key-recipe_text textarea"),
    Picture("train-run", "train?run={run}&job={run}", ".st-key-job h2"),
    Picture("tokens", f"tokens?run={{run}}&item={BLADE_RUNNER}", ".st-key-atlas .main-svg"),
    Picture("tokens-lasso", "tokens?run={run}", ".st-key-atlas .main-svg", _lasso),
    Picture("tokens-moved", f"tokens?run={{run}}&with={{other}}&part=moved&item={BLADE_RUNNER}", ".st-key-both .main-svg"),
    Picture("tokens-health", "tokens?run={run}&part=health", ".st-key-csv_levels"),
    Picture("tokens-tree", "tokens?run={run}&part=tree", CHART),
    Picture("tokens-codes", "tokens?run={run}&part=codes&name=<c35>", "h1"),
    Picture("tokens-newcomer", f"tokens?run={{run}}&part=newcomer&liked={STAR_WARS},{BLADE_RUNNER}", "h1"),
    Picture("compare", "compare?run={run}", ".st-key-csv_scores"),
    Picture("compare-differences", "compare?run={run}&show=differences", CHART),
    Picture("compare-matrix", "compare?run={run}&show=matrix", CHART),
    Picture("xray", f"xray?run={{run}}&user={PERSON}", ".lm-prompt"),
    Picture("xray-beam", f"xray?run={{run}}&user={PERSON}&part=chose", CHART),
    Picture("xray-near", f"xray?run={{other}}&user={PERSON}&part=chose", CHART),
    Picture("recommend", "recommend?run={run}&user=1", ".st-key-model_side ol.lm-list li"),
    Picture("chat", "talk?run={run}", "iframe", _talk),
)
# nothing is being worked out, read or measured for this page any more
RESTS = """() => !document.querySelector('[data-testid=stSpinner], [data-testid=stSkeleton], [data-stale=true], [role=progressbar]')
    && !document.body.innerText.includes('hourglass_top')
    && !document.querySelector('.st-key-making, .st-key-story_waits, .t-making')
    && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(chart => chart.querySelector('.main-svg'))"""


def shoot(address: str, folder: Path, wanted: Sequence[str] = ("*",)) -> list[Path]:
    """The pictures whose names match, light and dark; returns the files."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for picture in PICTURES:
            if any(fnmatch.fnmatchcase(picture.name, pattern) for pattern in wanted):
                for scheme in ("light", "dark"):
                    made.append(folder / f"{picture.name}-{scheme}.png")
                    context = window.new_context(color_scheme=scheme, viewport=SIZE)
                    tab = context.new_page()
                    tab.set_default_timeout(LONGEST)
                    take(tab, picture, address, made[-1])
                    context.close()
                    print(made[-1], flush=True)
        window.close()
    return made


def take(tab: Any, picture: Picture, address: str, file: Path) -> None:
    """One picture, once everything on the page is there."""
    tab.goto(f"{address}/{picture.address.format(run=RUN, other=OTHER)}")
    tab.locator(picture.sign).first.wait_for(state="attached")
    _rest(tab)
    picture.act(tab)
    _rest(tab)
    tab.mouse.move(0, 0)
    tab.wait_for_timeout(1_500)  # charts fade in, and the graphics card says nothing when it has drawn
    tab.screenshot(path=file)


def _rest(tab: Any) -> None:
    hands.settle(tab)
    tab.wait_for_function(RESTS, timeout=LONGEST)
    hands.settle(tab)


def main(words: Sequence[str]) -> int:
    if len(words) < 2 or not re.match(r"https?://", words[0]):
        print("usage: python -m tests.browser.screenshots ADDRESS FOLDER [NAME or pattern ...]", file=sys.stderr)
        return 2
    if chromium.find() is None:
        print("there is no Chromium on this machine: apt-get install chromium", file=sys.stderr)
        return 1
    wanted = words[2:] or ("*",)
    names = [picture.name for picture in PICTURES]
    for pattern in wanted:
        if not fnmatch.filter(names, pattern):
            print(f"no picture is called {pattern!r}: there are {', '.join(names)}", file=sys.stderr)
            return 2
    shoot(words[0].rstrip("/"), Path(words[1]), wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
