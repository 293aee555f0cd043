"""Every scheme behind every head: a legal pair trains, ranks and is read back; an illegal one is refused with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmrec import recipe, registry
from llmrec.contracts import Queries
from llmrec.lm.heads.items import TextNames
from llmrec.recipe import BadRecipe
from llmrec.runs import pipeline, store

# The smallest settings with which each scheme still does all that it does.
SCHEMES: dict[str, dict[str, dict[str, Any]]] = {
    "rid": {},
    "sid": {},
    "cid": {"scheme": {"n_clusters": 4, "leaf": 6}},
    "title": {},
    "metaid": {"scheme": {"n_clusters": 4}, "embed": {"d": 8, "walks_per_node": 2, "epochs": 1}},
    "tiger": {"scheme": {"steps": 20}, "embed": {"model": "tiny"}},
    "tokenrec": {"scheme": {"steps": 30}, "embed": {"d": 8, "epochs": 3}},
    "cllm4rec": {},
}
TEXTUAL = {"rid", "sid", "title"}
BARE = {name for name in SCHEMES if registry.load("scheme", name).embedder is None}


def pair(scheme: str, head: str) -> recipe.Recipe:
    chosen = SCHEMES[scheme]
    plain: dict[str, Any] = {
        "data": {"name": "checkerboard", "n_users": 24, "n_items": 20},
        "scheme": {"name": scheme, **chosen.get("scheme", {})},
        "lm": {"name": "tiny"},
        "head": {"name": head},
        "train": {"epochs": 1, "validations": 1},
    }
    return recipe.read(plain | ({"embed": chosen["embed"]} if "embed" in chosen else {}))


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all pairs: names are fitted once a scheme."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def own_home(stages: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LLMREC_HOME", str(stages))
    yield


def test_no_scheme_is_forgotten() -> None:
    assert set(SCHEMES) == set(registry.names("scheme")) - {"imported"}


@pytest.mark.parametrize("head", registry.names("head"))
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_pair_trains_and_ranks_or_says_why_not(scheme: str, head: str) -> None:
    if head == "retrieve" and scheme in BARE:
        with pytest.raises(BadRecipe, match=f"retrieve compares with vectors and {scheme} brings none: add \\[embed\\]"):
            pair(scheme, head)
        return
    run = store.create(pair(scheme, head))
    if head == "items" and scheme in TEXTUAL:
        with pytest.raises(TextNames, match="named by text alone"):
            pipeline.train(run)
        assert run.status.state == "failed" and "TextNames" in run.status.reason
        return
    if head == "trie" and scheme == "tokenrec" and len({run_name for run_name in names(run)}) < 20:
        with pytest.raises(ValueError, match="share one name"):
            pipeline.train(run)
        return
    assert pipeline.train(run).state == "done"
    assert run.metrics is not None and set(run.metrics) == {"valid", "test"}
    ranked = run.recommender().recommend(Queries.of_history([0, 2, 4]), 5)
    assert (ranked.items >= 0).sum() == 5 and not {0, 2, 4} & set(ranked.items[0].tolist())


def names(run: store.Run) -> list[Any]:
    """The items' names, before any training."""
    prepared = pipeline.prepare(run.recipe, lambda event: None)
    return [prepared.table.items.spell(i) for i in range(len(prepared.table.items))]


def test_another_scheme_brings_its_own_embedder() -> None:
    """A change of scheme alone must not keep vectors of another kind; an embedder that was chosen stays."""
    plain = recipe.read({"scheme": {"name": "metaid"}})
    assert registry.name_of("embed", recipe.with_settings(plain, {"scheme.name": "tokenrec"}).embed) == "lightgcn"
    assert recipe.with_settings(plain, {"scheme.name": "rid"}).embed is None
    chosen = recipe.read({"scheme": {"name": "metaid"}, "embed": {"name": "bpr"}})
    assert registry.name_of("embed", recipe.with_settings(chosen, {"scheme.name": "tokenrec"}).embed) == "bpr"
    assert recipe.read({"scheme": {"name": "tokenrec"}, "embed": {"d": 8}}).embed.d == 8
    assert registry.name_of("embed", recipe.read({"scheme": {"name": "tokenrec"}, "embed": {"d": 8}}).embed) == "lightgcn"
