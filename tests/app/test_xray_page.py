"""The X-ray page on the fake backend: what it asks for, what the address changes, and what it says when something is missing."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from tests.app.seen import html, said

PAGE = "views/xray.py"


def address(at: Any, name: str) -> str | None:
    value = at.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def room(fake: Any) -> Any:
    return fake.xray()


def test_the_first_look_is_at_somebody_with_a_held_out_item(fake: Any, page: Any) -> None:
    at = page(PAGE)
    asked = room(fake).asked[-1]
    assert asked.person.user == 1 and asked.follow == 7 and asked.template == "0" and not asked.seen
    assert "Lost at piece 1 of 2" in unescape(html(at)) and "Amélie" in unescape(html(at))
    assert "&lt;" not in html(at).replace("&#60;", ""), "escaped twice"


def test_the_address_asks(fake: Any, page: Any) -> None:
    at = page(PAGE, user="102", template="unseen-0", seen="1", follow="3", part="chose")
    asked = room(fake).asked[-1]
    assert (asked.person.user, asked.template, asked.seen, asked.follow) == (2, "unseen-0", True, 2)
    assert [address(at, name) for name in ("user", "follow", "part")] == ["102", "3", "chose"]
    assert "The list" in said(at) and "Blade Runner" in unescape(html(at))


def test_a_new_person_by_titles(fake: Any, page: Any) -> None:
    at = page(PAGE, items="4,9,nonsense,4")
    asked = room(fake).asked[-1]
    assert asked.person.user == -1 and asked.person.history == (3, 8) and asked.follow is None
    assert address(at, "items") == "4,9" and address(at, "user") is None
    assert "No item is followed" in unescape(html(at))
    at.multiselect(key="xray_items").set_value([]).run()
    assert "Pick one or more titles" in said(at) and address(at, "items") is None


def test_another_user_is_followed_by_their_own_item(fake: Any, page: Any) -> None:
    at = page(PAGE, user="101")
    at.selectbox(key="xray_user").set_value("103").run()
    asked = room(fake).asked[-1]
    assert (asked.person.user, asked.follow) == (3, 11) and address(at, "follow") is None
    at.selectbox(key="xray_user").set_value("105").run()
    assert room(fake).asked[-1].follow is None and "Nothing was held out for this user" in said(at)


def test_names_in_the_prompt_are_held_together_and_stay_text(fake: Any, page: Any) -> None:
    at = page(PAGE, items="7")
    body = html(at)
    assert "<b>Bold" not in body and "<b>Bold</b> & Co" in unescape(body)
    assert body.count('class="whole item') == 1 and "special" in body
    table = at.dataframe[-1].value
    assert list(table["piece"]) == ["·likes", "</s>", "<c0>", "<r6>"] and list(table["whose"])[-1] == "<b>Bold</b> & Co"


def test_deeper_pieces_live_in_the_address(fake: Any, page: Any) -> None:
    at = page(PAGE, part="next")
    assert room(fake).prefixes[-1] == ""
    at.button(key="xray_on").click().run()
    assert room(fake).prefixes[-1] == "2" and address(at, "prefix") == "2"
    at.button(key="xray_back").click().run()
    assert room(fake).prefixes[-1] == "" and address(at, "prefix") is None


def test_a_beginning_that_no_name_has_leads_back(fake: Any, page: Any) -> None:
    at = page(PAGE, part="next", prefix="99")
    assert "No item's name begins" in said(at)
    at.button(key="xray_again").click().run()
    assert room(fake).prefixes[-1] == ""


def test_another_run_begins_at_the_first_piece(fake: Any, page: Any) -> None:
    at = page(PAGE, part="next", prefix="1", run="alpha")
    assert room(fake).prefixes[-1] == "1"
    at.selectbox(key="run_picker").set_value("beta").run()
    assert room(fake).prefixes[-1] == ""


def test_what_if_waits_for_the_button(fake: Any, page: Any) -> None:
    at = page(PAGE, part="if")
    assert room(fake).anew == 0
    at.button(key="xray_if").click().run()
    assert room(fake).anew == 1 and "rank 3" in said(at)
    at.selectbox(key="xray_template").set_value("1").run()
    assert room(fake).anew == 1 and "rank 3" not in said(at), "another question, another button press"


@pytest.mark.parametrize("part", ["prompt", "next", "chose", "if"])
def test_every_control_has_a_help(fake: Any, page: Any, part: str) -> None:
    at = page(PAGE, part=part)
    for kind in ("selectbox", "multiselect", "toggle", "button", "button_group"):
        for widget in at.get(kind):
            assert widget.proto.help, f"{widget.label} has no help"


def test_trouble_is_a_sentence(fake: Any, page: Any) -> None:
    room(fake).fails = "This run is no language model."
    assert "no language model" in said(page(PAGE))
    assert "There is no trained run yet" not in said(page(PAGE))


def test_unknown_user_and_template_are_told_or_replaced(fake: Any, page: Any) -> None:
    at = page(PAGE, user="<b>999</b>", template="77")
    assert "No user of this data has the key" in said(at) and room(fake).asked[-1].template == "0"
    assert at.selectbox(key="xray_user").value == "101"


def test_another_run_finds_items_again_by_their_keys(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = page(PAGE, items="4,9", follow="2", run="alpha")
    assert room(fake).asked[-1].person.history == (3, 8)
    plain = type(fake).index
    others = {"4": 5, "9": None, "2": 0}  # the other data counts its items otherwise, and lacks one
    monkeypatch.setattr(
        fake, "index", lambda run, side, key: others.get(key) if run == "beta" and side == "item" else plain(fake, run, side, key)
    )
    at.selectbox(key="run_picker").set_value("beta").run()
    asked = room(fake).asked[-1]
    assert (asked.person.history, asked.follow) == ((5,), 0) and "no item with the key '9'" in said(at)


def test_keys_with_commas_keep_their_place_in_the_address(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    card, index = fake.card, fake.index
    keys = {3: "a,b", 8: "50%2C"}
    back = {key: i for i, key in keys.items()}
    monkeypatch.setattr(
        fake,
        "card",
        lambda run, side, i: dataclasses.replace(card(run, side, i), key=keys[i]) if side == "item" and i in keys else card(run, side, i),
    )
    monkeypatch.setattr(
        fake, "index", lambda run, side, key: back.get(key, index(run, side, key)) if side == "item" else index(run, side, key)
    )
    at = page(PAGE, items="1")
    at.multiselect(key="xray_items").set_value([3, 8]).run()
    link = address(at, "items")
    assert link is not None and room(fake).asked[-1].person.history == (3, 8)
    page(PAGE, items=link)
    assert room(fake).asked[-1].person.history == (3, 8)


def typed(at: Any, key: str) -> None:
    box = at.selectbox(key="xray_user")
    box.options = [*box.options, key]  # a test cannot type what no option says
    box.set_value(key).run()


def test_a_large_catalogue_is_searched(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import picking

    monkeypatch.setattr(picking, "LISTED", 4)
    monkeypatch.setattr(
        fake.intake(),
        "find",
        lambda run, data, words: tuple((str(i + 1), t) for i, t in enumerate(fake.titles(run)) if words and words in t),
    )
    at = page(PAGE, items="4")
    assert at.multiselect(key="xray_items").options == ["Toy Story"]
    at.text_input(key="xray_words").set_value("Alien").run()
    at.multiselect(key="xray_items").set_value([3, 0]).run()
    assert not at.exception and room(fake).asked[-1].person.history == (3, 0)
    at.text_input(key="xray_words").set_value("Heat").run()
    assert at.multiselect(key="xray_items").value == [3, 0] and "Heat" in at.selectbox(key="xray_follow").options
    at = page(PAGE, user="101")
    typed(at, "105")
    assert room(fake).asked[-1].person.user == 5
    typed(at, "<b>")
    assert "No user of this data has the key '<b>'" in said(at)
