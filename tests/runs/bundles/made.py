"""Small runs to pack, finished in a second: real names, a real model that nothing trained, numbers that were written down by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmrec import artifacts, recipe
from llmrec.runs.store import Run

WALKS = {"name": "metapath", "d": 8, "walk_length": 6, "walks_per_node": 3, "epochs": 1}
BOARD = {"data": {"name": "checkerboard", "n_users": 30, "n_items": 24}, "lm": {"name": "tiny"}}
KINDS: dict[str, dict[str, Any]] = {
    "metaid": {"embed": WALKS, "scheme": {"name": "metaid", "n_clusters": 4}, "head": {"name": "trie"}},
    "tokenrec": {
        "embed": {"name": "lightgcn", "d": 8, "epochs": 3},
        "scheme": {"name": "tokenrec", "n_codes": 6, "hidden": 8, "steps": 20},
        "head": {"name": "retrieve"},
    },
    "tiger": {
        "embed": {"name": "text", "model": "tiny"},
        "scheme": {"name": "tiger", "quantizer": "rqkmeans", "n_codes": 4, "user_tokens": 10},
        "head": {"name": "trie"},
    },
    "cllm4rec": {"scheme": {"name": "cllm4rec"}, "head": {"name": "items"}},
    "title": {"scheme": {"name": "title"}, "head": {"name": "trie"}},
    "sid": {"scheme": {"name": "sid"}, "head": {"name": "trie"}},
    "rid": {"scheme": {"name": "rid"}, "head": {"name": "trie"}},
    "cid": {"scheme": {"name": "cid", "n_clusters": 4, "leaf": 6}, "head": {"name": "trie"}},
}
METRICS = {"test": {"masked": {"run": "x", "split": "loo", "metrics": {"hit@10": 0.25, "ndcg@10": 0.125}}}}


def finished(kind: str, **changed: Any) -> Run:
    """A run of one kind that is done."""
    from llmrec.lm.model import LanguageModel
    from llmrec.runs import pipeline, status, store

    run = store.create(recipe.read({**BOARD, **KINDS[kind], **changed}))
    wanted = run.recipe
    prepared = pipeline.prepare(wanted, lambda event: None)
    pipeline._keep(run, prepared)
    model = LanguageModel.create(wanted.lm, run.table(), prepared.dataset.catalog, wanted.seed)
    wanted.head.equip(model, run.vectors(), wanted.seed)
    model.save(run.path / "model")
    artifacts.write_json({"steps": 3, "steps_planned": 3, "seconds": 1.5, "reason": "finished"}, run.path / "training.json")
    artifacts.write_json(METRICS, run.path / "metrics.json")
    events = ({"event": "step", "step": 1, "loss": 2.5}, {"event": "warning", "text": "Even 2 of a file in a folder"})
    for event in events:
        pipeline.Teller(run, None)(event)
    status.write(run.path, "done", "trained")
    return run


def best(run: Run, k: int = 5) -> tuple[list[list[int]], list[list[float]]]:
    """What a run recommends to everybody of the test, with scores."""
    found = run.recommender().recommend(run.split().queries("test"), k)
    return found.items.tolist(), found.scores.tolist()


def elsewhere(monkeypatch: Any, place: Path, runs: Path | None = None) -> None:
    """Another machine: a home and a runs' folder without anything in them."""
    monkeypatch.setenv("LLMREC_HOME", str(place))
    monkeypatch.setenv("LLMREC_RUNS", str(runs or place / "runs"))
