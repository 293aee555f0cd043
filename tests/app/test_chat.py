"""The chat without a browser: what a message means, what is remembered, and that nothing a person types becomes markup."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from app import chat_panel, chips, dialogue
from app.dialogue import Talk

RUN = "alpha"


def ask(fake: Any, message: str, talk: Talk = Talk(), k: int = 3) -> dialogue.Reply:  # noqa: B008, frozen
    return list(dialogue.reply(fake, RUN, talk, message, k, pause=0))[-1]


def test_named_titles_become_the_history_and_the_model_is_asked(fake: Any) -> None:
    reply = ask(fake, "I liked Alien and Blade Runner, what next?")
    run, model, person, k, seen = fake.asked[-1]
    assert (run, model, person.history, k, seen) == (RUN, None, (0, 2), 3, False)
    assert reply.talk.shown == (3, 4, 5)
    assert "Toy Story" in reply.html and "total" in reply.html


def test_the_answer_grows_item_by_item(fake: Any) -> None:
    grown = [r.html.count("<li") for r in dialogue.reply(fake, RUN, Talk(), "I liked Alien", 3, pause=0)]
    assert grown == sorted(grown) and {1, 2, 3} <= set(grown)


def test_something_else_never_repeats_and_ends_with_a_sentence(fake: Any) -> None:
    reply = ask(fake, "I liked Alien")
    seen = set(reply.talk.shown)
    for _ in range(3):
        reply = ask(fake, "something else", reply.talk)
        fresh = set(reply.talk.shown) - seen
        assert len(reply.talk.shown) == len(set(reply.talk.shown))
        seen |= fresh
    assert seen == set(range(1, 12))
    assert "nothing more" in ask(fake, "more", reply.talk).html


def test_rejected_stays_rejected(fake: Any) -> None:
    reply = ask(fake, "I liked Alien but I hated Toy Story")
    assert reply.talk.liked == (0,) and reply.talk.rejected == (3,)
    for _ in range(3):
        reply = ask(fake, "something else", reply.talk)
    assert 3 not in reply.talk.shown


@pytest.mark.parametrize(
    ("said", "liked", "rejected"),
    [
        ("I hated Toy Story but loved Alien", (0,), (3,)),
        ("I didn't like Toy Story and I really liked Alien", (0,), (3,)),
        ("I did not like Alien and Toy Story", (), (0, 3)),
        ("I liked Alien but never liked Toy Story", (0,), (3,)),
    ],
)
def test_a_dislike_ends_where_a_liking_begins(fake: Any, said: str, liked: tuple[int, ...], rejected: tuple[int, ...]) -> None:
    talk = ask(fake, said).talk
    assert (talk.liked, talk.rejected) == (liked, rejected)


def test_a_user_of_the_data_needs_no_title(fake: Any) -> None:
    ask(fake, "What should I watch next?", Talk(user=1))
    assert fake.asked[-1][2].user == 1 and fake.asked[-1][2].history == (3, 9)


def test_unknown_titles_are_told_with_near_ones(fake: Any) -> None:
    reply = ask(fake, "I liked Zzyzx")
    assert "no title" in reply.html and "Blade Runner" in reply.html and not fake.asked


@pytest.mark.parametrize("message", ["hello", "Hi there!", "what can you do?", "", "   ", "???", "blah blah", "\U0001f642"])
def test_greetings_and_nothing_are_answered_with_an_example(fake: Any, message: str) -> None:
    assert "I liked Alien" in ask(fake, message).html and not fake.asked


def test_a_greeting_with_a_title_is_not_only_a_greeting(fake: Any) -> None:
    assert ask(fake, "hi, I liked Alien").talk.shown


def test_thanks_and_starting_over(fake: Any) -> None:
    assert "welcome" in ask(fake, "thanks!", Talk(liked=(0,))).html
    assert ask(fake, "start over", Talk(liked=(0,), shown=(4,), user=2)).talk == Talk(user=2)


def test_ten_thousand_characters(fake: Any) -> None:
    reply = ask(fake, "I liked Alien " + "x" * 10_000)
    assert "read the first 2,000" in reply.html and reply.talk.shown


@pytest.mark.parametrize(
    "message", ["<c3> I liked Alien", '<img src=x onerror="alert(1)">Alien', "I liked <b>Bold</b> & Co", "**Alien** [x](javascript:y)"]
)
def test_nothing_typed_becomes_markup(fake: Any, message: str) -> None:
    for _, messages, _ in chat_panel.stream(fake, message, [], RUN, Talk(), 3):
        assert "<" not in messages[0]["content"]
        assert "<img" not in messages[-1]["content"] and "<b>" not in messages[-1]["content"] and "<c3>" not in messages[-1]["content"]
        assert "[x]" not in messages[0]["content"]


def test_trouble_of_the_model_is_told(fake: Any) -> None:
    fake.fails = "run alpha has no model yet"
    assert "has no model yet" in ask(fake, "I liked Alien").html


def test_the_panel_opens_as_its_address_says(fake: Any) -> None:
    run, who, talk, *ideas = chat_panel.opened(fake, {"run": "beta", "user": "102"})
    assert run == "beta" and who["value"] == "102" and talk == Talk(user=2)
    assert "Alien" in ideas[0]["value"]
    run, who, talk, *_ = chat_panel.opened(fake, {"run": "nonsense", "user": "nobody"})
    assert run == "alpha" and who["value"] == chat_panel.NEW and talk == Talk()


def test_without_a_run_the_panel_says_so(fakes: Any) -> None:
    empty = fakes.FakeBackend(names=())
    assert chat_panel.opened(empty, {})[0] is None
    assert "no trained run" in list(chat_panel.stream(empty, "hi", [], None, Talk(), 3))[-1][1][-1]["content"]


def test_ask_endpoint_gives_json(fake: Any) -> None:
    out = chat_panel._asker(lambda: fake)("I liked Alien", k=2)
    assert [i["rank"] for i in out["items"]] == [1, 2] and out["items"][0]["pieces"] == ["<c1>", "<r1>"]


def test_the_panel_builds_with_stable_endpoints(fake: Any) -> None:
    panel = chat_panel.build(lambda: fake)
    names = {fn.api_name for fn in panel.fns.values() if fn.api_visibility == "public"}
    assert names == {"chat", "ask"}


def test_text_stays_text_and_says_the_same() -> None:
    title = "<script>*_[x](y)`$:smile:</script> & Amélie"
    assert re.fullmatch(r"(?:[A-Za-z0-9 ,]|&#\d+;)*", chips.text(title))
    assert unescape(chips.text(title)) == title
