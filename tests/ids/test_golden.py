"""Golden facts of the released tables (methods, section 6). Skipped where the evaluation data is absent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from llmrec.ids.exchange.keyed import KeyedTable
from llmrec.ids.exchange.official import read_metaid, read_tokenrec
from llmrec.ids.health.report import health
from llmrec.ids.lookup import bearers

Shared = Callable[[str], Path]


@pytest.fixture(scope="module")
def beauty(shared_data: Shared) -> KeyedTable:
    folder = shared_data("metaid-beauty")
    return read_metaid(folder / "item_metapath_indexing_kmcos_100_ag.txt", folder / "user_metapath_indexing_kmcos_100_ag.txt")


def test_metaid_beauty_alphabet(beauty: KeyedTable) -> None:
    """The released fine Tokens: 885 on items, 1,179 on users, 846 on both, 1,218 in all."""
    items, users = beauty.table.items, beauty.table.users
    assert users is not None
    assert len(np.union1d(items.codes[:, 0], users.codes[:, 0])) == 101
    item_fine, user_fine = np.unique(items.codes[:, 1]), np.unique(users.codes[:, 1])
    assert (len(item_fine), len(user_fine), len(np.intersect1d(item_fine, user_fine))) == (885, 1179, 846)
    assert len(np.union1d(item_fine, user_fine)) == 1218
    h = health(beauty.table)
    assert h.collisions == 0  # no user shares a name with an item: the released clustering is a joint one
    assert (h.distinct_items, h.distinct_users) == (12_101, 22_363)
    row = beauty.item_keys.index("B007ZBUQ1A")
    assert "".join(items.spell(row)) == "<CT79><1220>"
    assert bearers(beauty.table, "<CT79><1220>")[0].index == row


def test_metaid_beauty_agreement(beauty: KeyedTable, shared_data: Shared) -> None:
    """The test item's coarse Token is the user's for 28.0 % of users, one of their history for 41.0 %; a random item's for 5.5 %."""
    assert beauty.table.users is not None
    item_of = {key: i for i, key in enumerate(beauty.item_keys)}
    user_of = {key: i for i, key in enumerate(beauty.user_keys)}
    coarse, own = beauty.table.items.codes[:, 0], beauty.table.users.codes[:, 0]
    lines = (shared_data("metaid-beauty") / "user_sequence.txt").read_text().split("\n")
    rows = [(user_of[keys[0]], [item_of[key] for key in keys[1:]]) for line in lines if (keys := line.split())]
    drawn = np.random.default_rng(0).integers(len(coarse), size=len(rows))
    by_user = np.mean([own[user] == coarse[items[-1]] for user, items in rows])
    by_history = np.mean([(coarse[items[:-1]] == coarse[items[-1]]).any() for _, items in rows])
    by_chance = np.mean([(coarse[items[:-1]] == coarse[item]).any() for (_, items), item in zip(rows, drawn, strict=True)])
    assert by_user == pytest.approx(0.280, abs=0.0005)
    assert by_history == pytest.approx(0.410, abs=0.0005)
    assert by_chance == pytest.approx(0.055, abs=0.004)


def test_tokenrec_lastfm(shared_data: Shared) -> None:
    folder = shared_data("tokenrec-lastfm")
    h = health(read_tokenrec(folder / "train.txt", folder / "train_codebook.csv.gz").table)
    assert (h.n_items, h.distinct_items, h.n_users, h.distinct_users) == (3646, 3636, 1090, 1087)
    used = {level.book: level.used for level in h.levels}
    assert [used["0-"], used["1-"], used["2-"]] == [252, 228, 164]
    assert all(level.size == 256 for level in h.levels)


def test_a_line_of_another_form_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "users.txt", tmp_path / "items.txt"
    good.write_text("u <CT1><1001>\n")
    bad.write_text("i <CT1><1001>\nj <CT1>\n")
    with pytest.raises(ValueError, match=r"items\.txt, name 2 \('j'\): '<CT1>' lacks a piece"):
        read_metaid(bad, good)
    bad.write_text("i <CT1><1001>\nj CT1\n")
    with pytest.raises(ValueError, match=r"items\.txt, line 2: 'j CT1'"):
        read_metaid(bad, good)


def test_tables_of_another_split_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("0 0 1\n")
    (tmp_path / "book.csv").write_text(",user_cb_id,item_cb_id\n0,user_<a-1><b-2>,item_<0-3><1-4>\n")
    with pytest.raises(ValueError, match=r"line 1: 2 items, but .* has 1"):
        read_tokenrec(tmp_path / "train.txt", tmp_path / "book.csv")
    (tmp_path / "train.txt").write_text("0 0\n")
    official = read_tokenrec(tmp_path / "train.txt", tmp_path / "book.csv")
    assert official.table.items.spell(0) == ("<0-3>", "<1-4>")
    assert official.item_keys == ("0",)
