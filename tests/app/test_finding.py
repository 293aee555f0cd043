"""Search: what is found, in which order, and how much was left off."""

from __future__ import annotations

import numpy as np

from app.tokens.finding import Index, plain

NODES = {
    "item:1": "The Alien Within (1999)  ·  item 1",
    "item:2": "Aliens (1986)  ·  item 2",
    "item:3": "Alien (1979)  ·  item 3",
    "item:4": "Amélie  ·  item 4",
    "item:5": "Inalienable (1986)  ·  item 5",
    "user:3": "user 3",
    "token:<c1>": "Token <c1>",
    "token:<c12>": "Token <c12>",
}


def test_the_title_itself_comes_before_longer_ones_and_those_before_the_middle_of_words() -> None:
    assert list(Index(NODES).find("alien").nodes) == ["item:3", "item:2", "item:1", "item:5"]


def test_accents_case_and_order_of_words_do_not_matter() -> None:
    index = Index(NODES)
    assert list(index.find("AMELIE").nodes) == ["item:4"] and list(index.find("amé").nodes) == ["item:4"]
    assert list(index.find("1986 alien").nodes) == ["item:2", "item:5"]
    assert plain("  ÉCOLE\n du  Soir ") == "ecole du soir"


def test_keys_and_tokens_are_found() -> None:
    index = Index(NODES)
    assert next(iter(index.find("user 3").nodes)) == "user:3"
    assert list(index.find("<c1>").nodes) == ["token:<c1>"] and list(index.find("<c1").nodes) == ["token:<c1>", "token:<c12>"]


def test_nothing_is_found_for_nothing() -> None:
    index = Index(NODES)
    assert not index.find("").nodes and not index.find("   ").nodes and not index.find("zzz").nodes and len(index) == len(NODES)


def test_it_says_how_many_were_left_off() -> None:
    found = Index({f"item:{n}": f"Part {n}" for n in range(50)}).find("part", k=7)
    assert len(found.nodes) == 7 and found.more == 43


def test_every_match_is_found_among_many_and_the_best_are_not_lost() -> None:
    rng = np.random.default_rng(0)
    nodes = {f"item:{n}": f"{'x' if rng.random() < 0.9 else 'y'} word {n}" for n in range(8_000)}
    nodes["item:last"] = "word alone"
    found = Index(nodes).find("word", k=5)
    assert next(iter(found.nodes)) == "item:last" and found.more == 8_001 - 5
    assert found.more + 5 == sum("word" in label for label in nodes.values())
