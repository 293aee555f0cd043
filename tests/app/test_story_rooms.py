"""The rooms of two stories over real small runs: errands are worked in place, and what is told is what the library computes."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errands import Errand, Errands
from app.library import Library
from app.seam import Trouble
from app.tour import mutual, quantizing, racing, small_world
from app.tour.masking_room import Masking
from app.tour.pulling_room import Pulling
from llmrec.contracts import Book, Catalog, IdTable, Interactions, Names, Split
from tests.browser import small_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder: Path = tmp_path_factory.mktemp("runs")
    return folder, small_run.train(folder, **small_run.OTHERS[0])


@pytest.fixture
def library(runs: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("LLMREC_RUNS", str(runs[0]))
    monkeypatch.setattr(quantizing, "STEPS", 30)
    monkeypatch.setattr(mutual, "ROUNDS", 1)
    monkeypatch.setattr(mutual, "STRENGTHS", (0.0, 100.0))
    monkeypatch.setattr(Errands, "ask", _at_once)
    made = Library()
    yield made
    made.close()


def _at_once(_: Errands, key: Any, module: str, *words: str, text: str = "", again: bool = False) -> Errand:
    """The errand's own process, in this one."""
    main = importlib.import_module(module).main
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        code = main(list(words), text) if module == "app.tour.quantizing" else main(*words, text)
    return Errand("running") if code == 0 else Errand("failed", reason="it failed")


def test_a_vector_goes_through_the_runs_own_quantizer(library: Library, runs: tuple[Path, str]) -> None:
    room, name = Masking(library), runs[1]
    card = library.world(name).card("item", 4)
    assert name in room.origin(name).sentence
    snap = room.step(name, "snap", 4, 0.0, 0)
    assert [own.pieces for _, own in snap.names] == [card.pieces] * 2  # nothing hidden: the name of the table
    assert [own.tones for _, own in snap.names] == [card.tones] * 2
    assert len(snap.exhibits) == len(card.pieces)
    nearest = [e.table["codeword"].iloc[0] for e in snap.exhibits]
    assert nearest == [str(piece) for piece in card.pieces]
    hidden = room.step(name, "mask", 4, 0.5, 3).exhibits[0].table["hidden"].tolist()
    assert hidden == room.step(name, "back", 4, 0.5, 3).exhibits[0].table["hidden"].tolist() != [""] * len(hidden)
    assert hidden != room.step(name, "mask", 4, 0.5, 4).exhibits[0].table["hidden"].tolist()
    assert all(near == "1.00" for _, near, _ in room.step(name, "encode", 4, 0.0, 0).numbers)


def test_four_quantizers_are_tried_under_the_same_masks(library: Library, runs: tuple[Path, str]) -> None:
    room, name = Masking(library), runs[1]
    first = room.step(name, "claim", 4, 0.2, 0)
    assert first.pending is not None and not first.exhibits
    told = room.step(name, "claim", 4, 0.2, 0)
    assert told.pending is None and len(told.numbers) == 4
    table = told.exhibits[0].table
    whole = table[(table["hidden"] == 0) & (table["whose"] == "sample")]
    assert len(whole) == 4 and (whole["codes kept"] == 1).all() and (whole["names kept"] == 1).all()
    sample = table[table["whose"] == "sample"]
    assert (sample["names kept"] <= sample["codes kept"]).all() and sample["codes kept"].min() < 0.9


def test_a_size_is_fitted_once_and_those_visited_stay(library: Library, runs: tuple[Path, str]) -> None:
    room, name = Masking(library), runs[1]
    assert room.sizes(name, 1, 16).pending is not None
    one = room.sizes(name, 1, 16)
    assert one.pending is None and len(one.exhibits) == 2
    room.sizes(name, 2, 16)
    two = room.sizes(name, 2, 16)
    assert two.exhibits[0].table[["books", "codes"]].to_numpy().tolist() == [[1, 16], [2, 16]]
    shared = two.exhibits[0].table["share a name"]
    assert shared.iloc[1] < shared.iloc[0] <= 1  # more books tell more items apart
    with pytest.raises(Trouble, match="not among the sizes"):
        room.sizes(name, 99, 16)


def test_racers_are_timed_and_find_what_they_find(library: Library, runs: tuple[Path, str]) -> None:
    room, name = Masking(library), runs[1]
    assert len(room.racers(name)) == 3
    laps = list(room.race(name, 2))
    assert [lap.done for lap in laps] == list(range(1, racing.CALLS + 1)) and laps[-1].exhibit.table["calls"].tolist() == [racing.CALLS] * 3
    assert not laps[0].answers and [a.model for a in laps[-1].answers] == list(room.racers(name))
    person = library.world(name).person(2)
    for answer in laps[-1].answers:
        found = [pick.card.index for pick in answer.picks]
        assert len(found) == len(set(found)) and not set(found) & set(person.history)


def test_without_a_trained_run_nobody_races(library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path))
    with pytest.raises(Trouble, match="Train page"):
        list(racing.race(library, None, None, 0, False))


def test_the_trie_speaks_for_those_who_share_a_name() -> None:
    table = IdTable("x", Names(np.asarray([[1], [0], [1], [2]], dtype=np.int32), (Book("a", 3),)))
    assert racing.first_of_names(table).tolist() == [0, 1, 3]


def test_both_rows_are_trained_and_told(library: Library, runs: tuple[Path, str]) -> None:
    room, name = Pulling(library), runs[1]
    assert room.scene(name, 0.0).pending is not None
    seen = room.scene(name, 100.0)
    assert seen.pending is None
    ends = seen.exhibits[1].table.groupby("lambda")["distance"].last()
    assert ends[100.0] < ends[0.0] and "nearer they stay" in seen.exhibits[1].caption
    films = room.films(name)
    near = room.near(name, 0.0, films[0].index)
    assert films[0].index not in {card.index for card, _ in (*near.collaborative, *near.content)}
    cosines = [cosine for _, cosine in near.content]
    assert cosines == sorted(cosines, reverse=True)
    with pytest.raises(Trouble, match="lambda 7"):
        room.scene(name, 7.0)


def test_the_small_world_is_the_most_taken_corner() -> None:
    import pandas as pd

    user = np.asarray([0, 0, 0, 1, 1, 2], dtype=np.int32)
    item = np.asarray([0, 2, 3, 2, 3, 1], dtype=np.int32)
    train = Interactions(user, item, np.arange(6), 3, 4)
    valid = Interactions(np.asarray([1, 2], np.int32), np.asarray([2, 2], np.int32), np.arange(2), 3, 4)
    catalog = Catalog(pd.DataFrame({"key": list("uvw")}), pd.DataFrame({"key": list("abcd"), "title": list("ABCD")}))
    corner, small, items = small_world.smallest(catalog, Split("loo", train, valid, valid), 2, 2)
    assert items.tolist() == [2, 3] and corner.item_keys == ["c", "d"] and corner.user_keys == ["u", "v"]
    assert small.train.user.tolist() == [0, 0, 1, 1] and small.train.item.tolist() == [0, 1, 0, 1]
    assert small.valid.item.tolist() == [0] and len(small.test) == 0
