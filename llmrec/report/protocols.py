"""Protocols: what is measured, at which cuts, and what chooses a model, each as one complete object with a name.

Where it stands: under `evaluate`, `table` and fine-tuning, which ask the split for its own. What it does not know: rankings, models, files.

A number without a protocol means nothing. A recipe picks one by the name of its split; every one is told masked and unmasked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Ints, Split
from llmrec.report.metrics import METRICS, cut

SEEN, UNSEEN = "seen users", "unseen users"


@dataclass(frozen=True)
class Protocol:
    """A way of measuring.

    name: as in a recipe's [split]; metrics: as "hit@10", in the order of tables; select: the one that chooses a model, read on validation,
    seen items masked; headline: the few that stand in short views; groups: the users that are told apart, beside all of them.
    """

    name: str
    metrics: tuple[str, ...]
    select: str
    headline: tuple[str, ...]
    what: str
    source: str
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.metrics or len(set(self.metrics)) < len(self.metrics):
            raise ValueError(f"protocol {self.name!r} measures {self.metrics}: name one metric or more, each once")
        for metric in self.metrics:
            if metric.partition("@")[0] not in METRICS or cut(metric) < 1:
                raise ValueError(f"protocol {self.name!r}: no metric is called {metric!r}; write one of {', '.join(METRICS)}, as hit@10")
        for metric in (self.select, *self.headline):
            if metric not in self.metrics:
                raise ValueError(f"protocol {self.name!r} does not measure {metric!r}; add it to its metrics")

    @property
    def cuts(self) -> tuple[int, ...]:
        """The k of its metrics, ascending; the last is how many places a ranking needs."""
        return tuple(sorted({cut(metric) for metric in self.metrics}))


_LAST = ("hit@5", "ndcg@5", "hit@10", "ndcg@10", "hit@20", "ndcg@20", "hit@30", "ndcg@30", "mrr@10")

LOO = Protocol(
    "loo",
    _LAST,
    "ndcg@10",
    ("hit@10", "ndcg@10"),
    "Of each user the last item is test, the one before it validation; ties in time keep file order.",
    "META ID and TokenRec (docs/papers.md)",
)
HOLDOUT = Protocol(
    "holdout",
    ("recall@20", "recall@40", "ndcg@100"),
    "ndcg@100",
    ("recall@20", "ndcg@100"),
    "Of each user a tenth of the items, drawn at random, is test and a tenth validation; recall divides by min(k, targets).",
    "CLLM4Rec and Mult-VAE (docs/papers.md)",
)
UNSEEN_USERS = Protocol(
    "unseen-users",
    _LAST,
    "ndcg@10",
    ("hit@10", "ndcg@10"),
    "As loo, with the least active users taken out of all training; told for seen and for unseen users apart.",
    "TokenRec (docs/papers.md)",
    (SEEN, UNSEEN),
)
UNSEEN_ITEMS = Protocol(
    "unseen-items",
    _LAST,
    "ndcg@10",
    ("hit@10", "ndcg@10"),
    "Items taken out of all training and placed afterwards by who took them; one is asked of each user who did not tell of any.",
    "TokenRec (docs/papers.md)",
)
PROTOCOLS = {protocol.name: protocol for protocol in (LOO, HOLDOUT, UNSEEN_USERS, UNSEEN_ITEMS)}


def of(split: Split) -> Protocol:
    """The protocol that a split is made for. ValueError where its name is not registered.

    Older saved splits call themselves "loo" though users were held out: these users tell.
    """
    if split.protocol == LOO.name and len(split.held_out):
        return UNSEEN_USERS
    return named(split.protocol)


def named(name: str) -> Protocol:
    """The protocol of this name. ValueError with the names there are."""
    if name not in PROTOCOLS:
        raise ValueError(f"no protocol is called {name!r}; there are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def groups(split: Split, users: Ints) -> dict[str, NDArray[np.bool_]]:
    """Masks (n,) of these users, one per group that the protocol tells apart; a group of nobody is left out."""
    if not of(split).groups:
        return {}
    unseen = np.isin(users, split.held_out)
    return {name: mask for name, mask in ((SEEN, ~unseen), (UNSEEN, unseen)) if mask.any()}


def headline(report: Mapping[str, object], measured: Collection[str]) -> tuple[str, ...]:
    """Which of the measured metrics stand in a short view of a report ("split" says its protocol): never none where any was measured."""
    protocol = PROTOCOLS.get(str(report.get("split")))
    chosen = tuple(name for name in (protocol.headline if protocol else LOO.headline) if name in measured)
    return chosen or tuple(measured)[:2]
