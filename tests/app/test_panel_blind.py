"""Blind mode: nothing that tells models apart is in the page before the vote; the vote is kept, counted and given away."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from app.chat import stage, streaming
from app.chat.acts import Acts
from app.chat.stage import BAD, TIE, Answer, Room, Seat
from tests.app.talking import WHO, Visit

TELLING = ("alpha", "beta", "fixed sentences", "chip tok", "&#60;c", "lm-raw", "tokens/s", "popularity")


@pytest.fixture
def blind(fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    monkeypatch.setattr(streaming, "BEAT", 0.01)
    visit = Visit(Acts(lambda: fake, tmp_path / "votes.jsonl"))
    visit.open(models="alpha,popularity@alpha", user="101", blind="1")
    return visit


def shown(visit: Visit) -> str:
    """All that the page holds of the talk."""
    return " ".join(str(visit.parts[n]) for n in visit.parts if n.startswith(("live", "label", "past", "bubble", "curtain")))


def test_nothing_betrays_a_model_before_the_vote(blind: Visit) -> None:
    blind.say("something like Alien")
    assert not [t for t in TELLING if t in shown(blind)] and "Model A" in shown(blind) and "Model B" in shown(blind)
    assert not [d for d in blind.grown if any(t in str(d.get(f"live{n}", "")) for t in TELLING for n in range(2))]
    assert blind.parts["voting"] and blind.parts["choices"] == 2 and not blind.parts["side0"]
    blind.vote("B")
    assert all(t in shown(blind) for t in ("alpha", "popularity", "fixed sentences", "chip tok", "lm-raw", "your vote"))
    assert not blind.parts["voting"]


def test_a_message_later_names_are_hidden_again_and_what_was_told_stays_told(blind: Visit) -> None:
    blind.say("something like Alien")
    blind.vote(TIE)
    blind.say("something else")
    assert "alpha" in blind.parts["past"] and "tie" in blind.parts["past"]
    assert not [t for t in TELLING if t in blind.parts["live0"] + blind.parts["label0"]]


def test_sides_are_shuffled_and_only_anew_after_they_were_told(blind: Visit) -> None:
    orders = set()
    for _ in range(16):
        blind.say("something like Alien")
        before = [s.model for s in blind.seats[:2]]
        blind.say("something else")
        assert [s.model for s in blind.seats[:2]] == before  # not voted on: the letters stay
        blind.vote(BAD)
        orders.add(tuple(before))
        blind.take(blind.acts.over(blind.room, blind.seats, WHO))
    assert len(orders) == 2


def test_a_vote_while_answers_grow_reveals_them(blind: Visit) -> None:
    import asyncio

    talks: Any = blind.acts.talks
    half, voted = threading.Event(), threading.Event()

    def pace(model: str, n: int) -> None:
        if n == 6:
            half.set()
            assert voted.wait(20)

    talks.pace = pace
    blind.send("something like Alien")

    async def both() -> None:
        async def voting() -> None:
            await asyncio.to_thread(half.wait, 20)
            blind.vote("A")
            assert "live0" not in blind.acts._drawing().votes(blind.room, blind.seats)
            voted.set()

        await asyncio.gather(blind.answers(), voting())

    asyncio.run(both())
    place = [s.model for s in blind.seats].index("alpha")
    assert "chip tok" in blind.parts[f"live{place}"] and blind.room.present is not None and blind.room.present.vote == "A"


def test_votes_are_kept_once_counted_and_exported(blind: Visit) -> None:
    blind.say("something like Alien")
    file, told = blind.acts.file("json", blind.room, blind.seats, WHO)
    assert file is None and "hidden" in told["notice"]
    assert blind.acts.file("votes", blind.room, blind.seats, WHO)[0] is None
    blind.vote("A")
    assert blind.vote("B") == {} and blind.vote("Z") == {}
    file, _ = blind.acts.file("votes", blind.room, blind.seats, WHO)
    assert file is not None and file["text"].count("\n") == 1
    vote = json.loads(file["text"])
    assert vote["winner"] == "A" and sorted(vote["models"]) == ["alpha", "popularity@alpha"] and vote["message"] == "something like Alien"
    assert vote["chosen"] == blind.seats[0].model and vote["hidden"] and vote["person"] == "101"
    assert "1 blind vote on this machine" in blind.parts["tally"] and "100%" in blind.parts["tally"]
    assert blind.acts.file("votes", blind.room, blind.seats, "somebody else")[0] is None


def test_the_talk_is_exported_with_every_turn(blind: Visit) -> None:
    blind.take(blind.acts.blind(False, blind.room, blind.seats, WHO))
    blind.say("something like Alien")
    blind.say("a Crime film")
    file, _ = blind.acts.file("json", blind.room, blind.seats, WHO)
    assert file is not None and file["name"].endswith(".json")
    said = json.loads(file["text"])
    assert [len(side["turns"]) for side in said["sides"]] == [2, 2] and said["person"] == "101"
    file, _ = blind.acts.file("markdown", blind.room, blind.seats, WHO)
    assert file is not None and "something like Alien" in file["text"] and "<img" not in file["text"]


def test_a_file_that_cannot_be_written_does_not_lose_the_vote(fake: Any, tmp_path: Path) -> None:
    (tmp_path / "votes.jsonl").mkdir()
    visit = Visit(Acts(lambda: fake, tmp_path / "votes.jsonl"))
    visit.open(models="alpha,beta", blind="1")
    visit.say("hello")
    visit.vote("A")
    assert "could not be kept" in visit.parts["notice"] and "your vote" in visit.parts["label0"]


def test_leaving_blind_mode_shows_all_names_and_closes_votes(blind: Visit) -> None:
    blind.say("something like Alien")
    blind.take(blind.acts.blind(False, blind.room, blind.seats, WHO))
    assert "alpha" in blind.parts["past"] and not blind.parts["voting"] and blind.vote("A") == {}


def test_one_side_alone_has_nothing_to_vote_on() -> None:
    room, seats = stage.asked(Room(blind=True), (Seat("a"),), "hi", [0])
    assert room.present is not None and not room.present.hidden
    assert stage.voted(room, "A") is room
    assert stage.finished(room, (Seat("a", answer=Answer(stopped=True)),))[0].answers == (Answer(stopped=True),)
    assert seats[0].answer == Answer()
