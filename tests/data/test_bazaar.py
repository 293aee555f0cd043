"""The made-up market: its known kinds and tastes show in who took what, its tail is long, and nothing but the seed decides."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.data.bazaar import Bazaar

SMALL = {"users": 400, "items": 2_000, "kinds": 40}


def test_people_take_what_they_like() -> None:
    for noise in (0.0, 0.5):
        world = Bazaar(**SMALL, mean_history=40, noise=noise)  # type: ignore[arg-type]
        taken, kind, tastes = world.load().interactions, world.kind_of_items(), world.tastes()
        liked = [kind[i] in tastes[u] for u, i in zip(taken.user, taken.item, strict=True)]
        of_taste = [np.mean([kind[i] == tastes[u][n] for u, i in zip(taken.user, taken.item, strict=True)]) for n in range(3)]
        assert np.mean(liked) >= 0.97 if noise == 0 else 0.45 < np.mean(liked) < 0.7
        assert of_taste == sorted(of_taste, reverse=True)
    chance = np.mean([kind[i] in tastes[(u + 1) % world.users] for u, i in zip(taken.user, taken.item, strict=True)])
    assert chance < 0.2  # another person's tastes explain little


def test_every_thing_was_taken_each_pair_once_and_a_few_things_often() -> None:
    world = Bazaar(**SMALL)  # type: ignore[arg-type]
    taken = world.load().interactions
    counts = np.sort(np.bincount(taken.item, minlength=2_000))[::-1]
    assert counts.min() >= 1 and len(set(zip(taken.user.tolist(), taken.item.tolist(), strict=True))) == len(taken)
    assert counts[:400].sum() > 0.4 * counts.sum()  # a fifth of the things have two fifths of the interactions
    assert np.diff(taken.offsets).min() >= 5 and 20 < np.diff(taken.offsets).mean() < 40
    flat = Bazaar(**SMALL, tail=0.0).load().interactions  # type: ignore[arg-type]
    assert np.bincount(flat.item).max() < counts.max() / 2


def test_numbers_tell_nothing_of_fame_and_titles_tell_kinds() -> None:
    world = Bazaar(**SMALL)  # type: ignore[arg-type]
    data = world.load()
    counts = np.bincount(data.interactions.item, minlength=2_000)
    assert abs(np.corrcoef(np.arange(2_000), counts)[0, 1]) < 0.1
    titles, kind = data.catalog.titles, world.kind_of_items()
    assert len(set(titles)) == 2_000 and np.bincount(kind).min() >= 2_000 // 40 // 2
    stems = {k: {titles[i].rpartition(" ")[0] for i in np.flatnonzero(kind == k)} for k in range(40)}
    assert all(len(found) == 1 for found in stems.values()) and len(set.union(*stems.values())) == 40
    assert [g[0] for g in data.catalog.items["genres"]] == [t.split()[1] for t in titles]
    years = data.catalog.items["year"].to_numpy(dtype=int)
    assert years.min() >= 1940 and years.max() < 2020


def test_the_seed_alone_decides() -> None:
    one, same, other = (Bazaar(**SMALL, seed=s).load() for s in (3, 3, 4))  # type: ignore[arg-type]
    assert (one.interactions.item == same.interactions.item).all() and one.catalog.items.equals(same.catalog.items)
    assert one.catalog.titles != other.catalog.titles


@pytest.mark.parametrize("wrong", [{"kinds": 401}, {"items": 100}, {"users": 0}, {"mean_history": 7}, {"noise": 1.1}, {"tail": -1.0}])
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Bazaar(**{**SMALL, **wrong})  # type: ignore[arg-type]
