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
# Rows without a result, with the reason; measured where they are named. A test asks for the results of all others.
GPU = "not measured yet: an hour or more on two cores, so wait for a GPU or patience; name it in `make results ROWS=...`"
HOURS = "not measured yet: the first filling of the book ran out of hours; name it in `make results ROWS=...`"
LEFT_OUT: dict[str, str] = {
    "tasks/metaid-lora-ml-100k": HOURS,
    **dict.fromkeys(
        (
            *(f"beauty/{name}" for name in ("cllm4rec", "metaid", "sid")),
            *(f"ml-1m/{name}" for name in ("metaid", "sid", "tokenrec")),
            *(f"baselines/{name}-{data}" for data in ("beauty", "ml-1m") for name in ("multvae", "sasrec")),
            "baselines/ease-beauty",
            "baselines/lightgcn-ml-1m",
        ),
        GPU,
    ),
}
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

    def settings(self, seed: int) -> dict[str, Any]:
        """What its result says it was made with: the differences from the defaults; of a baseline all settings."""
        seeded = self.seeded(seed).to_dict()
        return seeded if self.baseline is None else {key: seeded[key] for key in ("seed", "data", "split")} | {"baseline": self._own()}

    def complete(self, seed: int) -> dict[str, Any]:
        """All settings, section by section, as JSON gives them back."""
        if self.baseline is None:
            return complete(self.seeded(seed))
        return complete(self.seeded(seed), ("data", "filter", "split")) | {"baseline": self._own()}

    def seeded(self, seed: int) -> Recipe:
        """Its recipe at a seed."""
        return dataclasses.replace(self.recipe, seed=seed)

    def made(self, said: Mapping[str, Any]) -> bool:
        """Whether a result was made with all the settings that this row has now, whatever the seed.

        A setting that came after the result must stand at its default, with which every recipe trains as it did before.
        """
        kept, now = said.get("settings"), self.complete(int(said["seed"]))
        if not isinstance(kept, Mapping) or set(kept) != set(now):
            return False
        set_here = self.recipe.to_dict()
        return all(_same(kept[section], now[section], set_here.get(section, {})) for section in now)

    def _own(self) -> dict[str, Any]:
        return {"name": self.baseline, **_plain(registry.load("baseline", str(self.baseline))())}


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


def complete(made: Recipe, sections: Sequence[str] = tuple(recipe.SECTIONS)) -> dict[str, Any]:
    """All settings of some sections of a recipe, and its seed, as JSON gives them back; None for a section that it has not."""
    out: dict[str, Any] = {"seed": made.seed}
    for section in sections:
        stage, kind = getattr(made, section), recipe.SECTIONS[section]
        named = {} if kind is None or stage is None else {"name": registry.name_of(kind, stage)}
        out[section] = None if stage is None else named | _plain(stage)
    return out


def _same(kept: Any, now: Any, set_here: Any) -> bool:
    if not isinstance(kept, Mapping) or not isinstance(now, Mapping):
        return bool(kept == now)
    return all(kept[key] == now[key] if key in kept else key not in set_here for key in now) and set(kept) <= set(now)


def _plain(stage: Any) -> dict[str, Any]:
    """All settings of a stage as JSON gives them back, those of stages inside it too."""
    given = {f.name: getattr(stage, f.name) for f in dataclasses.fields(stage) if f.init}
    plain: dict[str, Any] = json.loads(json.dumps(given, default=lambda v: _plain(v) if dataclasses.is_dataclass(v) else str(v)))
    return plain


def control(row: Row) -> Row | None:
    """For a row of unseen users: the row that differs in nothing but that everybody was trained on."""
    plain = recipe.with_settings(row.recipe, {"split": SPLITS["loo"]})
    alike = (r for r in rows().values() if r.baseline == row.baseline and r.name != row.name)
    return next((r for r in alike if r.recipe == plain), None)
