"""The Tour page on the fake backend: an item and its names, what is still made, and META ID's three steps."""

from __future__ import annotations

import dataclasses
from html import unescape
from typing import Any

import pytest

from app.seam.tour import Making
from tests.app.seen import html, said


def links(at: Any) -> dict[str, str]:
    return {link.proto.label: link.proto.page + "?" + link.proto.query_string for link in at.get("page_link")}


def test_a_first_visit_shows_the_most_taken_item(fake: Any, page: Any) -> None:
    at = page()
    shown = unescape(html(at))
    assert "Blade Runner (1982)" in shown and "taken by 5 of 6 users" in shown
    assert at.query_params["item"] == "3"
    assert ">1,234<" in shown  # new rows
    assert ">0.200<" in shown and "0.150–0.250" in shown  # H@10 with its interval


def test_the_address_names_the_item_and_its_title_is_text(fake: Any, page: Any) -> None:
    shown = html(page(item="7"))
    assert "Bold" in shown and "<b>Bold" not in shown
    assert 'class="chip sub big begins"' in shown  # a title is cut into subwords


def test_choosing_an_item_writes_the_address(fake: Any, page: Any) -> None:
    at = page(item="7")
    at.selectbox(key="tour_find").set_value("5").run()
    assert not at.exception
    assert at.query_params["item"] == "5" and "Fargo (1996)" in unescape(html(at))


def test_an_unknown_item_is_told(fake: Any, page: Any) -> None:
    at = page(item="999")
    assert "999" in said(at) and "showing Blade Runner" in said(at)


def test_a_line_leads_to_its_name_or_to_train(fake: Any, page: Any) -> None:
    found = links(page(item="2"))
    tokens = next(address for label, address in found.items() if "alpha" in label)
    assert tokens.startswith("tokens?") and "run=alpha" in tokens and "item=2" in tokens
    assert found["Train it"].startswith("train") and "scheme=tiger" in found["Train it"]


def test_without_a_run_no_line_leads_to_tokens(fakes: Any, page: Any) -> None:
    from app import shared

    shared.use(fakes.FakeBackend(names=()))
    try:
        at = page()
        assert not any(address.startswith("tokens") for address in links(at).values())
        assert html(at).count("not trained yet") == 3
    finally:
        shared.use(None)


def test_the_names_have_a_table(fake: Any, page: Any) -> None:
    table = page(item="1").dataframe[0].value
    assert list(table["scheme"]) == ["Title", "META ID", "TIGER"]
    assert list(table["name"]) == ["Alien", "<c0><r0>", "<t0_1>"]
    assert list(table["read as"]) == [" Ali | en", "<c0> | <r0>", "<t0_1>"]
    assert list(table["share its first piece"]) == [1, 3, 0]


def test_names_that_are_made_say_how_far(fake: Any, page: Any) -> None:
    fake.tour().making = Making("walks and skip-gram", 0.4)
    shown = html(page())
    assert "walks and skip&#45;gram" in shown and "40%" in shown and "t-ghost" in shown
    fake.tour().making = Making(ahead=2)
    assert "waits for 2 before it" in html(page())


def test_names_that_cannot_be_made_say_why(fake: Any, page: Any) -> None:
    fake.tour().making = Making(trouble="the weights are not here <b>")
    shown = html(page())
    assert "the weights are not here &#60;b&#62;" in shown and "t-ghost" not in shown


def test_walking_again_takes_the_next_seed(fake: Any, page: Any) -> None:
    at = page(story="metaid", step="walk", user="102", walk="7")
    assert fake.tour().asked[-1] == ("walk", ("102", 7))
    assert "starts 13 such walks" in said(at)
    at.button(key="walk_again").click().run()
    assert not at.exception
    assert fake.tour().asked[-1] == ("walk", ("102", 8)) and at.query_params["walk"] == "8"
    assert "seed" not in at.query_params  # that is the seed of the map on Tokens


def test_a_seed_that_is_no_number_is_zero(fake: Any, page: Any) -> None:
    page(story="metaid", step="walk", walk="-1e9")
    assert fake.tour().asked[-1][1][1] == 0


def test_k_of_the_address_is_taken_and_moved(fake: Any, page: Any) -> None:
    at = page(story="metaid", step="k", k="9", item="2")
    assert at.slider(key="tour_k").value == 9 and "called with K 9" in unescape(html(at))
    at.slider(key="tour_k").set_value(11).run()
    assert not at.exception
    assert at.query_params["k"] == "11" and "called with K 11" in unescape(html(at))
    assert fake.tour().asked[-1] == ("clusters", 11)


@pytest.mark.parametrize(("k", "shown"), [("100000", 24), ("1", 6), ("0", 6), ("x", 6), ("", 6)])
def test_an_impossible_k_is_the_nearest_possible(fake: Any, page: Any, k: str, shown: int) -> None:
    assert page(story="metaid", step="k", k=k).slider(key="tour_k").value == shown


def test_a_link_to_another_k_is_followed(fake: Any, page: Any) -> None:
    at = page(story="metaid", step="k", k="9")
    at.slider(key="tour_k").set_value(11).run()
    at.query_params["k"] = "9"
    at.run()
    assert at.slider(key="tour_k").value == 9 and fake.tour().asked[-1] == ("clusters", 9)


def test_where_two_is_the_only_k_there_is_no_slider(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = fake.tour().clusters
    monkeypatch.setattr(fake.tour(), "clusters", lambda *asked: dataclasses.replace(drawn(*asked), own=2, most=2))
    at = page(story="metaid", step="k")
    assert not at.slider and "no K but 2" in said(at) and at.query_params["k"] == "2"


@pytest.mark.parametrize("step", ["space", "k"])
def test_a_step_that_waits_says_so_and_one_that_failed_says_why(fake: Any, page: Any, step: str) -> None:
    fake.tour().making = Making("skip-gram", 0.5)
    at = page(story="metaid", step=step)
    assert "skip&#45;gram" in str(at.get("progress")[0].proto.text)
    fake.tour().making = Making(trouble="no interactions")
    assert "no interactions" in said(page(story="metaid", step=step))


def test_the_space_is_drawn_with_its_table(fake: Any, page: Any) -> None:
    at = page(story="metaid", step="space", item="4")
    assert fake.tour().asked[-1] == ("forming", 3)
    assert list(at.dataframe[0].value["x"]) == [0.5]
