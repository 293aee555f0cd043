"""Every view on the fake backend: what it shows, what a click or an address changes, and what it says when something is missing."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from app.seam import Progress
from tests.app.seen import html, said

VIEWS = [f"views/{name}.py" for name in ("tour", "data", "train", "tokens", "compare", "xray", "recommend", "chat")]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_and_every_control_has_help(fake: Any, page: Any, view: str) -> None:
    at = page(view)
    assert at.title[0].value
    for kind in ("selectbox", "multiselect", "slider", "toggle", "text_input", "button_group"):
        for widget in at.get(kind):
            assert widget.proto.help, f"{widget.label} has no help"


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_without_a_run(fakes: Any, page: Any, view: str) -> None:
    from app import shared

    shared.use(fakes.FakeBackend(names=()))
    try:
        at = page(view)
        if view in ("views/tokens.py", "views/chat.py"):
            assert "llmrec train" in said(at)  # the next step, in words
    finally:
        shared.use(None)


def test_first_run_is_shown_live(fakes: Any, page: Any) -> None:
    from app import shared

    losses = pd.DataFrame({"step": [1, 2, 3], "loss": [3.0, 2.0, 1.5]})
    shared.use(fakes.FakeBackend(names=(), progress=Progress("r", "training", 0.5, 31.0, 20.0, losses)))
    try:
        at = page()
        assert "training" in said(at)
        assert "31 s left" in str(at.get("progress")[0].proto.text)
    finally:
        shared.use(None)


def test_first_run_that_failed_says_why(fakes: Any, page: Any) -> None:
    from app import shared

    shared.use(fakes.FakeBackend(names=(), progress=Progress("", "stopped", state="failed", message="the disk is full")))
    try:
        assert "the disk is full" in said(page())
    finally:
        shared.use(None)


def test_run_of_the_address_is_taken(fake: Any, page: Any) -> None:
    assert page("views/tokens.py", run="beta").selectbox(key="run_picker").value == "beta"
    assert page("views/tokens.py", run="nonsense").selectbox(key="run_picker").value == "alpha"


def test_data_shows_a_users_history_and_searches_it(fake: Any, page: Any) -> None:
    at = page("views/data.py", show="user", user="101")
    assert at.selectbox(key="data_user").value == "101"
    assert list(at.dataframe[-1].value["title"]) == ["Toy Story", "Up", "Amélie"]
    at.text_input(key="data_search").set_value("toy 1995").run()
    assert list(at.dataframe[-1].value["title"]) == ["Toy Story"]
    at.text_input(key="data_search").set_value("zzz").run()
    assert "clear the search" in said(at)


def test_tokens_inspects_what_the_address_names(fake: Any, page: Any) -> None:
    at = page("views/tokens.py", item="7")
    shown = html(at)
    assert "Bold" in shown and "<b>Bold" not in shown.replace("&#60;", "")  # a title is text, never markup
    assert "tone0" in shown and "&#60;r6&#62;" in shown


def test_tokens_search_moves_the_inspector_and_the_address(fake: Any, page: Any) -> None:
    at = page("views/tokens.py")
    at.selectbox(key="find").set_value("token:<c1>").run()
    assert not at.exception
    assert "4 items and 2 users" in said(at)
    assert at.query_params["token"] == "<c1>"
    at.selectbox(key="find").set_value("user:103").run()
    assert at.query_params["user"] == "103" and "token" not in at.query_params


def test_unknown_address_is_told(fake: Any, page: Any) -> None:
    assert "knows no" in said(page("views/tokens.py", item="999"))


def test_recommend_for_a_user_marks_the_held_out_item(fake: Any, page: Any) -> None:
    at = page("views/recommend.py", user="100")
    assert "held&#45;out item" in html(at)
    models = [(run, model) for run, model, *_ in fake.asked]
    assert ("alpha", None) in models and ("alpha", "itemknn-last3") in models


def test_recommend_from_titles_and_switches(fake: Any, page: Any) -> None:
    at = page("views/recommend.py", item="3")
    assert at.multiselect(key="liked").value == [2]
    at.slider(key="k").set_value(3).run()
    at.toggle(key="seen").set_value(True).run()
    _, _, person, k, seen = fake.asked[-1]
    assert person.history == (2,) and person.user == -1 and k == 3 and seen
    at.multiselect(key="liked").set_value([]).run()
    assert "Pick one or more titles" in said(at)


def test_recommend_says_what_went_wrong_and_goes_on(fake: Any, page: Any) -> None:
    fake.fails = "run alpha has no model yet: train it with --resume"
    assert "train it with --resume" in said(page("views/recommend.py"))


def test_chat_hands_its_address_on_to_the_panel(fake: Any, page: Any) -> None:
    at = page("views/chat.py", run="beta", user="102")
    address = at.get("iframe")[0].proto.src
    assert address.startswith("/chat/?") and "models=beta" in address and "user=102" in address and "__theme=" in address
    at = page("views/chat.py", models="alpha,popularity@alpha", blind="1", message="a & b=1")
    address = at.get("iframe")[0].proto.src
    assert "models=alpha,popularity@alpha&blind=1&message=a+%26+b%3D1&__theme=" in address
    assert "Copy link" in said(at)


@pytest.mark.parametrize(
    ("view", "address"),
    [
        ("views/tokens.py", {"item": "9"}),
        ("views/recommend.py", {"item": "9"}),
        ("views/data.py", {"show": "user", "user": "104"}),
    ],
)
def test_another_run_with_other_data_may_lack_what_was_chosen(fakes: Any, page: Any, view: str, address: dict[str, str]) -> None:
    from app import shared

    shared.use(fakes.FakeBackend(names=("alpha", "small")))
    try:
        at = page(view, **address)
        at.selectbox(key="run_picker").set_value("small").run()
        assert not at.exception
        at = page("views/recommend.py", user="105")
        at.selectbox(key="run_picker").set_value("small").run()
        assert not at.exception and at.selectbox(key="rec_user").value in ("100", "101")
    finally:
        shared.use(None)


def test_a_large_catalogue_is_searched_on_recommend(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import picking

    monkeypatch.setattr(picking, "LISTED", 2)
    found = {"Alien": (("1", "Alien"),)}
    monkeypatch.setattr(fake.intake(), "find", lambda run, data, words: found.get(words, ()))
    at = page("views/recommend.py", item="3")
    assert len(at.multiselect(key="liked").options) == 1  # what is held, and nothing that was not searched for
    at.text_input(key="rec_words").set_value("Alien").run()
    assert len(at.multiselect(key="liked").options) == 2 and not at.exception


def test_an_unknown_user_is_told_on_recommend(fake: Any, page: Any) -> None:
    at = page("views/recommend.py", user="100")
    box = at.selectbox(key="rec_user")
    box.options = [*box.options, "nobody"]  # a test cannot type what no option says
    box.set_value("nobody").run()
    assert "nobody" in said(at) and not at.exception and at.selectbox(key="rec_user").value != "nobody"


def test_a_long_table_is_cut_on_the_page_and_says_so(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import frame

    monkeypatch.setattr(frame, "ROWS", 2)
    at = page("views/data.py")
    assert "lines; the file has all of them" in said(at) and max(len(d.value) for d in at.dataframe) == 2
