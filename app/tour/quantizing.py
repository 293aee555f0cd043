"""What the story of TokenRec has computed beside the page: quantizers to compare with, and quick fits of other sizes.

Where it stands: an errand of the Tour, and the keys under which its results are kept. What it does not know: pages, language models.
`python -m app.tour.quantizing RUN rivals` and `... RUN refit BOOKS CODES` work on a run's vectors and names; where RUN is "-", on those
that the stages have made of the recipe on their standard input.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import time
import tomllib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from llmrec.contracts import Floats, IdTable, Quantizer, Vectors
from llmrec.ids.tokenrec import TokenRec
from llmrec.ids.vq.masked import Masked, MaskedVq

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SAMPLE, DRAWS, SEED = 150, 20, 0
STEPS = 300  # of a quick fit; TokenRec's own takes 1,500
OWN = "masked (TokenRec)"
NO_RUN = "-"


@dataclass(frozen=True, eq=False)
class Rivals:
    """Quantizers of TokenRec's size on the same vectors, without its mask, and all four under the same masks: see `steadiness.curve`."""

    names: tuple[str, ...]
    quantizers: tuple[Quantizer, ...]
    curve: pd.DataFrame
    seconds: float


@dataclass(frozen=True)
class Refit:
    """A quick fit. cosine: between a vector and what its codes decode to, on average; shared: items whose name another has too; dead: codes
    that nobody carries; items: how many there are."""

    books: int
    codes: int
    cosine: float
    shared: int
    dead: int
    items: int
    seconds: float


def key(what: str, settings: TokenRec, vectors: Vectors, *more: Any) -> str:
    """What a result is kept under: the vectors and every setting."""
    from llmrec import artifacts
    from llmrec.ids.vq import holes
    from llmrec.runs import cache

    tried = [SHARES, SAMPLE, DRAWS, SEED, STEPS]
    return cache.key(what, tried, dataclasses.asdict(settings), cache.code(holes.__name__), artifacts.fingerprint(vectors), *more)


def rivals_key(settings: TokenRec, table: IdTable, vectors: Vectors) -> str:
    """The key of a comparison with this table's own quantizer."""
    from llmrec import artifacts

    return key("rivals", settings, vectors, artifacts.fingerprint(table.item_quantizer))


def rivals(settings: TokenRec, table: IdTable, vectors: Vectors) -> Rivals:
    """The quantizers that TokenRec's paper compares with, fitted and tried."""
    from llmrec import rng
    from llmrec.ids.vq import directions
    from llmrec.ids.vq.product import ProductKMeans
    from llmrec.ids.vq.residual import RqKMeans
    from llmrec.view import steadiness

    began = time.monotonic()
    own, rows = table.item_quantizer, vectors.items
    assert isinstance(own, Masked)
    books, codes = own.books.shape[:2]
    draw = rng.stream(SEED, "rivals")
    plain = MaskedVq(books, codes, 0.0, settings.beta, settings.hidden, settings.steps, settings.batch, settings.lr)
    found: dict[str, Quantizer] = {OWN: own, "the same, learned without masks": plain.fit(rows, draw)}
    found["k-means on parts"] = directions.learn(ProductKMeans(books, codes).fit, rows, draw)
    found["residual k-means"] = directions.learn(functools.partial(RqKMeans(books, codes).fit, one_scale=True), rows, draw)
    known = np.flatnonzero(rows.any(1))
    sample = rows[np.sort(draw.choice(known, min(SAMPLE, len(known)), replace=False))]
    curve = steadiness.curve(found, own.mean, sample, SHARES, DRAWS, draw)
    others = tuple(name for name in found if name != OWN)
    return Rivals(others, tuple(found[name] for name in others), curve, time.monotonic() - began)


def refit(settings: TokenRec, rows: Floats, books: int, codes: int) -> Refit:
    """The masked quantizer of another size, fitted quickly."""
    from llmrec import rng
    from llmrec.ids.vq.directions import directions

    began = time.monotonic()
    learner = MaskedVq(books, codes, settings.mask, settings.beta, settings.hidden, STEPS, settings.batch, settings.lr)
    quantizer = learner.fit(rows, rng.stream(SEED, "refit"))
    names = quantizer.encode(rows)
    whole, told = directions(rows), quantizer.decode(names)
    lengths = np.linalg.norm(told, axis=1) * np.linalg.norm(whole, axis=1)
    cosine = float(((whole * told).sum(1) / np.maximum(lengths, 1e-12))[rows.any(1)].mean())
    _, carried = np.unique(names, axis=0, return_counts=True)
    dead = sum(size - len(np.unique(column)) for size, column in zip(quantizer.sizes, names.T, strict=True))
    return Refit(books, codes, cosine, int(carried[carried > 1].sum()), int(dead), len(rows), time.monotonic() - began)


def main(words: list[str], text: str) -> int:
    """Work one errand and keep its result."""
    from llmrec import progress
    from llmrec.runs import cache

    try:
        tell({"stage": "reading the vectors"})
        settings, table, vectors = _from_run(words[0]) if words[0] != NO_RUN else _from_recipe(text)
        with progress.listening(tell):
            if words[1] == "rivals":
                cache.remember("rivals", rivals_key(settings, table, vectors), Rivals, lambda: rivals(settings, table, vectors))
            else:
                size = int(words[2]), int(words[3])
                cache.remember("refit", key("refit", settings, vectors, *size), Refit, lambda: refit(settings, vectors.items, *size))
    except (ValueError, OSError) as error:
        tell({"trouble": str(error)})
        return 1
    return 0


def _from_run(name: str) -> tuple[TokenRec, IdTable, Vectors]:
    from llmrec.runs import store

    run = store.by_name(name)
    vectors = run.vectors()
    assert vectors is not None
    return run.recipe.scheme, run.table(), vectors


def _from_recipe(text: str) -> tuple[TokenRec, IdTable, Vectors]:
    from llmrec import recipe
    from llmrec.runs import stages

    wanted = recipe.read(tomllib.loads(text))
    data = stages.dataset(wanted)
    parts = stages.split(wanted, data)
    vectors = stages.vectors(wanted, data, parts)
    assert vectors is not None
    return wanted.scheme, stages.table(wanted, data, parts, vectors), vectors


def tell(event: dict[str, Any]) -> None:
    """One line of what is said."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    from app.tour.quantizing import main as work

    sys.exit(work(sys.argv[1:], sys.stdin.read()))
