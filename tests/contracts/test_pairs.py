"""Every scheme behind every head, from a recipe: a legal pair trains, ranks and is read back; an illegal one is refused with its reason and
a remedy, and the remedy works. So does every plan of training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec import recipe, registry
from llmrec.contracts import Book, IdTable, Names, Queries
from llmrec.data.synthetic import Checkerboard
from llmrec.ids.exchange import files
from llmrec.ids.exchange.keyed import KeyedTable
from llmrec.recipe import BadRecipe
from llmrec.runs import pipeline, store

BOARD = {"n_users": 24, "n_items": 20}
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
    "imported": {},
}
TEXTUAL = {"rid", "sid", "title"}
BARE = {name for name in SCHEMES if registry.load("scheme", name).embedder is None}
GRAPH = {"name": "lightgcn", "d": 8, "epochs": 2}
# ... and each plan of training
PLANS: dict[str, dict[str, Any]] = {
    "finetune": {"epochs": 1, "validations": 1},
    "mutual": {"epochs": [1, 1, 1], "validations": 1},
}
# What a refusal may tell to do: a verb, and something that there is to do it with.
# "items" and "title" are words too: a head is named as such ("the trie or the retrieve head"), everything else in quotes or brackets.
HEAD = rf"(?:the )?\b(?:{'|'.join(registry.names('head'))})\b"
THINGS = [
    rf"{HEAD}(?: or {HEAD})* head\b",
    *(f'"{name}"' for name in (*registry.names("head"), *registry.names("scheme"))),
    *(re.escape(f"[{section}]") for section in recipe.SECTIONS),
    r"\ba scheme with Tokens\b",
]
REMEDY = re.compile(rf"\b(?:choose|add|set|use|take|give)\b[^.;:]*(?:{'|'.join(THINGS)})")


def pair(scheme: str, head: str, train: str = "finetune", embed: dict[str, Any] | None = None, **of_head: Any) -> recipe.Recipe:
    chosen = SCHEMES[scheme]
    plain: dict[str, Any] = {
        "data": {"name": "checkerboard", **BOARD},
        "scheme": {"name": scheme, **chosen.get("scheme", {})},
        "lm": {"name": "tiny", "layers": 1},
        "head": {"name": head, **of_head},
        "train": {"name": train, **PLANS[train]},
    }
    embed = embed or chosen.get("embed")
    return recipe.read(plain | ({"embed": embed} if embed else {}))


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all pairs: names are fitted once a scheme. Names in a file lie beside it."""
    home = tmp_path_factory.mktemp("home")
    catalog = Checkerboard(**BOARD).load().catalog
    codes = np.stack([np.arange(BOARD["n_items"]) % 5, np.arange(BOARD["n_items"]) // 5], 1).astype(np.int32)
    table = IdTable("edited", Names(codes, (Book("c", 5), Book("r", 4))))
    files.save(KeyedTable(table, tuple(catalog.item_keys), ()), home / "names.json")
    return home


@pytest.fixture(autouse=True)
def own_home(stages: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LLMREC_HOME", str(stages))
    monkeypatch.setitem(SCHEMES["imported"], "scheme", {"items": str(stages / "names.json")})
    yield


def works(chosen: recipe.Recipe) -> None:
    """It trains, is evaluated on both parts under both policies, and what was kept ranks what has not been seen."""
    run = store.create(chosen)
    assert pipeline.train(run).state == "done"
    assert run.metrics is not None and set(run.metrics) == {"valid", "test"}
    for part in run.metrics.values():
        assert set(part) == {"masked", "unmasked"} and all(0 <= seen["metrics"]["ndcg@10"] <= 1 for seen in part.values())
    ranked = run.recommender().recommend(Queries.of_history([0, 2, 4]), 5)
    assert (ranked.items >= 0).sum() == 5 and not {0, 2, 4} & set(ranked.items[0].tolist())


def refused(chosen: recipe.Recipe, reason: str) -> None:
    """Training ends at once, in a sentence with a remedy, and the run keeps it."""
    run = store.create(chosen)
    with pytest.raises(ValueError, match=reason) as told:
        pipeline.train(run)
    assert REMEDY.search(str(told.value)), f"no remedy: {told.value}"
    assert run.status.state == "failed" and run.status.reason == " ".join(str(told.value).split())[:500]


def test_a_remedy_is_a_verb_and_a_thing() -> None:
    for told in (
        "choose the retrieve or items head",
        "choose the trie or the retrieve head, or a scheme with Tokens",
        'add [embed] with name = "lightgcn"',
        'set [head] name = "items"',
        'tiger names otherwise: use "cllm4rec"',
    ):
        assert REMEDY.search(f"it cannot be: {told}"), told
    for told in (
        "these names take no items",
        "use fewer; the items head",
        "use what is titled, or insides",
        "users give items and cids",
        "[head] is wrong",
    ):
        assert not REMEDY.search(f"it cannot be: {told}"), told


def test_no_scheme_and_no_plan_is_forgotten() -> None:
    assert set(SCHEMES) == set(registry.names("scheme"))
    assert set(PLANS) == set(registry.names("train"))


@pytest.mark.parametrize("head", registry.names("head"))
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_pair_trains_and_ranks_or_says_why_not(scheme: str, head: str) -> None:
    if head == "retrieve" and scheme in BARE:
        with pytest.raises(BadRecipe, match=f"retrieve compares with vectors and {scheme} brings none: add \\[embed\\]") as told:
            pair(scheme, head)
        assert REMEDY.search(str(told.value))
        works(pair(scheme, head, embed=GRAPH))  # the remedy, taken
    elif head == "items" and scheme in TEXTUAL:
        refused(pair(scheme, head), "named by text alone")
    elif head == "trie" and scheme == "tokenrec" and len(set(names(pair(scheme, head)))) < BOARD["n_items"]:
        refused(pair(scheme, head), "share one name")
    else:
        works(pair(scheme, head))


def names(chosen: recipe.Recipe) -> list[Any]:
    """The items' names, before any training."""
    items = pipeline.prepare(chosen, lambda event: None).table.items
    return [items.spell(i) for i in range(len(items))]


def test_shared_names_are_refused_by_the_trie_and_taken_by_the_others(stages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever codes a quantizer finds: here two items bear one name for certain."""
    catalog = Checkerboard(**BOARD).load().catalog
    codes = np.stack([np.arange(BOARD["n_items"]) // 2 % 5, np.arange(BOARD["n_items"]) // 10], 1).astype(np.int32)
    table = IdTable("edited", Names(codes, (Book("c", 5), Book("r", 2))))
    files.save(KeyedTable(table, tuple(catalog.item_keys), ()), stages / "shared.json")
    monkeypatch.setitem(SCHEMES["imported"], "scheme", {"items": str(stages / "shared.json")})
    refused(pair("imported", "trie"), "share one name")
    works(pair("imported", "items"))
    works(pair("imported", "retrieve", embed=GRAPH))


def test_an_index_changes_no_number() -> None:
    """Large pools are searched through it; trained alike, it ranks alike."""
    runs = [store.create(pair("metaid", "retrieve", index_above=above)) for above in (0, 10**6)]
    for run in runs:
        assert pipeline.train(run).state == "done"
    one, two = (run.recommender() for run in runs)
    assert one.compiled.index is not None and two.compiled.index is None
    asked = Queries.of_history([1, 5, 7])
    assert np.array_equal(one.recommend(asked, 10).items, two.recommend(asked, 10).items)
    numbers = [{(part, seen): run.metrics[part][seen]["metrics"] for part in run.metrics for seen in run.metrics[part]} for run in runs]
    assert numbers[0] == numbers[1]


def test_few_negatives_and_the_paper_s_hinge_train_from_a_recipe() -> None:
    works(pair("metaid", "retrieve", objective="hinge", n_negatives=3))


def test_a_narrow_beam_misses_and_says_so() -> None:
    """One beam reaches one branch of names alone: the other places are -1 and count as misses, and the run is measured all the same."""
    run = store.create(pair("metaid", "trie", beams=1))
    assert pipeline.train(run).state == "done"
    ranked = run.recommender().recommend(Queries.of_history([0, 2, 4]), 20)
    assert 0 < (ranked.items >= 0).sum() < 17 and (ranked.items[0, -3:] == -1).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_mutual_training_takes_names_of_one_token_each(scheme: str) -> None:
    if scheme == "cllm4rec":
        works(pair(scheme, "items", "mutual"))
    else:
        refused(pair(scheme, "items", "mutual"), "one Token")


@pytest.mark.parametrize("head", [head for head in registry.names("head") if head != "items"])
def test_mutual_training_ends_in_the_items_head(head: str) -> None:
    refused(pair("cllm4rec", head, "mutual", embed=GRAPH if head == "retrieve" else None), "softmax over items")


def test_another_scheme_brings_its_own_embedder() -> None:
    """A change of scheme alone must not keep vectors of another kind; an embedder that was chosen stays."""
    plain = recipe.read({"scheme": {"name": "metaid"}})
    assert registry.name_of("embed", recipe.with_settings(plain, {"scheme.name": "tokenrec"}).embed) == "lightgcn"
    assert recipe.with_settings(plain, {"scheme.name": "rid"}).embed is None
    chosen = recipe.read({"scheme": {"name": "metaid"}, "embed": {"name": "bpr"}})
    assert registry.name_of("embed", recipe.with_settings(chosen, {"scheme.name": "tokenrec"}).embed) == "bpr"
    assert recipe.read({"scheme": {"name": "tokenrec"}, "embed": {"d": 8}}).embed.d == 8
    assert registry.name_of("embed", recipe.read({"scheme": {"name": "tokenrec"}, "embed": {"d": 8}}).embed) == "lightgcn"
