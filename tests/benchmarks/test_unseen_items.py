"""New items beside ItemKNN: it knows what is told and not what is asked, and chance is counted by hand."""

from __future__ import annotations

import numpy as np

from benchmarks.unseen_items import chance, told, with_told
from llmrec.data.synthetic import Checkerboard
from llmrec.data.unseen_items import UnseenItems
from llmrec.recommend.itemknn import ItemKnn
from llmrec.rng import stream

SPLIT = UnseenItems(share=0.2).split(Checkerboard(n_users=60, n_items=40).load().interactions, stream(1, "split"))


def test_itemknn_knows_what_is_told_and_nothing_of_the_asked() -> None:
    assert SPLIT.known is not None
    whole = with_told(SPLIT)
    assert len(whole) == len(SPLIT.train) + len(SPLIT.known)
    pairs = set(zip(whole.user.tolist(), whole.item.tolist(), strict=True))
    assert not pairs & set(zip(SPLIT.test.user.tolist(), SPLIT.test.item.tolist(), strict=True))
    alone = with_told(SPLIT, tellers_alone=True)
    assert set(alone.user.tolist()) == set(SPLIT.known.user.tolist()) and len(alone) < len(whole)
    blind, knowing = (told(ItemKnn().fit(train, stream(0, "knn")), SPLIT) for train in (SPLIT.train, whole))
    assert blind["hit@10"][0] == 0 and blind["new among 10"] == 0  # what nobody took is near nothing
    mean, low, high = knowing["hit@10"]
    assert low <= mean <= high and mean > chance(SPLIT)


def test_chance_is_ten_of_what_is_not_seen() -> None:
    by_hand = []
    for user in SPLIT.asked("test"):
        seen = set(SPLIT.train.history(user).tolist()) | set(SPLIT.valid.history(user).tolist())
        by_hand.append(10 / (40 - len(seen)))
    assert abs(chance(SPLIT) - np.mean(by_hand)) < 1e-12
