"""What is read out of words, over titles that hold commas, colons and stars: all that the closed language says of an item is true, and
nothing of another."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.lm.dialogue.language import NO_REASON
from llmrec.lm.dialogue.shelf import Shelf
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.report.probes import claims
from llmrec.report.probes.plain import Plain
from tests.lm.dialogue import films


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return Knowledge(films.catalog(), films.split().train)


@pytest.fixture(scope="module")
def plain(knowledge: Knowledge) -> Plain:
    return Plain(knowledge.catalog, knowledge.train)


def test_the_catalogue_is_read_alike_twice(knowledge: Knowledge, plain: Plain) -> None:
    language = knowledge.language
    assert [claims.short(t) for t in plain.catalog.titles] == list(language.titles)
    assert [plain.words[i] - {str(plain.years[i])} for i in range(plain.n_items)] == [set(row) for row in language.attributes]


def test_a_description_is_true_of_its_item_alone(knowledge: Knowledge, plain: Plain) -> None:
    said = [knowledge.language.described(i) for i in range(plain.n_items)]
    assert [claims.fact(plain, [i], words) for i, words in enumerate(said)] == [None] * plain.n_items
    assert all(claims.made(plain, "fact", [i], words) for i, words in enumerate(said))
    assert not [(i, j) for i in range(plain.n_items) for j in range(plain.n_items) if i != j and claims.fact(plain, [j], said[i]) is None]


def test_references_are_true_and_what_is_changed_in_them_is_not(knowledge: Knowledge, plain: Plain) -> None:
    shelf, titles = Shelf(knowledge.train, knowledge.facts, knowledge.language), knowledge.language.titles
    reasons = 0
    for user in range(0, films.N_USERS, 3):
        history = [int(i) for i in knowledge.train.history(user)]
        assert claims.taste(plain, knowledge.language.tasted(shelf.taste(history)), history) is None
        for item in range(0, films.N_ITEMS, 4):
            found = knowledge.facts.reference(item, np.asarray(history))
            if found is None:
                assert claims.reason(plain, [item], NO_REASON, (), history) is None
                continue
            reasons += 1
            names, told = " and ".join(titles[i] for i in found.items), ", ".join(found.attributes)
            assert claims.reason(plain, [item], f"because of {names}: {told}", found.items, history) is None
            assert claims.reason(plain, [item], NO_REASON, (), history) is not None
            assert claims.reason(plain, [item], f"because of {names}: {told}, Opera", found.items, history) == "not all of them are Opera"
            assert claims.reason(plain, [item], f"because of {names}", found.items, history) == "no attribute was named"
            other = [i for i in history if i != found.items[0]]
            assert "is not in their history" in str(claims.reason(plain, [item], f"because of {names}: {told}", found.items, other))
    assert reasons > 20


@pytest.mark.parametrize(
    ("said", "yes"),
    [("Yes, that should suit you.", True), ("No, rather not.", False), (" yes!", True), ("None of it", None), ("Notorious", None)],
)
def test_yes_and_no(said: str, yes: bool | None) -> None:
    assert claims.yes_or_no(said) is yes


def test_a_taste_with_joined_words(plain: Plain) -> None:
    known = [i for i in range(plain.n_items) if "Sci-Fi" in plain.words[i] and "1980s" in plain.words[i]]
    known += [i for i in range(plain.n_items) if "Sci-Fi" in plain.words[i]][:2]
    assert claims.taste(plain, "You like Sci-Fi.", known) is None
    assert claims.taste(plain, "You like Sci-Fi and the 1820s.", known) == "fewer than 2 of what they took are 1820s"
    assert claims.taste(plain, "You like .", known) == "no attribute of this catalogue was named"
