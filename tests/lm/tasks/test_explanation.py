"""Explanations and texts measured: training documents by hand, the numbers of a model that always says the reference, the baselines."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from llmrec.contracts import Split
from llmrec.lm.tasks import explanation, review, words
from llmrec.lm.tasks.explanation import Explanations
from llmrec.lm.tasks.facts import Facts, Statement
from llmrec.lm.tasks.heldout import asked, strangers
from llmrec.lm.tasks.likeness import likeness, rouge
from llmrec.lm.tasks.wording import Wording
from llmrec.lm.tasks.words import Said
from tests.lm import world
from tests.lm.tasks import six

ALIEN, ALIENS, BEAST, CLUE, DUNE, EMMA = range(6)
TABLE = world.table(n_users=3, n_items=6)
LM = world.model(TABLE)
SPEAKER = six.speaker(LM, TABLE)
SAID = ["dark", "", "dark", "spice <c0>", "loud", "dark", "", "roses", "tea", ""]


def _split() -> Split:
    """ann's Dune and bob's Aliens are test, what stands before them valid; cat is in train whole."""
    whole = six.train(SAID)
    return Split("loo", whole.take([0, 1, 4, 7, 8, 9]), whole.take([2, 5]), whole.take([3, 6]))


def test_a_training_document_by_hand() -> None:
    task = Explanations(SPEAKER, six.train(), Facts.of(six.train(), six.CATALOG))
    rows = task.sayable(np.arange(10))
    # the first of each user has nothing before it; Clue shares nothing with Alien; Emma: only cat herself took the Beast with her, which
    # is no reason; Dune of cat: nothing shared
    assert rows.tolist() == [2, 3, 5, 6]
    document = task.document(3, np.random.default_rng(0))
    assert document.said == [*Wording(SPEAKER).write(Statement((ALIENS, ALIEN), ("Sci-Fi",))), SPEAKER.end]
    with pytest.raises(ValueError, match="ask `sayable` first"):
        task.document(0, np.random.default_rng(0))


def _nearer() -> Split:
    """As `_split`, but cat took Alien and Aliens with Dune, so that train speaks for what is asked."""
    parts = _split()
    return dataclasses.replace(parts, train=dataclasses.replace(parts.train, item=np.asarray([0, 3, 0, 0, 1, 4], dtype=np.int32)))


def test_a_model_that_says_the_reference_is_true_and_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    split = _nearer()
    facts, wording = Facts.of(split.train, six.CATALOG), Wording(SPEAKER)
    questions = asked(split)
    assert [(q.user, q.item, q.history.tolist()) for q in questions] == [(0, DUNE, [ALIEN, CLUE, ALIENS]), (1, ALIENS, [ALIEN, DUNE])]
    references = [facts.reference(q.item, q.history) for q in questions]
    told = [Said(wording.write(r), True) for r in references if r is not None]
    monkeypatch.setattr(explanation, "generate_all", lambda *_: told)
    measured = explanation.evaluate(six.recommender(LM, TABLE), split, six.CATALOG)
    assert measured.n == 2 and set(measured.left_out.values()) == {0}
    assert measured.metrics["bleu"] == pytest.approx(100) and measured.metrics["rouge_l"] == measured.metrics["true"] == 1
    assert measured.metrics["evidence"] == measured.metrics["distinct"] == 1
    assert all(e.true and e.said == e.reference for e in measured.examples)
    assert measured.baselines["lookup"]["true"] == 1 and measured.differences["lookup"]["true"] == (0, 0, 0)
    assert measured.differences["random items"]["true"][0] == 1 - measured.baselines["random items"]["true"]
    monkeypatch.setattr(explanation, "generate_all", lambda *_: [Said(t.rows, False) for t in told])
    endless = explanation.evaluate(six.recommender(LM, TABLE), split, six.CATALOG)
    assert endless.metrics["formed"] == endless.metrics["true"] == 0


def test_the_unknown_and_the_malformed_count_as_false(monkeypatch: pytest.MonkeyPatch) -> None:
    wording = Wording(SPEAKER)
    said = [Said(wording.write(Statement((EMMA,), ("Sci-Fi",))), True), Said(SPEAKER.text("I like it"), True)]
    monkeypatch.setattr(explanation, "generate_all", lambda *_: said)
    measured = explanation.evaluate(six.recommender(LM, TABLE), _nearer(), six.CATALOG)
    assert measured.n == 2
    assert measured.metrics["true"] == 0 and measured.metrics["formed"] == 0.5 and measured.metrics["exists"] == 0.5
    assert measured.examples[-1].said == "I like it"
    assert set(measured.baselines) == {"random items", "popular attribute", "popular attribute of three", "lookup"}
    assert all(b["exists"] == b["in_history"] == b["formed"] == 1 for b in measured.baselines.values())


def test_an_untrained_model_is_measured_too() -> None:
    measured = explanation.evaluate(six.recommender(LM, TABLE), _nearer(), six.CATALOG, unseen=True)
    assert measured.template == "unseen" and 0 <= measured.metrics["true"] <= 1 and len(measured.examples) == 2
    # held to what may be said, even who knows nothing says statements over the history shown
    assert [measured.metrics[m] for m in ("formed", "exists", "in_history", "distinct")] == [1, 1, 1, 1]
    assert explanation.evaluate(six.recommender(LM, TABLE), _nearer(), six.CATALOG, constrained=False).metrics["formed"] < 1


def test_long_names_are_said_whole() -> None:
    """Titles of some forty words each: more than a document of `LONGEST` holds, and nothing of them is cut."""
    table = world.text_table([f"{'the long and winding road to ' * 6}{title}" for title in six.TITLES])
    speaker = six.speaker(world.model(table), table)
    task = Explanations(speaker, six.train(), Facts.of(six.train(), six.CATALOG))
    said = task.document(3, np.random.default_rng(0)).said
    assert len(said) > words.LONGEST and said[-1] == speaker.end
    assert task.wording.read(said[:-1], np.asarray([])) == Statement((ALIENS, ALIEN), ("Sci-Fi",))


def test_new_users_are_not_asked_and_counted() -> None:
    split = dataclasses.replace(_nearer(), held_out=np.asarray([1], dtype=np.int32))
    assert [q.user for q in asked(split)] == [0] and strangers(split) == 1
    assert explanation.evaluate(six.recommender(LM, TABLE), split, six.CATALOG).left_out["their user is new"] == 1
    with pytest.raises(ValueError, match="all users of the test part are new"):
        asked(dataclasses.replace(split, held_out=np.asarray([0, 1], dtype=np.int32)))


def test_texts_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    split = _split()
    got = review.baselines(split.train, asked(split))
    assert got == {"most frequent": ["dark", "dark"], "newest of the item": ["dark", "dark"]}
    task = review.Reviews(SPEAKER, split.train)
    assert task.sayable(np.arange(6)).tolist() == [0, 2, 3, 4]
    assert task.document(0, np.random.default_rng(0)).said == [*SPEAKER.text(" dark"), SPEAKER.end]
    monkeypatch.setattr(review, "generate_all", lambda *_: [Said(SPEAKER.text(" spice <c0>"), True)])
    measured = review.evaluate(six.recommender(LM, TABLE), split)
    assert measured.n == 1 and measured.metrics["rouge_l"] == 1 and measured.examples == (("spice <c0>", "spice <c0>"),)
    assert measured.metrics["cut"] == 0 and measured.metrics["ended"] == 1
    assert measured.left_out["nothing is written of them"] == 1


def test_a_text_longer_than_may_be_said_is_compared_as_far_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    split, long = _split(), "a b c d e " * 40
    tested = dataclasses.replace(split.test, text=np.asarray([long] * 2, dtype=object))
    monkeypatch.setattr(review, "generate_all", lambda *_: [Said(SPEAKER.text(f" {long}")[: words.LONGEST], False)] * 2)
    measured = review.evaluate(six.recommender(LM, TABLE), dataclasses.replace(split, test=tested))
    assert measured.metrics["rouge_l"] == measured.metrics["cut"] == 1 and measured.metrics["ended"] == 0


def test_data_without_texts_names_the_column_to_give() -> None:
    with pytest.raises(ValueError, match='text = "review", the column of reviews or tags'):
        review.evaluate(six.recommender(LM, TABLE), Split("loo", six.train(), six.train(), six.train()))


def test_likeness_is_the_libraries_and_knows_its_ends() -> None:
    same = likeness(["because of Alien and Dune: Sci-Fi"], ["because of Alien and Dune: Sci-Fi"])
    assert (same.bleu, same.rouge_l) == (pytest.approx(100), 1)
    # longest common subsequence "because of ... sci fi" of 4 among 5 and 5 words: F1 = 4/5
    assert likeness(["because of Alien: Sci-Fi"], ["because of Dune: Sci-Fi"]).rouge_l == pytest.approx(0.8)
    assert likeness(["x"], ["y"]).rouge_l == 0


def test_words_of_any_script_are_alike_or_not() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    assert rouge(["Солярис и Сталкер", "七人の侍"], ["Солярис и Зеркало", "七人の侍"]).tolist() == pytest.approx([2 / 3, 1])
    one, two = "Because of Alien_3, and 8½: it's SCI-FI!", "because of alien 3: sci fi 1980s"
    theirs = RougeScorer(["rougeL"]).score(two.replace("½", ""), one.replace("½", ""))["rougeL"].fmeasure
    assert rouge([one.replace("½", "")], [two])[0] == pytest.approx(theirs)


def test_users_are_drawn_by_the_seed() -> None:
    split = world.split()
    few = [q.user for q in asked(split, users=7, seed=1)]
    assert few == [q.user for q in asked(split, users=7, seed=1)] != [q.user for q in asked(split, users=7, seed=2)]
    assert len(few) == 7 and len(asked(split)) == 40
    with pytest.raises(ValueError, match="users = 0"):
        asked(split, users=0)


def test_generation_goes_back_to_training_where_it_came_from() -> None:
    lm: Any = world.model(TABLE).train()
    words.generate_all(lm, [SPEAKER.prompt("rating", 0, 1)], SPEAKER.end)
    assert lm.training
