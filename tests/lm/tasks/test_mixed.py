"""Words among histories: off, nothing changes to the bit; on, a share of train and nothing of what is held out."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec.contracts import Catalog, Split
from llmrec.lm import finetune
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.loop import Loop
from llmrec.lm.model import LanguageModel
from llmrec.lm.tasks import mixed
from llmrec.lm.tasks.mixed import Mixed, Reading
from llmrec.recommend.language import LanguageRecommender
from tests.lm import world
from tests.lm.tasks import six

TABLE = world.table(n_users=40)


def _split() -> Split:
    """The walking world with ratings and texts that tell which interaction they belong to."""
    parts = world.split()

    def written(part: Any) -> Any:
        rating = (part.item % 5 + 1).astype(np.float32)
        text = np.asarray([f"u{u} of i{i}" for u, i in zip(part.user, part.item, strict=True)], dtype=object)
        return dataclasses.replace(part, rating=rating, text=text)

    return Split("loo", written(parts.train), written(parts.valid), written(parts.test))


def _catalog() -> Catalog:
    plain = world.catalog(40, [f"Film {i}" for i in range(24)])
    return Catalog(plain.users, plain.items.assign(genres=[["Odd" if i % 2 else "Even"] for i in range(24)]))


SPLIT, CATALOG = _split(), _catalog()
ALL = {"rating": 0.5, "explanation": 0.3, "review": 0.25}


class Taken(Exception):
    """The course that `fit` made, taken before it is worked off."""


def _course(monkeypatch: pytest.MonkeyPatch, tasks: dict[str, float], catalog: Catalog | None = CATALOG) -> tuple[Any, LanguageModel]:
    made: list[Any] = []

    class Caught(Loop):
        def __init__(self, course: Any, *rest: Any) -> None:
            made.append(course)
            raise Taken

    lm = world.model(TABLE)
    with monkeypatch.context() as patch, pytest.raises(Taken):
        patch.setattr(finetune, "Loop", Caught)
        FineTune(batch=4, tasks=tasks).fit(lm, TABLE, SPLIT, Path("."), print, bool, 0, Trie(), catalog)
    return made[0], lm


def _plain(batches: list[Any]) -> list[Any]:
    return [b if isinstance(b, Reading) else [(w.user, w.items.tolist(), w.task) for w in b] for b in batches]


def test_without_a_share_the_course_is_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a course of histories made by hand, which knows nothing of words."""
    plan, one = FineTune(batch=4), world.model(TABLE)
    ranking = LanguageRecommender(one, TABLE, Trie(), max_items=plan.max_items)
    plain = finetune.Histories(plan, ranking, SPLIT, 0)
    zeros, two = _course(monkeypatch, dict.fromkeys(mixed.TASKS, 0.0))
    assert type(zeros) is finetune.Histories
    for epoch in (0, 3):
        before, after = plain.batches(epoch), zeros.batches(epoch)
        assert _plain(before) == _plain(after)
        for at in (0, 1):
            assert plain.loss(before[at], epoch, at).loss.item() == zeros.loss(after[at], epoch, at).loss.item()
    assert all((a == b).all() for a, b in zip(one.trained().values(), two.trained().values(), strict=True))


def test_histories_stay_what_they_are_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, _ = _course(monkeypatch, {})
    both, _ = _course(monkeypatch, ALL)
    assert isinstance(both, Mixed)
    read = both.batches(2)
    histories = [b for b in read if not isinstance(b, Reading)]
    assert sorted(_plain(histories)) == sorted(_plain(plain.batches(2)))
    assert _plain(read) == _plain(both.batches(2)) != _plain(both.batches(3))
    places = [isinstance(b, Reading) for b in read]
    assert places != sorted(places)  # in a drawn order


def test_a_share_is_a_share_of_interactions_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    course, _ = _course(monkeypatch, ALL)
    n = len(SPLIT.train)
    for task, share in ALL.items():
        rows = [r for b in course.batches(1) if isinstance(b, Reading) and b.task == task for r in b.rows]
        assert len(set(rows)) == len(rows) and 0.5 * share * n < len(rows) < 1.3 * share * n
    whole, _ = _course(monkeypatch, {"review": 1.0})
    rows = [r for b in whole.batches(0) if isinstance(b, Reading) for r in b.rows]
    assert sorted(rows) == list(range(n))


def test_held_out_interactions_never_appear_in_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """The items of a document are those of train up to its own place, and the held-out pairs are in none."""
    course, lm = _course(monkeypatch, {"rating": 1.0, "explanation": 1.0, "review": 1.0})
    speaker = six.speaker(lm, TABLE)
    train, rng = SPLIT.train, np.random.default_rng(0)
    hidden = [{int(p.item[row]) for p in (SPLIT.valid, SPLIT.test) for row in np.flatnonzero(p.user == u)} for u in range(40)]
    names = {tuple(speaker.names[i].tolist()): i for i in range(24)}
    seen = 0
    for reading in (b for b in course.batches(0) if isinstance(b, Reading)):
        for row in reading.rows:
            user = int(train.user[row])
            document = course.tasks[reading.task].document(row, rng)
            rows = [*document.read, *document.said]
            found = {names[t] for t in itertools.pairwise(rows) if t in names}
            upto = set(train.item[train.offsets[user] : row + 1].tolist())
            assert int(train.item[row]) in found and found <= upto and not found & (hidden[user] - upto)
            seen += 1
    assert seen > 2 * len(train)
    texts = [speaker.spelled(course.tasks["review"].document(r, rng).said[:-1]) for r in range(len(train))]
    assert texts == list(train.text)


def test_training_on_all_tasks_resumes_to_the_same_weights(tmp_path: Path) -> None:
    plan = FineTune(epochs=1, batch=16, validations=1, tasks=ALL)

    def fit(folder: Path, stop_at: int | None = None) -> dict[str, Any]:
        steps = iter(range(10**6))
        lm = world.model(TABLE, dataclasses.replace(world.TINY, dropout=0.1))
        return plan.fit(lm, TABLE, SPLIT, folder, lambda e: None, lambda: next(steps) + 1 == stop_at, 0, Trie(), CATALOG)

    whole = fit(tmp_path / "whole")
    assert fit(tmp_path / "part", stop_at=5)["stopped"]
    assert fit(tmp_path / "part")["steps"] == whole["steps"] > 8
    one, two = (LanguageModel.load(tmp_path / n / "model").trained() for n in ("whole", "part"))
    assert all((one[name] == two[name]).all() for name in one)


def test_what_the_data_cannot_give_is_refused() -> None:
    lm = world.model(TABLE)
    speaker = six.speaker(lm, TABLE)
    bare = dataclasses.replace(SPLIT.train, rating=None, text=None)
    for task, words in (("rating", "none: take the task out"), ("review", 'text = "review"')):
        with pytest.raises(ValueError, match=words):
            mixed.tasks(speaker, {task: 0.1}, bare, CATALOG)
    with pytest.raises(ValueError, match="give `fit` the catalogue"):
        mixed.tasks(speaker, {"explanation": 0.1}, bare, None)
    with pytest.raises(ValueError, match="no task is called 'summary'"):
        FineTune(tasks={"summary": 0.1})
    with pytest.raises(ValueError, match="review = 2 is a share"):
        FineTune(tasks={"review": 2})
