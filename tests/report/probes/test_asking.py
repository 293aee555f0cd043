"""The shipped set, who asks it, what is drawn, and what is left out where a catalogue lacks it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from llmrec.contracts import Catalog, Interactions, Split
from llmrec.lm.dialogue import asking as phrases
from llmrec.recommend.chat.values import Conversation
from llmrec.report.probes import book, people, walk
from tests.report.probes import scripted
from tests.report.probes.scripted import Perfect


def test_the_shipped_set_holds_every_skill_in_both_wordings() -> None:
    probes = book.probes()
    assert len(probes) >= 80 and len({(p.name, p.wording) for p in probes}) == len(probes)
    columns = Counter((s.column, p.wording) for p in probes for s in p.steps)
    assert all(columns[group, wording] for group in book.GROUPS for wording in ("seen", "unseen"))
    assert {s.way for p in probes for s in p.steps} == set(phrases.ways())
    assert {len(p.steps) for p in probes} == {1, 2, 3, 4}
    assert (
        2 * sum(p.wording == "seen" for p in probes) == 2 * sum(not p.own for p in probes if p.wording == "unseen") + 2
    )  # one has no pair


def test_seen_is_what_training_reads_and_unseen_is_not() -> None:
    """Of ways without slots, where the message is the phrasing itself."""
    for turn in scripted.turns(Perfect(), 3, ("talk", "refuse", "taste")):
        known = {e for p in phrases.phrasings(turn["way"]) for e in phrases.expanded(p)} if turn["state"] == "asked" else set()
        if "{" in "".join(known) or turn["state"] != "asked":
            continue
        assert (turn["message"] in known) == (turn["wording"] == "seen"), turn["message"]


def test_a_seed_decides_all_that_is_asked() -> None:
    first, again, other = (scripted.turns(Perfect(), 1, seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert [t["message"] for t in first] != [t["message"] for t in other]


def test_every_model_is_asked_the_same() -> None:
    """As far as they do not point at what a model named itself."""

    class Backwards(Perfect):
        def items(self, now: object) -> list[int]:
            return super().items(now)[::-1]  # type: ignore[arg-type]

    one, two = scripted.turns(Perfect(), 2), scripted.turns(Backwards(), 2)
    alike = [(a["message"], b["message"]) for a, b in zip(one, two, strict=True) if a["turn"] == 1]
    assert all(a == b for a, b in alike) and len(alike) > 150


@pytest.mark.parametrize(("facts", "lacking"), [({"genres": False}, "genres"), ({"years": False}, "years")])
def test_what_a_catalogue_lacks_is_said_and_left_out(facts: dict[str, bool], lacking: str) -> None:
    turns = scripted.turns(Perfect(), 1, ("attribute", "which", "like", "without"), **facts)
    skipped = [t for t in turns if t["state"] == "skipped"]
    assert skipped and {t["why"] for t in skipped} == {f"the catalogue has no {lacking}"}
    left = {t["probe"] for t in turns if t["state"] == "asked"}
    assert {"like one", "without a decade" if lacking == "genres" else "without a genre", "reject one"} <= left


def test_titles_that_cannot_be_said_are_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue that calls its items by numbers, as some data sets do; and one whose titles hold slots and markup."""
    whole = scripted.catalog()
    numbered = Catalog(whole.users, whole.items.assign(title=[str(n) for n in range(scripted.N_ITEMS)]))
    monkeypatch.setattr(scripted, "catalog", lambda **facts: numbered)
    turns = scripted.turns(Perfect(), 1, ("like", "recommend"))
    assert {t["why"] for t in turns if t["state"] == "skipped"} == {
        "no title (liked) that means one item alone", "no title (open) that means one item alone"
    }  # fmt: skip
    assert not [t["faults"] for t in turns if t["state"] == "asked" and t["faults"]]
    hostile = Catalog(whole.users, whole.items.assign(title=[f"{{title}} {a} <b>{{k}}" for a in whole.titles]))
    monkeypatch.setattr(scripted, "catalog", lambda **facts: hostile)
    said = [t["message"] for t in scripted.turns(Perfect(), 1, ("what",)) if t["way"] == "what"]
    assert said and all("<b>{k}" in m or "the first one" in m for m in said)


def test_a_speaker_of_fixed_sentences_is_not_asked_what_it_does_not_claim() -> None:
    class Fixed(Perfect):
        tuned = False

    turns = scripted.turns(Fixed(), 1)
    assert {t["skill"] for t in turns if t["state"] == "cannot"} == set(book.GROUPS) - set(walk.FIXED)
    assert not [t["faults"] for t in turns if t["state"] == "asked" and t["faults"]]


def test_more_people_are_the_fewer_and_some_more() -> None:
    split, catalog = scripted.split(), scripted.catalog()
    five, two = people.people(split, catalog, 5, 3), people.people(split, catalog, 2, 3)
    assert five[:2] == two and len({p.key for p in five}) == 5
    for person in five:
        user = int(person.key[1:])
        assert person.talk == Conversation(user, tuple(split.train.history(user).tolist()))
        assert person.target == split.test.history(user)[0] and person.target not in person.talk.history
    assert [p.key for p in people.people(split, catalog, 12, 4)] != [p.key for p in people.people(split, catalog, 12, 3)]


def test_people_need_something_held_out() -> None:
    whole = scripted.split().train
    none = whole.take(np.zeros(len(whole), dtype=bool))
    empty: Interactions = none
    with pytest.raises(ValueError, match="no user of this split has 3 known items"):
        people.people(Split("loo", whole, empty, empty), scripted.catalog(), 2)
    with pytest.raises(ValueError, match="name 1 or more"):
        people.people(scripted.split(), scripted.catalog(), 0)


def test_a_skill_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match=r"'sing': there are recommend, list"):
        book.probes(["sing"])


def test_unknown_titles_are_unknown_and_others_are_somebodys() -> None:
    titles = scripted.filler().titles
    draw = np.random.default_rng(0)
    made = [titles.unknown(draw, famous) for famous in (False, True) for _ in range(20)]
    known = {t.casefold() for t in titles.plain.catalog.titles}
    assert not [t for t in made if any(k in t.casefold() for k in known)]
    assert sum(titles.speakable) == scripted.N_ITEMS
