"""New items beside ItemKNN: it knows what is told and not what is asked, and chance is counted by hand."""

from __future__ import annotations

import numpy as np

from benchmarks.unseen_items import BANDS, by_takers, chance, less, measured, told, with_told
from llmrec.data.synthetic import Checkerboard
from llmrec.data.unseen_items import UnseenItems
from llmrec.recommend.itemknn import ItemKnn
from llmrec.rng import stream

WORLD = Checkerboard(n_users=60, n_items=40).load().interactions
SPLIT = UnseenItems(share=0.2).split(WORLD, stream(1, "split"))


def test_itemknn_knows_what_is_told_and_nothing_of_the_asked() -> None:
    assert SPLIT.known is not None
    whole = with_told(SPLIT)
    assert len(whole) == len(SPLIT.train) + len(SPLIT.known)
    pairs = set(zip(whole.user.tolist(), whole.item.tolist(), strict=True))
    assert not pairs & set(zip(SPLIT.test.user.tolist(), SPLIT.test.item.tolist(), strict=True))
    alone = with_told(SPLIT, tellers_alone=True)
    assert set(alone.user.tolist()) == set(SPLIT.known.user.tolist()) and len(alone) < len(whole)
    found = [measured(ItemKnn().fit(train, stream(0, "knn")), SPLIT) for train in (SPLIT.train, whole)]
    blind, knowing = (told(one, SPLIT) for one in found)
    assert blind["hit@10"][0] == 0 and blind["new among 10"] == 0  # what nobody took is near nothing
    mean, low, high = knowing["hit@10"]
    assert low <= mean <= high and mean > chance(SPLIT)["hit@10"]
    ahead = less(found[1], found[0])["hit@10"]
    assert ahead[0] == mean and ahead[1] <= mean <= ahead[2]  # the other finds nothing


def test_chance_is_ten_of_what_is_not_seen_other_new_items_included() -> None:
    assert SPLIT.known is not None and SPLIT.taken is not None and len(SPLIT.taken)
    new, hits, fresh = set(SPLIT.known.item.tolist()), [], []
    for user in SPLIT.asked("test"):
        target = int(SPLIT.test.history(user)[0])
        whole = WORLD.history(user).tolist()
        seen = set(whole[: whole.index(target)])
        hits.append(10 / (40 - len(seen)))
        fresh.append(10 * len(new - seen) / (40 - len(seen)))
    by_chance = chance(SPLIT)
    assert abs(by_chance["hit@10"] - np.mean(hits)) < 1e-12 and abs(by_chance["new among 10"] - np.mean(fresh)) < 1e-12


def test_bands_of_takers_hold_every_user_once() -> None:
    """Whoever asks for an item that few told of stands in its band: counted by hand, and weighted together they are the whole."""
    assert SPLIT.known is not None
    found = measured(ItemKnn().fit(with_told(SPLIT), stream(0, "knn")), SPLIT)
    bands = by_takers(found, SPLIT)
    few = [u for u in SPLIT.asked("test") if (SPLIT.known.item == SPLIT.test.history(u)[0]).sum() < 20]
    assert bands.get("fewer than 20", {"users": 0})["users"] == len(few) and set(bands) <= set(BANDS)
    assert sum(b["users"] for b in bands.values()) == found.n_users
    whole = sum(b["users"] * b["hit@10"] for b in bands.values()) / found.n_users
    assert abs(whole - found.metrics["hit@10"]) < 1e-12
