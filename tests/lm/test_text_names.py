"""Names that are text survive the vocabulary: read in one batch as piece by piece, unique in the tree, and never a Token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from llmrec.contracts import Book, Dataset, IdTable, Interactions, Names, Token
from llmrec.ids.cid import Cid
from llmrec.ids.rid import Rid
from llmrec.ids.sid import Sid
from llmrec.ids.title import Title
from llmrec.lm.backbone import small_tokenizer, smollm2_folder
from llmrec.lm.names import NameTree
from llmrec.lm.vocab import END, Vocab
from tests.lm import world

ODD = [
    "E.T.",
    "8 1/2",
    "<c3>",
    "<|im_end|>",
    "<end>",
    " Up",
    "Up",
    "Up  ",
    "A  B",
    "A B",
    "Am\u00e9lie",
    "\u5343\u3068\u5343\u5c0b",
    "\U0001f600",
    "",
    "5",
    "54",
]
SCHEMES = [Rid(), Rid(words=True), Sid(), Cid(leaf=60), Title()]


def one_by_one(vocab: Vocab, names: Names, index: int) -> list[int]:
    pieces = [p if isinstance(p, Token) else f" {p}" for p in names.spell(index)]
    return vocab.encode([*pieces, END] if vocab.ends else pieces)


def small() -> Any:
    return small_tokenizer(["a person has watched Alien", "5421 Up"], 320)


def smollm2() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2_folder())


READERS = [small, pytest.param(smollm2, marks=pytest.mark.slow)]


@pytest.mark.parametrize("reader", READERS)
def test_odd_titles_are_named_apart_and_stay_text(reader: Any) -> None:
    none = np.zeros(0, dtype=np.int32)
    train = Interactions(none, none, none.astype(np.int64), 1, len(ODD))
    table = Title().fit(train, world.catalog(1, ODD), None, np.random.default_rng(0))
    vocab = Vocab.of_table(reader(), table)
    tree = NameTree.build(vocab, table)
    assert tree.leaf[tree.last].tolist() == list(range(len(ODD)))
    names = vocab.names(table.items)
    for i in range(len(ODD)):
        assert names[i].tolist() == one_by_one(vocab, table.items, i)
        assert vocab.subwords.decode([j for j in names[i] if j < vocab.first]) == f" {table.items.spell(i)[0]}"
        assert not set(names[i].tolist()) & set(vocab.subwords.all_special_ids)


@pytest.mark.parametrize("reader", READERS)
def test_a_batch_is_read_as_piece_by_piece(reader: Any) -> None:
    """Tokens and texts in one name, places left out, texts that occur often, and only some of the names."""
    rng = np.random.default_rng(0)
    books = (Book("c", 3), Book("t", len(ODD), token=False, texts=tuple(ODD)), Book("n", 1000, token=False))
    codes = np.stack([rng.integers(-1, book.size, 60) for book in books], axis=1).astype(np.int32)
    codes[codes.max(axis=1) < 0, 0] = 0
    names = Names(codes, books)
    vocab = Vocab(reader(), (Token("<c0>"), Token("<c1>"), Token("<c2>")))
    read = vocab.names(names)
    assert [read[i].tolist() for i in range(60)] == [one_by_one(vocab, names, i) for i in range(60)]
    some = vocab.names(names, [7, 7, 3])
    assert [some[i].tolist() for i in range(3)] == [read[7].tolist(), read[7].tolist(), read[3].tolist()]
    assert len(vocab.names(names, [])) == 0


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_movielens_names_make_a_tree(ml100k: Dataset, scheme: Any, reader: Any) -> None:
    table: IdTable = scheme.fit(ml100k.interactions, ml100k.catalog, None, np.random.default_rng(0))
    vocab = Vocab.of_table(reader(), table)
    tree = NameTree.build(vocab, table, ml100k.catalog)
    assert tree.leaf[tree.last].tolist() == list(range(1682))
    assert len(vocab.tokens) == len(table.tokens) + vocab.ends
    for i in range(0, 1682, 41):
        assert tree.names[i].tolist() == one_by_one(vocab, table.items, i)
