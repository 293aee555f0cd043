"""Every head on every table it takes: it memorises, ranks what comes next, keeps its word about exclusion and padding, and travels."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
import torch

from llmrec import registry
from llmrec.contracts import Book, IdTable, Names, Queries, Split, Vectors
from llmrec.lm.backbone import Backbone
from llmrec.lm.documents import Window, Writer
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads import Head
from llmrec.lm.heads.items import Items, TextNames
from llmrec.lm.heads.retrieve import Retrieve
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import SharedNames
from llmrec.recommend.language import LanguageRecommender
from tests.lm import world

M, N = 24, 20
STEPS = 70
SMALL = Backbone(name="tiny", layers=1, dropout=0.0)
VECTORS = Vectors(np.zeros((N, 8), np.float32), np.random.default_rng(2).standard_normal((M, 8)).astype(np.float32))


def one_token() -> IdTable:
    """An item is one Token, a user another."""
    books = (Book("i", M),), (Book("u", N),)
    return IdTable("one", *(Names(np.arange(b[0].size, dtype=np.int32)[:, None], b) for b in books))


def shared() -> IdTable:
    """Two Tokens an item, and items 2j, 2j + 1 share a name; users have one each, by which they can be learned by heart."""
    codes = np.stack([np.arange(M) // 2 % 4, np.arange(M) // 8], 1).astype(np.int32)
    return IdTable("shared", Names(codes, (Book("a", 4), Book("b", 3))), one_token().users)


TABLES = {"joint": world.table(n_users=N, n_items=M), "one": one_token(), "shared": shared()}
HEADS: dict[str, Head] = {"trie": Trie(), "items": Items(), "softmax": Retrieve(hidden=32), "hinge": Retrieve(hidden=32, objective="hinge")}
SPLIT = world.split(n_users=N, n_items=M, length=8)
LEGAL = [(h, t) for h in HEADS for t in TABLES if (h, t) != ("trie", "shared")]


@functools.cache
def trained(head: str, table: str, folder: Path) -> tuple[LanguageRecommender, LanguageRecommender]:
    """Twenty histories learned by heart, once as trained and once as saved and loaded."""
    names, way = TABLES[table], HEADS[head]
    lm = world.model(names, SMALL)
    way.equip(lm, VECTORS, 0)
    compiled = way.compile(lm, names, None, VECTORS)
    writer = Writer(lm.vocab, compiled.names, names, anonymous=0.0)
    windows = [Window(u, SPLIT.train.history(u)) for u in range(N)]
    batches = [writer.write(windows, np.random.default_rng(i)) for i in range(3)]
    optimizer = torch.optim.AdamW(lm.trained().values(), lr=1e-2)
    for step in range(STEPS):
        loss = way.loss(lm, compiled, batches[step % 3])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    lm.save(folder)
    again = LanguageModel.load(folder)
    other = way.compile(again, names, None, VECTORS)
    return LanguageRecommender(lm, names, way, compiled), LanguageRecommender(again, names, way, other)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heads")


@pytest.mark.parametrize(("head", "table"), LEGAL)
def test_twenty_walks_are_memorised(head: str, table: str, folder: Path) -> None:
    _, ranks = trained(head, table, folder / f"{head}-{table}")
    users = np.arange(N, dtype=np.int32)
    histories = tuple(SPLIT.train.history(u)[:5] for u in users)
    right = [int(SPLIT.train.history(u)[5]) for u in users]
    ranked = ranks.recommend(Queries(users, histories, None), 2)
    if table == "shared":  # a history says which pair comes next; which of the two, the user alone
        assert np.mean([r in items for r, items in zip(right, ranked.items.tolist(), strict=True)]) >= 0.9
    if table == "shared" and head == "items":  # one name, one row: nothing can tell the two apart
        np.testing.assert_array_equal(ranked.scores[:, 0], ranked.scores[:, 1])
    if table != "shared":
        assert np.mean(ranked.items[:, 0] == right) >= 0.9


@pytest.mark.parametrize(("head", "table"), LEGAL)
def test_saved_and_loaded_it_ranks_alike(head: str, table: str, folder: Path) -> None:
    model, again = trained(head, table, folder / f"{head}-{table}")
    queries = SPLIT.queries("test")
    one, two = model.recommend(queries, 5), again.recommend(queries, 5)
    np.testing.assert_array_equal(one.items, two.items)
    np.testing.assert_allclose(one.scores, two.scores, atol=1e-5)


@pytest.mark.parametrize(("head", "table"), LEGAL)
def test_excluded_items_never_come_and_what_is_missing_is_padded(head: str, table: str, folder: Path) -> None:
    _, ranks = trained(head, table, folder / f"{head}-{table}")
    gone = [i for i in range(M) if i not in (4, 9)]
    queries = Queries(np.asarray([-1, 3]), (np.asarray([2]), np.asarray([1, 3])), (np.asarray(gone), np.asarray([5, 5, 6])))
    ranked = ranks.recommend(queries, M + 3)
    assert sorted(ranked.items[0, :2].tolist()) == [4, 9] and (ranked.items[0, 2:] == -1).all()
    assert np.isneginf(ranked.scores[0, 2:]).all() and np.isfinite(ranked.scores[0, :2]).all()
    found = ranked.items[1][ranked.items[1] >= 0].tolist()
    assert sorted(found) == [i for i in range(M) if i not in (5, 6)] if head != "trie" else not {5, 6} & set(found)
    assert (np.diff(ranked.scores[1][: len(found)]) <= 0).all()


def test_what_a_head_cannot_rank_it_refuses_with_the_reason() -> None:
    films = world.catalog(0, ["Heat", "Up"])
    text = world.text_table(["Heat", "Up"])
    lm = world.model(text)
    with pytest.raises(TextNames, match="'Heat' is named by text alone .2 such items.*choose the trie or the retrieve head"):
        Items().compile(lm, text, films)
    with pytest.raises(SharedNames, match="choose the retrieve or items head"):
        Trie().compile(world.model(TABLES["shared"]), TABLES["shared"])
    with pytest.raises(ValueError, match=r"there are none: add a section \[embed\]"):
        Retrieve().equip(lm, None, 0)
    with pytest.raises(ValueError, match="trained behind another head"):
        Retrieve().compile(lm, text, films, Vectors(np.zeros((2, 8), np.float32), np.ones((2, 8), np.float32)))
    Retrieve().equip(lm, VECTORS, 0)
    with pytest.raises(ValueError, match="24 item vectors for 2 names"):
        Retrieve().compile(lm, text, films, VECTORS)
    with pytest.raises(ValueError, match="4 wide, the model's projection 8"):
        Retrieve().compile(lm, text, films, Vectors(np.zeros((2, 4), np.float32), np.ones((2, 4), np.float32)))


def test_retrieval_needs_nothing_of_names(tmp_path: Path) -> None:
    text = world.text_table([str(i) for i in range(M)])
    lm = world.model(text)
    plan = FineTune(epochs=1, batch=20, validations=1)
    plan.fit(lm, text, SPLIT, tmp_path, lambda e: None, lambda: False, 0, HEADS["softmax"], vectors=VECTORS)
    assert (tmp_path / "model" / "projections.safetensors").is_file()


def test_every_registered_head_speaks_the_protocol() -> None:
    assert all(isinstance(registry.load("head", name)(), Head) for name in registry.names("head"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden": 0}, "hidden = 0"),
        ({"n_negatives": 0}, "n_negatives = 0"),
        ({"temperature": 0.0}, "temperature = 0.0"),
        ({"margin": 1.0}, "margin = 1.0"),
        ({"index_above": -1}, "index_above = -1"),
    ],
)
def test_senseless_settings_are_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Retrieve(**settings)  # type: ignore[arg-type]


def test_resumed_equals_uninterrupted_with_a_projection(tmp_path: Path) -> None:
    plan = FineTune(epochs=2, batch=8, max_items=5, validations=2)
    head = Retrieve(hidden=16, n_negatives=6)  # some are drawn

    def fit(folder: Path, stop_at: int | None = None) -> dict[str, object]:
        steps = iter(range(10**6))
        split: Split = SPLIT
        lm = world.model(TABLES["one"], dataclasses.replace(SMALL, dropout=0.1))
        done = lambda: next(steps) + 1 == stop_at  # noqa: E731
        return plan.fit(lm, TABLES["one"], split, folder, lambda e: None, done, 0, head, vectors=VECTORS)

    whole = fit(tmp_path / "whole")
    assert fit(tmp_path / "part", 5)["stopped"]
    assert fit(tmp_path / "part")["validation_ndcg@10"] == whole["validation_ndcg@10"]
    one, two = (LanguageModel.load(tmp_path / n / "model").trained() for n in ("whole", "part"))
    assert {n for n in one if n.startswith("projections.")} == {
        f"projections.retrieve.{p}.{q}" for p in ("inner", "outer") for q in ("weight", "bias")
    }
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=0)
