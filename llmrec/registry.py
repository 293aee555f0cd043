"""Names to classes, lazily: the one place that knows what exists.

Where it stands: beside the flow. Adding a scheme is one file and one line here. Nothing is imported before it is asked for.
"""

from __future__ import annotations

import difflib
import importlib
from typing import Any

ENTRIES: dict[str, dict[str, str]] = {
    "data": {
        "ml-100k": "llmrec.data.movielens:MovieLens100K",
        "movielens": "llmrec.data.movielens:MovieLensFolder",
        "recbole": "llmrec.data.recbole:RecBoleFolder",
        "table": "llmrec.data.tabular:TableFile",
        "sequences": "llmrec.data.sequences:SequenceFile",
        "amazon": "llmrec.data.amazon:AmazonReviews",
        "upload": "llmrec.data.uploads:Upload",
        "lastfm": "llmrec.data.known:LastFm",
        "ml-1m": "llmrec.data.known:MovieLens1M",
        "beauty": "llmrec.data.known:Beauty",
        "checkerboard": "llmrec.data.synthetic:Checkerboard",
        "bazaar": "llmrec.data.bazaar:Bazaar",
    },
    "split": {
        "loo": "llmrec.data.split:LeaveOneOut",
        "holdout": "llmrec.data.split:RandomHoldout",
        "unseen-users": "llmrec.data.split:UnseenUsers",
        "unseen-items": "llmrec.data.unseen_items:UnseenItems",
    },
    "embed": {
        "metapath": "llmrec.embed.metapath:MetaPath",
        "lightgcn": "llmrec.embed.lightgcn:LightGcn",
        "bpr": "llmrec.embed.bpr:Bpr",
        "text": "llmrec.embed.text:Text",
    },
    "scheme": {
        "rid": "llmrec.ids.rid:Rid",
        "sid": "llmrec.ids.sid:Sid",
        "cid": "llmrec.ids.cid:Cid",
        "title": "llmrec.ids.title:Title",
        "metaid": "llmrec.ids.metaid:MetaId",
        "tokenrec": "llmrec.ids.tokenrec:TokenRec",
        "tiger": "llmrec.ids.tiger:Tiger",
        "cllm4rec": "llmrec.ids.cllm4rec:Cllm4Rec",
        "imported": "llmrec.ids.imported:Imported",
    },
    "quantizer": {
        "kmeans": "llmrec.ids.vq.kmeans:Centroids",
        "masked": "llmrec.ids.vq.masked:Masked",
        "residual": "llmrec.ids.vq.residual:Residual",
        "product": "llmrec.ids.vq.product:Product",
        "directions": "llmrec.ids.vq.directions:Directions",
    },
    "head": {
        "trie": "llmrec.lm.heads.trie:Trie",
        "items": "llmrec.lm.heads.items:Items",
        "retrieve": "llmrec.lm.heads.retrieve:Retrieve",
    },
    "train": {
        "finetune": "llmrec.lm.finetune:FineTune",
        "mutual": "llmrec.lm.mutual.plan:Mutual",
    },
    "baseline": {
        "popularity": "llmrec.recommend.popularity:Popularity",
        "itemknn": "llmrec.recommend.itemknn:ItemKnn",
        "itemknn-last3": "llmrec.recommend.itemknn:RecentItemKnn",
        "ease": "llmrec.recommend.ease:Ease",
        "bprmf": "llmrec.recommend.dot:BprMf",
        "lightgcn": "llmrec.recommend.dot:LightGcnDot",
        "sasrec": "llmrec.recommend.sasrec:SasRec",
        "multvae": "llmrec.recommend.multvae:MultVae",
    },
}

QUICK_BASELINES = (
    "popularity",
    "itemknn",
    "itemknn-last3",
    "ease",
)  # fitted within seconds; the others train, and run where they are named


class UnknownName(KeyError):
    """A name nobody registered. The message names the near ones."""

    def __str__(self) -> str:
        return str(self.args[0])


def names(kind: str) -> list[str]:
    """Every registered name of a kind, in order of registration."""
    return list(_entries(kind))


def load(kind: str, name: str) -> Any:
    """The class behind a name, imported now. Raises `UnknownName` with the near names."""
    entries = _entries(kind)
    if name not in entries:
        raise UnknownName(f"no {kind} is called {name!r}{_near(name, list(entries))}")
    module, _, attribute = entries[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def name_of(kind: str, stage: object) -> str:
    """The registered name of a stage, from its class."""
    here = f"{type(stage).__module__}:{type(stage).__qualname__}"
    for name, target in _entries(kind).items():
        if target == here:
            return name
    raise UnknownName(f"{here} is not registered as {kind}: add a line to llmrec/registry.py")


def _entries(kind: str) -> dict[str, str]:
    if kind not in ENTRIES:
        raise UnknownName(f"no kind of stage is called {kind!r}{_near(kind, list(ENTRIES))}")
    return ENTRIES[kind]


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f": did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(known)}"
