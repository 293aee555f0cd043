"""The rows of the results book: every recipe under benchmarks/recipes, and every baseline on the data and protocols it stands beside.

Where it stands: before `benchmarks.measure` and `benchmarks.report`. What it does not know: what was measured.

A recipe's row is called by its path without .toml ("heads/cid-items-ml-100k-sketch"), a baseline's `baselines/<name>-<data>`, with the
protocol at the end where it is not leave-one-out ("baselines/ease-ml-100k-holdout").
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmrec import recipe, registry
from llmrec.recipe import Recipe

RECIPES = Path(__file__).resolve().parent / "recipes"
SPLITS: dict[str, dict[str, Any]] = {
    "loo": {"name": "loo"},
    "holdout": {"name": "holdout", "positive_above": 3.0},
    "unseen-users": {"name": "unseen-users"},
}
DRAW = ("bprmf", "lightgcn", "sasrec", "multvae")  # baselines that draw at random; the others are the same at every seed
BASELINES = {
    "popularity": "popularity",
    "itemknn": "ItemKNN",
    "bprmf": "BPR-MF",
    "lightgcn": "LightGCN",
    "multvae": "Mult-VAE",
    "ease": "EASE",
    "itemknn-last3": "ItemKNN on the last 3 items",
    "sasrec": "SASRec",
}
BESIDE = {  # (data, protocol) -> the baselines measured there
    ("ml-100k", "loo"): tuple(BASELINES),
    ("ml-100k", "holdout"): tuple(BASELINES),
    ("ml-100k", "unseen-users"): ("popularity", "itemknn", "itemknn-last3", "ease"),
    ("lastfm", "loo"): tuple(BASELINES),
    ("beauty", "loo"): tuple(BASELINES),
    ("ml-1m", "loo"): tuple(BASELINES),
}
# Rows that cannot be measured where the book was made, with the reason; a test asks for the results of all others.
LEFT_OUT: dict[str, str] = {}
# Chapters and rows that are also ranked under a prompt template that training never saw.
UNSEEN_TEMPLATE = ("codes", "tokenrec-ml-100k-sketch", "metaid-ml-100k-sketch")


@dataclass(frozen=True)
class Row:
    """One row of the book. source: its recipe's file, or for a baseline the sections [data] and [split]; baseline: its name, or None."""

    name: str
    source: Path | Mapping[str, Any]
    baseline: str | None = None

    @functools.cached_property
    def recipe(self) -> Recipe:
        """Its settings; of a baseline's, data and split alone are used."""
        if isinstance(self.source, Path):
            return recipe.load(self.source)
        return recipe.read({**self.source, "scheme": {"name": "rid"}})

    @property
    def chapter(self) -> str:
        """The folder of the recipe; "" for the presets."""
        return self.name.rpartition("/")[0]

    @property
    def data(self) -> str:
        return registry.name_of("data", self.recipe.data)

    @property
    def protocol(self) -> str:
        return registry.name_of("split", self.recipe.split)

    @property
    def under_unseen_template(self) -> bool:
        return bool({self.chapter, self.name} & set(UNSEEN_TEMPLATE))

    def seeds(self, wanted: Sequence[int]) -> list[int]:
        """Of these seeds those that can differ: a baseline that draws nothing is measured once where the split draws nothing either."""
        same = self.baseline is not None and self.baseline not in DRAW and self.protocol != "holdout"
        return [0] if same else list(wanted)

    def settings(self, seed: int) -> dict[str, Any]:
        """What its result says it was made with."""
        seeded = dataclasses.replace(self.recipe, seed=seed).to_dict()
        if self.baseline is None:
            return seeded
        own = registry.load("baseline", self.baseline)()
        return {key: seeded[key] for key in ("seed", "data", "split")} | {"baseline": {"name": self.baseline, **_plain(own)}}

    def made(self, said: Mapping[str, Any]) -> bool:
        """Whether a result's "recipe" says the settings of this row, whatever the seed."""
        wanted = self.settings(int(said["seed"]))
        if self.baseline is not None or "baseline" in said:
            return dict(said) == wanted
        try:
            return recipe.read(dict(said)) == recipe.read(wanted)
        except ValueError:  # a setting that is no more
            return False


@functools.cache
def rows() -> dict[str, Row]:
    """Every row by name: the presets, then the chapters, then the baselines."""
    paths = sorted(RECIPES.rglob("*.toml"), key=lambda p: (len(p.relative_to(RECIPES).parts), str(p)))
    named = [Row(path.relative_to(RECIPES).with_suffix("").as_posix(), path) for path in paths]
    named += [row for data, protocol in BESIDE for row in beside(data, protocol)]
    return {row.name: row for row in named}


def beside(data: str, protocol: str) -> list[Row]:
    """The baselines on one data set by one protocol."""
    world = {"data": {"name": data}, "split": SPLITS[protocol]}
    end = "" if protocol == "loo" else f"-{protocol}"
    return [Row(f"baselines/{name}-{data}{end}", world, name) for name in BESIDE.get((data, protocol), ())]


def _plain(stage: Any) -> dict[str, Any]:
    """All settings of a stage as JSON gives them back, those of stages inside it too."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(stage), default=str))
    return plain


def control(row: Row) -> Row | None:
    """For a row of unseen users: the row that differs in nothing but that everybody was trained on."""
    plain = recipe.with_settings(row.recipe, {"split": SPLITS["loo"]})
    alike = (r for r in rows().values() if r.baseline == row.baseline and r.name != row.name)
    return next((r for r in alike if r.recipe == plain), None)
