"""Tokens are rows, text is text, and the augmentation acts wherever a row is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from llmrec.contracts import Book, IdTable, Names, Token
from llmrec.lm.backbone import small_tokenizer
from llmrec.lm.vocab import END, Rows, Vocab, start_rows
from tests.lm import world


@pytest.fixture(scope="module")
def vocab() -> Vocab:
    return Vocab.of_table(small_tokenizer(["a person has watched Alien"], 320), world.table())


def test_text_that_spells_a_token_stays_text(vocab: Vocab) -> None:
    for spelled in ("<c3>", "I liked <c3><r1>!", "<|im_end|>", "<end>"):
        ids = vocab.encode([spelled])
        assert max(ids) < vocab.first
        assert not set(ids) & set(vocab.subwords.all_special_ids)
        assert "".join(map(str, vocab.decode(ids))) == spelled
    assert vocab.encode([Token("<c3>")]) == [vocab.first + 3]


def test_unknown_token_is_named(vocab: Vocab) -> None:
    with pytest.raises(KeyError, match="<c99>"):
        vocab.encode([Token("<c99>")])


def test_names_looked_up_equal_names_spelled(vocab: Vocab) -> None:
    table = world.table()
    names = vocab.names(table.items)
    for i in range(len(table.items)):
        assert names[i].tolist() == vocab.encode(table.items.spell(i))


def test_names_that_end_early_keep_their_order() -> None:
    codes = np.asarray([[0, 1], [2, -1]], dtype=np.int32)
    table = IdTable("t", Names(codes, (Book("a", 3), Book("b", 2))))
    vocab = Vocab.of_table(small_tokenizer(["x"], 300), table)
    names = vocab.names(table.items)
    assert [vocab.decode(names[i]) for i in range(2)] == [[Token("<a0>"), Token("<b1>")], [Token("<a2>")]]
    assert not vocab.ends


@pytest.mark.parametrize("titles", [["Alien", "Aliens", "Up"], ["54", "5421"]])
def test_a_name_that_begins_another_gets_an_end_mark(titles: list[str]) -> None:
    table = world.text_table(titles)
    # no merges: bytes, so that "Alien" really is the beginning of "Aliens"
    vocab = Vocab.of_table(small_tokenizer([], 260), table)
    assert vocab.ends
    names = vocab.names(table.items)
    for i, title in enumerate(titles):
        pieces = vocab.decode(names[i])
        assert "".join(map(str, pieces[:-1])) == f" {title}" and pieces[-1] == END


def test_tokens_follow_the_table_never_a_set(vocab: Vocab) -> None:
    # the release built its rows in the order of a Python set: row t then held another Token's vector
    assert [str(t) for t in vocab.tokens] == [f"<c{i}>" for i in range(5)] + [f"<r{i}>" for i in range(6)]


def test_saved_tokenizer_is_standard_and_comes_back(vocab: Vocab, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    vocab.save(tmp_path)
    standard = AutoTokenizer.from_pretrained(tmp_path)
    assert standard.convert_tokens_to_ids("<c3>") == vocab.first + 3
    assert standard.encode("<c3><r1>", add_special_tokens=False) == [vocab.first + 3, vocab.first + 5 + 1]
    again = Vocab.load(tmp_path, len(vocab.tokens))
    assert again.tokens == vocab.tokens and again.first == vocab.first
    assert again.encode(["I liked <c3>", Token("<c3>")]) == vocab.encode(["I liked <c3>", Token("<c3>")])


def test_a_spelling_the_tokenizer_already_has_is_refused() -> None:
    table = IdTable("t", Names(np.zeros((1, 1), dtype=np.int32), (Book("x", 1),)))
    subwords = small_tokenizer([], 260)
    subwords.add_tokens(["<x0>"])
    with pytest.raises(ValueError, match="<x0>"):
        Vocab(subwords, table.tokens).tokenizer()


def test_augmentation_is_the_papers_formula_on_both_sides() -> None:
    base = torch.nn.Embedding(10, 4)
    f = torch.randn(3, 6)
    rows = Rows(base, None, 8, torch.randn(3, 4), f, 0.1)
    assert rows.augment is not None
    expected = rows.new + 0.1 * (f @ rows.augment.weight.T + rows.augment.bias)
    ids = torch.tensor([[9, 0, 10, 8]])
    torch.testing.assert_close(rows(ids)[0], torch.stack([expected[1], base.weight[0], expected[2], expected[0]]))
    torch.testing.assert_close(rows.outputs(torch.tensor([8, 9, 10])), expected)
    rows.outputs(torch.tensor([8])).sum().backward()
    assert rows.augment.weight.grad is not None and rows.augment.weight.grad.abs().sum() > 0


def test_rows_beside_pretrained_ones_start_about_equally_likely() -> None:
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(500, 64, generator=generator) + 0.3
    h = 5 * torch.randn(20, 64, generator=generator)
    wide, narrow = (start_rows(base, 100, generator, spread) for spread in (1.0, 0.2))
    surprise = [float(torch.nn.functional.cross_entropy(h @ rows.T, torch.arange(20))) for rows in (wide, narrow)]
    assert surprise[1] < surprise[0] / 2
    torch.testing.assert_close(narrow.mean(0), base.mean(0), atol=0.15, rtol=0)


def test_rows_without_features_are_plain() -> None:
    rows = Rows(torch.nn.Embedding(4, 2), None, 4, torch.ones(2, 2), torch.randn(2, 3), 0.0)
    assert rows.augment is None
    torch.testing.assert_close(rows.rows(), torch.ones(2, 2))
