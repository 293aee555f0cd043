"""Memorization and diversity against plain Python, and against worlds where the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from llmrec.contracts import Book, IdTable, Interactions, Names
from llmrec.data.synthetic import Checkerboard
from llmrec.ids.health.idspace import bags, embeddings
from llmrec.ids.health.semantics import NothingToCompare, diversity, memorization

N_ITEMS = 24


@pytest.fixture(scope="module")
def train() -> Interactions:
    return Checkerboard(n_users=30, n_items=N_ITEMS, share=0.6).load().interactions


def named(coarse: np.ndarray) -> IdTable:
    fine = np.arange(N_ITEMS)
    return IdTable("toy", Names(np.stack([coarse, fine], axis=1).astype(np.int32), (Book("c", int(coarse.max()) + 1), Book("r", N_ITEMS))))


def cosine(x: list[float], y: list[float]) -> float:
    length = math.sqrt(sum(v * v for v in x) * sum(v * v for v in y))
    return sum(a * b for a, b in zip(x, y, strict=True)) / length if length else 0.0


def pearson(x: list[float], y: list[float]) -> float:
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return cosine([v - mx for v in x], [v - my for v in y])


def ranks(x: list[float]) -> list[float]:
    rounded = [round(v, 9) for v in x]
    return [sum(w < v for w in rounded) + (rounded.count(v) + 1) / 2 for v in rounded]


def drawn(train: Interactions, n: int, seed: int) -> list[tuple[int, int]]:
    from llmrec.ids.health.semantics import _pairs

    a, b = _pairs(train, n, np.random.default_rng(seed))
    return list(zip(a.tolist(), b.tolist(), strict=True))


@pytest.mark.parametrize("by", ["pieces", "rows"])
def test_memorization_agrees_with_plain_python(train: Interactions, by: str) -> None:
    table = named(np.arange(N_ITEMS) % 5)
    rows = np.random.default_rng(1).standard_normal((len(table.tokens), 6)).astype(np.float32)
    found = memorization(table, train, rows if by == "rows" else None, n_pairs=120, rng=np.random.default_rng(3))
    users = [{int(u) for u, i in zip(train.user, train.item, strict=True) if i == item} for item in range(N_ITEMS)]
    behaviour, alike = [], []
    for i, j in drawn(train, 120, 3):
        behaviour.append(len(users[i] & users[j]) / math.sqrt(len(users[i]) * len(users[j])))
        if by == "rows":
            ids = [[sum(float(rows[table.tokens.index(p)][d]) for p in table.items.spell(k)) / 2 for d in range(6)] for k in (i, j)]
            alike.append(cosine(*ids))
        else:
            alike.append(len(set(table.items.spell(i)) & set(table.items.spell(j))) / 2)
    assert found.by == by and found.n_pairs == len(behaviour) > 80
    assert found.pearson == pytest.approx(pearson(behaviour, alike), abs=1e-5)
    assert found.spearman == pytest.approx(pearson(ranks(behaviour), ranks(alike)), abs=1e-4)
    assert found.mse == pytest.approx(sum((x - y) ** 2 for x, y in zip(behaviour, alike, strict=True)) / len(alike), abs=1e-6)


def test_pairs_are_different_unordered_and_in_sparse_data_half_were_taken_together() -> None:
    from llmrec.ids.health.semantics import _pairs

    sparse = Checkerboard(n_users=300, n_items=2000, share=0.005).load().interactions
    a, b = _pairs(sparse, 1000, np.random.default_rng(0))
    assert (a < b).all() and len({*zip(a.tolist(), b.tolist(), strict=True)}) == len(a) > 800
    found = memorization(IdTable("toy", Names(np.arange(2000)[:, None], (Book("c", 2000),))), sparse, n_pairs=1000)
    assert found.n_pairs == len(a) and 0.4 < found.n_taken / found.n_pairs < 0.6
    owned = [{int(i) for i in sparse.history(u)} for u in range(sparse.n_users)]
    together = sum(any({x, y} <= o for o in owned) for x, y in zip(a.tolist(), b.tolist(), strict=True))
    assert together == found.n_taken


def test_names_by_parity_remember_and_shuffled_ones_do_not(train: Interactions) -> None:
    good = memorization(named(np.arange(N_ITEMS) % 2), train)
    chance = memorization(named(np.random.default_rng(0).permutation(N_ITEMS) % 2), train)
    assert good.pearson is not None and good.spearman is not None and chance.pearson is not None
    assert good.pearson > 0.8 and good.spearman > 0.8 and abs(chance.pearson) < 0.3
    assert good.mse < chance.mse


def test_one_token_each_has_no_correlation_to_speak_of(train: Interactions) -> None:
    alone = IdTable("cllm4rec", Names(np.arange(N_ITEMS, dtype=np.int32)[:, None], (Book("item_", N_ITEMS),)))
    found = memorization(alone, train)
    assert (found.pearson, found.spearman) == (None, None) and found.mse > 0


def test_diversity_by_rows_agrees_with_plain_python() -> None:
    table = named(np.arange(N_ITEMS) % 5)
    rows = np.random.default_rng(1).standard_normal((len(table.tokens), 6)).astype(np.float32)
    which = np.arange(N_ITEMS)
    ids = embeddings(table, which, rows).tolist()

    def soft(x: list[float]) -> list[float]:
        return [math.exp(v) / sum(math.exp(w) for w in x) for v in x]

    def kl(p: list[float], q: list[float]) -> float:
        return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))

    soften = [soft(x) for x in ids]
    pairs = [(i, j) for i in range(N_ITEMS) for j in range(i)]
    true = sum(kl(soften[i], soften[j]) + kl(soften[j], soften[i]) for i, j in pairs) / 2 / len(pairs)
    assert diversity(table, rows, n_pairs=40_000).symmetric_kl == pytest.approx(true, rel=0.02)


def test_diversity_by_pieces_by_hand() -> None:
    def of(codes: list[list[int]]) -> float:
        return diversity(IdTable("toy", Names(np.array(codes, dtype=np.int32), (Book("a", 4), Book("b", 4)))), n_pairs=50).symmetric_kl

    assert of([[0, 0], [0, 0]]) == 0.0
    assert of([[0, 0], [1, 1]]) == pytest.approx(math.tanh(0.5))
    # one piece of two in common: union of three, p = (e, e, 1) / (2e + 1), q = (e, 1, e) / (2e + 1)
    assert of([[0, 0], [0, 1]]) == pytest.approx((math.e - 1) / (2 * math.e + 1))


def test_text_is_split_into_words_and_digits() -> None:
    films = Book("t", 3, token=False, texts=("The Alien", "alien 3", "1984"))
    found = bags(Names(np.array([[0], [1], [2]]), (films,)), np.arange(3))
    assert found.sizes.tolist() == [2, 2, 4]
    assert found.shared(np.array([0, 0, 1]), np.array([1, 2, 2])).tolist() == [1, 0, 0]
    numbers = Names(np.array([[1234], [1239], [4321]]), (Book("item", 5000, token=False),))
    assert bags(numbers, np.arange(3)).shared(np.array([0, 0]), np.array([1, 2])).tolist() == [3, 0]
    own = bags(numbers, np.arange(3), spell=lambda i: ["x"] if i else ["x", "y"])
    assert own.cosine(np.array([0, 1]), np.array([1, 2])) == pytest.approx([1 / math.sqrt(2), 1])


def test_what_cannot_be_compared_is_refused(train: Interactions) -> None:
    table = named(np.arange(N_ITEMS) % 5)
    with pytest.raises(ValueError, match="rows have shape .* has 29 Tokens"):
        diversity(table, np.zeros((3, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="24 items, but the table names 2"):
        memorization(IdTable("two", Names(np.zeros((2, 1), dtype=np.int32), (Book("c", 1),))), train)
    with pytest.raises(NothingToCompare, match="fewer than two"):
        diversity(IdTable("one", Names(np.zeros((1, 1), dtype=np.int32), (Book("c", 1),))))
    with pytest.raises(NothingToCompare, match="three items"):
        memorization(table, train.take(np.arange(1)))
