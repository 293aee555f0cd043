"""The Data page: which data, one user, one item, and files on their way in; on the fake."""

from __future__ import annotations

from typing import Any

import pytest

from app import picking
from app.seam.intake import Wait
from tests.app.seen import chosen, html, metrics, said

# which data


def test_the_address_names_the_data_set_and_it_is_shown(fake: Any, page: Any) -> None:
    at = page("views/data.py", data="ml-100k")
    assert at.selectbox(key="data_set").value == "ml-100k" and at.header[0].value == chipped("ml-100k")
    at.selectbox(key="data_set").set_value("mine").run()
    assert at.query_params["data"] == "mine" and "mine" in said(at)
    at.selectbox(key="data_set").set_value("").run()
    assert "data" not in at.query_params and "films" in said(at)
    assert page("views/data.py", data="<script>").selectbox(key="data_set").value == ""


def chipped(text: str) -> str:
    from app import chips

    return chips.text(text)


def test_without_a_run_the_sets_by_name_are_there(fakes: Any, page: Any) -> None:
    from app import shared

    shared.use(fakes.FakeBackend(names=()))
    try:
        at = page("views/data.py")
        assert at.selectbox(key="data_set").options[0].startswith("ml-100k") and metrics(at)["Users"] == "6"
    finally:
        shared.use(None)


def test_a_user_and_an_item_have_addresses_of_their_own(fake: Any, page: Any) -> None:
    at = page("views/data.py", show="item", item="3")
    assert at.selectbox(key="data_item").value == "3" and "Blade Runner" in said(at)
    assert list(at.dataframe[0].value["user"]) == ["100", "103"]
    at.text_input(key="data_item_words").set_value("heat").run()
    assert at.query_params["item"] == "9" and "Heat" in said(at)
    at.text_input(key="data_item_words").set_value("zzz").run()
    assert "No title holds" in said(at)
    at = page("views/data.py", show="item", item="nonsense")
    assert "No item has the key" in said(at) and not at.exception


def test_reading_that_takes_long_is_shown_and_trouble_is_told(fake: Any, page: Any) -> None:
    fake.intake().wait = Wait("reading mine", 0.25, 3.0, 2)
    at = page("views/data.py", data="mine")
    assert "waits for 2 other pieces" in at.get("progress")[0].proto.text and not at.metric
    fake.intake().wait = None
    fake.intake().fails = "r.csv is gone; import the files anew"
    assert "import the files anew" in said(page("views/data.py", data="mine"))


def test_training_on_a_set_opens_train_with_its_recipe(fake: Any, page: Any) -> None:
    at = page("views/data.py", data="mine")
    at.button(key="train_on").click().run()
    assert at.title[0].value == "Train" and not at.exception
    text = at.text_area(key="recipe_text").value
    assert "[filter]\nitem = 4" in text and "epochs = 4" in text  # the recipe of "mine", in the smallest preset


def test_deleting_asks_and_names_the_runs(fake: Any, page: Any) -> None:
    at = page("views/data.py", data="mine")
    assert "alpha" in " ".join(w.value for w in at.warning)
    at.button(key="delete_data").click().run()
    assert fake.intake().own == {} and at.selectbox(key="data_set").value == "" and "data" not in at.query_params
    assert not [b for b in page("views/data.py", data="ml-100k").button if b.key == "delete_data"]


# files on their way in


def test_nothing_is_asked_before_files_are_there(fake: Any, page: Any) -> None:
    at = page("views/data.py", show="import")
    assert "20 MB" in said(at) and "llmrec data import" in " ".join(c.value for c in at.code)
    assert fake.intake().asked == [] and not [b for b in at.button if b.key == "import"]


def test_files_are_mapped_cut_named_and_imported(fake: Any, page: Any) -> None:
    room = fake.intake()
    at = chosen(page("views/data.py", show="import"), ("r.csv", b"x", "text/csv"))
    shown = html(at)
    assert "<script>x" not in shown and "&#60;script&#62;x" in shown and "<b>when" not in shown  # what stands in files is text
    assert shown.index(">User<") < shown.index(">Item<") and "not read" in shown and "Not read: README" in said(at)
    assert room.asked[-2][0] == {"user": "who", "item": "what", "time": "", "rating": "", "title": ""}
    at.selectbox(key="role_time_d1").set_value("what").run()
    assert "line 3, column 'what'" in said(at) and "Nothing was kept" in said(at) and not [b for b in at.button if b.key == "import"]
    at.selectbox(key="role_time_d1").set_value("<b>when</b>").run()
    at.selectbox(key="encoding_d1").set_value("latin-1").run()
    assert room.asked[-2] == ({"user": "who", "item": "what", "time": "<b>when</b>", "rating": "", "title": ""}, "latin-1")
    at.number_input(key="kcore_user").set_value(2).run()
    at.selectbox(key="split_name").set_value("unseen-users").run()
    at.number_input(key="split_split.share").set_value(0.2).run()
    assert room.asked[-1] == {"filter": {"user": 2}, "split": {"name": "unseen-users", "share": 0.2}}
    assert metrics(at)["Users"] == "4" and metrics(at)["Train"] == "30"
    at.text_input(key="name_d1").set_value("mine").run()
    at.button(key="import").click().run()
    assert "take another name, such as 'mine-2'" in said(at) and list(room.own) == ["mine"]
    at.text_input(key="name_d1").set_value("plays").run()
    at.button(key="import").click().run()
    assert room.own["plays"] == {"filter": {"user": 2}, "split": {"name": "unseen-users", "share": 0.2}}
    assert "plays" in said(at) and not at.file_uploader[0].value
    at.button(key="look_at").click().run()
    assert at.selectbox(key="data_set").value == "plays" and at.query_params["data"] == "plays"


def test_what_cannot_be_cut_so_cannot_be_imported(fake: Any, page: Any) -> None:
    at = chosen(page("views/data.py", show="import"), ("r.csv", b"x", "text/csv"))
    at.number_input(key="kcore_user").set_value(10).run()
    assert "nothing is left" in said(at) and at.button(key="import").disabled
    at.number_input(key="kcore_user").set_value(0).run()
    assert not at.button(key="import").disabled


def test_files_that_are_refused_are_told(fake: Any, page: Any) -> None:
    fake.intake().fails = "r.zip holds '../x', which leads out"
    at = chosen(page("views/data.py", show="import"), ("r.zip", b"x", "application/zip"))
    assert "leads out" in said(at) and "Nothing was kept" in said(at)


def test_a_link_to_another_user_or_item_is_followed(fake: Any, page: Any) -> None:
    at = page("views/data.py", user="103")
    assert at.selectbox(key="data_user").value == "103"
    at.query_params["user"] = "104"
    at.run()
    assert at.selectbox(key="data_user").value == "104" and at.query_params["user"] in ("104", ["104"])
    at = page("views/data.py", show="item", item="3")
    at.text_input(key="data_item_words").set_value("alien").run()
    at.query_params["item"] = "5"  # another link, with words in the search
    at.run()
    assert at.selectbox(key="data_item").value == "5" and not at.exception


def test_a_typed_key_that_nobody_has_is_told(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "LISTED", 2)
    at = page("views/data.py", user="103")
    box = at.selectbox(key="data_user")
    box.options = [*box.options, "<b>9</b>"]  # a test cannot type what no option says
    box.set_value("<b>9</b>").run()
    assert "No user of this data has the key '<b>9</b>'; showing 103" in said(at) and not at.exception


# over the real library
