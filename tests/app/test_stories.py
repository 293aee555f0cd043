"""The pages of two stories over the fake backend: what the address says is shown, what is waited for is told, nothing is markup."""

from __future__ import annotations

import html
from typing import Any

import pytest

from app.seam.stories import Pending
from tests.app.fake_stories import FakePulling

RUNS = {"run": "alpha"}


def heard(fake: Any, word: str) -> list[Any]:
    """What the room was asked under one word."""
    return [what for what in fake.stories["heard"] if what[0] == word]


def address(at: Any, name: str) -> str:
    """What stands in the address: as it was given, or as the page wrote it."""
    value = at.query_params[name]
    return value if isinstance(value, str) else str(value[0])


def everything(at: Any) -> str:
    """All that the page says."""
    return " ".join([e.value for e in (*at.markdown, *at.caption, *at.info, *at.warning)] + [e.proto.body for e in at.get("html")])


@pytest.mark.parametrize("step", ["mask", "encode", "snap", "back", "claim"])
def test_a_step_is_that_of_the_address(fake: Any, page: Any, step: str) -> None:
    at = page(story="tokenrec", step=step, item="3", mask="45", draw="7", **RUNS)
    assert heard(fake, step)[-1] == (step, 2, 0.45, 7)
    assert "Blade Runner with 45% hidden" in html.unescape(everything(at))
    assert [address(at, name) for name in ("step", "mask", "draw")] == [step, "45", "7"]


def test_the_slider_and_the_draw_ask_anew_and_stand_in_the_address(fake: Any, page: Any) -> None:
    at = page(story="tokenrec", step="mask", **RUNS)
    at.slider(key="mask_percent").set_value(60).run()
    assert heard(fake, "mask")[-1][2:] == (0.6, 0) and address(at, "mask") == "60"
    at.button(key="mask_draw").click().run()
    assert heard(fake, "mask")[-1][2:] == (0.6, 1) and address(at, "draw") == "1"


def test_an_address_that_makes_no_sense_is_no_error(fake: Any, page: Any) -> None:
    page(story="tokenrec", step="mask", mask="99999999999999999999", draw="-1", **RUNS)
    assert heard(fake, "mask")[-1] == ("mask", 2, 0.9, 0)
    page(story="tokenrec", step="sizes", books="x", codes="17", **RUNS)
    assert heard(fake, "sizes")[-1][1] in (1, 2, 3)


def test_sizes_are_asked_for_as_the_sliders_say(fake: Any, page: Any) -> None:
    at = page(story="tokenrec", step="sizes", books="3", codes="16", **RUNS)
    assert heard(fake, "sizes")[-1] == ("sizes", 3, 16)
    at.select_slider(key="size_codes").set_value(32).run()
    assert heard(fake, "sizes")[-1] == ("sizes", 3, 32) and address(at, "codes") == "32"


def test_what_is_waited_for_tells_its_cost_and_charts_that_are_there_stay(fake: Any, page: Any) -> None:
    page(story="tokenrec", **RUNS)
    fake.stories["waits"] = Pending("A size is fitted", "about 8 s, once", 0.25, 3.0)
    at = page(story="tokenrec", step="sizes", **RUNS)
    said = everything(at)
    assert "A size is fitted" in said and "about 8 s, once" in said
    assert any("Chart size" in s.value for s in at.subheader)


def test_work_that_failed_says_why_and_is_tried_again(fake: Any, page: Any) -> None:
    page(story="tokenrec", **RUNS)
    fake.stories["waits"] = Pending("Rivals learn", "20 s", trouble="no room on the disk", key=("rivals", 1))
    at = page(story="tokenrec", step="claim", **RUNS)
    assert "no room on the disk" in everything(at)
    at.button(key="story_again").click().run()
    assert ("retry", ("rivals", 1)) in fake.stories["heard"]
    assert "Step claim" in everything(at)


def test_a_trouble_is_a_sentence(fake: Any, page: Any) -> None:
    page(story="tokenrec", **RUNS)
    fake.stories["fails"] = "Nobody took <b>this</b> item."
    at = page(story="tokenrec", step="mask", **RUNS)
    assert "&#60;b&#62;this" in at.warning[0].value


def test_a_race_is_run_when_asked_and_titles_in_it_are_text(fake: Any, page: Any) -> None:
    at = page(story="tokenrec", step="race", user="102", **RUNS)
    assert not heard(fake, "race")
    at.button(key="race_go").click().run()
    assert heard(fake, "race") == [("race", 2)]
    said = everything(at)
    assert "Median of 2 calls" in said and "A note" in said and "<b>Bold" not in said and "&#60;b&#62;Bold" in said


def test_without_a_run_nobody_races_and_the_next_step_is_told(fake: Any, page: Any) -> None:
    page(story="tokenrec", **RUNS)
    fake.stories["trained"] = False
    at = page(story="tokenrec", step="race", **RUNS)
    assert "Train" in at.info[0].value and not [b for b in at.button if b.key == "race_go"]


def test_lambda_is_that_of_the_address_and_of_the_slider(fake: Any, page: Any) -> None:
    at = page(story="cllm4rec", item="4", **{"lambda": "10"}, **RUNS)
    assert heard(fake, "scene")[-1] == ("scene", 10.0) and heard(fake, "near")[-1] == ("near", 10.0, 3)
    at.select_slider(key="pull_lambda").set_value(0.0).run()
    assert heard(fake, "scene")[-1] == ("scene", 0.0) and address(at, "lambda") == "0"
    at.selectbox(key="pull_item").set_value("7").run()
    assert heard(fake, "near")[-1] == ("near", 0.0, 6) and address(at, "item") == "7"


def test_the_item_in_hand_is_followed_and_not_replaced_by_one_that_was_trained(
    fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = FakePulling.films
    monkeypatch.setattr(FakePulling, "films", lambda self, run: known(self, run)[:5])
    at = page(story="cllm4rec", item="7", **RUNS)
    assert heard(fake, "near")[-1][2] == 0 and address(at, "item") == "7"
    at.query_params["item"] = "4"
    at.run()
    assert heard(fake, "near")[-1][2] == 3 and at.selectbox(key="pull_item").value == "4"


def test_both_lists_stand_beside_each_other_and_titles_are_text(fake: Any, page: Any) -> None:
    at = page(story="cllm4rec", **RUNS)
    said = everything(at)
    assert "By who took it" in said and "By what is said of it" in said and "Of the 3 nearest, 1" in html.unescape(said)
    assert "<b>Bold" not in said


def test_while_rows_learn_nothing_is_drawn_and_it_is_told(fake: Any, page: Any) -> None:
    page(story="cllm4rec", **RUNS)
    fake.stories["waits"] = Pending("Both sides learn", "half a minute", 0.5, 9.0, key="pull")
    at = page(story="cllm4rec", **RUNS)
    assert "Both sides learn" in everything(at) and not at.selectbox(key="run_picker").disabled
    assert not [s for s in at.selectbox if s.key == "pull_item"]
