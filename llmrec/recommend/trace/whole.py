"""The heads that score the whole catalogue at once, looked into: who lies near the projected state, and what each piece's row gives.

Where it stands: after the heads `retrieve` and `items`, whose own scores these are. What it does not know: people, pages, figures.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from llmrec.contracts import Floats
from llmrec.lm.heads.whole import last_states
from llmrec.lm.precision import autocast
from llmrec.recommend.language import LanguageRecommender


@contextlib.contextmanager
def at_rest(recommender: LanguageRecommender) -> Iterator[None]:
    """The model as it recommends, without dropout; as it was afterwards."""
    training = recommender.lm.training
    recommender.lm.eval()
    try:
        yield
    finally:
        recommender.lm.train(training)


@dataclass(frozen=True)
class Nearness:
    """Where a prompt leads. query: (d',) of length 1; units: (m, d') the items; cosines: (m,), -inf where nothing is known of an item."""

    query: Floats
    units: Floats
    cosines: Floats

    @property
    def mean(self) -> float:
        """The mean cosine over all items of which something is known: what nearness means nothing below."""
        known = self.cosines[np.isfinite(self.cosines)]
        return float(known.mean()) if len(known) else float("nan")

    def plane(self, items: list[int]) -> tuple[Floats, Floats]:
        """The query and some items on the plane in which these lie widest (PCA): (2,) and (n, 2)."""
        points = np.concatenate([self.query[None], self.units[items]]).astype(np.float64)
        centred = points - points.mean(0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        axes = axes[:2] * np.where(axes[:2].sum(1, keepdims=True) < 0, -1, 1)  # svd's signs are arbitrary; fixed, a picture stays put
        flat = np.zeros((len(points), 2))
        flat[:, : len(axes)] = centred @ axes.T
        return flat[0].astype(np.float32), flat[1:].astype(np.float32)


@dataclass(frozen=True)
class Multinomial:
    """One softmax over the catalogue. log_p: (m,); state: (d,) what the rows are multiplied with."""

    log_p: Floats
    state: Floats


def near(recommender: LanguageRecommender, prompt: list[int]) -> Nearness:
    """The retrieve head's place for this prompt, and every item's cosine to it."""
    pool, head, lm = recommender.compiled, recommender.head, recommender.lm
    z = head.places(lm, [prompt])  # type: ignore[attr-defined]
    cosines = head.cosines(pool, z)  # type: ignore[attr-defined]
    return Nearness(z[0].float().cpu().numpy(), pool.units.cpu().numpy(), cosines[0].float().cpu().numpy())


def softmax(recommender: LanguageRecommender, prompt: list[int]) -> Multinomial:
    """The items head's distribution after this prompt."""
    lm = recommender.lm
    with torch.no_grad(), autocast(lm.device):
        state = last_states(lm, [prompt])[0]
    scored = recommender.head.scored(lm, recommender.compiled, [prompt])[0]  # type: ignore[attr-defined]
    return Multinomial(scored.float().cpu().numpy(), state.float().cpu().numpy())


def shares(recommender: LanguageRecommender, found: Multinomial, item: int) -> list[tuple[int, float]]:
    """How much of an item's logit each Token of its name gives: (row number, part); the parts sum to the logit."""
    compiled, lm = recommender.compiled, recommender.lm
    end = compiled.begin[item + 1] if item + 1 < len(compiled.begin) else len(compiled.which)
    rows = compiled.rows[compiled.which[compiled.begin[item] : end]]
    with torch.no_grad():
        vectors = lm.rows.outputs(torch.from_numpy(rows).to(lm.device)).float().cpu().numpy()
    return [(int(row), float(v @ found.state) / len(rows)) for row, v in zip(rows, vectors, strict=True)]
