"""RecBole's LightGCN, one epoch for every line read: the other side of `python -m benchmarks.embedders`.

Where it stands: outside the package; it is started by the Python that has RecBole 1.2.1 and imports nothing of llmrec. It says one JSON
object a line: an epoch's seconds and validation NDCG@10, at last the test metrics of the epoch that was best on validation.
"""

from __future__ import annotations

import json
import sys
import time
import types
from typing import Any


def config(folder: str, epochs: int, patience: int) -> dict[str, Any]:
    """RecBole's defaults for LightGCN (64 wide, 2 layers, Adam 0.001, batches of 2048) but for its patience, and our split."""
    return {
        "data_path": folder,
        "benchmark_filename": ["train", "valid", "test"],
        "load_col": {"inter": ["user_id", "item_id"]},
        "eval_args": {"mode": "full", "order": "RO", "group_by": "user"},
        "metrics": ["Hit", "NDCG"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "metric_decimal_place": 6,
        "epochs": epochs,
        "stopping_step": patience,
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
        "checkpoint_dir": f"{folder}/saved",
    }


def say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def main(folder: str, epochs: int, patience: int) -> None:
    ray = types.ModuleType("ray")  # imported by RecBole at its top for tuning alone, which is not done here
    ray.tune = types.ModuleType("ray.tune")  # type: ignore[attr-defined]
    sys.modules.update({"ray": ray, "ray.tune": ray.tune})
    sys.argv = sys.argv[:1]  # RecBole reads settings from it
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.model.general_recommender import LightGCN
    from recbole.trainer import Trainer
    from recbole.utils import init_seed

    load = torch.load
    torch.load = lambda *a, **k: load(*a, **{"weights_only": False, **k})  # its own checkpoint, written in this run, holds its settings
    settings = Config(model="LightGCN", dataset="movielens", config_dict=config(folder, epochs, patience))
    init_seed(settings["seed"], settings["reproducibility"])
    data = create_dataset(settings)
    train, valid, test = data_preparation(settings, data)
    model = LightGCN(settings, train._dataset).to(settings["device"])
    trainer = Trainer(settings, model)
    epoch = trainer._train_epoch
    spent: list[float] = []

    def timed(*given: Any, **named: Any) -> Any:
        sys.stdin.readline()  # the other side is at rest now
        begin = time.perf_counter()
        loss = epoch(*given, **named)
        spent.append(time.perf_counter() - begin)
        return loss

    trainer._train_epoch = timed
    say(ready=True, threads=torch.get_num_threads(), torch=torch.__version__)
    best, _ = trainer.fit(train, valid, verbose=False, callback_fn=lambda e, score: say(epoch=e + 1, seconds=spent[-1], valid=float(score)))
    found = trainer.evaluate(test, load_best_model=True, show_progress=False)
    say(end=True, valid=float(best), test={"hit@10": float(found["hit@10"]), "ndcg@10": float(found["ndcg@10"])})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
