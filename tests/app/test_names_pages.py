"""The names' half of the Tokens page, over the fake: each part's main action, its address, and what it says where there is nothing."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from tests.app import seen


def said(at: Any) -> str:
    """Everything in words on the page, as a person reads it."""
    return f"{seen.said(at)} {unescape(seen.html(at))}"


def tables(at: Any) -> list[list[str]]:
    return [list(e.value.columns) for e in at.dataframe]


def click(at: Any, key: str, row: int) -> Any:
    """Choose a row of a table, as a browser would."""
    at.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return at


def test_the_inspector_answers_whether_alike_names_are_near(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", item="7")
    text = said(at)
    assert "Mean cosine" in text and "clearly nearer than others: 0.50 against 0.10" in text
    assert "3 items and 2 users carry this Token" in text or "4 items and 2 users carry this Token" in text
    at.session_state["section_look"] = "near"
    at.run()
    assert "1 of 2 pieces · 0.91" in said(at) and at.query_params["look"] == "near"
    links = {e.proto.label: e.proto.query_string for e in at.get("page_link")}
    assert all(e.proto.help for e in at.get("page_link") if "item=7" in e.proto.query_string)
    assert all("item=7" in links[label] for label in ("Recommend from here", "Its eight names"))


def test_the_inspector_shows_the_rest_while_the_space_is_made(fake: Any, page: Any) -> None:
    fake.unwalked = True
    at = page("views/tokens.py", item="7")
    text = said(at)
    assert "it waits for walks" in text and "told when the space of walks is there" in text and "carry this Token" in text
    at.session_state["section_look"] = "near"
    at.run()
    assert "The nearest are told when the space of walks is there" in said(at) and not at.exception


def test_a_token_says_what_stands_out_and_how_often_it_is_predicted(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", token="<c1>")
    text = said(at)
    assert "Sci-Fi" in text and "×1.6" in text and "25.0%" in text and "60 recommendations" in text
    fake.waits = 1
    at = page("views/tokens.py", token="<c2>")
    assert "25.0%" in said(at) or "The model is being asked" in said(at)


def test_health_leads_to_the_collapsed_code_and_to_colliding_items(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="health")
    text = said(at)
    assert "this level has collapsed" in text and "a note of health" in text
    assert {m.label for m in at.metric} >= {"Item names", "Collisions", "Memorization"}
    at.get("button_group")  # pills
    pills = {p.key: p for p in at.pills}
    pills["go_finding"].set_value("token:<c0>").run()
    assert at.query_params["token"] == "<c0>" and at.session_state["node"] == "token:<c0>"
    pills = {p.key: p for p in at.pills}
    pills["go_collision_0"].set_value("item:5").run()
    assert at.session_state["node"] == "item:5" and "Fargo" in said(at)


def test_health_keeps_the_book_in_the_address(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="health", book="2-r")
    assert at.selectbox(key="book").value == "2-r" and "Use of 2&#45;r" in " ".join(str(e.value) for e in at.subheader)
    at.selectbox(key="book").set_value("1-c").run()
    assert at.query_params["book"] == "1-c"
    assert page("views/tokens.py", part="health", book="nonsense").selectbox(key="book").value == "1-c"


def test_a_branch_of_the_tree_lists_who_is_below(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="tree")
    assert "No branch chosen yet" in said(at) and "2 branches are others" in said(at)
    at = page("views/tokens.py", part="tree", shape="treemap", by="interactions", branch="1")
    below = next(t for t in at.dataframe if t.key == "branch_rows").value
    assert set(below["title"]) == {"Aliens", "Fargo", "Amélie", "Psycho"} and "By interactions" in said(at)
    click(at, "branch_rows", 1).run()
    assert at.session_state["section_shape"] == "treemap"
    at.button(key="branch_forget").click().run()
    assert "branch" not in at.query_params and "No branch chosen yet" in said(at)
    assert "is no node" in said(page("views/tokens.py", part="tree", branch="<script>"))


def test_a_branch_goes_with_the_names_it_is_of(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="tree", branch="1")
    at.segmented_control(key="section_side").set_value("user").run()
    assert "branch" not in at.query_params and "No branch chosen yet" in said(at)
    at.query_params["branch"] = "0"
    at.run()
    assert "below" in said(at) and at.query_params["branch"] == "0"
    at.selectbox(key="run_picker").set_value("beta").run()
    assert "branch" not in at.query_params and "No branch chosen yet" in said(at)
    at.query_params["branch"], at.query_params["run"] = "1", "alpha"  # a link to another run names its own branch
    at.run()
    assert at.query_params["branch"] == "1" and "No branch chosen yet" not in said(at)


def test_codes_of_items_are_left_with_them(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="codes", name="<c1><r4>")
    at.segmented_control(key="section_side").set_value("user").run()
    assert at.selectbox(key="code_user_0").value is None and "name" not in at.query_params and "Choose a piece above" in said(at)
    at.text_input(key="name_text").set_value("<c1><r4>").run()  # a name of an item
    assert at.segmented_control(key="section_side").value == "item" and at.selectbox(key="code_item_1").value == 4


def test_nearness_is_told_or_why_it_cannot_be() -> None:
    from app.seam.names import Inspection, Shared
    from app.seam.values import Card
    from app.tokens.inspector import _verdict

    def told(others: int, mine: float | None, theirs: float | None) -> str:
        card = Card("item", 0, "1525", "Object of My Affection, The", 1998, ())
        return _verdict(Inspection(card, (), (Shared(("a",), (None,), "piece", others, 0, (), (), theirs),), cosine=mine))

    assert "Nobody shares its first piece" in told(0, 0.1, None)
    assert "It has no vector" in told(40, None, None)
    assert "No item that has a vector shares" in told(3, 0.1, None)
    assert "0.50 against 0.10" in told(3, 0.1, 0.5)


def test_codes_back_to_bearers_by_choice_by_address_and_by_pasting(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="codes")
    assert "Choose a piece above" in said(at)
    at.selectbox(key="code_item_0").set_value(1).run()
    assert at.query_params["name"] == "<c1>" and "4 items" in said(at)
    at.text_input(key="name_text").set_value("<c1><r4>").run()
    assert at.query_params["name"] == "<c1><r4>" and at.selectbox(key="code_item_1").value == 4
    at.text_input(key="name_text").set_value("rubbish").run()
    assert "names look like" in said(at) and at.selectbox(key="code_item_1").value == 4  # what was there stays
    at = page("views/tokens.py", part="codes", name="<c1><r9>")
    assert at.selectbox(key="code_item_1").value == 9 and "Nobody has this name" in said(at)
    at.selectbox(key="code_item_1").set_value(None).run()
    assert at.query_params["name"] == "<c1>"


def test_names_that_are_text_are_found_by_how_they_begin(fake: Any, page: Any, fakes: Any) -> None:
    from app import shared

    shared.use(fakes.FakeBackend(names=("small",)))
    at = page("views/tokens.py", part="codes", name="ali")
    assert at.text_input(key="name_text").value == "ali" and "2 begin so" in said(at)
    at.text_input(key="name_text").set_value("").run()
    assert "name" not in at.query_params


def test_a_new_person_is_named_and_its_nearest_can_be_ringed(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="newcomer", liked="1,3")
    text = said(at)
    assert "from 2 films" in text and "<c1>" in text and "<r99>" in text and "no coordinates of its own" in text
    at.multiselect(key="new_liked").set_value([4]).run()
    assert at.query_params["liked"] == "5" and "from 1 films" in said(at)
    at.button(key="ring_nearest").click().run()
    assert at.session_state["focus"] == "item:5" and at.session_state["section_part"] == "map"


def test_a_run_that_cannot_name_says_why(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="newcomer", new="text")
    assert "The fake reads no text" in said(at) and "This run can name: a new person" in said(at)
    at = page("views/tokens.py", part="newcomer")
    at.selectbox(key="run_picker").set_value("beta").run()
    assert "Nobody new" in said(at)


def test_a_text_is_waited_for_and_then_named(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", part="newcomer", new="text", text="The Matrix")
    at.selectbox(key="run_picker").set_value("beta").run()
    fake.waits = 2
    at.run()
    assert "The text is being read" in said(at)
    at.run()
    assert "from The Matrix" in said(at)


SELECTED = """
from app.tokens import selection
selection.show("alpha", {nodes})
"""


@pytest.fixture
def selected(fake: Any) -> Any:
    from streamlit.testing.v1 import AppTest

    return lambda nodes: AppTest.from_string(SELECTED.format(nodes=nodes), default_timeout=30).run()


def test_a_selection_is_filtered_and_a_row_is_taken_into_hand(selected: Any) -> None:
    at = selected(["item:1", "item:2", "item:5"])
    assert "3 users and items" in said(at)
    at.text_input(key="sel_filter").set_value("far").run()
    assert list(at.dataframe[0].value["title"]) == ["Fargo"] and "1 of 3" in said(at)
    at.text_input(key="sel_filter").set_value("zzz").run()
    assert "clear the filter" in said(at) and not at.exception


def test_a_selection_of_users_alone_is_no_file_of_names(selected: Any) -> None:
    at = selected(["user:100"])
    assert "Only items make a file" in said(at) and not at.exception
    assert "Only items make a file" not in said(selected(["item:1"]))
