"""The faults of META ID's release: each check passes on what this package does and refuses a small copy of what the release does.

Where each fault stands in the release is told in docs/papers.md. The checks take a behaviour, so that both can be put to the same one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from llmrec import recipe, registry
from llmrec.contracts import Book, Dataset, Floats, IdTable, Interactions, Names, Token, Vectors
from llmrec.data.split import LeaveOneOut
from llmrec.data.synthetic import Checkerboard
from llmrec.embed.metapath import MetaPath
from llmrec.ids.health.semantics import _behaviour, memorization
from llmrec.lm.documents import Window, Writer
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import NameTree
from llmrec.runs import stages
from tests.lm import world
from tests.project.tree import ROOT, tracked

BOARD = Checkerboard(n_users=20, n_items=16)
WALKS = MetaPath(d=6, walk_length=6, walks_per_node=2, epochs=1)


# --- the vectors are trained on the validation item too ---------------------------------------------------------------------------------

VectorsOf = Callable[[Interactions], Vectors]


def with_other_ends(x: Interactions) -> Interactions:
    """The same, but each user's last two items, validation and test, are each other's."""
    item = x.item.copy()
    last = x.offsets[1:] - 1
    item[last], item[last - 1] = x.item[last - 1], x.item[last]
    other = dataclasses.replace(x, item=item)
    assert not np.array_equal(other.item, x.item)
    return other


def held_out_items_teach_nothing(vectors_of: VectorsOf) -> None:
    taken = BOARD.load().interactions
    one, other = vectors_of(taken), vectors_of(with_other_ends(taken))
    assert np.array_equal(one.items, other.items) and np.array_equal(one.users, other.users)


def test_vectors_never_see_the_validation_item(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = recipe.read({"scheme": {"name": "metaid"}, "embed": dataclasses.asdict(WALKS)})

    def ours(taken: Interactions) -> Vectors:
        """As a run does it: split, then vectors; nothing comes out of the cache."""
        monkeypatch.setenv("LLMREC_HOME", str(tmp_path_factory.mktemp("home")))
        found = stages.vectors(
            settings, Dataset("board", taken, BOARD.load().catalog), LeaveOneOut().split(taken, np.random.default_rng(0))
        )
        assert found is not None
        return found

    def release(taken: Interactions) -> Vectors:
        split = LeaveOneOut().split(taken, np.random.default_rng(0))
        seen = ~np.isin(np.arange(len(taken)), taken.offsets[1:] - 1)  # all but the test item
        assert len(split.train) + len(split.valid) == seen.sum()
        return WALKS.fit(taken.take(seen), None, np.random.default_rng(0))

    held_out_items_teach_nothing(ours)
    with pytest.raises(AssertionError):
        held_out_items_teach_nothing(release)


# --- rows of the augmentation lie in the order of a Python set --------------------------------------------------------------------------

NAMED = """
import json, sys
import numpy as np
from llmrec.contracts import Interactions, Vectors
from llmrec.ids.metaid import MetaId
draw = np.random.default_rng(2)
vectors = Vectors(draw.standard_normal((30, 4), np.float32), draw.standard_normal((40, 4), np.float32))
table = MetaId(n_clusters=5, restarts=1).fit(None, None, vectors, np.random.default_rng(0))
tokens, rows = [str(t) for t in table.tokens], table.features
"""
TELL = "\njson.dump([tokens, [row.tolist() for row in rows]], sys.stdout)"
THROUGH_A_SET = NAMED + "rows = [rows[tokens.index(t)] for t in set(tokens)]" + TELL


def rows_lie_where_their_tokens_are(program: str) -> None:
    """Two processes of different hash seeds tell the same rows for the same Tokens."""
    told = []
    for seed in ("1", "2"):
        hashed = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], env=hashed, cwd=ROOT, capture_output=True, text=True, check=True)
        tokens, rows = json.loads(done.stdout)
        told.append(dict(zip(tokens, map(tuple, rows), strict=True)))
    assert len(told[0]) > 10 and told[0] == told[1]


def test_rows_of_the_augmentation_never_follow_a_set() -> None:
    rows_lie_where_their_tokens_are(NAMED + TELL)
    with pytest.raises(AssertionError):
        rows_lie_where_their_tokens_are(THROUGH_A_SET)


RowOf = Callable[[LanguageModel, Token], torch.Tensor]


def each_token_gets_its_own_feature(lm: LanguageModel, table: IdTable, row_of: RowOf) -> None:
    """Row t is E[t] + scale (W f_t + b) with the f of t itself, wherever t lies in the vocabulary."""
    assert lm.rows.augment is not None and table.features is not None
    w, b = lm.rows.augment.weight, lm.rows.augment.bias
    for j, token in enumerate(table.tokens):
        expected = lm.rows.new[j] + lm.rows.scale * (w @ torch.from_numpy(table.features[j]) + b)
        assert torch.allclose(row_of(lm, token), expected, atol=1e-5), token


def test_the_model_adds_to_each_token_what_is_known_of_it() -> None:
    table = world.table()
    lm = world.model(table)
    with torch.no_grad():
        lm.rows.augment.weight.normal_(generator=torch.Generator().manual_seed(0))  # type: ignore[union-attr]

    def ours(lm: LanguageModel, token: Token) -> torch.Tensor:
        return lm.rows(torch.tensor([lm.vocab.row[str(token)]]))[0]

    shuffled = dict(zip(table.tokens, np.random.default_rng(0).permutation(len(table.tokens)).tolist(), strict=True))

    def release(lm: LanguageModel, token: Token) -> torch.Tensor:
        extra = lm.rows.augment(lm.rows.features)[shuffled[token]]  # type: ignore[misc]
        return lm.rows.new[lm.vocab.row[str(token)] - lm.vocab.first] + lm.rows.scale * extra

    each_token_gets_its_own_feature(lm, table, ours)
    with pytest.raises(AssertionError):
        each_token_gets_its_own_feature(lm, table, release)


# --- generation bypasses the augmentation -----------------------------------------------------------------------------------------------

Scores = Callable[[LanguageModel, NameTree, list[int]], dict[int, float]]


def generation_asks_the_model_that_was_trained(scores_of: Scores) -> None:
    """What the beam says of an item is what training would charge for it, with an augmentation that weighs."""
    table = world.table()
    lm = world.model(table)
    with torch.no_grad():
        lm.rows.augment.weight.normal_(0, 3, generator=torch.Generator().manual_seed(1))  # type: ignore[union-attr]
    head = Trie()
    tree = head.compile(lm, table)
    writer = Writer(lm.vocab, tree.names, table)
    for i in range(0, len(table.items), 5):
        batch = writer.write([Window(0, np.asarray([i], dtype=np.int32))], np.random.default_rng(0))
        prompt = batch.ids[0, : int(batch.starts[0, 1])].tolist()
        charged = float(head.loss(lm, tree, batch).detach())
        assert scores_of(lm, tree, prompt)[i] == pytest.approx(-charged, abs=1e-4)


def test_the_augmentation_acts_in_generation() -> None:
    def ours(lm: LanguageModel, tree: NameTree, prompt: list[int]) -> dict[int, float]:
        ranked = Trie(beams=200).rank(lm, tree, [prompt], len(tree.names))
        return dict(zip(ranked.items[0].tolist(), ranked.scores[0].tolist(), strict=True))

    def release(lm: LanguageModel, tree: NameTree, prompt: list[int]) -> dict[int, float]:
        kept, lm.rows.augment = lm.rows.augment, None  # its `generate` goes around the forward that adds it
        try:
            return ours(lm, tree, prompt)
        finally:
            lm.rows.augment = kept

    generation_asks_the_model_that_was_trained(ours)
    with pytest.raises(AssertionError):
        generation_asks_the_model_that_was_trained(release)


# --- the memorization score: no adjusted cosine, and one side alone rescaled ------------------------------------------------------------

RATED = [  # user, item, rating: nobody took both 0 and 1; 0 and 2 were taken by the same people
    *((0, 0, 5), (0, 2, 5), (0, 3, 1)),
    *((1, 0, 4), (1, 2, 5), (1, 3, 1)),
    *((2, 1, 5), (2, 3, 2)),
    *((3, 1, 5), (3, 3, 1)),
]


def rated() -> Interactions:
    user, item, rating = (np.asarray(column) for column in zip(*RATED, strict=True))
    return Interactions.from_unsorted(user, item, np.arange(len(user)), 4, 4, rating.astype(np.float32))


def items_without_a_common_user_are_not_alike(similarity: Callable[[Interactions, int, int], float]) -> None:
    assert similarity(rated(), 0, 1) == pytest.approx(0, abs=1e-6)
    assert similarity(rated(), 0, 2) > 0.9


def released_similarity(x: Interactions, i: int, j: int) -> float:
    """Two sums of deviations multiplied, where the formula sums products over the users of both."""
    assert x.rating is not None
    mean = np.bincount(x.user, x.rating) / np.bincount(x.user)
    away = x.rating - mean[x.user]
    one, two = away[x.item == i], away[x.item == j]
    return float(one.sum() * two.sum() / math.sqrt((one**2).sum() * (two**2).sum()))


def test_behaviour_is_compared_over_the_users_of_both() -> None:
    def ours(x: Interactions, i: int, j: int) -> float:
        return float(_behaviour(x, np.asarray([i, j]), np.asarray([0]), np.asarray([1]))[0])

    items_without_a_common_user_are_not_alike(ours)
    with pytest.raises(AssertionError):
        items_without_a_common_user_are_not_alike(released_similarity)


def names_that_are_behaviour_itself_score_best(distance: Callable[[IdTable, Interactions, Floats], float]) -> None:
    """One Token an item, whose row is the users who took it: nothing can remember more."""
    train = Checkerboard(n_users=40, n_items=16, share=0.8).load().interactions
    codes = np.arange(16, dtype=np.int32)[:, None]
    rows = np.zeros((16, 40), dtype=np.float32)
    rows[train.item, train.user] = 1
    assert distance(IdTable("own", Names(codes, (Book("i", 16),))), train, rows) == pytest.approx(0, abs=1e-6)


def test_the_best_names_have_no_distance_from_behaviour() -> None:
    def ours(table: IdTable, train: Interactions, rows: Floats) -> float:
        return memorization(table, train, rows, n_pairs=200).mse

    def release(table: IdTable, train: Interactions, rows: Floats) -> float:
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        a, b = np.triu_indices(len(rows), k=1)
        alike = (unit @ unit.T)[a, b]
        behaviour = (alike - alike.min()) / (alike.max() - alike.min())  # this side alone is stretched to 0..1
        return float(((behaviour - alike) ** 2).mean())

    names_that_are_behaviour_itself_score_best(ours)
    with pytest.raises(AssertionError):
        names_that_are_behaviour_itself_score_best(release)


# --- a script that cannot run; a path with undefined names ------------------------------------------------------------------------------


def every_name_is_defined(*folders: Path) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_path_names_what_does_not_exist(tmp_path: Path) -> None:
    every_name_is_defined(ROOT / "llmrec", ROOT / "app", ROOT / "benchmarks")
    (tmp_path / "train.py").write_text(
        "def model(backbone):\n    if 'llama' in backbone:\n        return LlamaForCausalLM.from_pretrained(backbone)\n", encoding="utf-8"
    )
    with pytest.raises(AssertionError, match="LlamaForCausalLM"):
        every_name_is_defined(tmp_path)


VERBS = {"data": "load", "filter": "apply", "split": "split", "lm": "build", "head": "rank"}
VERBS |= {"embed": "fit", "scheme": "fit", "train": "fit"}


def every_recipe_can_be_run(recipes: list[Path]) -> None:
    """Each recipe reads, and every stage it names is there and has its verb."""
    assert recipes
    for path in recipes:
        try:
            loaded = recipe.load(path)
        except (ValueError, KeyError, ImportError, AttributeError) as error:
            raise AssertionError(str(error)) from error
        for section, verb in VERBS.items():
            stage = getattr(loaded, section)
            assert stage is None or callable(getattr(stage, verb, None)), f"{path.name}: [{section}] has no {verb}"


def test_every_shipped_recipe_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release's script for the baselines cannot run."""
    every_recipe_can_be_run([ROOT / p for p in tracked() if p.startswith("benchmarks/recipes/") and p.endswith(".toml")])
    script = tmp_path / "baselines.toml"
    script.write_text('[scheme]\nname = "independent"\n', encoding="utf-8")
    with pytest.raises(AssertionError, match="no scheme is called 'independent'"):
        every_recipe_can_be_run([script])
    script.write_text('[scheme]\nname = "rid"\n', encoding="utf-8")
    every_recipe_can_be_run([script])
    monkeypatch.setitem(registry.ENTRIES["scheme"], "rid", "llmrec.ids.rid:NobodyWroteThis")
    with pytest.raises(AssertionError, match="NobodyWroteThis"):
        every_recipe_can_be_run([script])
