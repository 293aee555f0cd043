"""Content vectors: what an item's text says, and that reading is the same in whatever company. No hub: a random model made on the fly."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Catalog, Embedder, Interactions, ReadsText
from llmrec.embed import text
from llmrec.embed.text import Text, item_text, profiles, same_length, texts
from llmrec.lm.backbone import Backbone

TINY = Text(model="tiny")
WORDS = ["Title: Alien.", "Title: Brazil. Year: 1985.", "Title: Heat.", "", "Title: Antz.", "Title: A Grand Day Out. Genres: Comedy."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random Llama of three layers with its tokenizer, saved as any local model is."""
    path = tmp_path_factory.mktemp("model")
    causal, tokenizer = Backbone("tiny", layers=3).build(["Title: Alien. Year: 1979. Genres: Horror, Sci-Fi."], seed=4)
    causal.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


@pytest.fixture
def catalog() -> Catalog:
    items = pd.DataFrame(
        {
            "key": ["a", "b", "c"],
            "genres": pd.Series([["Horror", "Sci-Fi"], [], ["Comedy"]], dtype=object),
            "title": ["Alien", "Brazil", "M."],
            "year": pd.array([1979, None, 1931], dtype="Int64"),
            "run_time": [117.0, float("nan"), 99.5],
        }
    )
    return Catalog(pd.DataFrame({"key": ["u", "v"]}), items)


def train() -> Interactions:
    """User 0 took items 0 and 2, user 1 nothing."""
    return Interactions(np.array([0, 0], np.int32), np.array([0, 2], np.int32), np.array([1, 2]), 2, 3)


def test_a_row_becomes_sentences_and_what_is_missing_is_left_out(catalog: Catalog) -> None:
    assert texts(catalog) == [
        "Title: Alien. Genres: Horror, Sci-Fi. Year: 1979. Run time: 117.",
        "Title: Brazil.",
        "Title: M. Genres: Comedy. Year: 1931. Run time: 99.5.",
    ]
    assert texts(catalog, ("genres",)) == ["Genres: Horror, Sci-Fi.", "", "Genres: Comedy."]
    assert item_text({"title": "Two\n lines", "key": "k", "brand": None}) == "Title: Two lines."
    with pytest.raises(ValueError, match=r"no column 'genre': fields may name genres, title, year, run_time"):
        texts(catalog, ("genre",))


def test_it_speaks_both_protocols_and_fit_is_read(catalog: Catalog) -> None:
    assert isinstance(TINY, Embedder) and isinstance(TINY, ReadsText)
    vectors = TINY.fit(train(), catalog, np.random.default_rng(0))
    assert vectors.joint and vectors.items.shape == (3, 32) and vectors.items.dtype == np.float32
    assert np.array_equal(vectors.items, TINY.read(texts(catalog)))
    np.testing.assert_allclose(np.linalg.norm(vectors.items, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors.users[0], (vectors.items[0] + vectors.items[2]) / 2, atol=1e-6)
    assert not vectors.users[1].any()


def test_without_a_catalogue_it_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="text reads the catalogue and got none"):
        TINY.fit(train(), None, np.random.default_rng(0))


def test_a_text_has_the_same_bits_in_any_company() -> None:
    many = [f"Title: Film number {i}. Year: {1950 + i % 60}." for i in range(30)] + WORDS
    together = TINY.read(many)
    assert np.array_equal(together, TINY.read(many))
    assert np.array_equal(together[::-1], TINY.read(many[::-1]))
    for row in (0, 7, 31, 33):
        assert np.array_equal(together[row], TINY.read([many[row]])[0])
    assert not TINY.read([" "]).any() and TINY.read([]).shape == (0, 32)


def test_reading_leaves_the_stream_of_torch_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    TINY.read(WORDS)
    assert torch.equal(before, torch.get_rng_state())


def test_a_vector_is_the_mean_over_the_subwords_of_the_layer_asked_for(folder: str) -> None:
    """By hand: one text at a time through the first two of three layers and the last normalisation."""
    from transformers import AutoModel, AutoTokenizer

    whole, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    found = Text(model=folder, layer=2).read(WORDS)
    for row, words in enumerate(WORDS):
        if not words:
            continue
        with torch.inference_mode():
            states = whole(torch.tensor([tokenizer(words)["input_ids"]]), output_hidden_states=True).hidden_states
            mean = whole.norm(states[2])[0].mean(0).numpy()
        np.testing.assert_allclose(found[row], mean / np.linalg.norm(mean), atol=1e-5)
    last = Text(model=folder).read(WORDS[:1])
    assert np.array_equal(last, Text(model=folder, layer=3).read(WORDS[:1])) and not np.allclose(last, found[:1], atol=1e-3)


def test_long_texts_are_cut() -> None:
    short = Text(model="tiny", max_subwords=5)
    assert np.array_equal(short.read(["abcdefgh"]), short.read(["abcde"]))
    assert not np.array_equal(short.read(["abcdefgh"]), short.read(["bcdef"]))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 4), max_size=60))
def test_batches_hold_one_length_each_and_every_row_once(lengths: list[int]) -> None:
    batches = list(same_length([[0] * n for n in lengths]))
    assert all(len(b) == text.BATCH and len({lengths[r] for r in b}) == 1 for b in batches)
    assert sorted({int(r) for b in batches for r in b}) == [r for r, n in enumerate(lengths) if n]


def test_profiles_count_repeats() -> None:
    items = np.array([[1, 0], [0, 1]], dtype=np.float32)
    twice = Interactions(np.array([0, 0, 0], np.int32), np.array([0, 0, 1], np.int32), np.array([1, 2, 3]), 1, 2)
    np.testing.assert_allclose(profiles(items, twice), [[2 / 3, 1 / 3]], atol=1e-6)


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        ({"layer": 0}, "layer is 0, but must be at least 1"),
        ({"max_subwords": 0}, "max_subwords is 0"),
        ({"fields": ("key",)}, "says nothing of an item"),
    ],
)
def test_bad_settings_are_refused(given_settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Text(**given_settings)  # type: ignore[arg-type]


def test_models_that_are_not_there_are_refused(folder: str) -> None:
    with pytest.raises(ValueError, match="no model is called 'smollm3': use smollm2-135m"):
        Text(model="smollm3").read(["x"])
    with pytest.raises(ValueError, match=r"model 'nobody/nothing' cannot be read"):
        Text(model="nobody/nothing").read(["x"])
    with pytest.raises(ValueError, match="layer is 4, but .* has 3"):
        Text(model=folder, layer=4).read(["x"])


def test_vectors_are_held_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million rows of 576 are 2.3 GB: lengths are divided away in place, a batch at a time, and so is the users' mean."""
    width = 20_000

    class Wide:
        config = SimpleNamespace(hidden_size=width)
        device = torch.device("cpu")

        def to(self, _: object) -> Wide:
            return self

        eval = lambda self: self  # noqa: E731

        def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
            return SimpleNamespace(last_hidden_state=torch.full((*input_ids.shape, width), 3.0))

    monkeypatch.setattr(Text, "_load", lambda _: (Wide(), lambda *_, **__: {"input_ids": [1, 2]}))
    tracemalloc.start()
    rows = TINY.read(["x"] * 200)
    read = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    took = Interactions(np.arange(200, dtype=np.int32), np.arange(200, dtype=np.int32), np.arange(200), 200, 200)
    users = profiles(rows, took)
    told = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-4)
    assert read < 1.2 * rows.nbytes and told < 1.2 * (rows.nbytes + users.nbytes)
