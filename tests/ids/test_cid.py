"""CID: trees that are right on hand-made worlds, whatever hangs together or apart; the official Beauty tree is found again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from llmrec.contracts import IdTable, Interactions, Token
from llmrec.data.sequences import SequenceFile
from llmrec.data.split import LeaveOneOut
from llmrec.ids.cid import Cid, divide, spectral, taken
from llmrec.rng import stream
from tests.lm import world

GROUPS = [range(0, 8), range(8, 14), range(14, 18), range(18, 21)]


def interactions(rows: list[tuple[int, int]], n_items: int) -> Interactions:
    user, item = (np.asarray([r[c] for r in rows], dtype=np.int64) for c in (0, 1))
    return Interactions.from_unsorted(user, item, np.arange(len(rows), dtype=np.int64), int(user.max(initial=0)) + 1, n_items)


def blocks(bridges: bool, n_items: int = 21) -> Interactions:
    """Ten users take each group whole; with bridges one more user takes the first item of every group."""
    rows = [(10 * g + u, i) for g, group in enumerate(GROUPS) for u in range(10) for i in group]
    return interactions(rows + [(40, group[0]) for group in GROUPS if bridges], n_items)


def fit(scheme: Cid, train: Interactions, seed: int = 0) -> IdTable:
    return scheme.fit(train, world.catalog(train.n_users, [f"t{i}" for i in range(train.n_items)]), None, np.random.default_rng(seed))


def planted(home: np.ndarray, n_users: int, seed: int) -> Interactions:
    """Each user takes 8 items, those of one home twelve times as willingly."""
    rng = np.random.default_rng(seed)
    rows = []
    for u in range(n_users):
        weight = np.where(home == u % (home.max() + 1), 12.0, 1.0)
        rows += [(u, int(i)) for i in rng.choice(len(home), 8, replace=False, p=weight / weight.sum())]
    return interactions(rows, len(home))


def classes(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == c).tolist()) for c in np.unique(labels)}


@pytest.mark.parametrize("bridges", [False, True])
def test_groups_become_branches_numbered_by_size(bridges: bool) -> None:
    table = fit(Cid(n_clusters=4), blocks(bridges))
    assert table.items.codes[:, 0].tolist() == [0] * 8 + [1] * 6 + [2] * 4 + [3] * 3
    for group in GROUPS:
        assert sorted(table.items.codes[list(group), 1]) == list(range(len(group)))
    assert table.items.spell(9)[0] == Token("<a1>") and str(table.items.spell(9)[1]).startswith("<z")
    assert (
        table.users is not None and table.users.spell(0) == ("1",) and table.users.spell(40 - (not bridges)) == (str(41 - (not bridges)),)
    )


def test_a_branch_above_the_leaf_size_is_divided_again_and_shorter_names_leave_the_place_out() -> None:
    """Two halves of a group of 12, tied together more loosely than within; a group of 6 that stays a leaf."""
    rows = [(u, i) for u in range(10) for i in range(6)] + [(10 + u, i) for u in range(10) for i in range(6, 12)]
    rows += (
        [(20 + u, i) for u in range(3) for i in range(12)] + [(30 + u, i) for u in range(10) for i in range(12, 18)] + [(40, 0), (40, 12)]
    )
    table = fit(Cid(n_clusters=2, leaf=6), interactions(rows, 18))
    assert [b.prefix for b in table.items.books] == ["a", "b", "z"]
    assert table.items.codes[:, 0].tolist() == [0] * 12 + [1] * 6
    assert classes(table.items.codes[:12, 1]) == {frozenset(range(6)), frozenset(range(6, 12))}
    assert (table.items.codes[12:, 1] == -1).all()
    assert [len(table.items.spell(i)) for i in (0, 6, 12)] == [3, 3, 2]
    assert len(np.unique(table.items.codes, axis=0)) == 18


def test_few_eigenvectors_and_all_of_them_cut_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    home = np.arange(120) % 5
    took = taken(planted(home, n_users=400, seed=4))
    dense = spectral(took, 5, np.random.default_rng(0))
    monkeypatch.setattr("llmrec.ids.cid.DENSE", 0)
    assert classes(spectral(took, 5, np.random.default_rng(1))) == classes(dense) == classes(home)


def test_spectral_clusters_are_those_of_scikit_learn() -> None:
    from sklearn.cluster import SpectralClustering
    from sklearn.metrics import adjusted_rand_score

    took = taken(planted(np.random.default_rng(2).integers(6, size=90), n_users=200, seed=3))
    together = (took.T @ took).toarray()
    np.fill_diagonal(together, 0)
    theirs = SpectralClustering(6, affinity="precomputed", assign_labels="cluster_qr", random_state=0).fit(together).labels_
    assert adjusted_rand_score(theirs, spectral(took, 6, np.random.default_rng(0))) > 0.99


def test_items_that_nobody_took_live_in_a_branch_of_their_own() -> None:
    codes = fit(Cid(n_clusters=4), blocks(bridges=True, n_items=26)).items.codes
    assert set(codes[21:, 0]).isdisjoint(codes[:21, 0]) and len(set(codes[21:, 0])) == 1


@pytest.mark.parametrize("leaf", [1, 2, 5])
def test_names_are_unique_in_worlds_of_scraps(leaf: int) -> None:
    """Pairs, loners, one chain, and a star that no cut divides evenly."""
    pairs = [(p, i) for p in range(20) for i in (2 * p, 2 * p + 1)]
    chain = [(20 + k, i) for k in range(15) for i in (40 + k, 41 + k)]
    star = [(50 + k, i) for k in range(60) for i in (60, 61 + k)]
    for train in (interactions(pairs + chain + star, 140), interactions(star, 140), interactions([(0, 0)], 30), interactions([], 7)):
        codes = fit(Cid(n_clusters=3, leaf=leaf), train).items.codes
        assert len(np.unique(codes, axis=0)) == train.n_items
        leaves = np.unique(codes[:, :-1], axis=0, return_counts=True)[1]
        assert leaves.max() <= leaf


def test_a_node_always_falls_into_two_or_more() -> None:
    clique = taken(interactions([(0, i) for i in range(50)], 50))  # every cut is as good as every other
    for took in (clique, taken(interactions([], 9)), taken(interactions([(0, 0), (0, 1)], 2))):
        children = divide(took, 4, np.random.default_rng(0))
        assert len(children) > 1 and sorted(np.concatenate(children)) == list(range(took.shape[1]))
        assert [len(c) for c in children] == sorted((len(c) for c in children), reverse=True)


def test_taking_twice_counts_once() -> None:
    rows = [(0, 1), (0, 1), (0, 2), (1, 2)]
    assert taken(interactions(rows, 3)).toarray().tolist() == [[0, 1, 1], [0, 0, 1]]


def test_bad_settings_are_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="n_clusters is 1.*OpenP5 takes 20"):
        Cid(n_clusters=1)
    with pytest.raises(ValueError, match="leaf is 0.*OpenP5 takes 500"):
        Cid(leaf=0)


def test_the_official_beauty_tree_is_found_again(shared_data: Callable[[str], Path]) -> None:
    """META ID's file of OpenP5's tree, 500 to a leaf and 20 clusters: the same branches at the top, the same leaves but for a few items."""
    from sklearn.metrics import adjusted_rand_score

    folder = shared_data("metaid-beauty")
    data = SequenceFile(folder / "user_sequence.txt").load()
    train = LeaveOneOut().split(data.interactions, stream(0, "split")).train
    codes = fit(Cid(), train).items.codes
    official = {}
    for line in (folder / "item_collaborative_indexing_500_20_sequential.txt").read_text(encoding="utf-8").splitlines():
        key, name = line.split()
        official[key] = re.findall(r"<CI(\d+)>", name)[:-1]
    keys = data.catalog.item_keys
    never = [i for i, key in enumerate(keys) if not official[key]]  # one Token alone: 20 of these 33 names begin other names
    assert len(never) == 33 and np.isin(never, train.item).sum() == 0
    known = np.setdiff1d(np.arange(len(keys)), never)
    assert adjusted_rand_score([official[keys[i]][0] for i in known], codes[known, 0]) == 1.0
    leaves = np.unique(codes[known, :-1], axis=0, return_inverse=True)[1].ravel()
    assert adjusted_rand_score(["-".join(official[keys[i]]) for i in known], leaves) > 0.999
    assert np.bincount((codes[known] >= 0).sum(1)).tolist() == [0, 0, 2338, 7061, 2669]
