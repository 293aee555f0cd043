"""The chat's room over real small runs: one that was tuned on dialogues, two that were not, one of them over other data."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.chat import cores, listing, speakers
from app.chat.talks import Talks
from app.library import Library
from app.seam import Trouble
from llmrec.recommend.chat import opening
from llmrec.recommend.chat.values import Chosen, Conversation, Done, Words
from llmrec.runs import store

SOON = 30.0
RECIPE: dict[str, dict[str, Any]] = {
    "data": {"name": "checkerboard", "n_users": 24, "n_items": 20},
    "scheme": {"name": "metaid", "n_clusters": 4},
    "lm": {"name": "tiny"},
    "embed": {"name": "metapath", "walks_per_node": 1, "epochs": 1},
    "train": {"epochs": 1, "validations": 1},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Newest last: a plain run, a tuned one, a plain one over more items."""
    from llmrec import recipe
    from llmrec.runs import pipeline

    folder = tmp_path_factory.mktemp("talks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_HOME", str(folder))
        patch.setenv("LLMREC_RUNS", str(folder / "runs"))
        for changed in ({}, {"train": {**RECIPE["train"], "tasks": {"dialogue": 0.1}}}, {"data": {**RECIPE["data"], "n_items": 24}}):
            assert pipeline.train(store.create(recipe.read({**RECIPE, **changed}))).state == "done"
    return folder


@pytest.fixture
def talks(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Talks]:
    monkeypatch.setenv("LLMREC_HOME", str(trained))
    monkeypatch.setenv("LLMREC_RUNS", str(trained / "runs"))
    library = Library()
    made = Talks(library)
    yield made
    made.close()
    library.close()


@pytest.fixture
def names(talks: Talks) -> tuple[str, str, str]:
    """The tuned run, the plain one beside it, and that over other data."""
    other, tuned, plain = (run.name for run in store.list_runs())
    return tuned, plain, other


def ended(talks: Talks, model: str, message: str, talk: Conversation | None = None, k: int = 3, visitor: str = "") -> Done:
    *_, last = talks.reply(model, talk or Conversation(), message, k, visitor=visitor)
    assert isinstance(last, Done)
    return last


def test_tuned_runs_come_first_then_others_then_each_baseline_once(talks: Talks, names: tuple[str, str, str]) -> None:
    from llmrec import registry

    tuned, plain, other = names
    found = talks.models()
    quick = registry.QUICK_BASELINES
    assert [m.key for m in found[:3]] == [tuned, other, plain] and [m.tuned for m in found[:3]] == [True, False, False]
    assert {m.key for m in found[3:]} == {f"{b}@{run}" for b in quick for run in (other, tuned)}
    data = {m.key: m.data for m in found}
    assert data[tuned] == data[plain] == data[f"ease@{tuned}"] != data[other] == data[f"ease@{other}"]
    assert len({m.label for m in found}) == len(found) and all(m.about for m in found)
    assert ended(talks, f"popularity@{plain}", "what next?", talks.person(plain, "u3")).conversation.exchanges[-1].items  # an old address


def test_people_are_those_of_the_library(talks: Talks, names: tuple[str, str, str]) -> None:
    tuned, plain, _ = names
    run = store.by_name(tuned)
    for key in ("u0", "u3", "u23"):
        talk = talks.person(tuned, key)
        assert talk == opening.of_user(run, key) == talks.person(f"ease@{plain}", key)
        index = run.dataset().catalog.user_of_key[key]
        assert talks.targets(tuned, key) == frozenset(run.split().test.history(index).tolist())
        assert talks.targets(tuned, key) and not talks.targets(tuned, key) & set(talk.history)
        assert [c.index for c in talks.known(tuned, talk)] == list(reversed(talk.history))
    assert talks.people(tuned) == run.dataset().catalog.user_keys
    assert talks.person(tuned, "") == Conversation() and talks.targets(tuned, "") == frozenset()


def test_a_card_has_the_models_own_name_for_the_item(talks: Talks, names: tuple[str, str, str]) -> None:
    tuned, *_ = names
    table = store.by_name(tuned).table()
    card = talks.card(tuned, 5)
    assert card.pieces == table.items.spell(5) and len(card.tones) == len(card.pieces)
    assert talks.card(f"ease@{tuned}", 5).pieces == () and talks.card(f"ease@{tuned}", 5).title == card.title
    assert talks.complete(tuned, card.title, 1)[0].title == card.title


def test_answers_are_those_of_the_speakers(talks: Talks, names: tuple[str, str, str]) -> None:
    tuned, plain, _ = names
    for name, opened in zip((tuned, plain), opening.open_speakers([tuned, plain]), strict=True):
        talk = talks.person(name, "u3")
        for message in ("what next?", "something else"):
            *_, expected = opened.speaker.reply(talk, message, 3)
            events = list(talks.reply(name, talk, message, 3))
            done = events[-1]
            assert isinstance(done, Done) and isinstance(expected, Done)
            assert done.conversation == expected.conversation and done.raw == expected.raw and done.timing.tokens == expected.timing.tokens
            assert all(isinstance(e, (Words, Chosen)) for e in events[:-1])
            assert 0 < done.timing.first <= done.timing.total
            talk = done.conversation


def test_examples_are_answered(talks: Talks, names: tuple[str, str, str]) -> None:
    _, plain, _ = names
    said = talks.examples(plain)
    assert said[0].startswith("Something like ") and len(said) >= 2
    assert ended(talks, plain, said[0]).conversation.exchanges[-1].mentions[0].item is not None


def test_all_speakers_stand_on_one_base_and_are_opened_once(
    talks: Talks, names: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, bases = store.Run.recommender, list[Any]()

    def recording(self: Any, *args: Any, base: Any = None, **more: Any) -> Any:
        bases.append(base)
        return own(self, *args, base=base, **more)

    monkeypatch.setattr(store.Run, "recommender", recording)
    for name in (*names, *names):
        ended(talks, name, "hello")
    assert len(bases) == 3 and bases[0] is not None and len({id(base) for base in bases}) == 1


def test_a_run_that_was_trained_on_is_opened_again_and_a_deleted_one_is_gone(
    talks: Talks, names: tuple[str, str, str], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import library

    monkeypatch.setattr(library, "LISTED", -1.0)
    monkeypatch.setattr(talks._library, "_listed", (-1e9, []))
    copied = trained / "runs" / "copied-1"
    shutil.copytree(trained / "runs" / names[1], copied)
    try:
        ended(talks, "copied-1", "what next?", talks.person("copied-1", "u3"))
        run, _ = talks._find("copied-1")
        before = talks._speakers.speaker(run, "copied-1")
        assert talks._speakers.speaker(run, "copied-1") is before
        manifest = copied / "model" / "manifest.json"
        os.utime(manifest, ns=(1, 1))
        assert talks._speakers.speaker(run, "copied-1") is not before
    finally:
        shutil.rmtree(copied)
    with pytest.raises(Trouble, match="no model “copied-1”"):
        talks.reply("copied-1", Conversation(), "what next?")


def test_few_are_kept_and_one_thread_loads_at_a_time(talks: Talks, names: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    inside, opened = threading.Lock(), list[str]()

    def slow_open(self: Any, run: Any, baseline: str, known: Any) -> Any:
        assert inside.acquire(blocking=False), "two threads load"
        opened.append(baseline)
        inside.release()
        return object()

    monkeypatch.setattr(speakers.Speakers, "_open", slow_open)
    run, _ = talks._find(names[0])
    gate = threading.Barrier(8, timeout=SOON)

    def ask(n: int) -> None:
        gate.wait()
        talks._speakers.speaker(run, f"b{n % 4}@{run.name}")

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert sorted(opened) == ["b0", "b1", "b2", "b3"]
    for n in range(speakers.SPEAKERS + 5):
        talks._speakers.speaker(run, f"more{n}@{run.name}")
    assert len(talks._speakers._speakers._values) == speakers.SPEAKERS


def test_nobody_who_asks_for_no_model_waits_for_one_to_load(talks: Talks, names: tuple[str, str, str]) -> None:
    told = list[Any]()
    with talks._library.loading:
        thread = threading.Thread(target=lambda: told.append((talks.examples(names[1]), talks.complete(names[1], ""))))
        thread.start()
        thread.join(SOON)
        assert told and told[0][0] and told[0][1]


@pytest.mark.parametrize(
    "key", ["", "nobody", "ease@nobody", "@", "lightgcn@{}", "ease@{}@{}", "../../etc/passwd", "x" * 5000, "\x00", "<b>"]
)
def test_unknown_models_are_refused(talks: Talks, names: tuple[str, str, str], key: str) -> None:
    for ask in (talks.people, talks.examples, lambda k: talks.reply(k, Conversation(), "hello"), lambda k: talks.card(k, 0)):
        with pytest.raises(Trouble, match="There is no model") as told:
            ask(key.format(names[0], names[0]))
        assert len(str(told.value)) < 400


def test_other_mistakes_are_told(talks: Talks, names: tuple[str, str, str]) -> None:
    tuned, *_ = names
    with pytest.raises(Trouble, match="No user has the key “nobody”: there are u"):
        talks.person(tuned, "nobody")
    with pytest.raises(Trouble, match="1 to 10 items"):
        ended(talks, tuned, "what next?", k=11)
    for wrong in (Conversation(history=(999,)), Conversation(liked=(-1,)), Conversation(user=999), Conversation(named=(20,))):
        with pytest.raises(Trouble, match="other data"):
            talks.reply(tuned, wrong, "hello")


def test_an_answer_that_is_left_or_stopped_gives_its_turn_back(talks: Talks, names: tuple[str, str, str]) -> None:
    tuned, *_ = names
    talk = talks.person(tuned, "u3")
    answer = talks.reply(tuned, talk, "what next?", visitor="a")
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    *_, done = talks.reply(tuned, talk, "what next?", stop=lambda: True, visitor="a")
    assert isinstance(done, Done) and done.stopped
    at_once, _ = cores.shares()
    assert talks.turns._free == at_once and talks.turns.waiting == ()


def test_waiting_for_a_turn_is_part_of_the_time_that_is_told(talks: Talks, names: tuple[str, str, str]) -> None:
    _, plain, _ = names
    talk, told, at_once = talks.person(plain, "u3"), list[Done](), cores.shares()[0]
    ended(talks, plain, "hello")
    began = threading.Event()
    turns = [talks.turns.turn("host") for _ in range(at_once)]
    for turn in turns:
        turn.__enter__()
    thread = threading.Thread(target=lambda: (began.set(), told.append(ended(talks, plain, "what next?", talk, visitor="late"))))
    thread.start()
    assert began.wait(SOON)
    clock = threading.Event()
    clock.wait(0.2)  # what is measured: the wait itself
    for turn in turns:
        turn.__exit__(None, None, None)
    thread.join(SOON)
    assert told[0].timing.first > 0.1


def test_data_of_one_name_that_differ_are_told_apart(names: tuple[str, str, str]) -> None:
    known = [listing.Known("r", "films", "metaid", True, "abc"), listing.Known("s", "films", "metaid", True, "def")]
    assert [m.data for m in listing.models(known)[:2]] == ["films abc", "films def"]
    assert [m.data for m in listing.models(known[:1])[:1]] == ["films"]
