"""The real room of the Tour over a real small run: names are the library's, numbers are counted again in plain Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errands import Errand, Errands
from app.library import Library
from app.seam import Trouble
from app.tour import forming, naming, reading
from app.tour.tour import Tour
from llmrec import home
from llmrec.contracts import Book, IdTable, Names
from llmrec.embed.metapath import MetaPath
from llmrec.recipe import read
from llmrec.runs import cache, stages, store
from tests.browser import small_run

ITEM = 5


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs")
    small_run.train(folder)
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, runs: Path) -> list[tuple[str, str]]:
    """Errands that were asked for; none is worked."""
    found: list[tuple[str, str]] = []

    def ask(self: Any, key: Any, module: str, *words: str, text: str = "", again: bool = False) -> Errand:
        found.append((module, text))
        return Errand("running", "walks", 0.25, ahead=1)

    monkeypatch.setenv("LLMREC_RUNS", str(runs))
    monkeypatch.setattr(Errands, "ask", ask)
    return found


@pytest.fixture
def tour(asked: list[tuple[str, str]]) -> Iterator[Tour]:
    library = Library()
    yield Tour(library)
    library.close()


@pytest.fixture
def run(runs: Path) -> str:
    return next(p.name for p in runs.iterdir() if (p / "run.json").exists())


def test_names_come_from_the_run_of_the_scheme_and_else_are_fitted(tour: Tour, run: str, asked: list[tuple[str, str]]) -> None:
    found = {n.scheme: n for n in tour.names(run, ITEM)}
    assert list(found) == ["rid", "sid", "cid", "title", "metaid", "tokenrec", "tiger", "cllm4rec"]
    own = store.by_name(run)
    mine = found["metaid"]
    assert mine.written is not None and mine.habits is not None and mine.company is not None and mine.score is not None
    assert mine.written.run == run and mine.written.pieces == own.table().items.spell(ITEM)
    for scheme in ("rid", "sid", "title", "cllm4rec"):
        written = found[scheme].written
        recipe = read({**small_run.RECIPE, "scheme": {"name": scheme}})
        table = stages.table(recipe, own.dataset(), own.split(), None)
        assert written is not None and written.pieces == table.items.spell(ITEM) and written.run == "", scheme
    waiting = [scheme for scheme, n in found.items() if n.written is None]
    assert set(waiting) <= {"cid", "tokenrec", "tiger"} and len(asked) == len(waiting)  # another test may have fitted them
    for scheme in waiting:
        making = found[scheme].making
        assert making is not None and making.stage == "walks" and making.share == 0.25 and not making.trouble


def test_a_scheme_in_waiting_is_asked_for_with_its_own_recipe(
    tour: Tour, run: str, asked: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    tour.names(run, ITEM)
    import tomllib

    recipes = [read(tomllib.loads(text)) for module, text in asked if module == "app.tour.naming"]
    assert [r.scheme for r in recipes] == [read({**small_run.RECIPE, "scheme": {"name": s}}).scheme for s in ("cid", "tokenrec", "tiger")]
    assert all(r.data == store.by_name(run).recipe.data for r in recipes)


def test_the_score_is_the_reports(tour: Tour, run: str) -> None:
    score = next(n for n in tour.names(run, ITEM) if n.scheme == "metaid").score
    report = json.loads((home.runs() / run / "metrics.json").read_text())["test"]["masked"]
    assert score is not None and score.metric == "hit@10"
    assert [score.value, score.low, score.high] == [report["metrics"]["hit@10"], *report["intervals"]["hit@10"]]


def test_who_begins_alike_is_counted_by_hand(tour: Tour, run: str) -> None:
    own = store.by_name(run)
    table, taken = own.table(), own.dataset().interactions.item.tolist()
    firsts = [table.items.spell(i)[0] for i in range(len(table.items))]
    others = [i for i, first in enumerate(firsts) if first == firsts[ITEM] and i != ITEM]
    company = next(n for n in tour.names(run, ITEM) if n.scheme == "metaid").company
    assert company is not None and company.n == len(others) > 0
    assert [c.index for c in company.first] == sorted(others, key=lambda i: (-taken.count(i), i))[:3]


def test_another_data_set_or_split_borrows_no_run(tour: Tour, run: str) -> None:
    assert tour._shelf.behind(run, "metaid").name == run
    assert tour._shelf.behind(run, "rid") is None
    tour._shelf._facts.get(("data", tour._library.made(None)), lambda: ("another", "x"))
    assert tour._shelf.behind(None, "metaid") is None


def test_text_is_read_as_the_language_model_reads_it() -> None:
    from llmrec.lm.vocab import Vocab

    titles = ("Alien", "Aliens", "<c1> & co", "<|im_end|> again", "Amélie")
    texts = Book("title", len(titles), token=False, texts=titles)
    mixed = Names(np.asarray([[0, 1], [1, -1], [2, 0], [3, 1], [4, 0]], dtype=np.int32), (texts, Book("c", 2)))
    table = IdTable("title", mixed)
    subwords = reading.of_texts(list(titles))
    found = reading.read(table, lambda: subwords)
    from llmrec.lm import backbone, prompts

    vocab = Vocab(backbone.small_tokenizer([*titles, *prompts.corpus()], reading.SMALL), table.tokens)
    expected = vocab.names(mixed)
    assert found.offsets.tolist() == expected.offsets.tolist()
    for item in range(len(titles)):
        assert list(found.of(item)) == [str(p) for p in vocab.decode(expected[item].tolist())]
    assert found.mean == pytest.approx(np.diff(expected.offsets).mean())


def test_collisions_and_rows_by_hand() -> None:
    codes = np.asarray([[0, 0], [0, 0], [1, 1], [0, 1], [0, 0]], dtype=np.int32)
    found = reading.read(IdTable("x", Names(codes, (Book("a", 2), Book("b", 3)))), lambda: None)
    assert (found.collisions, found.new_rows, found.mean) == (3, 5, 2.0)
    assert found.alike(0).tolist() == [1, 3, 4] and found.alike(2).tolist() == []
    assert found.of(3) == ("<a0>", "<b1>")


def test_the_items_own_k_gives_its_own_name(tour: Tour, run: str) -> None:
    own = store.by_name(run)
    seen = tour.clusters(run, ITEM, None)
    assert seen.own == 6 and seen.name is not None and seen.near is not None
    assert seen.name.pieces == own.table().items.spell(ITEM)
    assert set(seen.near["beside it"]) <= {"stays", "apart"}


def test_another_k_is_the_scheme_with_that_k(tour: Tour, run: str) -> None:
    import dataclasses

    from llmrec import rng

    own = store.by_name(run)
    vectors = own.vectors()
    scheme = dataclasses.replace(own.recipe.scheme, n_clusters=3)
    table = scheme.fit(own.split().train, own.dataset().catalog, vectors, rng.stream(own.recipe.seed, "scheme"))
    seen = tour.clusters(run, ITEM, 3)
    assert seen.name is not None and seen.near is not None and seen.exhibit is not None
    assert seen.name.pieces == table.items.spell(ITEM)
    assert list(seen.exhibit.table["name"]) == ["".join(map(str, table.items.spell(i))) for i in range(len(table.items))]
    before = own.table().items.codes[:, 0]
    for row in seen.near.itertuples():
        other = own.dataset().catalog.item_of_key[row.key]
        was, now = before[other] == before[ITEM], table.items.codes[other, 0] == table.items.codes[ITEM, 0]
        assert (
            row[5] == {(True, True): "stays", (False, True): "came", (True, False): "left", (False, False): "apart"}[bool(was), bool(now)]
        )
    assert (
        f"shares {table.items.spell(ITEM)[0]} with {int((table.items.codes[:, 0] == table.items.codes[ITEM, 0]).sum()) - 1} items"
        in seen.says
    )


def test_a_walk_goes_along_interactions(tour: Tour, run: str) -> None:
    own = store.by_name(run)
    train, catalog = own.split().train, own.dataset().catalog
    took = set(zip(train.user.tolist(), train.item.tolist(), strict=True))
    walk = tour.walk(run, "u3", 4)
    steps = walk.exhibit.table
    assert walk.key == "u3" and steps["key"][0] == "u3" and len(steps) == own.recipe.embed.walk_length
    for a, b in zip(range(len(steps) - 1), range(1, len(steps)), strict=True):
        user, item = (a, b) if steps["side"][a] == "user" else (b, a)
        assert (catalog.user_of_key[steps["key"][user]], catalog.item_of_key[steps["key"][item]]) in took
    assert not tour.walk(run, "u3", 5).exhibit.table.equals(steps) and tour.walk(run, "u3", 4).exhibit.table.equals(steps)
    assert tour.walk(run, "nobody", 0).key == tour.people(run)[0]


def test_walks_are_counted_as_the_recipe_says(tour: Tour, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour._space, "_settings", lambda run: MetaPath(walks_per_node=7))
    assert tour.walk(run, "u3", 4).per_node == 7


def test_the_space_is_asked_for_and_then_drawn(
    tour: Tour, run: str, asked: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    waiting = tour.forming(run, ITEM)
    assert waiting.exhibit is None and waiting.making is not None and waiting.making.share == 0.25
    module, text = asked[-1]
    assert module == "app.tour.forming" and forming.main(text) == 0
    seen = tour.forming(run, ITEM)
    assert seen.exhibit is not None and len(seen.exhibit.figure.frames) == 8
    assert "The ring is Odd 5" in seen.exhibit.caption


def test_a_naming_errand_keeps_names_and_tells_its_stages(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    wanted = read({**small_run.RECIPE, "scheme": {"name": "cid", "n_clusters": 3}})
    assert naming.main(wanted.to_toml()) == 0
    assert cache.holds("scheme", stages.keys(wanted)["scheme"])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == {"stage": "data"} and {"stage": "names"} in said


def test_an_errand_that_cannot_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    for module in (naming, forming):
        assert module.main('[scheme]\nname = "metaid"\nnonsense = 1') == 1
        assert "nonsense" in json.loads(capsys.readouterr().out.splitlines()[-1])["trouble"]


def test_unknown_runs_and_items_are_told(tour: Tour, run: str) -> None:
    with pytest.raises(Trouble):
        tour.names("../etc", 0)
    assert tour.item(run, "nonsense").index == int(tour._names.popular(run)[0][0])
