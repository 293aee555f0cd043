"""What users wrote travels with its interaction: through the reader, the policy of repeats, the k-core, the split and a file on disk."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from llmrec import artifacts
from llmrec.contracts import Interactions, Split
from llmrec.data.assemble import Repeats
from llmrec.data.files import BadData
from llmrec.data.filter import KCore
from llmrec.data.split import LeaveOneOut
from llmrec.data.tabular import TableFile

ROWS = """user,item,time,review
a,x,3,"fine, quick"
a,y,1,
a,x,9,not again
b,x,2,nan
b,z,4,slow\x07
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "mine.csv").write_text(ROWS)
    return str(tmp_path / "mine.csv")


def said(data: Interactions) -> list[tuple[int, int, str]]:
    assert data.text is not None
    return list(zip(data.user.tolist(), data.item.tolist(), map(str, data.text), strict=True))


@pytest.mark.parametrize(
    ("repeats", "of_a"),
    [("first", ["", "fine, quick"]), ("last", ["", "not again"]), ("all", ["", "fine, quick", "not again"])],
)
def test_a_text_stays_with_its_interaction(path: str, repeats: str, of_a: list[str]) -> None:
    data = TableFile(path, text="review", repeats=cast(Repeats, repeats)).load().interactions
    assert [t for u, _, t in said(data) if u == 0] == of_a
    assert [t for u, _, t in said(data) if u == 1] == ["", "slow"]


def test_two_texts_of_one_second_are_no_duplicates(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("user,item,time,tag\na,x,1,dark\na,x,1,dark\na,x,1,odd\n")
    data = TableFile(str(tmp_path / "tags.csv"), text="tag", repeats="all").load()
    assert [t for *_, t in said(data.interactions)] == ["dark", "odd"] and "1 exact duplicate" in data.notes[-1]


def test_texts_are_read_only_where_they_are_named(path: str) -> None:
    assert TableFile(path).load().interactions.text is None
    with pytest.raises(BadData, match="no column 'words'.*text="):
        TableFile(path, text="words").load()


def test_the_k_core_takes_texts_along(path: str) -> None:
    left = KCore(item=2).apply(TableFile(path, text="review").load()).interactions
    assert said(left) == [(0, 0, "fine, quick"), (1, 0, "")]


def test_the_split_and_the_disk_take_texts_along(tmp_path: Path) -> None:
    lines = [f"u{u},i{(u + t) % 5},{t},u{u} on {t}" for u in range(3) for t in range(5)]
    (tmp_path / "mine.csv").write_text("user,item,time,text\n" + "\n".join(lines))
    whole = TableFile(str(tmp_path / "mine.csv"), text="text").load().interactions
    parts = LeaveOneOut().split(whole, np.random.default_rng(0))
    assert [t for *_, t in said(parts.test)] == ["u0 on 4", "u1 on 4", "u2 on 4"]
    assert [t for *_, t in said(parts.train)] == [f"u{u} on {t}" for u in range(3) for t in range(3)]
    artifacts.save(parts, tmp_path / "split")
    again = artifacts.load(Split, tmp_path / "split")
    assert said(again.valid) == said(parts.valid) and said(again.train) == said(parts.train)
