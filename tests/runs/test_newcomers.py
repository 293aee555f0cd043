"""Runs with people and items held out of all training: named or "a person", placed and recommended, with nothing trained anew."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec import recipe
from llmrec.__main__ import main
from llmrec.contracts import Queries
from llmrec.ids.newcomers.naming import CannotName
from llmrec.report.evaluate import evaluate
from llmrec.runs import pipeline, store
from llmrec.runs.store import Run

WORLD: dict[str, Any] = {
    "data": {"name": "checkerboard", "n_users": 60, "n_items": 40},
    "embed": {"name": "lightgcn", "d": 8, "epochs": 30},
    "scheme": {"name": "tokenrec", "n_books": 2, "n_codes": 8, "steps": 100},
    "lm": {"name": "tiny"},
    "head": {"name": "retrieve"},
    "train": {"epochs": 6, "validations": 1, "lr": 0.005},
}


def trained(folder: Path, **changes: dict[str, Any]) -> Run:
    run = store.create(recipe.read({**WORLD, **changes}), folder)
    assert pipeline.train(run).state == "done"
    return run


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("runs") / "people", split={"name": "unseen-users", "share": 0.1})


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("runs") / "items", split={"name": "unseen-items", "share": 0.2})


def evaluated(capsys: pytest.CaptureFixture[str], run: Run, *words: str) -> dict[str, Any]:
    assert main(["evaluate", str(run.path), "--baselines", "none", "--json", *words]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_people_held_out_are_named_unless_it_is_asked_otherwise(people: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert people.metrics is not None and people.metrics["test"]["masked"]["newcomers"] == "named"
    assert "newcomers" not in people.metrics["valid"]["masked"]  # nobody held out is asked for there
    named, anonymous = (evaluated(capsys, people, *words) for words in ((), ("--newcomers", "anonymous")))
    assert (named["newcomers"], anonymous["newcomers"]) == ("named", "anonymous") and "newcomers_why" not in anonymous
    assert named["metrics"] == people.metrics["test"]["masked"]["metrics"]
    queries = people.split().queries("test")
    new = np.flatnonzero(queries.users == -1)
    one, other = (people.recommender(newcomers=how).recommend(queries, 5).scores for how in ("named", "anonymous"))  # type: ignore[arg-type]
    assert len(new) == 6 and not np.allclose(one[new], other[new])
    known = np.flatnonzero(queries.users >= 0)
    np.testing.assert_allclose(one[known], other[known], atol=1e-4)  # everyone else is asked about as before


def test_a_scheme_that_cannot_name_leaves_them_a_person_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = {"scheme": {"name": "sid"}, "head": {"name": "trie", "beams": 5}, "train": {"epochs": 1, "validations": 1}}
    run = store.create(
        recipe.read({"data": WORLD["data"], "lm": WORLD["lm"], "split": {"name": "unseen-users", "share": 0.1}, **small}), tmp_path / "sid"
    )
    assert pipeline.train(run).state == "done"
    told = evaluated(capsys, run)
    assert told["newcomers"] == "anonymous" and "order of first appearance" in told["newcomers_why"]
    with pytest.raises(CannotName, match="order of first appearance"):
        run.recommender(newcomers="named")
    assert main(["evaluate", str(run.path), "--newcomers", "named"]) == 2
    assert "order of first appearance" in capsys.readouterr().err


def test_plain_runs_new_people_stay_a_person(items: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert items.recommender().namer is None  # type: ignore[attr-defined]
    assert items.recommender(newcomers="named").namer is not None  # type: ignore[attr-defined]
    assert main(["evaluate", str(items.path), "--newcomers", "named"]) == 2
    assert "nobody was held out" in capsys.readouterr().err


def test_the_unseen_template_can_be_asked_under(people: Run, capsys: pytest.CaptureFixture[str]) -> None:
    seen, unseen = evaluated(capsys, people), evaluated(capsys, people, "--template", "unseen")
    assert unseen["template"] == "unseen" and "template" not in seen
    queries, usual = people.split().queries("test"), people.recommender()
    other = dataclasses.replace(usual, unseen=True)  # type: ignore[type-var]
    assert not np.allclose(usual.recommend(queries, 5).scores, other.recommend(queries, 5).scores)
    measured = evaluate(other, people.split(), "test").metrics
    assert {name: measured[name] for name in unseen["metrics"]} == unseen["metrics"]


def test_new_items_are_recommended_to_who_would_like_them_and_nothing_is_trained(items: Run) -> None:
    """On the checkerboard even users like even items. The even new items stand higher for even users, the odd ones for odd users."""
    split, recommender = items.split(), items.recommender()
    assert split.known is not None
    before = {name: p.detach().clone() for name, p in recommender.lm.named_parameters()}  # type: ignore[attr-defined]
    new = np.unique(split.known.item)
    histories = tuple(np.array([p, p + 4, p + 8, p + 2, p + 6]) for p in (0, 1))
    histories = tuple(np.setdiff1d(h, new, assume_unique=True).astype(np.int32) for h in histories)
    ranked = recommender.recommend(Queries(np.array([-1, -1], dtype=np.int32), histories), 40)
    assert {0, 1} == {int(i) % 2 for i in new}
    for parity in (0, 1):
        place = {int(i): at for at, i in enumerate(ranked.items[parity]) if i in new}
        own, other = (np.mean([at for i, at in place.items() if i % 2 == p]) for p in (parity, 1 - parity))
        assert own + 10 < other, (parity, place)
        assert set(ranked.items[parity][:10].tolist()) & {int(i) for i in new if i % 2 == parity}
    assert all((p == before[name]).all() for name, p in items.recommender().lm.named_parameters())  # type: ignore[attr-defined]
    table = items.table()
    assert recommender.table.tokens == table.tokens  # type: ignore[attr-defined]
    assert items.metrics is not None
    assert items.metrics["test"]["masked"]["new_items"] == "named"
    hit = items.metrics["test"]["masked"]["metrics"]["hit@10"]
    assert hit > 0.4, hit  # chance is a quarter


def test_without_the_takers_new_items_never_come(items: Run) -> None:
    """The pool as it was trained: of new items nothing is known."""
    recommender: Any = items.recommender()
    compiled = recommender.head.compile(recommender.lm, items.table(), vectors=items.vectors())
    blind = dataclasses.replace(recommender, table=items.table(), compiled=compiled)
    queries, known = items.split().queries("test"), items.split().known
    assert known is not None
    assert not set(blind.recommend(queries, 40).items.ravel().tolist()) & set(known.item.tolist())


def test_a_report_on_validation_says_that_new_items_stand_in_the_pool(items: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert items.metrics is not None
    assert "training chose its model without them" in items.metrics["valid"]["masked"]["new_items_why"]
    assert "new_items_why" not in items.metrics["test"]["masked"]


def recommended(capsys: pytest.CaptureFixture[str], run: Run, *words: str) -> list[dict[str, Any]]:
    assert main(["recommend", str(run.path), "--json", *words]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["items"]
    return found


def test_people_held_out_can_be_asked_for_by_their_key(people: Run, capsys: pytest.CaptureFixture[str]) -> None:
    split, keys = people.split(), people.dataset().catalog.user_keys
    asked, queries = split.asked("test").tolist(), split.queries("test")
    for user in (int(split.held_out[0]), next(u for u in asked if u not in split.held_out)):
        row = asked.index(user)
        ranked = people.recommender().recommend(queries[row : row + 1], 3)
        found = recommended(capsys, people, "--user", keys[user], "-k", "3")
        assert [people.dataset().catalog.item_of_key[i["key"]] for i in found] == ranked.items[0].tolist()


def test_new_items_are_spelled_as_the_model_ranks_them(items: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The run's own table has names for them that nothing was learned of."""
    from app.world import World

    split, data, recommender = items.split(), items.dataset(), items.recommender()
    assert split.known is not None
    new, wider = np.unique(split.known.item).tolist(), recommender.table.items  # type: ignore[attr-defined]
    assert any(wider.spell(i) != items.table().items.spell(i) for i in new)
    found = recommended(capsys, items, "--history", data.catalog.titles[0], "-k", "40")
    shown = {data.catalog.item_of_key[i["key"]]: i["pieces"] for i in found}
    assert len(set(shown) & set(new)) > 1
    assert all(pieces == [str(p) for p in wider.spell(i)] for i, pieces in shown.items())
    page = World(items)
    assert all(page.card("item", i).pieces == wider.spell(i) for i in new)
