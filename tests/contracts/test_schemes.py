"""What every registered scheme and embedder must keep, whoever wrote it. A new one is tested by being registered."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec import artifacts, registry
from llmrec.contracts import Book, Dataset, Embedder, IdTable, Names, Scheme, Split, Token, Vectors
from llmrec.data.split import LeaveOneOut
from llmrec.data.synthetic import Checkerboard
from llmrec.ids.exchange import files
from llmrec.ids.exchange.keyed import KeyedTable
from llmrec.lm.backbone import small_tokenizer
from llmrec.lm.names import NameTree
from llmrec.lm.vocab import END, Vocab
from llmrec.rng import stream

# settings that some stages have, to be quick; "tiny" is a random model, so that nothing is fetched
SMALL = {"d": 8, "epochs": 2, "walks_per_node": 3, "n_clusters": 6, "model": "tiny", "steps": 60}
DRAW_NOTHING = {"text"}  # a model is read, not trained: every seed gives the same vectors

schemes = pytest.mark.parametrize("name", registry.names("scheme"))
embedders = pytest.mark.parametrize("name", registry.names("embed"))


def stage(kind: str, name: str) -> Any:
    cls = registry.load(kind, name)
    fields = {field.name for field in dataclasses.fields(cls)}
    given = {key: value for key, value in SMALL.items() if key in fields}
    return cls(**given, **({"items": str(BOARD_NAMES[0])} if name == "imported" else {}))


BOARD_NAMES: list[Path] = []  # the file that `board_names` has written


@pytest.fixture(scope="module", autouse=True)
def board_names(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file of names for all users and items of `world`, in another order than theirs: what the scheme `imported` has no default for."""
    users, items = (Names(np.stack([np.arange(n) % 2, np.arange(n)], 1).astype(np.int32), (Book("c", 2), Book("r", 40))) for n in (40, 30))
    keys = [tuple(f"{side}{i}" for i in reversed(range(n))) for side, n in (("i", 30), ("u", 40))]
    path = tmp_path_factory.mktemp("board") / "board.json"
    BOARD_NAMES[:] = [files.save(KeyedTable(IdTable("board", items, users), *keys), path)]


@pytest.fixture(scope="module")
def world() -> Dataset:
    return Checkerboard(n_users=40, n_items=30).load()


@pytest.fixture(scope="module")
def split(world: Dataset) -> Split:
    return LeaveOneOut().split(world.interactions, stream(0, "split"))


@pytest.fixture(scope="module")
def vectors(split: Split) -> Vectors:
    rng = np.random.default_rng(5)

    def side(n: int) -> np.ndarray:
        x = rng.standard_normal((n, 8)) * 0.2
        x[:, 0] += np.where(np.arange(n) % 2, 1.0, -1.0)
        return x.astype(np.float32)

    return Vectors(side(split.train.n_users), side(split.train.n_items))


def arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    if dataclasses.is_dataclass(value):
        return [a for field in dataclasses.fields(value) for a in arrays(getattr(value, field.name))]
    return [a for v in value for a in arrays(v)] if isinstance(value, tuple) else []


def same(a: Any, b: Any) -> bool:
    left, right = arrays(a), arrays(b)
    return len(left) == len(right) > 0 and all(np.array_equal(x, y) for x, y in zip(left, right, strict=True))


def table_of(name: str, split: Split, world: Dataset, vectors: Vectors, seed: int = 0) -> IdTable:
    scheme = stage("scheme", name)
    given = vectors if scheme.needs_vectors else None
    table = scheme.fit(split.train, world.catalog, given, stream(seed, name))
    assert isinstance(table, IdTable)
    return table


@embedders
def test_an_embedder_keeps_its_protocol_and_shapes(name: str, split: Split, world: Dataset) -> None:
    embedder = stage("embed", name)
    assert isinstance(embedder, Embedder) and registry.name_of("embed", embedder) == name
    assert list(inspect.signature(type(embedder).fit).parameters)[1:] == ["train", "catalog", "rng"]  # nothing held out can come in
    with pytest.raises(dataclasses.FrozenInstanceError):
        embedder.d = 3
    found = embedder.fit(split.train, world.catalog, stream(0, name))
    assert found.users.dtype == found.items.dtype == np.float32
    assert (len(found.users), len(found.items)) == (split.train.n_users, split.train.n_items)
    assert np.isfinite(found.users).all() and np.isfinite(found.items).all()


@embedders
def test_an_embedder_repeats_and_leaves_its_input_alone(name: str, split: Split, world: Dataset, tmp_path: Path) -> None:
    before = [a.copy() for a in arrays(split.train)]
    a, b, c = (stage("embed", name).fit(split.train, world.catalog, stream(seed, name)) for seed in (0, 0, 1))
    assert same(a, b) and same(a, c) == (name in DRAW_NOTHING)
    assert all(np.array_equal(x, y) for x, y in zip(before, arrays(split.train), strict=True))
    assert same(a, artifacts.load(Vectors, artifacts.save(a, tmp_path / "vectors")))


@pytest.fixture(scope="module")
def changed(world: Dataset, split: Split) -> Split:
    """Everybody's last two items are others, changed before the split: only what is held out may differ."""
    whole = world.interactions
    last_two = np.arange(len(whole)) >= np.repeat(whole.offsets[1:] - 2, np.diff(whole.offsets))
    other = np.where(last_two, (whole.item + 7) % whole.n_items, whole.item).astype(np.int32)
    changed = LeaveOneOut().split(dataclasses.replace(whole, item=other), stream(0, "split"))
    assert not np.array_equal(changed.test.item, split.test.item) and not np.array_equal(changed.valid.item, split.valid.item)
    return changed


@embedders
def test_what_is_held_out_changes_no_vector(name: str, world: Dataset, split: Split, changed: Split) -> None:
    """Through split and vectors not a bit changes."""
    assert same(*(stage("embed", name).fit(s.train, world.catalog, stream(0, name)) for s in (split, changed)))


@schemes
def test_a_scheme_keeps_its_protocol(name: str, split: Split, world: Dataset, vectors: Vectors) -> None:
    scheme = stage("scheme", name)
    assert isinstance(scheme, Scheme) and registry.name_of("scheme", scheme) == name
    assert list(inspect.signature(type(scheme).fit).parameters)[1:] == ["train", "catalog", "vectors", "rng"]
    if scheme.needs_vectors:
        with pytest.raises(ValueError, match="vectors"):
            scheme.fit(split.train, world.catalog, None, stream(0, name))


@schemes
def test_a_table_names_everyone_with_pieces_of_its_books(name: str, split: Split, world: Dataset, vectors: Vectors) -> None:
    table = table_of(name, split, world, vectors)
    tokens = set(table.tokens)
    assert len(tokens) == len(table.tokens)
    assert len(table.items) == split.train.n_items
    assert table.users is None or len(table.users) == split.train.n_users
    assert table.features is None or len(table.features) == len(table.tokens)
    for names in (table.items, table.users):
        for index in range(0 if names is None else len(names)):
            pieces = names.spell(index)
            assert pieces and all(piece in tokens for piece in pieces if isinstance(piece, Token))


@schemes
def test_a_scheme_repeats_and_leaves_its_input_alone(name: str, split: Split, world: Dataset, vectors: Vectors, tmp_path: Path) -> None:
    before = [a.copy() for a in (*arrays(split.train), *arrays(vectors))]
    items, users = (frame.copy(deep=True) for frame in (world.catalog.items, world.catalog.users))
    table = table_of(name, split, world, vectors)
    assert same(table, table_of(name, split, world, vectors))
    assert all(np.array_equal(x, y) for x, y in zip(before, (*arrays(split.train), *arrays(vectors)), strict=True))
    assert items.equals(world.catalog.items) and users.equals(world.catalog.users)
    again = artifacts.load(IdTable, artifacts.save(table, tmp_path / "ids"))
    assert same(table, again) and again.tokens == table.tokens and again.books == table.books
    keyed = KeyedTable.of(table, world.catalog)
    for suffix in files.SUFFIXES:
        read = files.load(files.save(keyed, tmp_path / f"names{suffix}"))
        assert same(table, read.table) and read.table.tokens == table.tokens and read.table.books == table.books
        assert (read.item_keys, read.user_keys, read.titles) == (keyed.item_keys, keyed.user_keys, keyed.titles)


@schemes
def test_what_is_held_out_changes_no_name(name: str, world: Dataset, split: Split, changed: Split) -> None:
    """Through split, vectors and names not a bit changes."""
    tables = []
    for train in (split.train, changed.train):
        scheme = stage("scheme", name)
        vectors = stage("embed", scheme.embedder).fit(train, world.catalog, stream(0, "embed")) if scheme.needs_vectors else None
        tables.append(scheme.fit(train, world.catalog, vectors, stream(0, name)))
    assert same(*tables) and tables[0].books == tables[1].books


@schemes
def test_names_survive_the_vocabulary(name: str, split: Split, world: Dataset, vectors: Vectors) -> None:
    """Read as row numbers and written again, a name is what it was; where all are different, a tree holds every one."""
    table = table_of(name, split, world, vectors)
    vocab = Vocab.of_table(small_tokenizer(world.catalog.titles, 300), table)
    for names in (table.items, table.users):
        rows = [] if names is None else vocab.names(names)
        for index in range(len(rows)):
            assert names is not None
            pieces = [piece for piece in vocab.decode(rows[index]) if piece != END]
            said = names.spell(index)
            assert [p for p in pieces if isinstance(p, Token)] == [p for p in said if isinstance(p, Token)]
            assert "".join(pieces) == "".join(p if isinstance(p, Token) else f" {p}" for p in said)
    distinct = {tuple(row) for row in vocab.names(table.items)}
    if len(distinct) == len(table.items):
        tree = NameTree.build(vocab, table)
        assert tree.leaf[tree.last].tolist() == list(range(len(table.items)))


def family(names: Names, index: int) -> str:
    """What similar names begin with: the first Token, or, of a number, all digits but the last."""
    piece = names.spell(index)[0]
    return piece if isinstance(piece, Token) else piece[:-1]


@pytest.mark.parametrize("name", [n for n in registry.names("scheme") if registry.load("scheme", n).names_by == "behaviour"])
def test_names_from_train_alone_share_by_parity(name: str) -> None:
    """On the checkerboard, items whose names begin alike are of one parity far beyond the chance of one half."""
    board = Checkerboard(n_users=60, n_items=160).load()
    train = LeaveOneOut().split(board.interactions, stream(0, "split")).train
    scheme = stage("scheme", name)
    vectors = stage("embed", scheme.embedder).fit(train, board.catalog, stream(0, "embed")) if scheme.needs_vectors else None
    items = scheme.fit(train, board.catalog, vectors, stream(0, name)).items
    begins = [family(items, i) for i in range(len(items))]
    pairs = [(i, j) for i in range(len(begins)) for j in range(i) if begins[i] == begins[j]]
    assert len(pairs) >= 100
    assert np.mean([i % 2 == j % 2 for i, j in pairs]) > 0.9
