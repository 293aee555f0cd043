"""The Train page on a fake workshop: form, recipe and command line in step, refusals in words, every state and its buttons."""

from __future__ import annotations

import html as entities
import tomllib
from typing import Any

import pytest

from app.seam import Forecast
from llmrec import registry
from tests.app.seen import html, said

TRAIN = "views/train.py"


@pytest.fixture
def train(fake: Any, page: Any) -> Any:
    return lambda **address: page(TRAIN, **address)


def refusal(at: Any) -> str:
    return entities.unescape(at.error[0].value)


def recipe(at: Any) -> dict[str, Any]:
    return tomllib.loads(at.text_area(key="recipe_text").value)


def chosen(at: Any) -> dict[str, Any]:
    return {box.label: box.value for box in at.selectbox if str(box.key).startswith("top_")}


def part(at: Any, name: str) -> Any:
    at.segmented_control(key="section").set_value(name).run()
    assert not at.exception
    return at


def test_a_choice_changes_recipe_and_command(train: Any) -> None:
    at = train()
    assert chosen(at) == {"Scheme": "metaid", "Head": "trie", "Language model": "nano", "Data": "ml-100k", "Preset": "sketch"}
    at.selectbox(key="top_scheme.name").set_value("cllm4rec").run()
    assert recipe(at)["scheme"] == {"name": "cllm4rec"} and "embed" not in recipe(at)
    assert "cllm4rec" in at.code[0].value
    assert chosen(at)["Preset"] == "sketch"  # it follows the scheme


def test_a_link_hands_over_the_scheme_and_the_address_keeps_it(train: Any) -> None:
    at = train(scheme="tokenrec")
    assert recipe(at)["scheme"]["name"] == "tokenrec" and chosen(at)["Scheme"] == "tokenrec"
    at.selectbox(key="top_scheme.name").set_value("cllm4rec").run()
    assert chosen(at)["Scheme"] == "cllm4rec" and at.query_params["scheme"] in ("cllm4rec", ["cllm4rec"])
    at.segmented_control(key="part").set_value("runs").run()
    assert "scheme" not in at.query_params
    at.query_params["scheme"] = "sid"  # another link, while the other part is open
    at.run()
    assert at.segmented_control(key="part").value == "new" and chosen(at)["Scheme"] == "sid"


def test_a_link_with_an_unknown_scheme_says_so(train: Any) -> None:
    at = train(scheme="<b>x</b>")
    assert "No scheme is called '<b>x</b>'" in said(at) and chosen(at)["Scheme"] == "metaid" and not at.exception


def test_a_preset_fills_the_settings_and_a_setting_leaves_the_preset(train: Any) -> None:
    at = train()
    at.selectbox(key="top_preset").set_value("demo").run()
    assert recipe(at)["lm"] == {"layers": 2}
    assert at.number_input(key="set_finetune_train.validations").value == recipe(at)["train"]["validations"] == 5
    at.number_input(key="set_finetune_train.epochs").set_value(3).run()
    assert recipe(at)["train"]["epochs"] == 3 and chosen(at)["Preset"] not in ("sketch", "demo", "full")
    assert "epochs=3" in at.code[0].value.replace(" ", "")
    at.selectbox(key="top_preset").set_value("demo").run()
    assert "epochs" not in recipe(at)["train"]


def test_a_text_changes_the_form(train: Any) -> None:
    at = train()
    at.text_area(key="recipe_text").set_value(
        '# mine\nseed = 3\n[scheme]\nname = "tokenrec"\nn_books = 4\n[head]\nname = "retrieve"\n'
    ).run()
    assert not at.exception
    assert chosen(at)["Scheme"] == "tokenrec" and chosen(at)["Head"] == "retrieve"
    assert at.number_input(key="set_finetune_seed").value == 3
    assert part(at, "scheme").number_input(key="set_tokenrec_scheme.n_books").value == 4
    assert "# mine" in at.text_area(key="recipe_text").value  # what a person wrote is kept
    assert "tokenrec" in at.code[0].value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[scheme]\nname = "metaidd"', "did you mean metaid"),
        ('[scheme]\nname = "metaid"\nn_cluster = 3', "n_clusters"),
        ('[scheme\nname = "metaid"', "line 1"),
        ('[scheme]\nname = "metaid"\n[data]\nname = "table"\npath = "/etc/passwd"', "outside"),
    ],
)
def test_a_text_that_cannot_be_read_says_why_and_stays(train: Any, fake: Any, text: str, words: str) -> None:
    at = train()
    at.text_area(key="recipe_text").set_value(text).run()
    assert words in refusal(at)
    assert at.text_area(key="recipe_text").value == text and chosen(at)["Scheme"] == "metaid"
    assert at.button(key="start").proto.disabled
    at.text_area(key="recipe_text").set_value('[scheme]\nname = "rid"').run()
    assert not at.error and chosen(at)["Scheme"] == "rid" and fake.bench.started == []


def test_an_illegal_pair_is_refused_before_anything_starts(train: Any, fake: Any) -> None:
    at = train()
    for key, value in (("top_data.name", "checkerboard"), ("top_scheme.name", "rid"), ("top_head.name", "items")):
        at.selectbox(key=key).set_value(value).run()
    assert "a scheme with Tokens" in refusal(at) and at.button(key="start").proto.disabled
    at.selectbox(key="top_head.name").set_value("retrieve").run()
    assert not at.error and recipe(at)["embed"] == {"name": "lightgcn"}  # lent, since rid brings no vectors
    at.selectbox(key="top_head.name").set_value("trie").run()
    assert not at.error and "embed" not in recipe(at)


def test_a_wrong_setting_is_refused_beside_what_was_asked_for(train: Any) -> None:
    at = train()
    at.number_input(key="set_finetune_train.epochs").set_value(-1).run()
    assert "epochs = -1 must be at least 1" in refusal(at)
    assert recipe(at)["train"]["epochs"] == -1 and at.button(key="start").proto.disabled
    at.text_input(key="set_finetune_train.tasks").set_value("{rating = ").run()
    assert "as TOML writes it" in refusal(at)
    at.number_input(key="set_finetune_train.epochs").set_value(2).run()
    assert not at.error


@pytest.mark.parametrize("scheme", [s for s in registry.names("scheme") if s != "imported"])
def test_every_scheme_has_its_settings_without_a_line_here(train: Any, scheme: str) -> None:
    import dataclasses

    at = train()
    at.selectbox(key="top_scheme.name").set_value(scheme).run()
    part(at, "scheme")
    fields = [f.name for f in dataclasses.fields(registry.load("scheme", scheme)) if f.init]
    keys = {str(w.key) for kind in ("number_input", "toggle", "selectbox", "text_input") for w in at.get(kind)}
    assert {f"set_{scheme}_scheme.{name}" for name in fields} <= keys


def test_every_part_opens_and_every_control_has_help(train: Any) -> None:
    at = train()
    for name in ("data", "filter", "split", "embed", "scheme", "lm", "head", "train"):
        part(at, name)
        for kind in ("selectbox", "number_input", "toggle", "text_input", "text_area", "button", "button_group"):
            for widget in at.get(kind):
                assert widget.proto.help, f"{widget.label} has no help"


def test_the_estimate_is_shown_with_its_advice(train: Any, fake: Any) -> None:
    at = train()
    at.button(key="estimate").click().run()
    assert any(m.value == "62 s" for m in at.metric) and "train.batch = 16" in said(at)
    fake.bench.known_forecast = Forecast("failed", trouble="there is no folder beauty")
    at.run()
    assert "there is no folder beauty" in said(at)


def test_starting_shows_the_new_run(train: Any, fake: Any) -> None:
    at = train()
    at.selectbox(key="top_scheme.name").set_value("rid").run()
    at.button(key="start").click().run()
    assert not at.exception
    assert fake.bench.started[0].plain["scheme"] == {"name": "rid"}
    assert at.query_params["job"] in ("fresh-1", ["fresh-1"])
    assert "fresh&#45;1" in html(at)


def test_a_start_that_is_refused_says_why(train: Any, fake: Any) -> None:
    fake.bench.refuses = "the disk is full: free 200 MB"
    at = train()
    at.button(key="start").click().run()
    assert "free 200 MB" in refusal(at)


@pytest.mark.parametrize(
    ("name", "words", "acts"),
    [
        ("busy-1", "being worked on", {"stop", "again", "delete"}),
        ("next-1", "waits for a free place", {"stop", "again", "delete"}),
        ("good-1", "", {"again", "delete"}),
        ("bad-1", "the disk is full", {"resume", "again", "delete"}),
        ("torn-1", "&#60;b&#62;missing", {"delete"}),
    ],
)
def test_each_state_has_its_sentence_and_its_buttons(train: Any, name: str, words: str, acts: set[str]) -> None:
    at = train(job=name)
    assert words.replace(".", "&#46;") in html(at)
    keys = {str(b.key) for b in at.button}
    assert keys & {"stop", "resume", "again", "delete"} == acts
    if name == "bad-1":
        assert "No space left" in at.code[0].value
    if name in ("busy-1", "good-1"):
        kind = "vega_lite_chart" if name == "busy-1" else "plotly_chart"  # what grows is drawn without blinking
        assert len(at.get(kind)) == 2 and len(at.dataframe) >= 2


def test_stop_resume_and_delete_that_asks(train: Any, fake: Any) -> None:
    at = train(job="busy-1")
    at.button(key="stop").click().run()
    assert fake.bench.done == [("stop", "busy-1")] and {"resume"} <= {str(b.key) for b in at.button}
    at.button(key="resume").click().run()
    assert fake.bench.known["busy-1"].state == "queued"
    at.button(key="delete").click().run()
    assert "It frees 12 MB" in said(at) and "busy-1" in fake.bench.known
    at.button(key="delete_no").click().run()
    assert "It frees" not in said(at)
    at.button(key="delete").click().run()
    at.button(key="delete_yes").click().run()
    assert not at.exception and "busy-1" not in fake.bench.known


def test_what_another_tab_did_meanwhile_is_told(train: Any, fake: Any) -> None:
    at = train(job="busy-1")
    fake.bench.stop("busy-1")
    at.button(key="stop").click().run()
    assert "nothing to stop" in refusal(at)
    del fake.bench.known["busy-1"]
    at.run()
    assert not at.exception and "There is no run" in said(at)


def test_again_fills_the_form(train: Any) -> None:
    at = train(job="good-1")
    at.button(key="again").click().run()
    assert chosen(at)["Scheme"] == "title" and recipe(at)["seed"] == 7


def test_two_recipes_as_a_difference(train: Any) -> None:
    at = train(job="good-1")
    at.selectbox(key="other").set_value("bad-1").run()
    assert at.dataframe[-1].value["setting"].tolist() == ["train.epochs"]


def test_no_run_yet(train: Any, fake: Any) -> None:
    fake.bench.known.clear()
    at = train()
    at.segmented_control(key="part").set_value("runs").run()
    assert not at.exception and "No run yet" in html(at)
