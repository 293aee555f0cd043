"""The checkerboard's known answers, the k-core and the description, against plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec import registry
from llmrec.contracts import Catalog, Dataset, Interactions
from llmrec.data.describe import describe
from llmrec.data.files import BadData
from llmrec.data.filter import KCore
from llmrec.data.synthetic import Checkerboard


def test_the_checkerboard_has_known_answers() -> None:
    world = Checkerboard(n_users=30, n_items=20)
    data = world.load()
    for u in range(30):
        history = set(data.interactions.history(u).tolist())
        assert history == {i for i in range(20) if i % 2 == u % 2} - {world.withheld(u)}
        assert world.is_right(u, world.withheld(u)) and not world.is_right(u, world.withheld(u) + 1)
    assert data.catalog.titles[:2] == ["Even 0", "Odd 1"] and data.catalog.items["genres"].iloc[3] == ["odd"]
    assert (np.bincount(data.interactions.item) > 0).all()


def test_the_seed_alone_decides() -> None:
    one, same, other = (Checkerboard(share=0.5, seed=s).load().interactions for s in (3, 3, 4))
    assert (one.item == same.item).all() and not np.array_equal(one.item, other.item)
    assert np.diff(one.offsets).max() == 29
    for wrong in ({"n_items": 13}, {"n_users": 1}, {"share": 0.0}):
        with pytest.raises(ValueError, match="it must"):
            Checkerboard(**wrong)  # type: ignore[arg-type]


def k_core(pairs: list[tuple[int, int]], k_user: int, k_item: int) -> list[tuple[int, int]]:
    while True:
        users, items = Counter(u for u, _ in pairs), Counter(i for _, i in pairs)
        kept = [(u, i) for u, i in pairs if users[u] >= k_user and items[i] >= k_item]
        if kept == pairs:
            return pairs
        pairs = kept


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1), st.integers(0, 4), st.integers(0, 4))
def test_k_core_is_the_plain_loop(pairs: set[tuple[int, int]], k_user: int, k_item: int) -> None:
    import pandas as pd

    ordered = sorted(pairs)
    taken = Interactions.from_unsorted(
        np.array([u for u, _ in ordered]),
        np.array([i for _, i in ordered]),
        np.arange(len(ordered)),
        8,
        8,
        np.ones(len(ordered), np.float32),
    )
    keys = [str(n) for n in range(8)]
    data = Dataset("d", taken, Catalog(pd.DataFrame({"key": keys}), pd.DataFrame({"key": keys, "title": [f"t{k}" for k in keys]})))
    expected = k_core(ordered, k_user, k_item)
    how = KCore(k_user, k_item)
    if not expected:
        with pytest.raises(BadData, match=f"nothing is left .* at user={k_user}, item={k_item}; lower them"):
            how.apply(data)
        return
    left = how.apply(data)
    seen = left.interactions
    got = [(int(left.catalog.user_keys[u]), int(left.catalog.item_keys[i])) for u, i in zip(seen.user, seen.item, strict=True)]
    assert got == expected and left.catalog.titles == [f"t{k}" for k in left.catalog.item_keys]
    if k_user or k_item:
        assert seen.n_users == len({u for u, _ in expected}) and seen.n_items == len({i for _, i in expected})
    else:
        assert left is data


def test_k_core_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="item is -1; it must be 0"):
        KCore(item=-1)


def test_a_description_is_plain_and_right(ml100k: Dataset) -> None:
    import json

    told = describe(ml100k)
    json.dumps(told)
    assert told["sparsity"] == pytest.approx(1 - 100_000 / (943 * 1682)) and told["history"]["min"] == 20 and told["history"]["max"] == 737
    assert told["genres"]["Drama"] == 725 and told["years"] == {"min": 1922, "max": 1998, "missing": 1}
    assert told["times"]["from"] == "1997-09-20" and sum(told["ratings"].values()) == 100_000
    counts = sorted(Counter(ml100k.interactions.item.tolist()).values(), reverse=True)
    assert told["long_tail"]["head_20"] == pytest.approx(sum(counts[: 1682 // 5]) / 100_000)
    assert told["long_tail"]["rare"] == pytest.approx(sum(c < 10 for c in counts) / 1682)
    gaps = sum(abs(a - b) for a in counts for b in counts)
    assert told["long_tail"]["gini"] == pytest.approx(gaps / (2 * 1682 * 100_000))
    assert told["profiles"]["gender"] == {"M": 670, "F": 273}


def test_a_world_without_times_or_years_is_described_too() -> None:
    told = describe(Checkerboard().load())
    assert "from" not in told["times"] and told["ratings"] == {} and told["genres"] == {"even": 60, "odd": 60}


@pytest.mark.parametrize("kind", ["data", "split"])
def test_every_registered_name_can_be_loaded(kind: str) -> None:
    for name in registry.names(kind):
        assert hasattr(registry.load(kind, name), "load" if kind == "data" else "split")
