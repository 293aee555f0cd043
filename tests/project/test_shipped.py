"""What ships loads: every registry entry, every recipe, the example in the docs."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec import recipe, registry
from llmrec.contracts import Catalog, Interactions
from tests.project.tree import ROOT

RECIPES = sorted((ROOT / "benchmarks/recipes").glob("*.toml"))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in registry.ENTRIES.items() for name in names])
def test_every_registered_name_is_a_frozen_dataclass_with_defaults_or_a_path(kind: str, name: str) -> None:
    cls = registry.load(kind, name)
    assert dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen
    assert cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}("), "say what it is"
    needed = [f.name for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    assert not needed or kind in ("data", "quantizer") or name == "imported", f"{name} has no default for {needed}"


def test_recipes_ship() -> None:
    assert {"metaid-ml-100k-sketch", "metaid-ml-100k-demo", "metaid-ml-100k-full"} <= {p.stem for p in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_every_shipped_recipe_loads_and_is_called_what_it_is(path: Path) -> None:
    loaded = recipe.load(path)
    assert recipe.read(loaded.to_dict()) == loaded
    scheme, data = registry.name_of("scheme", loaded.scheme), registry.name_of("data", loaded.data)
    assert path.stem.startswith(f"{scheme}-{data}-"), "recipes are called <scheme>-<data>-<preset>.toml"
    assert path.stem.removeprefix(f"{scheme}-{data}-") in {"sketch", "demo", "full"}


def test_the_scheme_in_the_docs_works(tmp_path: Path) -> None:
    page = (ROOT / "docs/adding-a-scheme.md").read_text(encoding="utf-8")
    source = re.findall(r"```python\n(.*?)```", page, re.S)[0]
    (tmp_path / "parity.py").write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("parity_of_the_docs", tmp_path / "parity.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    one = np.zeros(1, dtype=np.int32)
    train = Interactions(one, one, one.astype(np.int64), n_users=1, n_items=5)
    items = pd.DataFrame({"key": list("abcde"), "title": list("ABCDE")})
    table = module.Parity().fit(train, Catalog(pd.DataFrame({"key": ["u"]}), items), None, np.random.default_rng(0))
    assert [table.items.spell(i) for i in range(5)] == [
        ("<p0>", "<q0>"),
        ("<p1>", "<q0>"),
        ("<p0>", "<q1>"),
        ("<p1>", "<q1>"),
        ("<p0>", "<q2>"),
    ]
    with pytest.raises(ValueError, match="at least 2"):
        module.Parity(1)
