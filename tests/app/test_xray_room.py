"""The X-ray's room over a real small run: what is shown is what the run's own recommender reads and finds, under each head."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import chips
from app.library import Library
from app.seam import Person, Trouble
from app.seam.xray import Question
from app.xray import asking, xray
from app.xray.xray import Xray
from llmrec.commands import xray as command
from llmrec.contracts import Queries
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.retrieve import Retrieve
from llmrec.lm.heads.trie import Trie
from tests.browser import small_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs")
    small_run.train(folder)
    return folder


@pytest.fixture
def library(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("LLMREC_RUNS", str(trained))
    made = Library()
    yield made
    made.close()


@pytest.fixture
def name(library: Library) -> str:
    (run,) = library.runs()
    return str(run.name)


def question(library: Library, name: str, user: int = 3, **more: Any) -> Question:
    world = library.world(name)
    return Question(world.person(user), follow=min(world.targets[user]), **more)


def behind(library: Library, name: str, head: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The run's model behind another head, in place of its own."""
    own: Any = library.recommender(name)
    vectors = library.world(name).vectors
    head.equip(own.lm, vectors, 0)
    other = dataclasses.replace(own, head=head, compiled=head.compile(own.lm, own.table, vectors=vectors))
    monkeypatch.setattr(library, "recommender", lambda *_: other)
    return other


HEADS = pytest.mark.parametrize(
    "head", [Trie(beams=2), Trie(beams=60), Items(), Retrieve(hidden=8)], ids=["narrow", "wide", "items", "near"]
)


@HEADS
def test_the_look_is_at_the_ranking_that_is_given(library: Library, name: str, head: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = behind(library, name, head, monkeypatch)
    room, asked = Xray(library), question(library, name)
    look = room.look(name, asked)
    ranked = model.recommend(Queries.of_history(asked.person.history, user=3), 10)
    assert [p.card.index for p in look.picks] == [i for i in ranked.items[0].tolist() if i >= 0]
    rows = [bit.row for one in look.prompt.stretches for bit in one.bits]
    assert rows == model.prompt(3, asked.person.history)
    assert [bit.place for one in look.prompt.stretches for bit in one.bits] == list(range(len(rows)))
    placed = dict((label, value) for label, value, _ in look.numbers)
    listed = ranked.items[0].tolist()
    assert (look.fate == "found") == (asked.follow in listed)
    assert placed["Place"] == (str(listed.index(asked.follow) + 1) if asked.follow in listed else placed["Place"])
    for one in look.exhibits:
        assert len(one.table) and one.caption
    titles = [one.title for one in look.prompt.stretches if one.kind == "item"]
    assert titles == [chips.label(library.world(name).card("item", i)) for i in asked.person.history[-model.max_items :]]
    assert room.look(name, asked) is look, "made once"


def test_the_tree_holds_what_was_found_and_the_followed_way(library: Library, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    behind(library, name, Trie(beams=1), monkeypatch)
    room, asked = Xray(library), question(library, name)
    every = [dataclasses.replace(asked, follow=item) for item in range(40) if item not in asked.person.history]
    asked = next(one for one in every if room.look(name, one).fate == "lost")
    look = room.look(name, asked)
    tree, way = look.exhibits
    found = tree.table[tree.table["state"] == "found"]
    assert set(found["item"]) == {chips.label(p.card) for p in look.picks}
    kept = tree.table[tree.table["state"] == "kept"]
    assert len(kept) == 1 and "keeps 1" in look.text
    assert list(way.table["kept"])[-1] == "no" and way.table["log p so far"].is_monotonic_decreasing
    assert tree.table["followed"].any()


@HEADS
def test_the_next_piece_is_told_for_every_head(library: Library, name: str, head: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    behind(library, name, head, monkeypatch)
    room, asked = Xray(library), question(library, name)
    first = room.after(name, asked)
    whole, allowed = first.exhibits
    assert allowed.table["may follow"].all() and allowed.table["probability"].sum() <= 1 + 1e-6
    assert whole.table["probability"].is_monotonic_decreasing and (whole.table["items"] > 0).equals(whole.table["may follow"])
    if not isinstance(head, Trie):
        assert not first.deeper and not first.followed
        with pytest.raises(Trouble, match="no later piece"):
            room.after(name, asked, "5")
        return
    deeper = room.after(name, asked, first.followed)
    assert [bit.row for bit in deeper.trail] == [int(first.followed)] and deeper.exhibits[1].table["followed"].any()
    assert not deeper.deeper, "names have two pieces here"
    for wrong in ("x", "1-", "9" * 30, "0", "-1"):
        with pytest.raises(Trouble):
            room.after(name, asked, wrong)


@HEADS
def test_what_if_begins_with_the_rank_that_is(library: Library, name: str, head: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    behind(library, name, head, monkeypatch)
    room, asked = Xray(library), question(library, name)
    shown = room.what_if(name, asked)
    rank = dict((label, value) for label, value, _ in room.look(name, asked).numbers)["Exact rank"]
    assert str(shown.table["rank"][0]) == rank and shown.table["places gained"][0] == 0
    assert shown.table["past"][1].startswith("without ")
    ranks = {int(rank) for rank in shown.table["rank"].dropna()}
    assert ("The largest change is" in shown.caption) == (len(ranks) > 1) == ("None of the other pasts" not in shown.caption)
    with pytest.raises(Trouble, match="Choose an item"):
        room.what_if(name, dataclasses.replace(asked, follow=None))
    with pytest.raises(Trouble, match="no history"):
        room.what_if(name, Question(Person(), follow=1))


def test_what_if_says_so_where_no_past_changes_the_place(library: Library, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.recommend.trace import whatif

    real = whatif.outcomes
    monkeypatch.setattr(whatif, "outcomes", lambda *args: [dataclasses.replace(one, rank=4) for one in real(*args)])
    given = asking.asked(library, name, question(library, name))
    caption = xray._what_if(given, False).caption
    assert "None of the other pasts changes its place" in caption and "largest change" not in caption


def test_questions_that_cannot_be_asked_are_sentences(library: Library, name: str) -> None:
    room, asked = Xray(library), question(library, name)
    assert list(room.templates(name))[-1] == "unseen-0"
    assert [c.index for c in room.held_out(name, 3)] == sorted(library.world(name).targets[3]) and room.held_out(name, -1) == ()
    assert room.first(name) in library.world(name).targets
    for wrong in (dataclasses.replace(asked, template="x"), dataclasses.replace(asked, follow=10**6), Question(Person(history=(10**6,)))):
        with pytest.raises(Trouble):
            room.look(name, wrong)
    unseen = room.look(name, dataclasses.replace(asked, template="unseen-0"))
    assert unseen.prompt.template.startswith("Everything") and room.look(name, Question(Person())).fate == "nobody"
    assert room.look(name, dataclasses.replace(asked, follow=asked.person.history[0])).fate == "barred"
    assert room.look(name, dataclasses.replace(asked, follow=asked.person.history[0], seen=True)).fate != "barred"


def test_the_command_tells_the_same(library: Library, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from llmrec.__main__ import main

    key, asked = library.world(name).dataset.catalog.user_keys[3], question(library, name)
    look = Xray(library).look(name, asked)
    assert main(["xray", name, "--user", key, "--what-if", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"]["head"] == look.short and told["items"][0]["title"] == look.picks[0].card.title
    assert told["what_if"][0]["rank"] == told["rank"] and len(told["prompt"]["written"]) == told["prompt"]["pieces"]
    assert np.isclose(told["path"][-1]["total"], sum(np.log(p["probability"]) for p in told["path"]), atol=1e-3)
    assert look.short in command.text(told) and "What if" in command.text(told)
    assert main(["xray", name, "--user", key, "--item", "nonsense"]) == 2
    assert main(["xray", name, "--history", library.world(name).dataset.catalog.titles[0]]) == 0
    assert "No item is followed" in capsys.readouterr().out
