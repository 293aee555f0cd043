"""The registry: every entry exists and keeps its contract; a wrong name is told the near ones."""

from __future__ import annotations

import dataclasses

import pytest

from llmrec import registry
from llmrec.recipe import build

VERB = {
    "data": "load",
    "split": "split",
    "embed": "fit",
    "scheme": "fit",
    "head": "rank",
    "train": "fit",
    "baseline": "fit",
    "quantizer": "encode",
}
EVERY = [(kind, name) for kind in registry.ENTRIES for name in registry.names(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_entry_is_a_frozen_dataclass_with_its_verb(kind: str, name: str) -> None:
    cls = registry.load(kind, name)
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen
    assert callable(getattr(cls, VERB[kind]))
    assert (cls.__doc__ or "").strip(), "the form in the app shows the docstring"


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name in EVERY if kind != "quantizer"])  # those are learned, not set
def test_a_stage_knows_its_name(kind: str, name: str) -> None:
    fields = dataclasses.fields(registry.load(kind, name))
    needed = {f.name: "somewhere" for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING}
    assert registry.name_of(kind, build(registry.load(kind, name), needed, kind)) == name


def test_no_class_is_registered_twice() -> None:
    for entries in registry.ENTRIES.values():
        assert len(set(entries.values())) == len(entries)


def test_an_unknown_name_is_told_the_near_ones() -> None:
    with pytest.raises(registry.UnknownName, match="did you mean metaid"):
        registry.load("scheme", "meta-id")
    with pytest.raises(registry.UnknownName, match="popularity"):
        registry.load("baseline", "zzz")
    with pytest.raises(registry.UnknownName, match="did you mean scheme"):
        registry.names("schema")


def test_a_stage_nobody_registered_is_refused_with_the_remedy() -> None:
    with pytest.raises(registry.UnknownName, match="add a line"):
        registry.name_of("scheme", object())
