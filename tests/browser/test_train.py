"""A training from the page in a real browser: start, watch, stop, resume, delete. The worker is a real process."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.hands import insist, settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]  # three starts of a worker on a machine that may be busy

RECIPE = """[data]
name = "checkerboard"
n_users = 400
n_items = 40
[scheme]
name = "cllm4rec"
[lm]
name = "tiny"
[train]
epochs = 1000
validations = 20
patience = 40
"""  # longer than the test: it is stopped, and deleted while it runs


def state(tab: Any, name: str) -> None:
    tab.locator(f".st-key-job .chip.state.{name}").wait_for(timeout=90_000)


def press(tab: Any, label: str, then: str) -> None:
    """Press a button until what comes of it is there."""

    def act(timeout: int) -> None:
        if not tab.locator(then).count():
            tab.get_by_role("button", name=label, exact=True).click(timeout=timeout)
            tab.locator(then).first.wait_for(timeout=timeout)

    insist(tab, act)


def write(tab: Any, text: str) -> None:
    """A recipe into its box; the command follows."""

    def act(timeout: int) -> None:
        tab.locator(".st-key-recipe_text textarea").fill(text)
        tab.keyboard.press("Tab")
        tab.get_by_text("llmrec train run.toml").wait_for(timeout=timeout)

    insist(tab, act)


def points(tab: Any) -> int:
    """How many steps the last point of the loss has behind it, once there is one: drawn, and told in words."""
    tab.locator(".st-key-moving_loss canvas, .st-key-moving_loss svg, .st-key-figure_loss .main-svg").first.wait_for(timeout=90_000)
    told = tab.get_by_text("Training loss from").last.inner_text(timeout=90_000)
    return int(told.rpartition("at step ")[2].rstrip(".").replace(",", ""))


HEADING = ".st-key-job h2:has-text('cllm4rec-checkerboard-run-')"


def start(tab: Any, studio: str) -> None:
    """A training that is longer than the test, from the page's form."""
    tab.set_default_timeout(90_000)
    tab.goto(studio)
    settle(tab)
    tab.get_by_role("link", name="Train", exact=True).click()
    write(tab, RECIPE)
    press(tab, "Start training", HEADING)
    state(tab, "running")
    assert f"job={tab.locator(HEADING).inner_text()}" in tab.url


def delete(tab: Any) -> None:
    press(tab, "Delete …", ".st-key-ask_delete button")
    press(tab, "Delete it", ".st-key-job h2:has-text('metaid-checkerboard-run-1')")  # the run that was there before
    tab.locator(HEADING).wait_for(state="detached")


def test_a_training_is_started_watched_and_deleted(studio: str, visitor: Any, reopened: Any) -> None:
    tab = visitor()
    start(tab, studio)
    seen = points(tab)
    other = visitor()  # a second visitor sees the same
    visit(other, tab.url)
    assert points(other) >= seen
    other.close()
    delete(tab)
    reopened(tab.url, ".st-key-job .chip.state", ".st-key-acts")  # one that is done: the core is free again


@pytest.mark.slow
def test_a_training_is_stopped_and_resumed(studio: str, visitor: Any) -> None:
    tab = visitor()
    start(tab, studio)
    seen = points(tab)
    tab.reload()
    assert points(tab) >= seen

    press(tab, "Stop", ".st-key-job .chip.state:not(.running)")
    state(tab, "stopped")
    kept = points(tab)
    press(tab, "Resume", ".st-key-job .chip.state:not(.stopped)")
    state(tab, "running")
    assert points(tab) >= kept // 2  # it goes on from its last checkpoint, not from nothing
    delete(tab)
