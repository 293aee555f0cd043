"""The probes' part of the Chat page over a fake: what is chosen is asked, started and stopped, and failures are read as text."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from app.seam.probes import Ask, Going
from tests.app import fake_probes


def _page() -> None:
    from app import shared
    from app.chat import probes_part
    from app.seam.chat import Model

    models = [
        Model("alpha", "alpha", "films", "metaid", True),
        Model("beta", "beta", "films", "rid", True),
        Model("popularity@alpha", "popularity", "films"),
        Model("shelf", "shelf", "books", "title", True),
    ]
    probes_part.show(shared.backend(), models)


@pytest.fixture
def probes(fake: Any, monkeypatch: pytest.MonkeyPatch) -> fake_probes.FakeProbes:
    made = fake_probes.FakeProbes()
    fake.probes = lambda: made
    return made


@pytest.fixture
def part(probes: fake_probes.FakeProbes) -> Any:
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_function(_page, default_timeout=30).run()
    assert not at.exception, at.exception
    return at


def _texts(at: Any) -> str:
    return unescape(_sent(at))


def _sent(at: Any) -> str:
    """As it goes to the browser."""
    return " ".join(e.value for kind in ("markdown", "caption", "info", "warning", "subheader") for e in at.get(kind))


def test_two_of_one_data_set_are_asked_about_first_and_nothing_starts(part: Any, probes: fake_probes.FakeProbes) -> None:
    assert probes.asked[-1] == (Ask(("alpha", "beta"), 2), False) and not any(start for _, start in probes.asked)
    assert part.dataframe[0].value["model"].tolist() == ["alpha", "beta"]
    assert "12 probes by 2 users." in _texts(part) and part.query_params["probe"] in ("alpha,beta", ["alpha,beta"])
    assert part.code[0].value == "llmrec probe alpha beta --users 2 --out probes.json"


def test_choices_are_asked(part: Any, probes: fake_probes.FakeProbes) -> None:
    part.multiselect(key="probes_models").set_value(["beta", "popularity@alpha"]).run()
    part.number_input(key="probes_users").set_value(5).run()
    part.pills(key="probes_only").set_value(["why"]).run()
    assert not part.exception
    assert probes.asked[-1][0] == Ask(("beta", "popularity@alpha"), 5, ("why",))
    assert part.code[0].value == "llmrec probe beta --baseline popularity --users 5 --only why --out probes.json"


def test_a_button_starts_what_is_missing_and_another_leaves_the_rest(part: Any, probes: fake_probes.FakeProbes) -> None:
    probes.known, probes.going = False, Going(("alpha", "beta"), "user 7: hello", 0.25)
    part.run()
    part.button(key="probes_start").click().run()
    assert probes.asked[-1] == (Ask(("alpha", "beta"), 2), True) and not part.exception
    assert not [b for b in part.button if b.key == "probes_start"]
    part.button(key="probes_stop").click().run()
    assert probes.asked[-1][1] is False and [b for b in part.button if b.key == "probes_start"]


def test_other_choices_do_not_go_on_by_themselves(part: Any, probes: fake_probes.FakeProbes) -> None:
    probes.known, probes.going = False, Going(("alpha",), "", None)
    part.run()
    part.button(key="probes_start").click().run()
    part.number_input(key="probes_users").set_value(6).run()
    assert probes.asked[-1] == (Ask(("alpha", "beta"), 6), False)


def test_models_of_other_data_are_not_asked_together(part: Any, probes: fake_probes.FakeProbes) -> None:
    before = len(probes.asked)
    part.multiselect(key="probes_models").set_value(["alpha", "shelf"]).run()
    assert "shelf is of other data than alpha" in _texts(part) and len(probes.asked) == before
    part.multiselect(key="probes_models").set_value([]).run()
    assert "Choose at least one model" in _texts(part)


def test_failures_are_text_and_can_be_narrowed(part: Any) -> None:
    assert "<img" not in _sent(part) and "**bold**" not in _sent(part) and fake_probes.HOSTILE in _texts(part)
    assert "constraint: not Comedy" in _texts(part) and "but why" in _texts(part)
    part.selectbox(key="probes_failed_skill").set_value("why").run()
    assert "but why" in _texts(part) and "constraint: not Comedy" not in _texts(part)


def test_trouble_is_a_sentence(part: Any, probes: fake_probes.FakeProbes) -> None:
    probes.known, probes.going = False, Going(trouble="alpha could not be asked: it is gone")
    part.run()
    part.button(key="probes_start").click().run()
    assert "could not be asked" in _texts(part) and not part.exception
