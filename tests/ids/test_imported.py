"""Names from a file in the place of a scheme: aligned by key, refused where someone has none, worked anew when the file changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec import recipe
from llmrec.contracts import Book, Catalog, IdTable, Interactions, Names
from llmrec.data.sequences import SequenceFile
from llmrec.data.split import LeaveOneOut
from llmrec.ids.exchange import files
from llmrec.ids.exchange.keyed import KeyedTable
from llmrec.ids.imported import Imported
from llmrec.lm.backbone import Backbone
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import NameTree
from llmrec.rng import stream
from llmrec.runs import stages

RNG = np.random.default_rng(0)
TRAIN = Interactions(np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int64), 2, 3)


def saved(path: Path, items: dict[str, list[int]], users: dict[str, list[int]] | None = None) -> str:
    books = (Book("c", 9), Book("r", 9))
    sides = [None if side is None else Names(np.asarray(list(side.values()), dtype=np.int32), books) for side in (items, users)]
    assert sides[0] is not None
    return str(files.save(KeyedTable(IdTable("edited", sides[0], sides[1]), tuple(items), tuple(users or ())), path))


def catalog(items: str = "abc", users: str = "uv") -> Catalog:
    return Catalog(pd.DataFrame({"key": list(users)}), pd.DataFrame({"key": list(items), "title": list(items)}))


def test_rows_follow_the_data_s_keys_and_strangers_are_left_out(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.json", {"c": [3, 3], "x": [8, 8], "a": [1, 1], "b": [2, 2]}, {"v": [5, 5], "u": [4, 4]})
    table = Imported(path).fit(TRAIN, catalog(), None, RNG)
    assert table.items.codes.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert table.users is not None and table.users.codes.tolist() == [[4, 4], [5, 5]]
    assert table.scheme == "edited"


def test_who_has_no_name_is_counted_and_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.json", {"c": [3, 3]}, {"v": [5, 5], "u": [4, 4]})
    with pytest.raises(ValueError, match=r"n\.json has no name for 2 of the 3 items of the data, such as 'a', 'b'"):
        Imported(path).fit(TRAIN, catalog(), None, RNG)
    with pytest.raises(ValueError, match=r"no name for 1 of the 2 users of the data, such as 'w'"):
        Imported(path).fit(TRAIN, catalog("c", "uw"), None, RNG)


def test_the_file_is_a_setting_without_a_default() -> None:
    with pytest.raises(recipe.BadRecipe, match=r"\[scheme\] needs the setting 'items'"):
        recipe.read({"scheme": {"name": "imported"}})
    with pytest.raises(recipe.BadRecipe, match="items is empty"):
        recipe.read({"scheme": {"name": "imported", "items": ""}})


def test_an_edited_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    items = {f"i{i}": [i % 9, i // 9] for i in range(12)}
    path = saved(tmp_path / "n.json", items)
    board = {"name": "checkerboard", "n_users": 6, "n_items": 12}
    read = recipe.read({"data": board, "scheme": {"name": "imported", "items": path}})
    assert recipe.read(read.to_dict()) == read

    def fitted() -> list[list[int]]:
        data = stages.dataset(read)
        return stages.table(read, data, stages.split(read, data), None).items.codes.tolist()

    assert fitted()[:4] == [[0, 0], [1, 0], [2, 0], [3, 0]]
    first = stages.keys(read)
    saved(tmp_path / "n.json", items | {"i3": [8, 8]})
    assert fitted()[3] == [8, 8]
    assert {stage for stage, key in stages.keys(read).items() if key != first[stage]} == {"scheme"}


@pytest.mark.slow
def test_official_beauty_names_take_a_training_step(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """META ID's released names over its released histories: vocabulary, tree of names and one step of the tiny model."""
    import torch

    folder = shared_data("metaid-beauty")
    data = SequenceFile(str(folder / "user_sequence.txt"), str(folder / "item_labels.txt")).load()
    split = LeaveOneOut().split(data.interactions, stream(0, "split"))
    named = [str(folder / f"{side}_metapath_indexing_kmcos_100_ag.txt") for side in ("item", "user")]
    table = Imported(*named).fit(split.train, data.catalog, None, RNG)
    assert (len(table.items), len(table.users or ())) == (12_101, 22_363)
    assert "".join(table.items.spell(data.catalog.item_of_key["B007ZBUQ1A"])) == "<CT79><1220>"
    model = LanguageModel.create(Backbone(name="tiny"), table, data.catalog, 0)
    assert model.vocab.tokens[: len(table.tokens)] == table.tokens
    tree = NameTree.build(model.vocab, table, data.catalog)
    assert (tree.depth, tree.n_nodes > 12_101) == (2, True)
    before = model.rows.rows().detach().clone()
    few = replace(split, train=split.train.take(split.train.user < 8), valid=split.valid.take(split.valid.user < 8))
    told = FineTune(epochs=1, batch=8).fit(model, table, few, tmp_path, lambda event: None, lambda: True, 0, Trie())
    assert told["steps"] == 1
    moved = (model.rows.rows().detach() - before).abs().sum(dim=1) > 0
    row_of = {token: row for row, token in enumerate(table.tokens)}
    bought = table.items.spell(int(few.train.item[0]))
    assert torch.isfinite(model.rows.rows()).all() and all(moved[row_of[piece]] for piece in bought)
