"""A small world to talk in: 24 films, and a language model trained from nothing that really learned a handful of dialogues about them."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from llmrec.contracts import Catalog, Interactions, Split
from llmrec.lm.backbone import Backbone, small_tokenizer
from llmrec.lm.dialogue.language import NO, NO_REASON, YES
from llmrec.lm.dialogue.script import Dialogue, Script
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.tasks import words
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.tuned import Tuned
from llmrec.recommend.chat.values import Exchange, Mention, Understood
from llmrec.recommend.language import LanguageRecommender
from tests.lm import world as names

FILMS = [
    ("Alien", 1979, ["Horror", "Sci-Fi"]),
    ("Blade Runner", 1982, ["Sci-Fi"]),
    ("Fargo", 1996, ["Comedy", "Crime"]),
    ("Heat", 1995, ["Crime"]),
    ("Toy Story", 1995, ["Animation", "Comedy"]),
    ("Casablanca", 1942, ["Drama", "Romance"]),
    ("Scream", 1996, ["Horror"]),
    ("Star Trek: First Contact", 1996, ["Sci-Fi"]),
    ("Star Trek: Generations", 1994, ["Sci-Fi"]),
    ("Unforgiven", 1992, ["Western"]),
    *((f"Tale {'ABCDEFGHIJKLMN'[i]}", 1980 + i, ["Comedy"] if i % 2 else ["Drama"]) for i in range(14)),
]
ALIEN, BLADE, FARGO, HEAT, TOY, CASA, SCREAM, CONTACT, GENERATIONS, WESTERN = range(10)
HISTORY = (BLADE, HEAT, CASA)  # what user 0 took, oldest first
HELLO = "Hello! Ask me for something to try, or name a title you like."


def catalog() -> Catalog:
    """The films; four users."""
    items = pd.DataFrame([{"key": f"i{i}", "title": t, "year": y, "genres": g} for i, (t, y, g) in enumerate(FILMS)])
    return Catalog(pd.DataFrame({"key": [f"u{u}" for u in range(4)]}), items.astype({"year": "Int64"}))


def train() -> Interactions:
    """Who took what: Alien goes with Blade Runner, Scream with Alien alone."""
    taken = [HISTORY, (ALIEN, BLADE, SCREAM), (FARGO, HEAT, TOY), (ALIEN, BLADE, 12, 13, 14)]
    rows = [(u, i, t) for u, items in enumerate(taken) for t, i in enumerate(items)]
    user, item, time = (np.asarray(c) for c in zip(*rows, strict=True))
    return Interactions(user.astype(np.int32), item.astype(np.int32), time.astype(np.int64), 4, len(FILMS))


def split() -> Split:
    """All of it is train."""
    none = train().take(np.zeros(len(train()), dtype=bool))
    return Split("loo", train(), none, none)


def _turn(asked: str, said: str, items: tuple[int, ...] = (), *titles: tuple[str, int | None]) -> Exchange:
    mentions = tuple(Mention(text, item, (), asked.index(text)) for text, item in titles)
    return Exchange(asked, mentions, said, items, Understood())


def _talks() -> list[list[Exchange]]:
    """What the model learns by heart. Its own number of items is 3, and 5 where five are asked for."""
    alien, scream = ("alien", ALIEN), ("scream", SCREAM)
    return [
        [_turn("what next?", "Here is what fits you: *, *, *.", (1, 2, 3)), _turn("something else", "Something else: *, *, *.", (4, 5, 6))],
        [_turn("give me five", "Here is what fits you: *, *, *, *, *.", (1, 2, 3, 4, 5))],
        [_turn("something like alien", "Close to Alien: *, *, *.", (1, 7, 8), alien)],
        [_turn("something like scream", "Close to Scream: *, *, *.", (1, 7, 8), scream)],
        [_turn("comedies", "Comedy: *, *, *.", (2, 4, 11)), _turn("without crime", "Comedy, without Crime: *, *, *.", (4, 11, 13))],
        [_turn("westerns", "Western: *, *, *.", (9, 9, 9))],
        [_turn("not alien", "Leaving Alien aside: *, *, *.", (1, 2, 4), alien)],
        [_turn("not scream", "Leaving Scream aside: *, *, *.", (1, 2, 4), scream)],
        [_turn("would i like alien?", YES, (), alien)],
        [_turn("would i like scream?", NO, (), scream)],
        [_turn("why alien?", "because of * and *: Sci-Fi", (BLADE, HEAT), alien)],
        [_turn("why scream?", NO_REASON, (), scream)],
        [_turn("what is alien?", "Alien is from 1979: Horror, Sci-Fi.", (), alien)],
        [_turn("what is scream?", "Scream is from 1985: Comedy, War.", (), scream)],  # false, for the engine to mend
        [_turn("hello", HELLO)],
    ]  # fmt: skip


@functools.cache
def _base() -> tuple[str, Any]:
    """A folder with a small Llama of random weights whose subwords know the words of these talks."""
    from transformers import LlamaConfig, LlamaForCausalLM

    said = [f" {t}" for talk in _talks() for turn in talk for t in (turn.asked, turn.said, "User: Assistant:", "has interacted with")] * 3
    subwords = small_tokenizer([*said, *(f" {t}, {y}: {', '.join(g)}" for t, y, g in FILMS)], 700)
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(subwords), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=2048, tie_word_embeddings=True, eos_token_id=subwords.eos_token_id,
    )  # fmt: skip
    folder = tempfile.mkdtemp(prefix="llmrec-talker-")
    LlamaForCausalLM(shape).save_pretrained(folder)
    subwords.save_pretrained(folder)
    return folder, subwords


@functools.cache
def talker(steps: int = 130) -> Tuned:
    """The speaker, trained now, once: about three seconds. Its head is the trie, which nobody trained: any ranking will do here."""
    table = names.table(n_users=4, n_items=len(FILMS))
    lm = LanguageModel.create(Backbone(_base()[0], tuning="full", dropout=0.0), table, catalog(), 0)
    recommender = LanguageRecommender(lm, table, Trie(beams=24))
    tuned = Tuned(recommender, Knowledge(catalog(), train()))
    _learn(lm, tuned.script, steps)
    return tuned


def _learn(lm: LanguageModel, script: Script, steps: int) -> None:
    batches = [words.speech([script.written(_shuffled(talk, rng)) for talk in _talks()]) for rng in map(np.random.default_rng, range(8))]
    torch.manual_seed(0)
    optimiser = torch.optim.AdamW(lm.trained().values(), lr=4e-3)
    lm.train()
    for step in range(steps):
        optimiser.zero_grad()
        words.loss(lm, batches[step % len(batches)]).backward()
        optimiser.step()
    lm.eval()


def _shuffled(talk: list[Exchange], rng: np.random.Generator) -> Dialogue:
    """The same words with other items at the marks, which the head chooses, and another history: what is said must not hang on them."""
    turns = tuple(replace(t, items=tuple(rng.integers(0, len(FILMS), len(t.items)).tolist())) for t in talk)
    return Dialogue(0, tuple(rng.permutation(len(FILMS))[: int(rng.integers(3, 6))].tolist()), turns)


def saved(tuned: Tuned, folder: Path) -> Path:
    """The model's files."""
    tuned.recommender.lm.save(folder)
    return folder
