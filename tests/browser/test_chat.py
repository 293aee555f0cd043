"""The chat in a real browser: a conversation with two models, a side that is stopped, blind votes, titles after "@", and its address."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.browser import hands, sight
from tests.browser.hands import PATIENCE, visit

pytestmark = pytest.mark.browser
TUNED, FIXED = "metaid-checkerboard-run-1", "tokenrec-checkerboard-run-1"
BOX = "#message textarea"
ALL = ".gradio-container"
QUIET = "() => document.querySelector('.lm-answer') && !document.querySelector('.lm-busy')"


def titles(chat: Any, side: str) -> list[str]:
    found: list[str] = chat.locator(f"#live-{side} .title").all_inner_texts()
    return found


def say(chat: Any, message: str) -> None:
    """A message, until every side has answered it: each tells how long it took."""
    chat.locator(BOX).fill(message)
    chat.locator(BOX).press("Enter")
    chat.locator("#bubble", has_text=message[:30]).wait_for(timeout=PATIENCE)
    for side in "AB":
        chat.locator(f"#live-{side} .lm-timing").wait_for(timeout=PATIENCE)


def opened(tab: Any, address: str) -> Any:
    """The panel alone, ready to be spoken to."""
    tab.goto(address, timeout=PATIENCE)
    tab.locator(".idea").first.wait_for(timeout=PATIENCE)
    return tab


def test_three_turns_with_two_models_and_the_address_again(studio: str, visitor: Any) -> None:
    tab = visitor()
    visit(tab, f"{studio}/talk?models={TUNED},{FIXED}&user=u3&message=I+liked+Even+0")
    chat = tab.frame_locator("iframe")
    chat.locator("#strip", has_text="User u3").wait_for(timeout=PATIENCE)
    assert chat.locator(BOX).input_value() == "I liked Even 0"
    seen: set[str] = set()
    for message in ("I liked Even 0 and Even 2, what next? <c1>", "something else", "hello <b>there</b>"):
        say(chat, message)
        named = titles(chat, "B")
        assert len(named) == len(set(named)) and not seen & set(named)
        seen |= set(named)
        assert "tokens/s" in chat.locator("#live-A .lm-timing").inner_text()
        assert chat.locator("#live-A .lm-answer > p, #live-A .title").count() > 0
    assert len(seen) == 10 and chat.locator("#past section").count() == 4
    assert chat.locator("#past .lm-bubble .film").all_inner_texts() == ["Even 0", "Even 2"]
    assert "fixed sentences" in chat.locator("#column-B").inner_text()
    chat.locator("#raw input").check()
    chat.locator("#live-A .lm-raw", has_text="Assistant:").wait_for()

    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.locator(BOX).fill("hey")
    chat.locator("#copy-link").click()
    chat.locator(".lm-toast", has_text="copied").wait_for()
    address = tab.evaluate("navigator.clipboard.readText()")
    assert address == f"{studio}/talk?models={TUNED},{FIXED}&user=u3&message=hey"

    address = f"{address.replace('/talk', '/chat/')}&blind=1&__theme=dark"
    again = opened(visitor(dark=True, width=420, height=900), address)
    assert again.locator(BOX).input_value() == "hey" and again.locator("#blind input").is_checked()
    say(again, "something like Even 4")
    assert sight.brightness(again, ALL) < 0.05 and sight.too_wide(again) == ""
    assert sight.hard_to_read(again, root=ALL) == []
    assert hands.tabbed_to(again, "#message")


def test_a_side_is_stopped_while_the_other_goes_on(pace: str, visitor: Any) -> None:
    tab = opened(visitor(), f"{pace}/chat/?models=beta,alpha&user=101")
    tab.locator(BOX).fill("something like Alien")
    tab.locator(BOX).press("Enter")
    tab.locator("#live-A .lm-words").wait_for()
    tab.locator("#stop-A").click()
    tab.locator("#live-A .lm-stopped").wait_for()
    tab.locator("#live-B .lm-timing").wait_for()
    assert len(titles(tab, "A")) < 5 == len(titles(tab, "B"))
    assert not tab.locator("#stop-A").is_visible() and not tab.locator("#stop-all").is_visible()
    assert sight.hard_to_read(tab, root=ALL) == []


def test_blind_votes_reveal_and_count(pace: str, visitor: Any) -> None:
    tab = opened(visitor(), f"{pace}/chat/?models=beta,alpha&user=101&blind=1")
    for count, choice in enumerate(("A", "tie"), 1):
        tab.locator(BOX).fill("something like Alien")
        tab.locator(BOX).press("Enter")
        tab.locator("#column-A", has_text="Model A").locator(".lm-words").wait_for()
        page = tab.locator("main" if count == 1 else "#stage").inner_html()
        assert "Model A" in page and "chip tok" not in page and ">alpha<" not in page and "lm-raw" not in page
        tab.locator(f"#vote-{choice}").click()  # while answers grow
        tab.locator("#stage", has_text="alpha").wait_for()
        tab.locator("#stage .chip.tok").first.wait_for()
        tab.evaluate("document.querySelector('#stop-all').click()")  # also where all have ended meanwhile, and it is not shown
        tab.wait_for_function(QUIET, timeout=PATIENCE)
        assert tab.locator("#stage .lm-won").count() == count
    tab.locator("#more-below > button").click()
    tab.locator("#tally", has_text="2 blind votes").wait_for()
    votes = [json.loads(line) for line in hands.download(tab, "#save-votes", settled=False).read_text().splitlines()]
    assert [v["winner"] for v in votes] == ["A", "tie"] and all(sorted(v["models"]) == ["alpha", "beta"] for v in votes)
    talk = json.loads(hands.download(tab, "#save-json", settled=False).read_text())
    assert [len(side["turns"]) for side in talk["sides"]] == [2, 2]


@pytest.mark.slow
def test_titles_under_the_caret(pace: str, visitor: Any) -> None:
    tab = opened(visitor(), f"{pace}/chat/?models=alpha")
    box, listed = tab.locator(BOX), tab.locator("#lm-titles")
    box.press_sequentially("I liked @a")
    listed.locator("li", has_text="Aliens").wait_for()
    box.press("ArrowDown")
    assert listed.locator("[aria-selected=true]").inner_text().startswith("Aliens")
    box.press("Enter")
    assert box.input_value() == "I liked Aliens (1986) " and not listed.is_visible() and not tab.locator("#bubble").count()
    box.press_sequentially("and @<img")
    listed.locator("li", has_text="<img src=x").click()
    assert box.input_value().startswith("I liked Aliens (1986) and <img src=x onerror=") and tab.title() == "llmrec chat"
    box.press_sequentially(" @fa")
    listed.locator("li", has_text="Fargo").wait_for()
    box.press("Escape")
    assert not listed.is_visible()


@pytest.mark.slow
def test_a_closed_tab_ends_its_answers(pace: str, visitor: Any) -> None:
    def ended() -> int:
        with urllib.request.urlopen(f"{pace}/ended", timeout=10) as answer:
            return len(json.loads(answer.read()))

    before, watching = ended(), visitor()
    tab = opened(visitor(), f"{pace}/chat/?models=beta,plain&user=101")
    tab.locator(BOX).fill("something like Alien")
    tab.locator(BOX).press("Enter")
    tab.locator("#live-A .lm-words").wait_for()
    tab.close()
    for _ in range(20):
        if ended() == before + 2:
            break
        watching.wait_for_timeout(250)
    assert ended() == before + 2
