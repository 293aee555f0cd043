"""The names' room: over a hand-made world against loops in plain Python, and over a small real run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from app.backend import Backend
from app.seam import Trouble
from app.tokens import codes, exporting, health, inspecting, listing, newcomer, predicting, reading, tree
from app.world import World
from llmrec.contracts import Book, Catalog, Dataset, IdTable, Interactions, Names, Split, Token, Vectors
from tests.browser import small_run

C, R = Book("c", 4), Book("r", 9)
ITEMS = [[0, 0], [0, 1], [0, 1], [1, 0], [1, -1], [2, 8]]
USERS = [[0, 2], [2, 3], [2, 3]]
TOOK = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 3), (2, 0), (2, 5)]
TITLES = ["Alien", "Aliens", "Alien Nation", "=HYPER()", "<b>Up</b>", "Heat"]


@pytest.fixture
def world() -> World:
    """Six items, three users, and names in which items 1 and 2 collide, as do users 1 and 2."""
    n = len(TOOK)
    taken = Interactions(
        np.asarray([u for u, _ in TOOK], dtype=np.int32), np.asarray([i for _, i in TOOK], dtype=np.int32), np.arange(n), 3, 6
    )
    items = pd.DataFrame(
        {
            "key": [f"i{n}" for n in range(6)],
            "title": TITLES,
            "year": pd.array([1979, 1986, 1988, None, 2009, 1995], dtype="Int64"),
            "genres": [["Horror"], ["Horror", "Action"], ["Action"], [], ["Comedy"], ["Crime"]],
        }
    )
    catalog = Catalog(pd.DataFrame({"key": ["u0", "u1", "u2"]}), items)
    table = IdTable("mine", Names(np.asarray(ITEMS, dtype=np.int32), (C, R)), Names(np.asarray(USERS, dtype=np.int32), (C, R)))
    rng = np.random.default_rng(0)
    vectors = Vectors(rng.normal(size=(3, 5)).astype(np.float32), rng.normal(size=(6, 5)).astype(np.float32))
    vectors.items[4] = 0  # nothing is known of it
    made = World(SimpleNamespace(recipe=SimpleNamespace(embed=None), path=Path("/nowhere")))
    split = Split("loo", taken, taken.take(np.zeros(n, dtype=bool)), taken.take(np.zeros(n, dtype=bool)))
    vars(made).update(dataset=Dataset("six", taken, catalog), split=split, table=table, _space=(vectors, True))
    return made


def _spelled(names: list[list[int]], row: int) -> tuple[str, ...]:
    return tuple(f"<{book}{code}>" for book, code in zip("cr", names[row], strict=True) if code >= 0)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (math.sqrt((a @ a) * (b @ b)) or 1.0))


def test_who_shares_what_and_how_near_they_are(world: World) -> None:
    assert world.vectors is not None
    read = reading.read(world)
    for index in range(6):
        seen = inspecting.inspect(world, read, f"item:i{index}")
        mine = _spelled(ITEMS, index)
        assert seen.card.pieces == mine
        for piece, shared in zip(mine, seen.shared, strict=True):
            others = [n for n in range(6) if n != index and piece in _spelled(ITEMS, n)]
            assert shared.n_items == len(others) and {c.index for c in shared.items} == set(others)
            assert shared.n_users == sum(piece in _spelled(USERS, u) for u in range(3))
            known = [_cosine(world.vectors.items[index], world.vectors.items[n]) for n in others if n != 4]
            assert shared.cosine == (pytest.approx(np.mean(known), abs=1e-5) if known and index != 4 else None)
        whole = seen.beginnings[-1]
        assert whole.kind == "name" and whole.n_items == sum(_spelled(ITEMS, n) == mine for n in range(6) if n != index)
        everyone = [_cosine(world.vectors.items[index], world.vectors.items[n]) for n in range(6) if n not in (index, 4)]
        assert seen.cosine == (pytest.approx(np.mean(everyone), abs=1e-5) if index != 4 else None)


def test_the_nearest_say_how_many_pieces_their_names_share(world: World) -> None:
    assert world.vectors is not None
    seen = inspecting.inspect(world, reading.read(world), "item:i1")
    assert [n.card.index for n in seen.neighbours] == sorted(
        (n for n in range(6) if n not in (1, 4)),
        key=lambda n: -_cosine(world.vectors.items[1], world.vectors.items[n]),  # type: ignore[union-attr]
    )
    assert {n.card.index: (n.shared, n.of) for n in seen.neighbours} == {0: (1, 2), 2: (2, 2), 3: (0, 2), 5: (0, 2)}
    from_the_middle = {n.card.index: n.shared for n in inspecting.inspect(world, reading.read(world), "item:i0").neighbours}
    assert from_the_middle == {1: 1, 2: 1, 3: 0, 5: 0}  # item 3 ends alike, which is no beginning in common
    assert not inspecting.inspect(world, reading.read(world), "item:i4").neighbours


def test_one_token_with_what_stands_out(world: World) -> None:
    seen = inspecting.inspect(world, reading.read(world), "token:<c0>")
    assert [c.index for c in seen.shared[0].items] == [0, 1, 2] and seen.shared[0].n_users == 1  # the most popular first
    assert dict(seen.telling)["Genres"][0].tag == "Action" and dict(seen.telling)["Genres"][0].lift == pytest.approx(2.0)
    assert seen.facts[2][:2] == ("Of all taken", f"{5 / 7:.1%}")
    for node in ("token:<c3>", "token:nonsense", "item:zzz", "planet:1"):
        with pytest.raises(Trouble):
            inspecting.inspect(world, reading.read(world), node)


def test_health_points_at_collisions_and_dead_codes(world: World) -> None:
    seen = health.examine(world, reading.read(world))
    numbers = {label: value for label, value, _ in seen.numbers}
    assert numbers["Item names"] == "5" and numbers["User names"] == "2" and numbers["Collisions"] == "4"
    said = " ".join(f.text for f in seen.findings if f.grave)
    assert "6 items bear 5 names" in said and "<c" not in said
    groups = {g.pieces: (g.n_items, g.n_users, {c.node for c in (*g.items, *g.users)}) for g in seen.collisions}
    assert groups == {("<c0>", "<r1>"): (2, 0, {"item:i1", "item:i2"}), ("<c2>", "<r3>"): (0, 2, {"user:u1", "user:u2"})}
    assert all(isinstance(piece, Token) for pieces in groups for piece in pieces)
    exhibit = health.usage(world, "1-c", dark=False)
    assert exhibit.table.set_index("piece")["bearers"].to_dict() == {"<c0>": 4, "<c2>": 3, "<c1>": 2, "<c3>": 0}
    assert "1 are dead" in exhibit.caption
    with pytest.raises(Trouble):
        health.usage(world, "nonsense", dark=False)


def test_a_collapsed_code_is_pointed_at(world: World) -> None:
    fallen = [[1, n] for n in range(6)]
    table = IdTable("mine", Names(np.asarray(fallen, dtype=np.int32), (C, R)))
    vars(world).update(table=table)
    seen = health.examine(world, reading.read(world))
    first, second = [f for f in seen.findings if f.grave]
    assert "<c1> holds 100% of piece 1" in first.text and first.node == "token:<c1>"
    assert "3 of 4 codes of the book 'c' are dead" in second.text and second.node is None


@pytest.mark.parametrize("chosen", [(0, None), (None, 0), (0, 1), (None, None), (3, 8), (2, None)])
def test_codes_back_to_bearers(world: World, chosen: tuple[int | None, ...]) -> None:
    found = codes.invert(world, reading.read(world), "item", chosen)
    rows = [
        f"{side}:{side[0]}{n}"
        for side, names in (("item", ITEMS), ("user", USERS))
        for n, row in enumerate(names)
        if all(c is None or row[p] == c for p, c in enumerate(chosen))
    ]
    assert set(found.table["node"]) == set(rows) and found.n_items + found.n_users == len(rows)
    assert ("collide" in found.note) == (chosen == (0, 1)) and ("Nobody has this name" in found.note) == (chosen == (3, 8))


def test_a_written_name_is_read_whole_in_part_and_from_the_middle(world: World) -> None:
    assert codes.read(world, " <c0><r8> ") == ("item", (0, 8))
    assert codes.read(world, "<c2>") == ("item", (2,)) and codes.read(world, "*<r3>") == codes.read(world, "<r3>") == ("item", (None, 3))
    for bad in ("", "<c9>", "<c00>", "star wars", "<c1><c2>", "<r1><c1>", "<c1><r1><r1>", "<script>"):
        with pytest.raises(Trouble):
            codes.read(world, bad)


def test_the_tree_counts_interactions_and_its_branches_list_their_own(world: World) -> None:
    read = reading.read(world)
    drawn = tree.plant(world, read, "item", "treemap", "interactions", 2, False)
    table = drawn.exhibit.table.set_index("name")["interactions"]
    assert table["<c0>"] == sum(ITEMS[i][0] == 0 for _, i in TOOK) and table["<c0><r0>"] == 3
    node = dict((label.split()[0], node) for node, label in drawn.branches)["<c1>"]
    found = codes.under(world, read, "item", node)
    assert set(found.table["node"]) == {"item:i3", "item:i4"} and found.pieces == ("<c1>",)
    assert set(codes.under(world, read, "item", f"{node}/~").table["node"]) == {"item:i3", "item:i4"}
    with pytest.raises(Trouble):
        codes.under(world, read, "item", "../x")
    with pytest.raises(Trouble):
        tree.plant(world, read, "item", "pie", "bearers", 2, False)  # type: ignore[arg-type]


def test_the_table_has_a_row_for_everybody(world: World) -> None:
    everyone = listing.everybody(world, reading.read(world))
    assert len(everyone) == 9 and everyone["node"].tolist()[:2] == ["item:i0", "item:i1"]  # by how often they were taken
    row = everyone.set_index("node").loc["item:i2"]
    assert (row["name"], row["piece 1"], row["piece 2"], row["taken"], row["same name"]) == ("<c0><r1>", "<c0>", "<r1>", 1, 1)
    assert everyone.set_index("node").loc["item:i4", "piece 2"] == "" and pd.isna(everyone.set_index("node").loc["item:i3", "year"])


def test_files_of_names_come_back_as_they_were(world: World, tmp_path: Path) -> None:
    from llmrec.ids.exchange import official

    table = listing.everybody(world, reading.read(world))
    chosen = table[table["node"].isin(["item:i3", "item:i1", "user:u2"])]
    for form in ("json", "parquet"):
        path = tmp_path / f"names.{form}"
        path.write_bytes(exporting.export(world, chosen, form))  # type: ignore[arg-type]
        keyed = official.read(path)
        assert keyed.item_keys == ("i1", "i3") and keyed.user_keys == ("u2",) and keyed.titles == ("Aliens", "=HYPER()")
        assert keyed.table.items.codes.tolist() == [ITEMS[1], ITEMS[3]] and keyed.table.users.codes.tolist() == [USERS[2]]  # type: ignore[union-attr]
    assert json.loads((tmp_path / "names.json").read_text())["items"][0]["pieces"] == ["<c0>", "<r1>"]
    assert b"'=HYPER()" in exporting.export(world, chosen, "csv")
    with pytest.raises(Trouble, match="hold items"):
        exporting.export(world, table[table["side"] == "user"], "json")


def test_predictions_are_counted_over_the_filled_places(world: World) -> None:
    from app.tokens import names

    vars(world).update(split=Split("loo", world.split.train, world.split.valid, world.split.train.take(np.asarray([0, 6]))))
    sample = predicting.Sample(np.asarray([0, 1]), np.asarray([[0, 5, -1], [1, 2, 0]]))
    carried = np.asarray([True, True, False, False, False, False])
    found = names._counted(sample, carried, world)
    assert (found.share, found.people, found.targets) == (3 / 5, 2, 1 / 2) and found.catalogue == pytest.approx(2 / 6)
    assert len(predicting.sample(50)) == 50 and len(set(predicting.sample(5000))) == predicting.USERS


def test_titles_are_searched_by_how_they_begin(world: World) -> None:
    book = Book("title", 6, False, tuple(TITLES))
    vars(world).update(table=IdTable("title", Names(np.arange(6, dtype=np.int32)[:, None], (book,))))
    read = reading.read(world)
    assert codes.places(world, "item") == () and not read.subwords  # no model lies there: a title is one piece
    found = codes.beginning(world, read, "item", "ALIEN")
    assert set(found.table["title"]) == {"Alien", "Aliens", "Alien Nation"} and "1 of them" in found.note
    assert not codes.beginning(world, read, "item", "").n_items and "No item" in codes.beginning(world, read, "item", "zzz").note
    with pytest.raises(Trouble):
        codes.beginning(world, read, "user", "x")
    assert inspecting.inspect(world, read, "user:u1").note


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs")
    small_run.train(folder)
    return folder


@pytest.fixture
def backend(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setenv("LLMREC_RUNS", str(runs))
    made = Backend()
    yield made
    made.close()


def test_a_newcomer_gets_the_name_that_the_library_gives(backend: Backend) -> None:
    from llmrec.ids.newcomers import naming
    from llmrec.runs import store

    (info,) = backend.runs()
    run, names = store.open_run(info.name), backend.names()
    found = names.name_user(info.name, (0, 2, 4))
    told = naming.name_user(run.table(), run.recipe.embed, run.vectors(), run.split().train, [0, 2, 4], 8)
    assert found.pieces == told.pieces and [n.card.index for n in found.alike] == [n.index for n in (*told.items, *told.users)]
    row = run.recipe.embed.fold_in(run.vectors(), run.split().train, [np.asarray([0, 2, 4], dtype=np.int32)], "user")[0]
    best = max(range(40), key=lambda i: _cosine(row, run.vectors().items[i]))
    assert found.nearest[0].card.index == best
    assert found.nearest[0].cosine == pytest.approx(_cosine(row, run.vectors().items[best]), abs=1e-5)
    assert all(a.cosine >= b.cosine for a, b in pairwise(found.nearest))
    ways = names.ways(info.name)
    assert not ways.user and not ways.item_users and "reads no text" in ways.item_text
    assert names.name_item(info.name, (1, 3)).side == "item"
    for bad in (
        lambda: names.name_user(info.name, ()),
        lambda: names.name_user(info.name, (99,)),
        lambda: names.name_item(info.name, (), "x"),
    ):
        with pytest.raises(Trouble):
            bad()


def test_predictions_of_a_run_are_its_own_recommendations(backend: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from llmrec.runs import store

    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    (info,) = backend.runs()
    run = store.open_run(info.name)
    monkeypatch.setattr(predicting, "USERS", 5)
    assert predicting.main(info.name) == 0 and predicting.kept(run)
    token = str(run.table().items.spell(0)[0])
    found = backend.names().predicted(info.name, token)
    queries = run.split().queries("test")
    asked = [queries[int(n) : int(n) + 1] for n in predicting.sample(len(queries))]
    items = [int(i) for q in asked for i in run.recommender().recommend(q, 10).items[0] if i >= 0]
    carried = {i for i in range(40) if token in run.table().items.spell(i)}
    assert found.state == "ready" and found.users == 5 and found.share == pytest.approx(np.mean([i in carried for i in items]))


def test_text_is_read_as_the_trie_reads_it(tmp_path: Path) -> None:
    """Digits and titles become the subwords of the run's own tokenizer; the end mark is no piece."""
    import torch

    from llmrec.lm.backbone import Backbone
    from llmrec.lm.vocab import Vocab

    torch.manual_seed(0)
    _, subwords = Backbone("tiny").build(["star wars", "star trek"], seed=0)
    book = Book("title", 3, False, ("star", "star wars", "star trek"))
    table = IdTable("title", Names(np.arange(3, dtype=np.int32)[:, None], (book,)))
    vocab = Vocab.of_table(subwords, table)
    paths = reading._by_subwords(table, table.items, vocab)
    assert vocab.ends  # one title begins another
    rows = vocab.names(table.items)
    for n in range(3):
        kept = [int(i) for i in paths.ids[n] if i >= 0]
        assert kept == rows[n].tolist()[:-1]
        assert "".join(str(paths.pieces[i]) for i in kept).strip() == book.texts[n]  # type: ignore[index]


@pytest.mark.parametrize("text", ["Alien\r 3 ", "Title: Alien\r\n3. Year: 1992."])
def test_a_new_text_is_the_same_behind_a_pipe(text: str) -> None:
    piped = text.replace("\r\n", "\n").replace("\r", "\n")  # what a text stream makes of it
    assert newcomer.as_read(text) == newcomer.as_read(piped) and "\r" not in newcomer.as_read(text)
    assert "Alien 3" in newcomer.as_read(text)


def test_newcomers_are_refused_with_the_reason(world: World) -> None:
    told = newcomer.ways(world)
    assert told.user and told.item_users and told.item_text
