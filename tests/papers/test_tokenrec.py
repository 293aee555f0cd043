"""The faults of TokenRec's release: each check passes on what this package does and refuses a small copy of what the release does.

Where each fault stands in the release is told in docs/papers.md. The checks take a behaviour, so that both can be put to the same one.
"""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from llmrec import registry
from llmrec.contracts import Book, Floats, IdTable, Interactions, Ints, Names, Part, Split
from llmrec.data.synthetic import Checkerboard
from llmrec.embed import pairwise
from llmrec.embed.lightgcn import Graph, LightGcn
from llmrec.ids.health.report import health
from llmrec.ids.vq import masked
from llmrec.ids.vq.masked import Masked, MaskedVq, Net, draw_mask, masked_loss
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.items import Items
from tests.lm import world
from tests.project.tree import ROOT, tracked

K, L, D, H, B = 3, 6, 4, 5, 8
BETA = 0.25


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def net() -> Net:
    drawn = Net.drawn(D, H, K, seeded(0))
    drawn.books = torch.randn(K, L, D, generator=seeded(1))
    for tensor in (*drawn.encoders, *drawn.decoder, drawn.books):
        tensor.requires_grad_()
    return drawn


def batch() -> Tensor:
    return torch.randn(B, D, generator=seeded(2))


# --- the encoders receive no gradient ---------------------------------------------------------------------------------------------------

Loss = Callable[[Net, Tensor, Tensor], Tensor]


def every_encoder_learns(loss: Loss) -> None:
    learner = net()
    loss(learner, batch(), draw_mask((B, D), 0.2, seeded(3))).backward()
    for weight in learner.encoders:
        assert weight.grad is not None, "an encoder has no part in the loss"
        assert all(float(of_one.abs().max()) > 1e-6 for of_one in weight.grad), "an encoder stays as it was drawn"


def test_gradients_reach_every_encoder() -> None:
    def ours(learner: Net, rows: Tensor, hidden: Tensor) -> Tensor:
        return masked_loss(learner, rows, hidden, BETA)[0]

    def release(learner: Net, rows: Tensor, hidden: Tensor) -> Tensor:
        """The straight-through value is made and thrown away: the decoder reads the codewords, and the commitment is commented out."""
        assert learner.books is not None
        said = learner.says(rows.masked_fill(hidden, 0))
        words = torch.stack([learner.books[k][codes] for k, codes in enumerate(learner.codes(said))])
        told = ((rows - learner.tells(words.mean(0))) ** 2).sum(1).mean()
        return told + ((said.detach() - words) ** 2).sum(2).mean()

    every_encoder_learns(ours)
    with pytest.raises(AssertionError, match="an encoder"):
        every_encoder_learns(release)


def test_a_whole_fit_moves_the_encoders() -> None:
    """Random projections and k-means: what the release comes to, and what `frozen` is for."""
    rows = np.random.default_rng(0).standard_normal((60, D)).astype(np.float32)
    settings = MaskedVq(n_books=2, n_codes=4, hidden=H, steps=30, batch=16)
    drawn = Net.drawn(D, H, 2, seeded(int(np.random.default_rng(0).integers(2**62)))).encoders[0].numpy()
    learned, frozen = (settings.fit(rows, np.random.default_rng(0), frozen=f).encoders[0] for f in (False, True))
    assert np.array_equal(frozen, drawn)
    assert all(np.abs(one - start).max() > 1e-3 for one, start in zip(learned, drawn, strict=True))


# --- the mask overwrites row 0 of the batch ---------------------------------------------------------------------------------------------

Hide = Callable[[Tensor, float, torch.Generator], Tensor]


def a_learner_masks_each_row_by_itself(hide: Hide | None, patch: pytest.MonkeyPatch) -> None:
    """A short learning, looked at where it computes its loss: every batch is rows as they were given, each with holes of its own, a fifth
    of its numbers or so. hide: draws the holes of a batch in the learner's place, and may write on the batch, as the release's does."""
    rows = np.random.default_rng(4).standard_normal((300, 64)).astype(np.float32)
    seen: list[tuple[Tensor, Tensor]] = []
    with patch.context() as spied:

        def spy(learner: Net, batch: Tensor, hidden: Tensor, beta: float) -> tuple[Tensor, Tensor, Tensor]:
            hidden = hidden if hide is None else hide(batch, 0.2, seeded(len(seen)))
            seen.append((batch.clone(), hidden.clone()))
            return masked_loss(learner, batch, hidden, beta)

        spied.setattr(masked, "masked_loss", spy)
        learned = MaskedVq(n_books=2, n_codes=8, hidden=H, steps=12, batch=100).fit(rows, np.random.default_rng(0))
    given = masked.standardise(rows, learned.mean, learned.scale)
    assert len(seen) == 12  # before the books start and after
    for batch, hidden in seen:
        far = np.abs(batch.numpy()[:, None] - given[None]).max(2).min(1)
        assert far.max() < 1e-4, "the batch was written into"
        assert hidden.shape == batch.shape and len(torch.unique(hidden, dim=0)) == len(batch), "rows share their holes"
        assert abs(float(hidden.float().mean()) - 0.2) < 0.03, "more or less than a fifth is hidden"
    assert not torch.equal(seen[0][1], seen[1][1]), "every batch has the same holes"


def test_every_row_is_masked_by_itself_in_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(rows: Tensor, share: float, generator: torch.Generator) -> Tensor:
        return rows[0, :].bernoulli_(share, generator=generator).bool().expand_as(rows)  # in place: row 0 is gone

    def one_mask_for_all(rows: Tensor, share: float, generator: torch.Generator) -> Tensor:
        return (torch.rand(rows.shape[1], generator=generator) < share).expand_as(rows)

    def none(rows: Tensor, share: float, generator: torch.Generator) -> Tensor:
        return draw_mask((len(rows), rows.shape[1]), share / 10, generator)

    a_learner_masks_each_row_by_itself(None, monkeypatch)
    for fault, said in ((release, "written into"), (one_mask_for_all, "share their holes"), (none, "more or less|share")):
        with pytest.raises(AssertionError, match=said):
            a_learner_masks_each_row_by_itself(fault, monkeypatch)


def test_one_mask_for_a_batch_is_refused_where_the_learner_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault put into the package's own drawing, which is what `fit` calls."""

    def one(shape: tuple[int, int], share: float, generator: torch.Generator) -> Tensor:
        return draw_mask((1, shape[1]), share, generator).expand(shape)

    monkeypatch.setattr(masked, "draw_mask", one)
    with pytest.raises(AssertionError, match="share their holes"):
        a_learner_masks_each_row_by_itself(None, monkeypatch)


def test_what_was_hidden_is_still_asked_for() -> None:
    """The decoder must tell the whole row, holes included: the loss of a row hangs on numbers that nobody was shown."""
    learner, rows = net(), batch()
    hidden = torch.zeros(B, D, dtype=torch.bool)
    hidden[:, 0] = True
    other = rows.clone()
    other[:, 0] += 1
    one, two = (masked_loss(learner, x, hidden, BETA) for x in (rows, other))
    assert torch.equal(one[2], two[2]) and torch.equal(one[1], two[1])  # the encoders saw nothing of it
    assert float((one[0] - two[0]).abs().detach()) > 1e-3


# --- `encode` changes its input ---------------------------------------------------------------------------------------------------------

Encode = Callable[[Floats], Ints]


def encoding_is_pure(encode: Encode) -> None:
    rows = np.random.default_rng(6).standard_normal((200, D)).astype(np.float32)
    before = rows.copy()
    first = encode(rows)
    assert np.array_equal(rows, before), "the input was changed"
    assert np.array_equal(encode(rows), first), "the same rows, other codes"


@pytest.fixture(scope="module")
def learned() -> Masked:
    rows = np.random.default_rng(7).standard_normal((200, D)).astype(np.float32)
    return MaskedVq(n_books=K, n_codes=L, hidden=H, steps=60, batch=32).fit(rows, np.random.default_rng(0))


def test_encoding_leaves_its_input_alone(learned: Masked) -> None:
    def release(rows: Floats) -> Ints:
        rows += np.float32(0.5)  # its learned position, in place
        return learned.encode(rows)

    encoding_is_pure(learned.encode)
    with pytest.raises(AssertionError, match="changed"):
        encoding_is_pure(release)


# --- the sum of the codewords instead of their mean -------------------------------------------------------------------------------------

Decode = Callable[[Masked, Ints], Floats]


def books_that_say_the_same_say_it_once(decode: Decode, quantizer: Masked) -> None:
    """K books of the same codewords tell exactly what one of them tells."""
    one = quantizer.books[:1]
    thrice = Masked(quantizer.mean, quantizer.scale, quantizer.encoders, np.repeat(one, K, axis=0), quantizer.decoder)
    single = Masked(quantizer.mean, quantizer.scale, quantizer.encoders, one, quantizer.decoder)
    codes = np.arange(L, dtype=np.int32)[:, None]
    np.testing.assert_allclose(decode(thrice, np.repeat(codes, K, axis=1)), single.decode(codes), atol=1e-5)


def test_the_decoder_reads_the_mean(learned: Masked) -> None:
    def release(quantizer: Masked, codes: Ints) -> Floats:
        v1, u1, v2, u2 = quantizer.decoder
        total = np.sum([book[codes[:, k]] for k, book in enumerate(quantizer.books)], axis=0)
        return np.asarray((np.maximum(total @ v1 + u1, 0) @ v2 + u2) * quantizer.scale + quantizer.mean, dtype=np.float32)

    books_that_say_the_same_say_it_once(Masked.decode, learned)
    with pytest.raises(AssertionError):
        books_that_say_the_same_say_it_once(release, learned)


def test_the_decoder_reads_the_mean_while_it_learns() -> None:
    """The loss that trains it, on books that are one book: the reconstruction is that of a single encoder and book."""
    one = Net.drawn(D, H, 1, seeded(0))
    one.books = torch.randn(1, L, D, generator=seeded(1))
    many = Net([t.repeat(K, 1, 1) for t in one.encoders], one.decoder, one.books.repeat(K, 1, 1))
    rows, hidden = batch(), torch.zeros(B, D, dtype=torch.bool)
    single, all_three = (masked_loss(x, rows, hidden, 0.0) for x in (one, many))
    # the books' own term counts once a book; what is left is the reconstruction
    words = one.books[0][single[2][0]]
    of_a_book = float(((single[1][0] - words) ** 2).sum(1).mean())
    assert float(all_three[0]) - K * of_a_book == pytest.approx(float(single[0]) - of_a_book, abs=1e-4)


# --- vectors of layer 0 -----------------------------------------------------------------------------------------------------------------


VectorsOf = Callable[[LightGcn, Interactions], Floats]


def items_lean_on_who_took_them(vectors_of: VectorsOf) -> None:
    """With next to no learning, items that the same people took are alike already: the graph alone has told so."""
    train = Checkerboard(n_users=20, n_items=16).load().interactions
    items = vectors_of(LightGcn(d=64, epochs=1, lr=1e-7), train)
    unit = items / np.linalg.norm(items, axis=1, keepdims=True)
    cosine, same = unit @ unit.T, np.equal.outer(np.arange(16) % 2, np.arange(16) % 2)
    assert cosine[same & ~np.eye(16, dtype=bool)].mean() - cosine[~same].mean() > 0.1


def test_vectors_are_propagated() -> None:
    def ours(settings: LightGcn, train: Interactions) -> Floats:
        return settings.fit(train, None, np.random.default_rng(0)).items

    def release(settings: LightGcn, train: Interactions) -> Floats:
        """The free rows that learning moves, `embedding_item.weight`: layer 0."""
        rows = pairwise.start("lightgcn", train, settings.d, settings.scale, np.random.default_rng(0))
        spread = Graph.of(train, settings.layers).spread
        steps = pairwise.Steps(settings.epochs, settings.lr, settings.l2, settings.batch)
        return pairwise.learn(train, rows, spread, steps, np.random.default_rng(0))[train.n_users :]

    items_lean_on_who_took_them(ours)
    with pytest.raises(AssertionError):
        items_lean_on_who_took_them(release)


# --- the validation set is the test set -------------------------------------------------------------------------------------------------


Pairs = set[tuple[int, int]]


class Watched(Split):
    """A split that remembers which user's which item it was asked to find, whatever the part was called."""

    def targets(self, part: Part) -> tuple[Ints, ...]:
        found = super().targets(part)
        read = self.__dict__.setdefault("read", set())
        read |= {(int(user), int(item)) for user, items in zip(self.asked(part), found, strict=True) for item in items}
        return found

    @property
    def read(self) -> Pairs:
        found: Pairs = self.__dict__.get("read", set())
        return found


def pairs(part: Interactions) -> Pairs:
    return set(zip(part.user.tolist(), part.item.tolist(), strict=True))


Selects = Callable[[Split, Path], Pairs]


def selection_reads_validation_alone(select: Selects, folder: Path) -> None:
    """select: trains and returns the pairs that it chose by."""
    split = world.split(n_users=10, n_items=24, length=6)
    read = select(split, folder)
    assert not read & pairs(split.test), "the model was chosen on test"
    assert read == pairs(split.valid)


def test_the_best_model_is_chosen_on_validation(tmp_path: Path) -> None:
    table = world.table(n_users=10)
    plan = FineTune(epochs=1, batch=10, max_items=5, validations=1)

    def ours(split: Split, folder: Path) -> Pairs:
        watched = Watched(split.protocol, split.train, split.valid, split.test)
        plan.fit(world.model(table), table, watched, folder, lambda event: None, lambda: False, 0, Items())
        return watched.read

    def release(split: Split, folder: Path) -> Pairs:
        """`valid_data = data_construction(test_data)`: what is called validation is made of test."""
        return ours(dataclasses.replace(split, valid=split.test), folder)

    selection_reads_validation_alone(ours, tmp_path / "ours")
    with pytest.raises(AssertionError, match="chosen on test"):
        selection_reads_validation_alone(release, tmp_path / "release")


# --- collisions are not reported --------------------------------------------------------------------------------------------------------

Report = Callable[[IdTable], dict[str, Any]]


def shared_names_are_reported(report: Report) -> None:
    """Three items bear one name: a reader of the report learns how many, and who."""
    codes = np.asarray([[0, 1], [0, 1], [1, 2], [0, 1], [2, 0]], dtype=np.int32)
    told = json.dumps(report(IdTable("t", Names(codes, (Book("i0_", 3), Book("i1_", 3))))), default=str)
    assert '"bearers": 3' in told, "nobody learns that names are shared"
    assert "[0, 1, 3]" in told


def test_collisions_are_counted_and_named() -> None:
    def ours(table: IdTable) -> dict[str, Any]:
        shared = health(table).shared
        return {"bearers": shared.bearers, "groups": [{"name": list(map(str, g.name)), "items": list(g.items)} for g in shared.groups]}

    def release(table: IdTable) -> dict[str, Any]:
        """How well the books are used is all that is printed."""
        return {"used": [len(np.unique(column)) for column in table.items.codes.T]}

    shared_names_are_reported(ours)
    with pytest.raises(AssertionError, match="nobody learns"):
        shared_names_are_reported(release)


# --- `else: NotImplementedError`, without raise -----------------------------------------------------------------------------------------


def named_but_never_raised(tree: ast.AST) -> Iterator[int]:
    """Lines that are nothing but the name, or a call, of an error."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            said = node.value.func if isinstance(node.value, ast.Call) else node.value
            if isinstance(said, ast.Name) and said.id.endswith(("Error", "Exception")):
                yield node.lineno


def every_error_is_raised(paths: list[Path]) -> None:
    found = [f"{path.name}:{line}" for path in paths for line in named_but_never_raised(ast.parse(path.read_text(encoding="utf-8")))]
    assert found == []


def test_what_is_not_known_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    every_error_is_raised([ROOT / p for p in tracked() if p.endswith(".py") and p.startswith(("llmrec/", "app/", "benchmarks/"))])
    passed_over = "def fit(kind):\n    if kind == 'MQ':\n        return 1\n    else:\n        NotImplementedError\n"
    (tmp_path / "vq.py").write_text(passed_over, encoding="utf-8")
    with pytest.raises(AssertionError, match="vq.py:5"):
        every_error_is_raised([tmp_path / "vq.py"])
    with pytest.raises(registry.UnknownName, match="masqued"):
        registry.load("quantizer", "masqued")
